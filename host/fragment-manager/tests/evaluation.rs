//! Evaluations over real channels: what is granted is done right, everything else is refused by name.

mod site;

use site::{START, Site, ask, evaluate, index, thumbprint};
use symbolon_fragments::{Binding, Fields, Proven, SuiteId};
use symbolon_protocol::wire::{Document, Error, Refusal, Request, Response};
use symbolon_trust::{KeyKind, KeyPair, Operation, Seconds, Signed};

const KEY: &str = "shop/orders";

#[tokio::test]
async fn any_two_managers_give_the_same_output() {
    for suite in SuiteId::ALL {
        let site = Site::new();
        let origin = site.domain.create(KEY, 1, suite, KeyKind::Dedicated);
        let dealt = site.deal(&origin).await;
        let fields: Vec<Fields> = (0..20).map(|_| site.fields()).collect();
        let inputs: Vec<_> = fields.iter().map(|fields| dealt.input(KEY, 1, fields)).collect();
        let mut answers = Vec::new();
        for number in 1..=3 {
            let manager = site.start(number).await;
            let channel = manager.channel(&site.alice).await;
            site.certify(&channel, &origin, dealt.set()).await.unwrap();
            let handle = site.authorise(&channel, &site.all_rights(), KEY, 1).await.unwrap();
            let proven = ask(&channel, evaluate(handle, dealt.id(), true, &fields)).await.unwrap();
            let bare = ask(&channel, evaluate(handle, dealt.id(), false, &fields)).await.unwrap();
            let Response::Evaluated { instance, proof: Some(proof), evaluations } = proven else { panic!() };
            let Response::Evaluated { proof: None, evaluations: again, .. } = bare else { panic!() };
            assert_eq!(instance, dealt.id());
            assert_eq!(evaluations, again);
            answers.push((evaluations, proof));
            manager.stop().await;
        }
        let outputs = [[1, 2], [1, 3], [2, 3]].map(|pair| {
            let mut combination = dealt.instance.combination(inputs.clone()).unwrap();
            for number in pair {
                let (evaluations, proof) = &answers[usize::from(number) - 1];
                combination.accept_proven(index(number), evaluations, proof).unwrap();
            }
            let key = |output: &Proven| {
                let binding = Binding { header: b"header", context: b"context" };
                *output.derive(None, binding).into_parts().0.as_bytes()
            };
            combination.finish_proven().unwrap().iter().map(key).collect::<Vec<_>>()
        });
        assert_eq!(outputs[0], outputs[1]);
        assert_eq!(outputs[1], outputs[2]);
    }
}

#[tokio::test]
async fn encrypting_takes_ones_own_fresh_inputs_only() {
    let site = Site::new();
    let (dealt, _manager, channel, _) = site.ready().await;
    let writer = site.domain.grant(2, &site.alice, "shop/*", &[Operation::Encrypt]);
    let handle = site.authorise(&channel, &writer, KEY, 1).await.unwrap();
    let own = site.fields();
    ask(&channel, evaluate(handle, dealt.id(), true, &[own])).await.unwrap();

    let bob = KeyPair::generate(&mut site::rng());
    let others = Fields { writer: thumbprint(&bob), ..own };
    let refused = ask(&channel, evaluate(handle, dealt.id(), true, &[own, others])).await;
    assert_eq!(refused, Err(Error::WrongWriter));

    site.hands.pass(30);
    ask(&channel, evaluate(handle, dealt.id(), true, &[own])).await.unwrap();
    site.hands.pass(91);
    let handle = site.authorise(&channel, &writer, KEY, 1).await.unwrap();
    let refused = ask(&channel, evaluate(handle, dealt.id(), true, &[own])).await;
    let (created, now) = (Seconds(own.created), Seconds(site.hands.now()));
    assert_eq!(refused, Err(Error::NotFresh { created, now }));

    let unproven = ask(&channel, evaluate(handle, dealt.id(), false, &[site.fields()])).await;
    assert_eq!(unproven, Err(Error::NotAllowed { operation: Operation::Decrypt }));
}

#[tokio::test]
async fn decrypting_takes_any_input_proven_or_not() {
    let site = Site::new();
    let (dealt, _manager, channel, _) = site.ready().await;
    let reader = site.domain.grant(2, &site.alice, "shop/*", &[Operation::Decrypt]);
    let handle = site.authorise(&channel, &reader, KEY, 1).await.unwrap();
    let bob = KeyPair::generate(&mut site::rng());
    let old = Fields { writer: thumbprint(&bob), created: 1, ..site.fields() };
    for prove in [true, false] {
        ask(&channel, evaluate(handle, dealt.id(), prove, &[old])).await.unwrap();
    }
}

