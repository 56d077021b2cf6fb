//! Grants, permits, holders and what the three amount to (specification §2.11).

use crate::support::{Account, NOW, at, key, now, pair};
use symbolon_trust::{
    AuthoriseError, Authorised, Denials, Denied, Grant, GrantError, Job, JobBinding, JobError, NotAdmitted,
    Operation, Permit, PermitError, Principal, ProvenHolder, Seconds, SignatureError, Signed, VerifiedDeny,
    VerifiedGrant, VerifiedPermit,
};

fn grant(account: &Account, edit: impl FnOnce(&mut Grant)) -> Result<VerifiedGrant, GrantError> {
    let mut body = account.grant();
    edit(&mut body);
    VerifiedGrant::verify(&account.by_policy(body), &account.root, now())
}

fn permit(account: &Account, edit: impl FnOnce(&mut Permit)) -> Result<VerifiedPermit, PermitError> {
    let mut body = account.permit();
    edit(&mut body);
    VerifiedPermit::verify(&Signed::by(body, [&account.permit]), &account.root, now())
}

fn holder(account: &Account) -> ProvenHolder {
    ProvenHolder::by_channel(account.holder.public())
}

#[test]
fn a_grant_is_signed_by_policy_and_in_time() {
    let (account, other) = (Account::new(1), Account::new(2));
    let verified = grant(&account, |_| ()).unwrap();
    assert_eq!(verified.grant(), &account.grant());
    assert_eq!(grant(&account, |g| g.account = other.root.account()), Err(GrantError::Account));
    assert_eq!(grant(&account, |g| g.keys.clear()), Err(GrantError::Empty));
    assert_eq!(grant(&account, |g| g.operations = std::iter::empty().collect()), Err(GrantError::Empty));
    let early = GrantError::NotYet { not_before: NOW + 1, now: NOW };
    assert_eq!(grant(&account, |g| g.not_before = NOW + 1), Err(early));
    let signed = account.by_policy(account.grant());
    let late = VerifiedGrant::verify(&signed, &account.root, at(NOW + 1001));
    assert_eq!(late, Err(GrantError::Expired { not_after: NOW + 1000, now: NOW + 1001 }));
    VerifiedGrant::verify(&signed, &account.root, at(NOW + 1000)).unwrap();

    let missing = |got| Err(GrantError::Signature(SignatureError::TooFew { got, needed: 2 }));
    let by = |keys: &[_]| VerifiedGrant::verify(&Signed::by(account.grant(), keys), &account.root, now());
    assert_eq!(by(&account.policy[..1]), missing(1));
    for wrong in [[pair(1, 1), pair(1, 5)], [pair(1, 6), pair(1, 7)], [pair(2, 2), pair(2, 3)]] {
        assert_eq!(by(&wrong), missing(0));
    }
}

#[test]
fn a_permit_is_signed_by_permit_and_lives_a_minute() {
    let (account, other) = (Account::new(1), Account::new(2));
    assert_eq!(permit(&account, |_| ()).unwrap().permit(), &account.permit());
    assert_eq!(permit(&account, |p| p.account = other.root.account()), Err(PermitError::Account));
    assert_eq!(permit(&account, |p| p.not_after = NOW + 61), Err(PermitError::TooLong));
    assert_eq!(permit(&account, |p| p.not_after = Seconds(u64::MAX)), Err(PermitError::TooLong));
    let future = permit(&account, |p| (p.issued, p.not_after) = (NOW + 31, NOW + 40));
    assert_eq!(future, Err(PermitError::NotYet { issued: NOW + 31, now: NOW }));
    permit(&account, |p| (p.issued, p.not_after) = (NOW + 30, NOW + 40)).unwrap();
    let past = permit(&account, |p| (p.issued, p.not_after) = (Seconds(NOW.0 - 60), Seconds(NOW.0 - 1)));
    assert_eq!(past, Err(PermitError::Expired { not_after: Seconds(NOW.0 - 1), now: NOW }));
    for wrong in [&account.owner, &account.policy[0], &account.deny, &account.managers[0], &other.permit] {
        let verified = VerifiedPermit::verify(&Signed::by(account.permit(), [wrong]), &account.root, now());
        assert_eq!(verified, Err(PermitError::Signature(SignatureError::TooFew { got: 0, needed: 1 })));
    }
}

