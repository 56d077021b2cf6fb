//! What is refused: wrong proofs, swapped answers, elements and scalars that are none, batches of the wrong size.

use crate::sharings::{Shared, commit, index, inputs, random_scalar, rng};
use symbolon_fragments::{
    CombineError, EvaluateError, Evaluation, Instance, MAX_BATCH, P256Sha256, Proof, Quorum, Refused,
    Ristretto255Sha512, Suite, SuiteId, WrongFragment, WrongQuorum, WrongSharing, load,
    suite::{decode_element, decode_scalar},
};

/// A batch of three inputs with the answers and proofs of all three members of a 2-of-3 sharing.
struct Asked {
    instance: Instance,
    inputs: Vec<symbolon_fragments::Input>,
    answers: Vec<(Vec<Evaluation>, Proof)>,
}

fn asked<S: Suite>() -> Asked {
    let mut rng = rng(7);
    let shared = Shared::<S>::random(2, 3, &mut rng);
    let inputs = inputs(S::SUITE, 3);
    let mut answer = |member| shared.evaluator(index(member)).evaluate_proven(&inputs, &mut rng).unwrap();
    let answers = (1..=3).map(&mut answer).collect();
    Asked { instance: shared.instance(), inputs, answers }
}

impl Asked {
    fn check(&self, member: u16, evaluations: &[Evaluation], proof: &Proof) -> Result<(), Refused> {
        let mut combination = self.instance.combination(self.inputs.clone()).unwrap();
        let verdict = combination.accept_proven(index(member), evaluations, proof);
        let have = usize::from(verdict.is_ok());
        assert_eq!(combination.finish_proven().unwrap_err(), CombineError::TooFew { have, need: 2 });
        verdict
    }
}

fn proofs_are_bound<S: Suite>() {
    let world = asked::<S>();
    let (evaluations, proof) = &world.answers[0];
    assert_eq!(world.check(1, evaluations, proof), Ok(()));

    let (others, other_proof) = &world.answers[1];
    assert_eq!(world.check(2, evaluations, proof), Err(Refused::Proof), "another member's answer");
    assert_eq!(world.check(1, evaluations, other_proof), Err(Refused::Proof), "another member's proof");
    assert_eq!(world.check(1, others, proof), Err(Refused::Proof), "another member's evaluations");
    let mut swapped = evaluations.clone();
    swapped.swap(0, 2);
    assert_eq!(world.check(1, &swapped, proof), Err(Refused::Proof), "swapped evaluations");
    let mut one_wrong = evaluations.clone();
    one_wrong[1] = others[1].clone();
    assert_eq!(world.check(1, &one_wrong, proof), Err(Refused::Proof), "one wrong evaluation");
    assert_eq!(world.check(1, &evaluations[..2], proof), Err(Refused::Count));
    assert_eq!(world.check(4, evaluations, proof), Err(Refused::NotAMember));
}

/// Every bit of a proof counts.
fn proofs_are_exact<S: Suite>() {
    let world = asked::<S>();
    let (evaluations, proof) = &world.answers[0];
    for bit in (0..512).step_by(7) {
        let mut bytes = *proof.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(world.check(1, evaluations, &Proof::from_bytes(bytes)), Err(Refused::Proof), "bit {bit}");
    }
    let (swapped, proof) = (evaluations, proof.as_bytes());
    let response_first = [&proof[32..], &proof[..32]].concat().try_into().unwrap();
    assert_eq!(world.check(1, swapped, &Proof::from_bytes(response_first)), Err(Refused::Proof));
}

/// A proof is for its inputs in their order.
fn proofs_are_for_their_inputs<S: Suite>() {
    let mut world = asked::<S>();
    let (evaluations, proof) = world.answers[0].clone();
    world.inputs.swap(0, 1);
    assert_eq!(world.check(1, &evaluations, &proof), Err(Refused::Proof));
}

/// A wrong answer is refused without taking the place of an earlier, right one; a later right one does.
fn a_refused_answer_changes_nothing<S: Suite>() {
    let world = asked::<S>();
    let mut combination = world.instance.combination(world.inputs.clone()).unwrap();
    for (member, (evaluations, proof)) in (1..).zip(&world.answers[..2]) {
        combination.accept_proven(index(member), evaluations, proof).unwrap();
    }
    let (others, _) = &world.answers[2];
    let wrong = combination.accept_proven(index(1), others, &world.answers[0].1);
    assert_eq!(wrong, Err(Refused::Proof));
    assert_eq!(combination.finish_proven().unwrap().len(), 3);
    combination.accept(index(1), others).unwrap();
    assert_eq!(combination.finish_proven().unwrap_err(), CombineError::TooFew { have: 1, need: 2 });
    combination.drop_answer(index(2));
    assert_eq!(combination.finish().unwrap_err(), CombineError::TooFew { have: 1, need: 2 });
}