#[tokio::test]
async fn a_verdict_ends_with_its_permit_and_is_of_one_channel() {
    let site = Site::new();
    let (dealt, manager, channel, handle) = site.ready().await;
    let other = manager.channel(&site.alice).await;
    let elsewhere = ask(&other, evaluate(handle, dealt.id(), true, &[site.fields()])).await;
    assert_eq!(elsewhere, Err(Error::HandleUnknown));

    let not_after = Seconds(site.hands.now() + 60);
    site.hands.pass(60);
    ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await.unwrap();
    site.hands.pass(1);
    let late = ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await;
    assert_eq!(late, Err(Error::VerdictExpired { not_after, now: Seconds(not_after.0 + 1) }));
}

#[tokio::test]
async fn a_stolen_access_manager_mints_permits_in_vain() {
    let site = Site::new();
    let (_, manager, channel, _) = site.ready().await;
    let thief = KeyPair::generate(&mut site::rng());
    let grant = site.domain.grant(9, &thief, "*", &Operation::ALL);
    let permit = site.domain.sign_permit(site.domain.permit(&grant, KEY, 1, site.hands.now()));
    let authorise = |grant| Request::Authorise { grant, permit: permit.clone() };

    // Signed by the access manager's key, by the thief's, and by nobody; on the thief's channel.
    let thiefs = manager.channel(&thief).await;
    let signers: [&[&KeyPair]; 3] = [&[&site.domain.permit], &[&thief], &[]];
    for signers in signers {
        let forged = Signed::by(grant.clone(), signers.iter().copied());
        let refused = ask(&thiefs, authorise(forged)).await;
        let reason = Refusal::TooFewSignatures { got: 0, needed: 1 };
        assert_eq!(refused, Err(Error::Refused { document: Document::Grant, reason }));
    }

    // Alice's real grant, with a permit for the thief, on the thief's channel and on alice's own.
    let real = site.domain.sign(site.all_rights());
    for (channel, document) in [(&thiefs, Document::Permit), (&channel, Document::Permit)] {
        let refused = ask(channel, authorise(real.clone())).await;
        assert_eq!(refused, Err(Error::Refused { document, reason: Refusal::Mismatch }));
    }
}

#[tokio::test]
async fn a_credential_on_another_channel_is_worth_nothing() {
    let site = Site::new();
    let (_, manager, _, _) = site.ready().await;
    // Another manager saw alice's grant and permit, and shows them on a channel of its own.
    let replayer = manager.channel(&site.keys()[1]).await;
    let grant = site.all_rights();
    let refused = site.authorise(&replayer, &grant, KEY, 1).await;
    assert_eq!(refused, Err(Error::Refused { document: Document::Grant, reason: Refusal::Holder }));
}

#[tokio::test]
async fn each_limit_of_grant_and_permit_is_checked() {
    let site = Site::new();
    let (_, _manager, channel, _) = site.ready().await;
    let now = site.hands.now();
    let refused = |document, reason| Error::Refused { document, reason };

    let narrow = site.domain.grant(2, &site.alice, "other/*", &Operation::ALL);
    assert_eq!(site.authorise(&channel, &narrow, KEY, 1).await, Err(refused(Document::Grant, Refusal::Key)));
    let mut late = site.domain.grant(2, &site.alice, "*", &Operation::ALL);
    late.not_after = Seconds(now - 1);
    let expired = Refusal::Expired { until: Seconds(now - 1), now: Seconds(now) };
    assert_eq!(site.authorise(&channel, &late, KEY, 1).await, Err(refused(Document::Grant, expired)));
    let unknown = site.authorise(&channel, &site.all_rights(), KEY, 2).await;
    assert_eq!(unknown, Err(Error::UnknownKey));

    let grant = site.all_rights();
    let mut long = site.domain.permit(&grant, KEY, 1, now);
    long.not_after = Seconds(now + 61);
    let request = |permit, signer| Request::Authorise {
        grant: site.domain.sign(grant.clone()),
        permit: Signed::by(permit, [signer]),
    };
    let answer = ask(&channel, request(long.clone(), &site.domain.permit)).await;
    assert_eq!(answer, Err(refused(Document::Permit, Refusal::TooLong)));
    // The owner's key is not the permit key.
    let answer = ask(&channel, request(site.domain.permit(&grant, KEY, 1, now), &site.domain.owner)).await;
    assert_eq!(answer, Err(refused(Document::Permit, Refusal::TooFewSignatures { got: 0, needed: 1 })));
    let early = site.domain.permit(&grant, KEY, 1, now + 31);
    let answer = ask(&channel, request(early, &site.domain.permit)).await;
    let not_yet = Refusal::NotYet { from: Seconds(now + 31), now: Seconds(now) };
    assert_eq!(answer, Err(refused(Document::Permit, not_yet)));
}