#[test]
fn all_three_must_agree() {
    let account = Account::new(1);
    let check = |grant: &VerifiedGrant, permit: &VerifiedPermit, holder: &ProvenHolder| {
        Authorised::check(grant, permit, holder, &Denials::default())
    };
    let (good_grant, good_permit) = (grant(&account, |_| ()).unwrap(), permit(&account, |_| ()).unwrap());
    let verdict = check(&good_grant, &good_permit, &holder(&account)).unwrap();
    assert_eq!((verdict.key().as_str(), verdict.version(), verdict.permit()), ("shop/orders", 4, [3; 16]));
    assert_eq!((verdict.not_after(), verdict.rate(), verdict.grant()), (NOW + 60, 100, (7, 2)));

    let stranger = ProvenHolder::by_channel(pair(1, 21).public());
    assert_eq!(check(&good_grant, &good_permit, &stranger), Err(AuthoriseError::GrantHolder));
    let strangers = permit(&account, |p| p.principal = stranger.thumbprint()).unwrap();
    assert_eq!(check(&good_grant, &strangers, &holder(&account)), Err(AuthoriseError::PermitHolder));
    let granted = grant(&account, |g| g.principal = Principal::Holder(stranger.thumbprint())).unwrap();
    assert_eq!(check(&granted, &good_permit, &holder(&account)), Err(AuthoriseError::GrantHolder));
    for edit in [|p: &mut Permit| p.grant_id = 8, |p: &mut Permit| p.grant_serial = 1] {
        let other = permit(&account, edit).unwrap();
        assert_eq!(check(&good_grant, &other, &holder(&account)), Err(AuthoriseError::Grant));
    }
    let other_key = permit(&account, |p| p.key = key("shop")).unwrap();
    assert_eq!(check(&good_grant, &other_key, &holder(&account)), Err(AuthoriseError::NotGranted));
    let audit_only = grant(&account, |g| g.operations = [Operation::Audit].into_iter().collect()).unwrap();
    assert_eq!(check(&audit_only, &good_permit, &holder(&account)), Err(AuthoriseError::NotGranted));
}

#[test]
fn what_is_denied_is_denied_whatever_grant_and_permit_say() {
    let account = Account::new(1);
    let (grant, permit) = (grant(&account, |_| ()).unwrap(), permit(&account, |_| ()).unwrap());
    let with = |edit: &dyn Fn(&mut symbolon_trust::DenyDocument)| {
        let mut deny = symbolon_trust::DenyDocument::nothing(account.root.account()).successor(NOW);
        edit(&mut deny);
        let deny = VerifiedDeny::verify(Signed::by(deny, [&account.deny]), &account.root).unwrap();
        Authorised::check(&grant, &permit, &holder(&account), &Denials::new(Some(&deny), []))
    };
    with(&|d| d.deny_grant(7, 1)).unwrap();
    with(&|d| d.disable_key(key("shop"))).unwrap();
    let denied = |denied| Err(AuthoriseError::Denied(denied));
    assert_eq!(with(&|d| d.deny_grant(7, 2)), denied(Denied::Grant { id: 7, serial: 2 }));
    assert_eq!(with(&|d| d.deny_grant(7, u64::MAX)), denied(Denied::Grant { id: 7, serial: u64::MAX }));
    assert_eq!(with(&|d| d.deny_holder(account.holder_name())), denied(Denied::Holder));
    assert_eq!(with(&|d| d.disable_key(key("shop/orders"))), denied(Denied::Key));
}

#[test]
fn a_verdict_admits_what_both_allow_while_both_are_good() {
    let account = Account::new(1);
    let encrypting = grant(&account, |g| g.operations = [Operation::Encrypt].into_iter().collect()).unwrap();
    let permit = permit(&account, |_| ()).unwrap();
    let verdict = Authorised::check(&encrypting, &permit, &holder(&account), &Denials::default()).unwrap();
    let admission = verdict.admit(Operation::Encrypt, at(NOW + 60)).unwrap();
    assert_eq!((admission.operation(), admission.time()), (Operation::Encrypt, NOW + 60));
    for operation in [Operation::Decrypt, Operation::Create, Operation::Audit] {
        assert_eq!(verdict.admit(operation, now()).unwrap_err(), NotAdmitted::Operation(operation));
    }
    let late = verdict.admit(Operation::Encrypt, at(NOW + 61)).unwrap_err();
    assert_eq!(late, NotAdmitted::Expired { not_after: NOW + 60, now: NOW + 61 });
    let short = grant(&account, |g| g.not_after = NOW + 10).unwrap();
    let verdict = Authorised::check(&short, &permit, &holder(&account), &Denials::default()).unwrap();
    assert_eq!(verdict.not_after(), NOW + 10);
}

#[test]
fn a_job_proves_its_holder_for_one_request() {
    let account = Account::new(1);
    let binding = JobBinding { account: account.root.account(), request: [4; 32] };
    let job = Job {
        account: binding.account,
        request: binding.request,
        response_key: vec![1, 2, 3],
        nonce: [5; 16],
        expires: NOW + 10,
    };
    let signed = Signed::by(job.clone(), [&account.holder]);
    let prove = |signed: &Signed<Job>, key, binding: &JobBinding, now| {
        ProvenHolder::by_job(signed, key, binding, now)
    };
    let key = account.holder.public();
    assert_eq!(prove(&signed, key, &binding, now()).unwrap(), holder(&account));
    let request = JobBinding { request: [0; 32], ..binding };
    assert_eq!(prove(&signed, key, &request, now()), Err(JobError::Other));
    let elsewhere = JobBinding { account: Account::new(2).root.account(), ..binding };
    assert_eq!(prove(&signed, key, &elsewhere, now()), Err(JobError::Other));
    let late = JobError::Expired { expires: NOW + 10, now: NOW + 11 };
    assert_eq!(prove(&signed, key, &binding, at(NOW + 11)), Err(late));
    assert_eq!(prove(&signed, pair(1, 21).public(), &binding, now()), Err(JobError::Unsigned));
    let mut forged = signed;
    forged.add(key, account.holder.sign(b"something else"));
    assert!(matches!(prove(&forged, key, &binding, now()), Err(JobError::Signature(_))));
}