#[test]
fn wrong_proofs_are_refused() {
    proofs_are_bound::<Ristretto255Sha512>();
    proofs_are_bound::<P256Sha256>();
    proofs_are_exact::<Ristretto255Sha512>();
    proofs_are_exact::<P256Sha256>();
    proofs_are_for_their_inputs::<Ristretto255Sha512>();
    proofs_are_for_their_inputs::<P256Sha256>();
    a_refused_answer_changes_nothing::<Ristretto255Sha512>();
    a_refused_answer_changes_nothing::<P256Sha256>();
}

/// Parts that add up to the identity have no encoding and give no output.
#[test]
fn parts_that_cancel_are_refused() {
    let world = asked::<Ristretto255Sha512>();
    let mut combination = world.instance.combination(world.inputs.clone()).unwrap();
    // λ_1 = 2 and λ_2 = −1: the second part is twice the first.
    let (first, _) = &world.answers[0];
    let double = |e: &Evaluation| {
        let element = decode_element::<Ristretto255Sha512>(e.as_bytes()).unwrap();
        Evaluation::from_bytes((element + element).compress().as_bytes()).unwrap()
    };
    combination.accept(index(1), first).unwrap();
    combination.accept(index(2), &first.iter().map(double).collect::<Vec<_>>()).unwrap();
    assert_eq!(combination.finish().unwrap_err(), CombineError::Degenerate);
}

fn sized<S: Suite>() {
    let shared = Shared::<S>::random(2, 3, &mut rng(1));
    let evaluator = shared.evaluator(index(1));
    let most = inputs(S::SUITE, u8::try_from(MAX_BATCH).unwrap());
    let too_many = inputs(S::SUITE, u8::try_from(MAX_BATCH + 1).unwrap());
    let (evaluations, proof) = evaluator.evaluate_proven(&most, &mut rng(2)).unwrap();
    let mut combination = shared.instance().combination(most).unwrap();
    combination.accept_proven(index(1), &evaluations, &proof).unwrap();
    for wrong in [&[][..], &too_many] {
        assert_eq!(evaluator.evaluate(wrong), Err(EvaluateError::BatchSize));
        assert_eq!(evaluator.evaluate_proven(wrong, &mut rng(2)).unwrap_err(), EvaluateError::BatchSize);
        assert!(matches!(shared.instance().combination(wrong.to_vec()), Err(CombineError::Inputs)));
    }
}

#[test]
fn batches_have_1_to_64_inputs() {
    sized::<Ristretto255Sha512>();
    sized::<P256Sha256>();
}

#[test]
fn inputs_of_another_suite_are_refused() {
    let shared = Shared::<P256Sha256>::random(2, 3, &mut rng(1));
    let foreign = inputs(SuiteId::Ristretto255Sha512, 1);
    assert_eq!(shared.evaluator(index(1)).evaluate(&foreign), Err(EvaluateError::Suite));
    assert!(matches!(shared.instance().combination(foreign), Err(CombineError::Inputs)));
}

