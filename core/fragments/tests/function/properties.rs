//! What the function promises: every quorum gives the same key, fewer fragments give nothing that depends on it,
//! and every part of an input, a binding and a customer fragment matters.

use crate::sharings::{FieldOf, SYSTEMS, Shared, fields, index, inputs, random_scalar, rng, scope, subsets};
use proptest::collection::btree_set;
use proptest::prelude::*;
use std::collections::BTreeSet;
use symbolon_fragments::{
    Binding, Combination, CombineError, Commitment, CustomerFragment, CustomerFragmentId, Input, Instance,
    Key, KeyScope, Output, P256Sha256, Quorum, Ristretto255Sha512, Suite, SuiteId,
    names::{AccountId, Index, Purpose, Thumbprint},
    suite::{Field, Group, Scalar, encode_element},
    value_at,
};
use zeroize::Zeroizing;

const BINDING: Binding<'static> = Binding { header: b"header", context: b"context" };

fn answered<S: Suite>(shared: &Shared<S>, quorum: &[Index], inputs: &[Input]) -> Combination {
    let mut combination = shared.instance().combination(inputs.to_vec()).unwrap();
    for member in quorum {
        combination.accept(*member, &shared.evaluator(*member).evaluate(inputs).unwrap()).unwrap();
    }
    combination
}

fn keys(outputs: &[Output]) -> Vec<([u8; 32], Commitment)> {
    outputs
        .iter()
        .map(|output| output.derive(None, BINDING).into_parts())
        .map(|(k, c)| (*k.as_bytes(), c))
        .collect()
}

/// The key and commitment of one output, derived from the whole secret, which no program but this test ever holds.
fn expected<S: Suite>(shared: &Shared<S>, input: &Input) -> ([u8; 32], Commitment) {
    let whole =
        Instance::new(S::SUITE, &[crate::sharings::commit::<S>(&shared.polynomial[0])], &[index(1)]).unwrap();
    let secret = symbolon_fragments::suite::encode_scalar::<S>(&shared.polynomial[0]);
    let evaluator = whole.fragment(index(1), &secret).unwrap();
    let mut combination = whole.combination(vec![input.clone()]).unwrap();
    combination.accept(index(1), &evaluator.evaluate(std::slice::from_ref(input)).unwrap()).unwrap();
    keys(&combination.finish().unwrap())[0]
}

fn every_quorum_agrees<S: Suite>(seed: u64) {
    for (threshold, members) in SYSTEMS {
        let shared = Shared::<S>::random(threshold, members, &mut rng(seed));
        let inputs = inputs(S::SUITE, 2);
        let right: Vec<_> = inputs.iter().map(|input| expected(&shared, input)).collect();
        for quorum in subsets(&shared.members, threshold) {
            let outputs = answered(&shared, &quorum, &inputs).finish().unwrap();
            assert_eq!(keys(&outputs), right, "{threshold}-of-{members}, {quorum:?}");
        }
    }
}

/// For any `t−1` fragments and any key whatever, one polynomial has both: what these members hold and answer is the
/// same under every key.
fn fewer_than_the_threshold_depend_on_nothing<S: Suite>(seed: u64) {
    let mut rng = rng(seed);
    for (threshold, members) in SYSTEMS {
        let shared = Shared::<S>::random(threshold, members, &mut rng);
        let inputs = inputs(S::SUITE, 1);
        for few in subsets(&shared.members, threshold - 1) {
            let polynomial = through(&shared, &few, random_scalar::<S>(&mut rng));
            let other = Shared::<S> { polynomial, members: shared.members.clone() };
            for member in &few {
                assert_eq!(shared.fragment(*member), other.fragment(*member));
            }
            assert_ne!(expected(&shared, &inputs[0]), expected(&other, &inputs[0]));
            let refused = answered(&shared, &few, &inputs).finish().unwrap_err();
            assert_eq!(refused, CombineError::TooFew { have: threshold - 1, need: threshold });
        }
    }
}

