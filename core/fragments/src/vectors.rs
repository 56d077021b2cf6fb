//! The project's own vectors, `tests/vectors/symbolon-v1-derivation.json`: every value from the fields of an input to
//! the derived key, from which another implementation can be checked.
//!
//! The test compares them with what the code gives. `SYMBOLON_WRITE_VECTORS=1 cargo test -p symbolon-fragments vectors`
//! writes them; a version that was published is never written again.

use crate::{
    Binding, Combination, CustomerContribution, CustomerFragment, CustomerFragmentId, Evaluation, Evaluator,
    Fields, Fragment, Input, Instance, KeyScope, Output, P256Sha256, Quorum, Ristretto255Sha512, Suite,
    SuiteId,
    names::{AccountId, Index, Purpose, Thumbprint},
    rfc_tests::proof_with,
    suite::{Field, Group, Scalar, encode_element, encode_scalar},
};
use hkdf::Hkdf;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{env, format, fs, string::String, vec::Vec};
use symbolon_encoding::Tuple;
use zeroize::Zeroizing;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/symbolon-v1-derivation.json");

#[test]
fn vectors_are_what_the_code_gives() {
    let now = file();
    if env::var_os("SYMBOLON_WRITE_VECTORS").is_some() {
        fs::write(FILE, format!("{}\n", serde_json::to_string_pretty(&now).unwrap())).unwrap();
    }
    let published: Value = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    assert!(published == now, "the code no longer gives {FILE}: the derivation has changed");
}

fn file() -> Value {
    let plans = [
        Plan { threshold: 2, members: 3, quorum: [1, 3].into(), customer: false, context: "" },
        Plan { threshold: 2, members: 2, quorum: [2, 1].into(), customer: true, context: "album=2026" },
        Plan { threshold: 3, members: 5, quorum: [2, 3, 5].into(), customer: true, context: "x" },
    ];
    let cases: Vec<_> = plans
        .iter()
        .flat_map(|plan| [plan.case::<Ristretto255Sha512>(), plan.case::<P256Sha256>()])
        .collect();
    json!({
        "format": "symbolon derivation vectors",
        "version": 1,
        "specification": "docs/specification.md, section 3",
        "provenance": "computed by core/fragments/src/vectors.rs of the Symbolon project",
        "licence": "Apache-2.0",
        "notation": "byte strings in hexadecimal; scalars and elements in the encodings of RFC 9497, section 4",
        "cases": cases,
    })
}

/// What distinguishes one case from another; everything else is hashed from fixed words.
struct Plan {
    threshold: u16,
    members: u16,
    quorum: Vec<u16>,
    customer: bool,
    context: &'static str,
}

/// A sharing whose polynomial is known.
struct Known<S: Suite> {
    polynomial: Vec<Scalar<S>>,
    commitment: Vec<Vec<u8>>,
    fragments: Vec<(Index, Fragment<S>)>,
}

impl Plan {
    fn case<S: Suite>(&self) -> Value {
        let known = self.sharing::<S>();
        let scope = self.scope(S::SUITE);
        let fields: Vec<_> = [1, 2].map(|n| self.fields(n)).into();
        let inputs: Vec<_> = fields.iter().map(|fields| Input::new(&scope, fields)).collect();
        let outputs = self.combine(&known, &inputs);
        let messages = fields.iter().zip(&outputs).map(|(fields, output)| self.message::<S>(fields, output));
        json!({
            "suite": { "number": S::SUITE.number(), "name": S::SUITE.name() },
            "threshold": self.threshold,
            "polynomial": known.polynomial.iter().map(|c| hex::encode(encode_scalar::<S>(c))).collect::<Vec<_>>(),
            "commitment": known.commitment.iter().map(hex::encode).collect::<Vec<_>>(),
            "account": hex::encode(scope.account.as_bytes()),
            "key id": scope.key.as_str(),
            "key version": scope.version,
            "messages": messages.collect::<Vec<_>>(),
            "members": known.fragments.iter().map(|f| member(f, &inputs)).collect::<Vec<_>>(),
            "quorum": self.coefficients::<S>(),
        })
    }

    fn sharing<S: Suite>(&self) -> Known<S> {
        let coefficient =
            |k: u16| scalar::<S>(&format!("coefficient {k} of {}-of-{}", self.threshold, self.members));
        let polynomial: Vec<_> = (0..self.threshold).map(coefficient).collect();
        let commit = |c: &Scalar<S>| element(&(S::Group::generator() * *c), encode_element::<S>);
        let fragment = |number: u16| {
            let x: Scalar<S> = u64::from(number).into();
            let zero = <S::Group as Group>::Field::zero();
            let secret = polynomial.iter().rev().fold(zero, |sum, c| sum * x + *c);
            (index(number), Fragment::from_bytes(&encode_scalar::<S>(&secret)).unwrap())
        };
        Known {
            commitment: polynomial.iter().map(commit).collect(),
            fragments: (1..=self.members).map(fragment).collect(),
            polynomial,
        }
    }

    fn scope(&self, suite: SuiteId) -> KeyScope {
        let account = AccountId::new(hash("account"));
        KeyScope {
            account,
            suite,
            key: "acme/notes".parse().unwrap(),
            version: u64::from(self.members) * 100,
        }
    }

