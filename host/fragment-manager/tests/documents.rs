//! The owner's documents: what denies, orders and succeeds is taken when it is signed, in order and in time, and works at
//! once and after a restart.

mod site;

use site::{AMPLE, START, Site, ask, evaluate, key, thumbprint};
use symbolon_channel::CallError;
use symbolon_protocol::wire::{Denial, Document, Error, Refusal, Request, Response, Status};
use symbolon_trust::{
    Action, DenyDocument, KeyPair, Operation, Order, Receipt, Role, RootDocument, Seconds, Signed,
    VerifiedReceipt,
};

const KEY: &str = "shop/orders";
const HOUR: u64 = 3600;

fn refused(document: Document, reason: Refusal) -> Error {
    Error::Refused { document, reason }
}

fn receipt(response: Response) -> Signed<Receipt> {
    let Response::Installed(receipt) = response else { panic!("{response:?}") };
    receipt
}

async fn status(site: &Site, channel: &symbolon_channel::Channel) -> Status {
    match ask(channel, Request::Status { account: site.domain.id }).await.unwrap() {
        Response::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_receipt_is_the_managers_own_signature() {
    let site = Site::new();
    let (_, _manager, channel, _) = site.ready().await;
    let deny = site.domain.deny(1, |deny| deny.deny_grant(5, 1));
    let signed = receipt(ask(&channel, Request::InstallDeny { deny: deny.clone() }).await.unwrap());
    let root = symbolon_trust::TrustedRoot::install(site.domain.id, site.domain.root.clone()).unwrap();
    let receipt = VerifiedReceipt::verify(&signed, deny.body(), &root).unwrap();
    assert_eq!(receipt.receipt().index, site::index(1));
}

#[tokio::test]
async fn a_denied_holder_is_cut_off_and_stays_out() {
    let site = Site::new();
    let (dealt, manager, channel, handle) = site.ready().await;
    let owner = manager.channel(&site.domain.owner).await;
    let deny = site.domain.deny(1, |deny| deny.deny_holder(thumbprint(&site.alice)));
    ask(&owner, Request::InstallDeny { deny }).await.unwrap();
    channel.closed().await;
    let late = channel.call(evaluate(handle, dealt.id(), true, &[site.fields()]), AMPLE).await;
    assert!(matches!(late, Err(CallError::Closed { .. })));
    manager.stop().await;

    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let again = site.authorise(&channel, &site.all_rights(), KEY, 1).await;
    assert_eq!(again, Err(Error::Denied(Denial::Holder)));
}

#[tokio::test]
async fn a_revoked_grant_and_a_disabled_key_end_cached_verdicts() {
    let site = Site::new();
    let (dealt, _manager, channel, first) = site.ready().await;
    let other = site.domain.grant(2, &site.alice, "*", &[Operation::Decrypt]);
    let second = site.authorise(&channel, &other, KEY, 1).await.unwrap();
    let evaluation = |handle| ask(&channel, evaluate(handle, dealt.id(), false, &[site.fields()]));

    let deny = site.domain.deny(1, |deny| deny.deny_grant(1, 1));
    ask(&channel, Request::InstallDeny { deny }).await.unwrap();
    assert_eq!(evaluation(first).await, Err(Error::HandleUnknown));
    evaluation(second).await.unwrap();
    let again = site.authorise(&channel, &site.all_rights(), KEY, 1).await;
    assert_eq!(again, Err(Error::Denied(Denial::Grant)));

    let deny = site.domain.deny(2, |deny| {
        deny.deny_grant(1, 1);
        deny.disable_key(key(KEY));
    });
    ask(&channel, Request::InstallDeny { deny }).await.unwrap();
    assert_eq!(evaluation(second).await, Err(Error::HandleUnknown));
    assert_eq!(site.authorise(&channel, &other, KEY, 1).await, Err(Error::Denied(Denial::Key)));

    // Enabled again by an order for this disabling; an earlier one doesn't do.
    let enable =
        |serial, since| site.domain.order(serial, site.hands.now(), Action::Enable { key: key(KEY), since });
    let install = |order: Order| Request::InstallOrder { order: site.domain.sign(order) };
    ask(&channel, install(enable(1, 1))).await.unwrap();
    assert_eq!(site.authorise(&channel, &other, KEY, 1).await, Err(Error::Denied(Denial::Key)));
    ask(&channel, install(enable(2, 2))).await.unwrap();
    site.authorise(&channel, &other, KEY, 1).await.unwrap();
}

#[tokio::test]
async fn only_the_next_deny_document_by_the_right_signer_is_taken() {
    let site = Site::new();
    let (_, _manager, channel, _) = site.ready().await;
    let install = |deny: Signed<DenyDocument>| ask(&channel, Request::InstallDeny { deny });
    let second = site.domain.deny(2, |deny| deny.deny_grant(5, 1));
    install(second.clone()).await.unwrap();
    install(second.clone()).await.unwrap();

    let older = install(site.domain.deny(1, |_| {})).await;
    assert_eq!(older, Err(refused(Document::Deny, Refusal::Older { offered: 1, held: 2 })));
    let fork = install(site.domain.deny(2, |deny| deny.deny_grant(6, 1))).await;
    assert_eq!(fork, Err(refused(Document::Deny, Refusal::Fork { number: 2 })));
    let forgetful = install(site.domain.deny(3, |_| {})).await;
    assert_eq!(forgetful, Err(refused(Document::Deny, Refusal::NotCumulative)));
    let next = site.domain.deny(3, |deny| deny.deny_grant(5, 1)).into_body();
    let forged = install(Signed::by(next, [&site.domain.permit])).await;
    let missing = Refusal::TooFewSignatures { got: 0, needed: 1 };
    assert_eq!(forged, Err(refused(Document::Deny, missing)));
    assert_eq!(status(&site, &channel).await.deny_version, 2);
}

#[tokio::test]
async fn unsigned_expired_early_and_conflicting_orders_are_refused() {
    let site = Site::new();
    let (_, _manager, channel, _) = site.ready().await;
    let now = site.hands.now();
    let enable = |serial| site.domain.order(serial, now, Action::Enable { key: key(KEY), since: serial });
    let install = |order: Signed<Order>| ask(&channel, Request::InstallOrder { order });

    let unsigned = install(Signed::new(enable(1))).await;
    let missing = Refusal::TooFewSignatures { got: 0, needed: 1 };
    assert_eq!(unsigned, Err(refused(Document::Order, missing)));
    let mut altered = site.domain.sign(enable(1));
    let signature = *altered.signature_of(&site.domain.owner.public()).unwrap();
    altered = Signed::new(enable(2));
    altered.add(site.domain.owner.public(), signature);
    assert_eq!(install(altered).await, Err(refused(Document::Order, Refusal::WrongSignature)));
    let late = Order { issued: Seconds(now - 7200), expires: Seconds(now - 1), ..enable(1) };
    let expired = Refusal::Expired { until: Seconds(now - 1), now: Seconds(now) };
    assert_eq!(install(site.domain.sign(late)).await, Err(refused(Document::Order, expired)));
    let early = Order { issued: Seconds(now + 31), ..enable(1) };
    let not_yet = Refusal::NotYet { from: Seconds(now + 31), now: Seconds(now) };
    assert_eq!(install(site.domain.sign(early)).await, Err(refused(Document::Order, not_yet)));

    install(site.domain.sign(enable(7))).await.unwrap();
    install(site.domain.sign(enable(7))).await.unwrap();
    let other = Order { expires: Seconds(now + 5), ..enable(7) };
    assert_eq!(
        install(site.domain.sign(other)).await,
        Err(refused(Document::Order, Refusal::Fork { number: 7 }))
    );
    assert_eq!(status(&site, &channel).await.order_serial, 7);
}

/// Orders alice's key destroyed, lets some hours pass while the manager is down, cancels it by an order that was signed at
/// once, and asks for the key again.
async fn cancelled_after(hours: u64) -> Result<u64, Error> {
    let site = Site::new();
    let (dealt, manager, channel, handle) = site.ready().await;
    let destroy = Action::Destroy { key: key(KEY), version: 1, execute_after: Seconds(START) };
    let destroy = site.domain.sign(site.domain.order(1, site.hands.now(), destroy));
    ask(&channel, Request::InstallOrder { order: destroy }).await.unwrap();
    // It takes effect at once, and what can't be undone waits.
    let evaluation = ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await;
    assert_eq!(evaluation, Err(Error::HandleUnknown));
    let waiting = site.authorise(&channel, &site.all_rights(), KEY, 1).await;
    assert_eq!(waiting, Err(Error::Denied(Denial::Destroyed)));
    manager.stop().await;

    let cancel = Action::CancelDestruction { key: key(KEY), destroy_serial: 1 };
    let cancel = site.domain.sign(site.domain.order(2, site.hands.now(), cancel));
    site.hands.pass(hours * HOUR);
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    ask(&channel, Request::InstallOrder { order: cancel }).await.unwrap();
    site.authorise(&channel, &site.all_rights(), KEY, 1).await
}

#[tokio::test]
async fn a_destruction_can_be_cancelled_for_three_days_whatever_the_order_says() {
    cancelled_after(0).await.unwrap();
    cancelled_after(71).await.unwrap();
}

#[tokio::test]
async fn a_manager_that_was_down_when_a_destruction_fell_due_asks_for_news_before_it_destroys() {
    // Nobody can be asked here: it would wait an hour. An order that cancels is taken after its time, too.
    cancelled_after(73).await.unwrap();
    cancelled_after(24 * 20).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_was_set_back_stops_everything_until_an_order_lowers_the_mark() {
    let site = Site::new();
    let (dealt, manager, channel, handle) = site.ready().await;
    let mark = site.hands.now();
    let back = mark - 86400;
    site.hands.set(mark - 5);
    ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await.unwrap();
    site.hands.set(back);
    let behind = Error::ClockBehind { clock: Seconds(back), mark: Seconds(mark) };
    let evaluation = ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await;
    assert_eq!(evaluation, Err(behind.clone()));
    let deny = ask(&channel, Request::InstallDeny { deny: site.domain.deny(1, |_| {}) }).await;
    assert_eq!(deny, Err(behind.clone()));
    assert_eq!(site.authorise(&channel, &site.all_rights(), KEY, 1).await, Err(behind.clone()));
    assert_eq!(status(&site, &channel).await.mark, Seconds(mark));
    manager.stop().await;

    // The mark is durable: a restart doesn't help, nor does an order of another kind or by another signer.
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    assert_eq!(site.authorise(&channel, &site.all_rights(), KEY, 1).await, Err(behind.clone()));
    let install = |order: Signed<Order>| ask(&channel, Request::InstallOrder { order });
    let enable = site.domain.order(1, back, Action::Enable { key: key(KEY), since: 1 });
    assert_eq!(install(site.domain.sign(enable)).await, Err(behind.clone()));
    let lower = site.domain.order(2, back, Action::LowerMark { mark: Seconds(back) });
    assert_eq!(install(Signed::by(lower.clone(), [&site.domain.permit])).await, Err(behind));
    install(site.domain.sign(lower)).await.unwrap();
    assert_eq!(status(&site, &channel).await.mark, Seconds(back));
    manager.stop().await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    assert_eq!(status(&site, &channel).await.mark, Seconds(back));
}

#[tokio::test]
async fn a_root_successor_needs_both_quorums_and_ends_verdicts_by_the_old_signers() {
    let site = Site::new();
    let (dealt, manager, channel, handle) = site.ready().await;
    let heir = KeyPair::generate(&mut site::rng());
    let first = site.domain.root.body();
    let mut next: RootDocument = first.clone();
    next.version = 2;
    next.previous = Some(symbolon_trust::hash(first));
    next.roles.root = Role::new(1, [heir.public()]);
    next.roles.policy = Role::new(1, [heir.public()]);
    let install = |root: Signed<RootDocument>| ask(&channel, Request::InstallRoot { root });

    let missing = refused(Document::Root, Refusal::TooFewSignatures { got: 0, needed: 1 });
    assert_eq!(install(Signed::by(next.clone(), [&heir])).await, Err(missing.clone()));
    assert_eq!(install(Signed::by(next.clone(), [&site.domain.owner])).await, Err(missing));
    let skipping = RootDocument { version: 3, ..next.clone() };
    let skipped = install(Signed::by(skipping, [&heir, &site.domain.owner])).await;
    assert_eq!(skipped, Err(refused(Document::Root, Refusal::NotNext { held: 1 })));

    let both = Signed::by(next, [&heir, &site.domain.owner]);
    install(both.clone()).await.unwrap();
    install(both).await.unwrap();
    let ended = ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await;
    assert_eq!(ended, Err(Error::HandleUnknown));
    let by_old_policy = site.authorise(&channel, &site.all_rights(), KEY, 1).await;
    let missing = Refusal::TooFewSignatures { got: 0, needed: 1 };
    assert_eq!(by_old_policy, Err(refused(Document::Grant, missing)));
    let older = install(site.domain.root.clone()).await;
    assert_eq!(older, Err(refused(Document::Root, Refusal::Older { offered: 1, held: 2 })));
    manager.stop().await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    assert_eq!(status(&site, &channel).await.root_version, 2);
}