#[tokio::test]
async fn another_purpose_and_another_instance_are_named() {
    let site = Site::new();
    let (dealt, _manager, channel, handle) = site.ready().await;
    let fields = Fields { purpose: symbolon_fragments::names::Purpose::Wrap, ..site.fields() };
    let refused = ask(&channel, evaluate(handle, dealt.id(), true, &[fields])).await;
    assert_eq!(refused, Err(Error::WrongPurpose { purpose: symbolon_fragments::names::Purpose::Data }));
    let absent = symbolon_fragments::names::InstanceId::new([8; 32]);
    let refused = ask(&channel, evaluate(handle, absent, true, &[site.fields()])).await;
    assert_eq!(refused, Err(Error::NotHeld { served: vec![dealt.certificate.clone()] }));
    let account = site.domain.id;
    let served = ask(&channel, Request::Instances { account, set: dealt.set() }).await;
    assert_eq!(served, Ok(Response::Instances(vec![dealt.certificate])));
}

#[tokio::test]
async fn a_grants_rate_holds_for_all_its_channels() {
    let site = Site::new();
    let (dealt, manager, channel, _) = site.ready().await;
    let mut slow = site.domain.grant(2, &site.alice, "*", &[Operation::Decrypt]);
    slow.rate = 1;
    let fields = vec![site.fields(); 64];
    let handle = site.authorise(&channel, &slow, KEY, 1).await.unwrap();
    ask(&channel, evaluate(handle, dealt.id(), false, &fields)).await.unwrap();
    let other = manager.channel(&site.alice).await;
    let handle = site.authorise(&other, &slow, KEY, 1).await.unwrap();
    let refused = ask(&other, evaluate(handle, dealt.id(), false, &fields)).await;
    assert!(matches!(refused, Err(Error::RateExceeded { retry_after_ms }) if retry_after_ms > 50_000));
}

#[tokio::test]
async fn nothing_passes_from_one_account_to_another() {
    let site = Site::new();
    let keys = site.keys();
    let other = site::Domain::new(&keys.iter().collect::<Vec<_>>());
    for place in &site.places {
        place.join(&other);
    }
    let (dealt, manager, channel, handle) = site.ready().await;

    // The other account's grant and permit for the same key id, by its own signers, for the same holder.
    let grant = other.grant(1, &site.alice, "*", &Operation::ALL);
    let permit = Signed::by(other.permit(&grant, KEY, 1, site.hands.now()), [&other.permit]);
    let foreign = Signed::by(grant.clone(), [&other.owner]);
    let answer = ask(&channel, Request::Authorise { grant: foreign.clone(), permit: permit.clone() }).await;
    assert_eq!(answer, Err(Error::UnknownKey));
    // Its permit with this account's grant, and the other way round.
    let ours = site.domain.sign(site.all_rights());
    let answer = ask(&channel, Request::Authorise { grant: ours, permit }).await;
    assert_eq!(answer, Err(Error::Refused { document: Document::Permit, reason: Refusal::Account }));
    // Its owner can't deny here, nor can this account's set certify a key there.
    let deny = Signed::by(other.deny(1, |deny| deny.disable_key(site::key(KEY))).into_body(), [&other.owner]);
    ask(&channel, Request::InstallDeny { deny }).await.unwrap();
    ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await.unwrap();
    let create = other.create("shop/new", 1, SuiteId::Ristretto255Sha512, KeyKind::Dedicated);
    let create = Signed::by(create, [&site.alice]);
    let answer = ask(&channel, Request::Certify { create, grant: foreign, set: dealt.set() }).await;
    assert_eq!(answer, Err(Error::Unsuitable(symbolon_protocol::wire::Unsuitable::Unknown)));
    // An account that is served nowhere.
    let nowhere = symbolon_fragments::names::AccountId::new([1; 32]);
    let answer = ask(&channel, Request::Status { account: nowhere }).await;
    assert_eq!(answer, Err(Error::UnknownAccount));
    manager.stop().await;
    assert!(site.hands.now() > START);
}
