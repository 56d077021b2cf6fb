//! Evaluation behind the checks: what an admission lets through, with a real fragment.

use crate::support::{Account, NOW, at, now, pair};
use symbolon_fragments::{Fields, SuiteId, names::Purpose};
use symbolon_trust::{
    Admission, Authorised, Denials, FRESHNESS, GuardedFragment, InputRefused, Operation, ProvenHolder,
    Seconds, Signed, VerifiedGrant, VerifiedPermit,
};

fn verdict(account: &Account) -> Authorised {
    let grant = VerifiedGrant::verify(&account.by_policy(account.grant()), &account.root, now()).unwrap();
    let mut permit = account.permit();
    permit.operations = Operation::ALL.into_iter().collect();
    let permit =
        VerifiedPermit::verify(&Signed::by(permit, [&account.permit]), &account.root, now()).unwrap();
    let holder = ProvenHolder::by_channel(account.holder.public());
    Authorised::check(&grant, &permit, &holder, &Denials::default()).unwrap()
}

fn fields(account: &Account) -> Fields {
    Fields { purpose: Purpose::Data, writer: account.holder_name(), created: NOW.0, r: [1; 32] }
}

const SUITE: SuiteId = SuiteId::Ristretto255Sha512;

fn inputs(admission: &Admission<'_>, fields: Fields) -> Result<(), InputRefused> {
    admission.inputs(SUITE, &[fields]).map(|_| ())
}

#[test]
fn to_encrypt_inputs_are_ones_own_and_new() {
    let account = Account::new(1);
    let verdict = verdict(&account);
    let admission = verdict.admit(Operation::Encrypt, at(NOW + 10)).unwrap();
    let own = fields(&account);
    inputs(&admission, own).unwrap();
    let others = Fields { writer: pair(1, 21).public().thumbprint(), ..own };
    assert_eq!(inputs(&admission, others), Err(InputRefused::Writer));
    let dated = |created| inputs(&admission, Fields { created, ..own });
    dated(NOW.0 + 10 - FRESHNESS).unwrap();
    dated(NOW.0 + 10 + FRESHNESS).unwrap();
    for created in [NOW.0 + 9 - FRESHNESS, NOW.0 + 11 + FRESHNESS, 0, u64::MAX] {
        let stale = InputRefused::Stale { created: Seconds(created), now: NOW + 10 };
        assert_eq!(dated(created), Err(stale));
    }
    let mixed = admission.inputs(SUITE, &[own, others]);
    assert_eq!(mixed.unwrap_err(), InputRefused::Writer);
}

#[test]
fn to_decrypt_any_input_will_do_and_nothing_else_evaluates() {
    let account = Account::new(1);
    let verdict = verdict(&account);
    let anybodys = Fields { writer: pair(1, 21).public().thumbprint(), created: 5, ..fields(&account) };
    inputs(&verdict.admit(Operation::Decrypt, now()).unwrap(), anybodys).unwrap();
    for operation in [Operation::Create, Operation::Audit] {
        let admission = verdict.admit(operation, now()).unwrap();
        assert_eq!(inputs(&admission, fields(&account)), Err(InputRefused::Operation(operation)));
    }
}

#[test]
fn a_fragment_evaluates_what_was_admitted_under_the_verdicts_key() {
    let account = Account::new(1);
    let verdict = verdict(&account);
    let mut secret = [0; 32];
    secret[0] = 5;
    let fragment = GuardedFragment::load(SUITE, &secret).unwrap();
    let encrypting = verdict.admit(Operation::Encrypt, now()).unwrap();
    let decrypting = verdict.admit(Operation::Decrypt, now()).unwrap();
    let evaluate = |admission: &Admission<'_>, fields: Fields| {
        let inputs = admission.inputs(SUITE, &[fields]).unwrap();
        fragment.evaluate(&inputs).unwrap()[0].as_bytes().to_vec()
    };
    let own = fields(&account);
    assert_eq!(evaluate(&encrypting, own), evaluate(&decrypting, own));
    assert_ne!(evaluate(&encrypting, own), evaluate(&encrypting, Fields { r: [2; 32], ..own }));
    let other = self::verdict(&Account::new(2));
    assert_ne!(evaluate(&decrypting, own), evaluate(&other.admit(Operation::Decrypt, now()).unwrap(), own));
    assert_eq!(format!("{fragment:?}"), "GuardedFragment { suite: Ristretto255Sha512, .. }");
}