    fn fields(&self, n: u64) -> Fields {
        Fields {
            purpose: if n == 1 { Purpose::Data } else { Purpose::Wrap },
            writer: Thumbprint::new(hash("writer")),
            created: 1_795_514_400 + n,
            r: hash(&format!("r {n} of {}-of-{}", self.threshold, self.members)),
        }
    }

    /// The outputs, through the interface that clients use: with proofs, by this quorum.
    fn combine<S: Suite>(&self, known: &Known<S>, inputs: &[Input]) -> Vec<Output> {
        let members: Vec<_> = known.fragments.iter().map(|(index, _)| *index).collect();
        let instance = Instance::new(S::SUITE, &known.commitment, &members).unwrap();
        let mut combination = instance.combination(inputs.to_vec()).unwrap();
        self.quorum.iter().for_each(|number| answer(&mut combination, known, *number, inputs));
        combination.finish().unwrap()
    }

    fn coefficients<S: Suite>(&self) -> Vec<Value> {
        let members: Vec<_> = self.quorum.iter().map(|number| index(*number)).collect();
        let quorum = Quorum::<S>::new(&members).unwrap();
        let pair =
            |(number, lambda)| json!({ "index": number, "lambda": hex::encode(encode_scalar::<S>(lambda)) });
        self.quorum.iter().zip(quorum.coefficients()).map(pair).collect()
    }

    fn message<S: Suite>(&self, fields: &Fields, output: &Output) -> Value {
        let secret = hash("customer fragment");
        let id = CustomerFragmentId::new(hash("customer fragment id")[..16].try_into().unwrap());
        let customer = self.customer.then(|| CustomerFragment::new(id, Zeroizing::new(secret)));
        let contribution = customer.as_ref().map(|customer| customer.evaluate(output.input()));
        let header = b"a header without its commitment";
        let binding = Binding { header, context: self.context.as_bytes() };
        let (prk, okm) = derivation(output, contribution.as_ref(), binding);
        let (key, commitment) = output.derive(contribution.as_ref(), binding).into_parts();
        assert_eq!(okm, hex::encode([*key.as_bytes(), *commitment.as_bytes()].concat()));
        json!({
            "purpose": fields.purpose.number(),
            "writer": hex::encode(fields.writer.as_bytes()),
            "created": fields.created,
            "r": hex::encode(fields.r),
            "I": hex::encode(output.input().as_bytes()),
            "P": hex::encode(element(&output.input().point::<S>(), encode_element::<S>)),
            "Z": hex::encode(&output.z),
            "customer fragment": contribution.as_ref().map(|c| json!({
                "id": hex::encode(id.as_bytes()), "secret": hex::encode(secret), "c": hex::encode(c.value()),
            })),
            "header without commitment": hex::encode(header),
            "context": hex::encode(self.context),
            "PRK": prk,
            "OKM": okm,
        })
    }
}

fn answer<S: Suite>(combination: &mut Combination, known: &Known<S>, number: u16, inputs: &[Input]) {
    let (index, fragment) = &known.fragments[usize::from(number) - 1];
    combination.accept(*index, &fragment.evaluate(inputs).unwrap()).unwrap();
}

/// One member: its fragment, its answer to the batch of all messages, and the proof with a nonce that is given.
fn member<S: Suite>((index, fragment): &(Index, Fragment<S>), inputs: &[Input]) -> Value {
    let points = Fragment::<S>::points(inputs).unwrap();
    let evaluations = fragment.evaluate(inputs).unwrap();
    let nonce = scalar::<S>(&format!("nonce of {index}"));
    let proof = proof_with(fragment, &points, &evaluations, &nonce);
    json!({
        "index": index.get(),
        "fragment": hex::encode(&fragment.to_bytes()[..]),
        "Y": hex::encode(fragment.public().as_bytes()),
        "D": evaluations.iter().map(Evaluation::as_bytes).map(hex::encode).collect::<Vec<_>>(),
        "proof nonce": hex::encode(encode_scalar::<S>(&nonce)),
        "proof": hex::encode(proof.as_bytes()),
    })
}

/// PRK and OKM written out by the words of the specification, beside the code under test.
fn derivation(
    output: &Output,
    customer: Option<&CustomerContribution>,
    binding: Binding<'_>,
) -> (String, String) {
    let c = customer.map_or(Vec::new(), |c| c.value().to_vec());
    let id = customer.map_or(Vec::new(), |c| c.id().as_bytes().to_vec());
    let ikm = Tuple::new("ikm").bytes(&output.z).bytes(&c).encode();
    let (prk, hkdf) = Hkdf::<Sha256>::extract(Some(b"symbolon/v1/kdf"), &ikm);
    let info = Tuple::new("okm")
        .bytes(output.input().as_bytes())
        .bytes(&id)
        .bytes(binding.header)
        .bytes(&Sha256::digest(binding.context));
    let mut okm = [0; 64];
    hkdf.expand(&info.encode(), &mut okm).unwrap();
    (hex::encode(prk), hex::encode(okm))
}

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

fn hash(words: &str) -> [u8; 32] {
    Tuple::new("test-vector").text(words).sha256()
}

fn scalar<S: Suite>(words: &str) -> Scalar<S> {
    S::hash_to_scalar(&[words.as_bytes()], &[b"symbolon/v1/test-vector"])
}

fn element<E, B: AsRef<[u8]>>(element: &E, encode: impl Fn(&E) -> Option<B>) -> Vec<u8> {
    encode(element).unwrap().as_ref().to_vec()
}
