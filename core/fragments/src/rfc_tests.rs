//! The suites against the vectors of the RFCs that they implement (`tests/vectors/rfc`).

use crate::{
    fragment::{Evaluation, Fragment},
    proof::{self, CONTEXT, Proof},
    suite::{
        Ciphersuite, Element, Field, Group, P256Sha256, Ristretto255Sha512, Scalar, Suite, decode_element,
        decode_scalar, encode_element,
    },
};
use curve25519_dalek::RistrettoPoint;
use elliptic_curve::hash2curve::{ExpandMsg, ExpandMsgXmd, Expander};
use elliptic_curve::sec1::ToEncodedPoint;
use serde_json::Value;
use sha2_0_10::{Sha256, Sha512};
use std::{format, fs, string::String, vec, vec::Vec};

fn read(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/rfc/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &Vec<Value> {
    let list = value.as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn rfc_9380_expand_message() {
    for set in list(&read("rfc9380-expand-message.json")["sets"]) {
        for vector in list(&set["vectors"]) {
            let message = vector["msg"].as_str().unwrap().as_bytes();
            let expected = bytes(&vector["uniform_bytes"]);
            let tag: &[&[u8]] = &[set["DST"].as_str().unwrap().as_bytes()];
            let mut uniform = vec![0; expected.len()];
            match set["hash"].as_str().unwrap() {
                "SHA-256" => ExpandMsgXmd::<Sha256>::expand_message(&[message], tag, uniform.len())
                    .unwrap()
                    .fill_bytes(&mut uniform),
                _ => ExpandMsgXmd::<Sha512>::expand_message(&[message], tag, uniform.len())
                    .unwrap()
                    .fill_bytes(&mut uniform),
            }
            assert_eq!(hex::encode(uniform), hex::encode(expected));
        }
    }
}

#[test]
fn rfc_9380_p256_hash_to_curve() {
    let file = read("rfc9380-p256-hash-to-curve.json");
    let tag = file["DST"].as_str().unwrap().as_bytes();
    for vector in list(&file["vectors"]) {
        let point = P256Sha256::hash_to_group(vector["msg"].as_str().unwrap().as_bytes(), &[tag]);
        let encoded = point.to_encoded_point(false);
        assert_eq!(hex::encode(encoded.x().unwrap()), vector["P.x"].as_str().unwrap());
        assert_eq!(hex::encode(encoded.y().unwrap()), vector["P.y"].as_str().unwrap());
    }
}

#[test]
fn rfc_9496_one_way_map() {
    for vector in list(&read("rfc9496-ristretto255.json")["one-way-map"]) {
        let input: [u8; 64] = bytes(&vector["input"]).try_into().unwrap();
        let point = RistrettoPoint::from_uniform_bytes(&input);
        let encoded = encode_element::<Ristretto255Sha512>(&point).unwrap();
        assert_eq!(hex::encode(encoded), vector["output"].as_str().unwrap());
    }
}

#[test]
fn rfc_9496_invalid_encodings() {
    for encoding in list(&read("rfc9496-ristretto255.json")["invalid encodings"]) {
        assert!(decode_element::<Ristretto255Sha512>(&bytes(encoding)).is_err(), "{encoding}");
    }
}

#[test]
fn rfc_9497_ristretto255() {
    check_voprf::<Ristretto255Sha512>();
}

#[test]
fn rfc_9497_p256() {
    check_voprf::<P256Sha256>();
}

fn check_voprf<S: Suite>() {
    let file = read("rfc9497-voprf.json");
    let suite = list(&file["suites"]).iter().find(|s| s["suite"] == S::SUITE.name()).unwrap();
    let server = Fragment::<S>::from_bytes(&bytes(&suite["skSm"])).unwrap();
    assert_eq!(hex::encode(server.public().as_bytes()), suite["pkSm"].as_str().unwrap());
    for vector in list(&suite["vectors"]) {
        check_vector(&server, vector);
    }
}

fn check_vector<S: Suite>(server: &Fragment<S>, vector: &Value) {
    let blinds: Vec<_> = scalars::<S>(&vector["Blind"]);
    let inputs: Vec<_> = list(&vector["Input"]).iter().map(bytes).collect();
    let points: Vec<_> =
        inputs.iter().zip(&blinds).map(|(input, blind)| blinded::<S>(input, blind)).collect();
    assert_eq!(encoded::<S>(&points), texts(&vector["BlindedElement"]));

    let evaluations = server.evaluate_points(&points).unwrap();
    let evaluated: Vec<_> = evaluations.iter().map(|e| hex::encode(e.as_bytes())).collect();
    assert_eq!(evaluated, texts(&vector["EvaluationElement"]));

    let nonce = decode_scalar::<S>(&bytes(&vector["ProofRandomScalar"])).unwrap();
    let proof = proof_with(server, &points, &evaluations, &nonce);
    assert_eq!(hex::encode(proof.as_bytes()), vector["Proof"].as_str().unwrap());

    let elements: Vec<_> = evaluations.iter().map(|e| decode_element::<S>(e.as_bytes()).unwrap()).collect();
    proof::verify(server.public(), &points, &elements, &evaluations, &proof).unwrap();
    let outputs = inputs.iter().zip(&blinds).zip(&elements);
    let outputs: Vec<_> =
        outputs.map(|((input, blind), element)| hex::encode(finalize::<S>(input, blind, element))).collect();
    assert_eq!(outputs, texts(&vector["Output"]));
}

/// The proof with a nonce that is known.
pub(crate) fn proof_with<S: Suite>(
    fragment: &Fragment<S>,
    points: &[Element<S>],
    evaluations: &[Evaluation],
    nonce: &Scalar<S>,
) -> Proof {
    let secret = decode_scalar::<S>(&fragment.to_bytes()[..]).unwrap();
    let m = proof::composite(fragment.public(), points, evaluations).unwrap();
    proof::respond(&secret, fragment.public(), &m, &(m * secret), nonce).unwrap()
}

/// RFC 9497 §3.3.1, `Blind`.
fn blinded<S: Suite>(input: &[u8], blind: &Scalar<S>) -> Element<S> {
    S::hash_to_group(input, &[b"HashToGroup-", CONTEXT, S::SUITE.name().as_bytes()]) * *blind
}

/// RFC 9497 §3.3.1, `Finalize`.
fn finalize<S: Suite>(input: &[u8], blind: &Scalar<S>, element: &Element<S>) -> Vec<u8> {
    let inverse = <<S as Ciphersuite>::Group as Group>::Field::invert(blind).unwrap();
    let unblinded = encode_element::<S>(&(*element * inverse)).unwrap();
    let length = |part: &[u8]| u16::try_from(part.len()).unwrap().to_be_bytes();
    let unblinded = unblinded.as_ref();
    S::hash(&[&length(input), input, &length(unblinded), unblinded, b"Finalize"])
}

fn scalars<S: Suite>(value: &Value) -> Vec<Scalar<S>> {
    list(value).iter().map(|v| decode_scalar::<S>(&bytes(v)).unwrap()).collect()
}

fn encoded<S: Suite>(points: &[Element<S>]) -> Vec<String> {
    S::encode_all(points).into_iter().map(|e| hex::encode(e.unwrap().as_ref())).collect()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|v| v.as_str().unwrap().into()).collect()
}