/// The polynomial through `(0, key)` and the fragments of `few`, by solving for one coefficient at a time (Newton).
fn through<S: Suite>(shared: &Shared<S>, few: &[Index], key: Scalar<S>) -> Vec<Scalar<S>> {
    let zero = FieldOf::<S>::zero();
    let mut polynomial = vec![key];
    let mut vanishing = vec![zero, FieldOf::<S>::one()];
    for member in few {
        let x: Scalar<S> = u64::from(member.get()).into();
        let at = |p: &[Scalar<S>]| p.iter().rev().fold(zero, |sum, c| sum * x + *c);
        let factor = (shared.at(x) - at(&polynomial)) * FieldOf::<S>::invert(&at(&vanishing)).unwrap();
        polynomial.resize(vanishing.len(), zero);
        polynomial.iter_mut().zip(&vanishing).for_each(|(p, v)| *p = *p + factor * *v);
        let shifted = std::iter::once(zero).chain(vanishing.iter().copied());
        let scaled = vanishing.iter().map(|v| *v * x).chain([zero]);
        vanishing = shifted.zip(scaled).map(|(a, b)| a - b).collect();
    }
    polynomial
}

/// `t` answers of which one is wrong give an unrelated output, without an error: the commitment is what tells.
fn a_wrong_answer_gives_another_key<S: Suite>(seed: u64) {
    let mut rng = rng(seed);
    let shared = Shared::<S>::random(2, 3, &mut rng);
    let inputs = inputs(S::SUITE, 1);
    let mut combination = answered(&shared, &[index(1)], &inputs);
    let liar = Shared::<S>::random(2, 3, &mut rng).evaluator(index(2));
    combination.accept(index(2), &liar.evaluate(&inputs).unwrap()).unwrap();
    let outputs = combination.finish().unwrap();
    let (_, commitment) = expected(&shared, &inputs[0]);
    assert!(outputs[0].derive(None, BINDING).open(&commitment).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_quorum_gives_the_same_key(seed: u64) {
        every_quorum_agrees::<Ristretto255Sha512>(seed);
        every_quorum_agrees::<P256Sha256>(seed);
    }

    #[test]
    fn t_minus_1_fragments_depend_on_nothing(seed: u64) {
        fewer_than_the_threshold_depend_on_nothing::<Ristretto255Sha512>(seed);
        fewer_than_the_threshold_depend_on_nothing::<P256Sha256>(seed);
    }

    #[test]
    fn one_wrong_answer_is_an_unrelated_key(seed: u64) {
        a_wrong_answer_gives_another_key::<Ristretto255Sha512>(seed);
        a_wrong_answer_gives_another_key::<P256Sha256>(seed);
    }

    /// Sums of multiples are what adding the multiples one by one gives, for scalars with few and many digits.
    #[test]
    fn sums_of_multiples_are_sums(seed: u64, count in 0usize..5) {
        sums::<Ristretto255Sha512>(seed, count);
        sums::<P256Sha256>(seed, count);
    }

    /// A committed polynomial's value is the commitment to the polynomial's value, at any index.
    #[test]
    fn values_are_those_of_the_polynomial(seed: u64, at in 1u16.., degree in 0usize..5) {
        value::<Ristretto255Sha512>(seed, at, degree);
        value::<P256Sha256>(seed, at, degree);
    }

    /// Parts are weighed by the coefficients, whether these are small whole numbers or not.
    #[test]
    fn parts_are_weighed_by_the_coefficients(seed: u64, others in btree_set(3u16.., 0..4)) {
        for first in [vec![], vec![1], vec![1, 2], vec![1, 2, 3]] {
            let members: BTreeSet<u16> = first.into_iter().chain(others.iter().copied()).collect();
            let members: Vec<_> = members.into_iter().map(index).collect();
            weighed::<Ristretto255Sha512>(seed, &members);
            weighed::<P256Sha256>(seed, &members);
        }
    }

    /// The batch way to multiply and encode is the way one by one.
    #[test]
    fn batches_are_their_elements(seed: u64, count in 0usize..5) {
        batch::<Ristretto255Sha512>(seed, count);
        batch::<P256Sha256>(seed, count);
    }
}

fn sums<S: Suite>(seed: u64, count: usize) {
    let mut rng = rng(seed);
    let minus_one = FieldOf::<S>::zero() - FieldOf::<S>::one();
    let special = [FieldOf::<S>::zero(), FieldOf::<S>::one(), minus_one, 65535.into()];
    let scalars: Vec<_> =
        special.into_iter().chain((0..count).map(|_| random_scalar::<S>(&mut rng))).collect();
    let point = |_| S::Group::generator() * random_scalar::<S>(&mut rng);
    let points: Vec<_> = (0..scalars.len()).map(point).collect();
    let identity = S::Group::identity();
    let expected = scalars.iter().zip(&points).fold(identity, |sum, (scalar, point)| sum + *point * *scalar);
    assert!(S::sum_of_public_multiples(&scalars, &points) == expected);
}

fn value<S: Suite>(seed: u64, at: u16, degree: usize) {
    let mut rng = rng(seed);
    let polynomial: Vec<_> = (0..=degree).map(|_| random_scalar::<S>(&mut rng)).collect();
    let x = Scalar::<S>::from(at.into());
    let expected =
        polynomial.iter().rev().fold(FieldOf::<S>::zero(), |sum, coefficient| sum * x + *coefficient);
    let commitment: Vec<_> =
        polynomial.iter().map(|coefficient| S::Group::generator() * *coefficient).collect();
    assert!(value_at::<S>(&commitment, index(at)) == S::Group::generator() * expected);
}

fn weighed<S: Suite>(seed: u64, members: &[Index]) {
    let Ok(quorum) = Quorum::<S>::new(members) else { return assert!(members.is_empty()) };
    let mut rng = rng(seed);
    let point = |_| S::Group::generator() * random_scalar::<S>(&mut rng);
    let parts: Vec<_> = members.iter().map(point).collect();
    let weighed = quorum.coefficients().iter().zip(&parts);
    let expected = weighed.fold(S::Group::identity(), |sum, (scalar, part)| sum + *part * *scalar);
    assert!(quorum.combine(&parts) == expected);
    // The coefficients are those at zero: they give 1 for the constant 1, and 0 for every higher power.
    let powers = (0..members.len()).map(|power| {
        let value = |member: &Index| {
            (0..power).fold(FieldOf::<S>::one(), |value, _| value * u64::from(member.get()).into())
        };
        let weighed = quorum.coefficients().iter().zip(members);
        weighed.fold(FieldOf::<S>::zero(), |sum, (scalar, member)| sum + *scalar * value(member))
    });
    for (power, at_zero) in powers.enumerate() {
        assert!(at_zero == u64::from(power == 0).into(), "{members:?}, {power}");
    }
}

fn batch<S: Suite>(seed: u64, count: usize) {
    let mut rng = rng(seed);
    let secret = random_scalar::<S>(&mut rng);
    let identity = S::Group::identity();
    let point = |_| S::Group::generator() * random_scalar::<S>(&mut rng);
    let points: Vec<_> = (0..count).map(point).chain([identity]).collect();
    let one_by_one: Vec<_> = points.iter().map(|point| encode_element::<S>(&(*point * secret))).collect();
    let bytes = |encoded: Vec<Option<symbolon_fragments::suite::Encoded<S>>>| {
        encoded.into_iter().map(|e| e.map(|e| e.as_ref().to_vec())).collect::<Vec<_>>()
    };
    let expected = bytes(one_by_one);
    assert_eq!(expected.last(), Some(&None));
    assert_eq!(bytes(S::multiply_and_encode(&secret, &points)), expected);
}

/// What is changed, and how.
type Change = (&'static str, fn(&mut World));

/// The derived key of a whole secret, with everything that it may depend on laid open.
struct World {
    secret: [u8; 32],
    scope: KeyScope,
    fields: symbolon_fragments::Fields,
    customer: Option<CustomerFragment>,
    header: Vec<u8>,
    context: Vec<u8>,
}

impl World {
    fn new() -> Self {
        Self {
            secret: core::array::from_fn(|i| u8::from(i == 3)),
            scope: scope(SuiteId::Ristretto255Sha512),
            fields: fields(0),
            customer: Some(customer(1, 1)),
            header: b"header".to_vec(),
            context: b"context".to_vec(),
        }
    }

    fn derive(&self) -> (Key, Commitment) {
        let input = Input::new(&self.scope, &self.fields);
        let evaluator = symbolon_fragments::load(self.scope.suite, &self.secret).unwrap();
        let instance = Instance::new(self.scope.suite, &[evaluator.public_share()], &[index(1)]).unwrap();
        let mut combination = instance.combination(vec![input.clone()]).unwrap();
        combination.accept(index(1), &evaluator.evaluate(&[input]).unwrap()).unwrap();
        let output = combination.finish().unwrap().remove(0);
        let contribution = self.customer.as_ref().map(|customer| customer.evaluate(output.input()));
        let binding = Binding { header: &self.header, context: &self.context };
        output.derive(contribution.as_ref(), binding).into_parts()
    }
}

fn customer(id: u8, secret: u8) -> CustomerFragment {
    CustomerFragment::new(CustomerFragmentId::new([id; 16]), Zeroizing::new([secret; 32]))
}

#[test]
fn everything_matters() {
    let changes: [Change; 17] = [
        ("nothing", |_| ()),
        ("secret", |w| w.secret[3] = 2),
        ("account", |w| w.scope.account = AccountId::new([9; 32])),
        ("suite", |w| w.scope.suite = SuiteId::P256Sha256),
        ("key", |w| w.scope.key = "acme/other".parse().unwrap()),
        ("version", |w| w.scope.version += 1),
        ("purpose", |w| w.fields.purpose = Purpose::DataKey),
        ("writer", |w| w.fields.writer = Thumbprint::new([9; 32])),
        ("created", |w| w.fields.created += 1),
        ("r", |w| w.fields.r[31] ^= 1),
        ("customer fragment", |w| w.customer = Some(customer(1, 2))),
        ("customer fragment's id", |w| w.customer = Some(customer(2, 1))),
        ("no customer fragment", |w| w.customer = None),
        ("header", |w| w.header.push(0)),
        ("no header", |w| w.header.clear()),
        ("context", |w| w.context.push(0)),
        ("no context", |w| w.context.clear()),
    ];
    let mut seen = std::collections::BTreeMap::new();
    for (change, apply) in changes {
        let mut world = World::new();
        apply(&mut world);
        let (key, commitment) = world.derive();
        for secret in [key.as_bytes(), commitment.as_bytes()] {
            assert_eq!(seen.insert(*secret, change), None, "{change}");
        }
        assert_eq!(world.derive().1, commitment);
    }
}

#[test]
fn the_commitment_opens_its_key_and_no_other() {
    let shared = Shared::<Ristretto255Sha512>::random(2, 3, &mut rng(1));
    let inputs = inputs(SuiteId::Ristretto255Sha512, 2);
    let outputs = answered(&shared, &[index(1), index(3)], &inputs).finish().unwrap();
    let (key, commitment) = outputs[0].derive(None, BINDING).into_parts();
    assert_eq!(outputs[0].derive(None, BINDING).open(&commitment).unwrap().as_bytes(), key.as_bytes());
    assert!(outputs[1].derive(None, BINDING).open(&commitment).is_err());
}
