//! Callers that try more than they were granted: games b, c, f and k, each against real processes, past the client's own rules.

use std::sync::{LazyLock, Mutex, PoisonError};

use symbolon_client::owner::Office;
use symbolon_e2e::{Account, Conversation, Credential, Deployment, Party, exit, instance, unix_time};
use symbolon_fragments::names::InstanceId;
use symbolon_protocol::api::Operation::{Decrypt, Encrypt};
use symbolon_protocol::wire::{Denial, Document, Error, Refusal, Request};
use symbolon_trust::{Operation, Permit, Seconds, Signed};

/// Shared by the tests of this file, each with callers and keys of its own.
static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(Deployment::start);

/// Held while the owner signs.
static DESK: Mutex<()> = Mutex::new(());

/// A caller with a grant on one key of its own, which the account's first person made.
struct Caller {
    party: Party,
    account: Account,
    key: String,
    instance: InstanceId,
    grant_id: u64,
}

impl Caller {
    fn granted(key: &str, operations: &str) -> Self {
        let deployment = &*DEPLOYMENT;
        // The owner works at one desk.
        let _desk = DESK.lock().unwrap_or_else(PoisonError::into_inner);
        let party = Party::stranger();
        deployment.cli().run(&["key", "create", key]).succeeds();
        let fingerprint = party.key().public().thumbprint().to_string();
        let grant_id = deployment.grant(&fingerprint, &["--key", key, "--allow", operations]);
        let account = deployment.account();
        let set = account.set_of(&party, key);
        let instance = {
            let conversation = party.direct(deployment.manager_address(0), &account.manager(0)).unwrap();
            instance(&account.newest_instance(&conversation, set))
        };
        Self { party, account, key: key.to_owned(), instance, grant_id }
    }

    fn open(&self, position: usize) -> Conversation<'_> {
        let address = DEPLOYMENT.manager_address(position);
        self.party.direct(address, &self.account.manager(position)).expect("the manager is up")
    }
}

#[test]
fn a_caller_with_encrypt_only_cannot_decrypt_anybodys_input_nor_its_own_old_one() {
    let caller = Caller::granted("encrypt-only", "encrypt");
    let credential = caller.account.credential(&caller.party, &caller.key, &[Encrypt]).unwrap();
    let manager = caller.open(0);
    let handle = manager.authorise(&credential).unwrap();

    let own = caller.party.fresh_fields();
    manager.evaluate(handle, caller.instance, own, true).expect("its own fresh input is what it may ask for");

    let anothers = Party::stranger().fresh_fields();
    let refused = manager.evaluate(handle, caller.instance, anothers, true);
    assert_eq!(refused, Err(Error::WrongWriter));

    let mut old = caller.party.fresh_fields();
    old.created = unix_time() - 600;
    let refused = manager.evaluate(handle, caller.instance, old, true);
    assert!(
        matches!(refused, Err(Error::NotFresh { created, .. }) if created.0 == old.created),
        "{refused:?}"
    );

    for fields in [own, anothers, old] {
        let refused = manager.evaluate(handle, caller.instance, fields, false);
        assert_eq!(refused, Err(Error::NotAllowed { operation: Operation::Decrypt }));
    }
    let problem = caller.account.credential(&caller.party, &caller.key, &[Decrypt]).unwrap_err();
    assert_eq!(problem.status, 403, "{problem:?}");
}

#[test]
fn a_credential_replayed_to_another_manager_is_refused() {
    let victim = Caller::granted("replayed", "encrypt,decrypt");
    let credential = victim.account.credential(&victim.party, &victim.key, &[Encrypt, Decrypt]).unwrap();
    // What a hostile manager has: the credential that it was shown. It is no holder, so it shows it as somebody else.
    let manager = Party::new(&DEPLOYMENT.identity_of_manager(0));
    for position in [1, 2] {
        let account = &victim.account;
        let other = manager.direct(DEPLOYMENT.manager_address(position), &account.manager(position)).unwrap();
        let refused = other.authorise(&credential).unwrap_err();
        assert!(matches!(refused, Error::Refused { reason: Refusal::Holder, .. }), "{refused:?}");
    }
}

#[test]
fn a_permit_wider_than_the_grant_is_refused() {
    let caller = Caller::granted("narrow", "encrypt");
    let (grant, permit) = caller.account.credential(&caller.party, &caller.key, &[Encrypt]).unwrap();
    let permit_key = DEPLOYMENT.permit_key();
    let forged = |change: &dyn Fn(&mut Permit)| -> Credential {
        let mut body = permit.body().clone();
        change(&mut body);
        (grant.clone(), Signed::by(body, [&permit_key]))
    };
    let manager = caller.open(0);
    manager.authorise(&forged(&|_| ())).expect("the stolen permit key signs permits that pass");

    let decrypt = forged(&|permit| permit.operations = [Operation::Decrypt].into_iter().collect());
    let other_key = forged(&|permit| permit.key = "encrypt-only".parse().unwrap());
    let other_holder = forged(&|permit| permit.principal = Party::stranger().key().public().thumbprint());
    let long = forged(&|permit| permit.not_after = Seconds(permit.issued.0 + 3600));
    for (name, credential) in
        [("decrypt", decrypt), ("key", other_key), ("holder", other_holder), ("long", long)]
    {
        let refused = manager.authorise(&credential).expect_err(name);
        assert!(matches!(refused, Error::Refused { .. } | Error::NotAllowed { .. }), "{name}: {refused:?}");
    }
}