/// The encodings of things that are no elements: identity, not reduced, off the curve, of another form or length.
fn no_elements(suite: SuiteId) -> Vec<Vec<u8>> {
    let text: &[&str] = match suite {
        SuiteId::Ristretto255Sha512 => &[
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000080",
        ],
        SuiteId::P256Sha256 => &[
            "000000000000000000000000000000000000000000000000000000000000000000",
            "020000000000000000000000000000000000000000000000000000000000000001",
            "02ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
            "056b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        ],
    };
    text.iter().map(|t| hex::decode(t).unwrap()).collect()
}

fn elements_are_strict<S: Suite>() {
    let shared = Shared::<S>::random(2, 3, &mut rng(1));
    let generator = commit::<S>(&1.into());
    assert!(decode_element::<S>(&generator).is_ok());
    for wrong in no_elements(S::SUITE) {
        assert!(decode_element::<S>(&wrong).is_err(), "{}", hex::encode(&wrong));
        let mut combination = shared.instance().combination(inputs(S::SUITE, 1)).unwrap();
        let evaluation = Evaluation::from_bytes(&wrong).unwrap();
        assert_eq!(combination.accept(index(1), &[evaluation]), Err(Refused::Encoding));
        let commitment = [generator.clone(), wrong];
        assert_eq!(Instance::new(S::SUITE, &commitment, &[]).err(), Some(WrongSharing::Encoding));
    }
    for length in [0, 31, 34, 64] {
        assert!(decode_element::<S>(&vec![2; length]).is_err());
        assert!(Evaluation::from_bytes(&vec![2; length]).is_none());
    }
}

#[test]
fn only_elements_are_elements() {
    elements_are_strict::<Ristretto255Sha512>();
    elements_are_strict::<P256Sha256>();
}

/// The orders of the groups, in the suites' own byte orders.
const ORDERS: [(SuiteId, &str); 2] = [
    (SuiteId::Ristretto255Sha512, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"),
    (SuiteId::P256Sha256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
];

#[test]
fn a_fragment_is_a_scalar_between_1_and_the_order() {
    for (suite, order) in ORDERS {
        let order = hex::decode(order).unwrap();
        let refused = |bytes: &[u8]| load(suite, bytes).err();
        assert_eq!(refused(&order), Some(WrongFragment::Encoding));
        assert_eq!(refused(&[0xff; 32]), Some(WrongFragment::Encoding));
        assert_eq!(refused(&[0; 32]), Some(WrongFragment::Encoding));
        assert_eq!(refused(&order[1..]), Some(WrongFragment::Encoding));
        let mut below = order;
        let last = if suite == SuiteId::P256Sha256 { 31 } else { 0 };
        below[last] -= 1;
        assert_eq!(refused(&below), None);
    }
    assert!(decode_scalar::<P256Sha256>(&[1; 33]).is_err());
}

#[test]
fn a_fragment_belongs_to_its_member_and_instance() {
    let mut rng = rng(1);
    let shared = Shared::<Ristretto255Sha512>::random(2, 3, &mut rng);
    let fragment =
        |instance: &Instance, member| instance.fragment(index(member), &shared.fragment(index(1))).err();
    assert_eq!(fragment(&shared.instance(), 1), None);
    assert_eq!(fragment(&shared.instance(), 2), Some(WrongFragment::PublicShare));
    assert_eq!(fragment(&shared.instance(), 4), Some(WrongFragment::NotAMember));
    let refreshed = Shared::<Ristretto255Sha512>::random(2, 3, &mut rng);
    assert_eq!(fragment(&refreshed.instance(), 1), Some(WrongFragment::PublicShare));
}

#[test]
fn sharings_without_degree_or_with_a_zero_fragment_are_refused() {
    let suite = SuiteId::Ristretto255Sha512;
    let none: [Vec<u8>; 0] = [];
    assert_eq!(Instance::new(suite, &none, &[]).err(), Some(WrongSharing::Empty));
    // s(x) = 2a − a·x has a fragment of zero at x = 2.
    let a = random_scalar::<Ristretto255Sha512>(&mut rng(3));
    let commitment = [commit::<Ristretto255Sha512>(&(a + a)), commit::<Ristretto255Sha512>(&-a)];
    assert!(Instance::new(suite, &commitment, &[index(1), index(3)]).is_ok());
    let zero = Instance::new(suite, &commitment, &[index(1), index(2)]).err();
    assert_eq!(zero, Some(WrongSharing::ZeroFragment(index(2))));
}

#[test]
fn quorums_have_distinct_members() {
    let quorum = |numbers: &[u16]| {
        let members: Vec<_> = numbers.iter().map(|n| index(*n)).collect();
        Quorum::<P256Sha256>::new(&members).map(|q| q.coefficients().to_vec())
    };
    assert_eq!(quorum(&[]), Err(WrongQuorum::Empty));
    assert_eq!(quorum(&[3, 1, 3]), Err(WrongQuorum::Repeated(index(3))));
    assert_eq!(quorum(&[9]), Ok(vec![1u64.into()]));
    // At zero: for members 1, 2, 3 the coefficients are 3, −3, 1.
    let three = symbolon_fragments::suite::Scalar::<P256Sha256>::from(3u64);
    assert_eq!(quorum(&[1, 2, 3]), Ok(vec![three, -three, 1u64.into()]));
}
