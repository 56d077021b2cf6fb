//! Checkpoints, cosignatures and the witness that refuses a rewritten log.

use crate::support::{NOW, checkpoint, index, now, pair, permits, root, tree};
use symbolon_audit::{
    CheckpointError, Line, ProofRequest, VerifiedCheckpoint, Witness, WitnessError, WrongProof,
    sign_checkpoint,
};
use symbolon_trust::{KeyPair, Role, SignatureError, Signed, TrustedRoot};

fn verify(note: &str) -> Result<VerifiedCheckpoint, CheckpointError> {
    VerifiedCheckpoint::verify(note, &root(2))
}

#[test]
fn a_checkpoint_is_three_lines_signed_by_the_permit_key() {
    let verified = checkpoint(&permits(&[1, 2]));
    let text = verified.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("symbolon/{:x}", root(2).account()));
    assert_eq!((lines[1], lines[3], lines.len()), ("2", "", 5));
    assert!(lines[4].starts_with("— symbolon/"));
    assert_eq!(verify(&text).unwrap(), verified);

    let missing = |got| CheckpointError::Signature(SignatureError::TooFew { got, needed: 1 });
    let head = verified.head();
    let by = |key: &KeyPair| sign_checkpoint(root(2).account(), &head, [key]).to_string();
    assert_eq!(verify(&by(&pair(1))), Err(missing(0)));
    assert_eq!(VerifiedCheckpoint::verify(&text, &root(4)), Err(CheckpointError::Account));
    assert!(matches!(verify(&text.replacen("\n2\n", "\n3\n", 1)), Err(CheckpointError::Signature(_))));
    assert_eq!(verify(&text.replacen("\n2\n", "\n02\n", 1)), Err(CheckpointError::Account));
    assert_eq!(verify(&text.replacen("\n2\n", "\nx\n", 1)), Err(CheckpointError::Form));
    assert!(matches!(verify(""), Err(CheckpointError::Note(_))));
}

#[test]
fn a_key_that_signed_twice_counts_once() {
    let mut body = root(2).document().clone();
    body.roles.permit = Role::new(2, [pair(2).public(), pair(3).public()]);
    let two = TrustedRoot::install(body.account(), Signed::by(body, [&pair(1)])).unwrap();
    let head = checkpoint(&permits(&[1, 2])).head();
    let by = |keys: [&KeyPair; 2]| {
        VerifiedCheckpoint::verify(&sign_checkpoint(two.account(), &head, keys).to_string(), &two)
    };
    by([&pair(2), &pair(3)]).unwrap();
    let missing = SignatureError::TooFew { got: 1, needed: 2 };
    assert_eq!(by([&pair(2), &pair(2)]), Err(CheckpointError::Signature(missing)));
}

#[test]
fn a_witness_cosigns_what_extends_what_it_cosigned() {
    let entries = permits(&[1, 2, 3, 4, 5]);
    let witness = Witness::new(root(2).account());
    let first = checkpoint(&entries[..2]);
    let after = *witness.check(&first, &[]).unwrap().next();
    assert_eq!(after.size(), 2);

    let mut second = checkpoint(&entries);
    let proof = ProofRequest::consistency(2, 5).prove(&tree(&entries).nodes).unwrap();
    let (line, next) = {
        let witnessed = after.check(&second, &proof).unwrap();
        (witnessed.cosign(index(1), &pair(11), now()), *witnessed.next())
    };
    assert_eq!(second.add_cosignature(&root(2), index(1), line.clone()), Ok(NOW));
    assert_eq!(second.cosigners(&root(2)).unwrap(), [(index(1), NOW)]);
    assert_eq!(verify(&second.to_string()).unwrap().cosigners(&root(2)).unwrap(), [(index(1), NOW)]);
    assert_eq!(line.to_string().parse::<Line>().unwrap(), line);

    let shrunk = WitnessError::NotConsistent(WrongProof::Shrunk { old: 5, new: 2 });
    assert_eq!(next.check(&first, &[]).unwrap_err(), shrunk);
    let mut edited = permits(&[1, 9, 3, 4, 5]);
    let rewritten = checkpoint(&edited);
    let proof = ProofRequest::consistency(2, 5).prove(&tree(&edited).nodes).unwrap();
    assert_eq!(after.check(&rewritten, &proof).unwrap_err(), WitnessError::NotConsistent(WrongProof::Hashes));
    assert_eq!(next.check(&rewritten, &[]).unwrap_err(), WitnessError::NotConsistent(WrongProof::Hashes));
    edited.truncate(0);
    next.check(&second, &[]).unwrap();
}

#[test]
fn a_cosignature_is_a_members_over_this_checkpoint() {
    let mut checkpoint = checkpoint(&permits(&[1]));
    let other = crate::support::checkpoint(&permits(&[2]));
    let witness = Witness::new(root(2).account());
    let by = |key: &KeyPair, number| witness.check(&other, &[]).unwrap().cosign(index(number), key, now());
    let wrong = |number| Err(CheckpointError::Cosignature(index(number)));
    assert_eq!(checkpoint.add_cosignature(&root(2), index(1), by(&pair(11), 1)), wrong(1));
    let same = checkpoint.clone();
    let line = |key: &KeyPair, number| witness.check(&same, &[]).unwrap().cosign(index(number), key, now());
    let (right, foreign, misnamed, stranger) =
        (line(&pair(11), 1), line(&pair(12), 1), line(&pair(11), 2), line(&pair(9), 9));
    for (number, line) in [(1, foreign), (1, misnamed), (9, stranger)] {
        assert_eq!(checkpoint.add_cosignature(&root(2), index(number), line), wrong(number));
    }
    let mut late = right.clone();
    late.signature[7] ^= 1;
    assert_eq!(checkpoint.add_cosignature(&root(2), index(1), late.clone()), wrong(1));
    checkpoint.add_cosignature(&root(2), index(1), right).unwrap();
    let replaced = checkpoint.to_string().replace(&line(&pair(11), 1).to_string(), &late.to_string());
    assert_eq!(verify(&replaced).unwrap().cosigners(&root(2)), Err(CheckpointError::Cosignature(index(1))));
}