#[test]
fn a_grant_without_a_permit_is_refused() {
    let caller = Caller::granted("no-permit", "encrypt,decrypt");
    let (grant, permit) = caller.account.credential(&caller.party, &caller.key, &[Decrypt]).unwrap();
    let manager = caller.open(0);
    let self_made = Signed::by(permit.body().clone(), [caller.party.key()]);
    let refused = manager.authorise(&(grant.clone(), self_made)).unwrap_err();
    let expected = Error::Refused {
        document: Document::Permit,
        reason: Refusal::TooFewSignatures { got: 0, needed: 1 },
    };
    assert_eq!(refused, expected);
    let refused = manager.evaluate(1, caller.instance, caller.party.fresh_fields(), false);
    assert_eq!(refused, Err(Error::HandleUnknown));
}

#[test]
fn a_revoked_caller_gets_nothing_even_with_the_access_manager() {
    let caller = Caller::granted("revoked", "encrypt,decrypt");
    let credential = caller.account.credential(&caller.party, &caller.key, &[Decrypt]).unwrap();
    let fields = caller.party.fresh_fields();
    let open: Vec<_> = [0, 1, 2].map(|position| caller.open(position)).into();
    let handles: Vec<u64> = open.iter().map(|manager| manager.authorise(&credential).unwrap()).collect();
    for (manager, handle) in open.iter().zip(&handles) {
        manager.evaluate(*handle, caller.instance, fields, false).expect("not revoked yet");
    }

    let desk = DESK.lock().unwrap_or_else(PoisonError::into_inner);
    let revoked = DEPLOYMENT.owner().run(&["grant", "revoke", &caller.grant_id.to_string()]).text();
    drop(desk);
    assert!(revoked.contains("in force") && revoked.contains("kfm-1"), "{revoked}");

    // Open channels are cut, or answer no verdict of the revoked grant any more.
    for (manager, handle) in open.iter().zip(&handles) {
        let after = manager.call(evaluation(*handle, &caller, fields));
        let denied = |error: &Error| matches!(error, Error::Denied(_) | Error::HandleUnknown);
        assert!(
            after.as_ref().is_err()
                || matches!(&after, Ok(symbolon_protocol::wire::Response::Error(error)) if denied(error)),
            "{after:?}"
        );
    }
    // The access manager helps: it mints a fresh permit for the revoked holder.
    let now = unix_time();
    let mut body = credential.1.body().clone();
    (body.issued, body.not_after) = (Seconds(now), Seconds(now + 60));
    let helped = (credential.0.clone(), Signed::by(body, [&DEPLOYMENT.permit_key()]));
    for position in [0, 1, 2] {
        let refused = caller.open(position).authorise(&helped).unwrap_err();
        assert_eq!(refused, Error::Denied(Denial::Grant));
    }
}

fn evaluation(handle: u64, caller: &Caller, fields: symbolon_fragments::Fields) -> Request {
    let inputs = symbolon_protocol::wire::Inputs::new(vec![fields]).unwrap();
    Request::Evaluate { handle, instance: caller.instance, prove: false, inputs }
}

#[test]
fn a_deny_key_signs_no_grant_and_no_order() {
    let caller = Caller::granted("deny-key", "encrypt");
    let (grant, permit) = caller.account.credential(&caller.party, &caller.key, &[Encrypt]).unwrap();
    let mut wider = grant.body().clone();
    wider.serial += 1;
    wider.operations = [Operation::Encrypt, Operation::Decrypt].into_iter().collect();
    let forged = Signed::by(wider, [&DEPLOYMENT.owner_key(Office::Deny)]);
    let refused = caller.open(0).authorise(&(forged, permit)).unwrap_err();
    let expected =
        Error::Refused { document: Document::Grant, reason: Refusal::TooFewSignatures { got: 0, needed: 1 } };
    assert_eq!(refused, expected);
}

#[test]
fn a_stranger_is_told_nothing() {
    let deployment = &*DEPLOYMENT;
    let account = deployment.account();
    let stranger = Party::stranger();
    let problem = account.credential(&stranger, "anything", &[Decrypt]).unwrap_err();
    assert_eq!(problem.status, 403, "{problem:?}");
    let relay = stranger.relayed(&account.access_manager(), account.destination(0), &account.manager(0));
    assert!(matches!(relay.err(), Some(symbolon_channel::DialError::Refused { status: 403, .. })));
    let wrong_key = stranger.direct(deployment.manager_address(0), &account.manager(1));
    assert!(matches!(wrong_key.err(), Some(symbolon_channel::DialError::WrongKey)));
    deployment.cli().run(&["key", "show", "nothing-here"]).fails(exit::NOT_FOUND);
}
