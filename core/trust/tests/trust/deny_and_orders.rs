//! Deny documents, orders, and what they amount to together.

use crate::support::{Account, NOW, all, at, index, key, now, reshare};
use symbolon_fragments::names::SetId;
use symbolon_trust::{
    Action, Denials, Denied, DenyDocument, DenyError, HighWaterMark, Order, OrderBook, OrderConflict,
    OrderError, Role, RootDocument, Seconds, SignatureError, Signed, Taken, VerifiedDeny, VerifiedOrder,
    WAITING_PERIOD, hash,
};

fn verified(account: &Account, body: DenyDocument) -> Result<VerifiedDeny, DenyError> {
    VerifiedDeny::verify(Signed::by(body, [&account.deny]), &account.root)
}

fn order(account: &Account, serial: u64, action: Action) -> VerifiedOrder {
    let body = account.order(serial, action);
    VerifiedOrder::verify(account.by_policy(body), &account.root, now()).unwrap()
}

fn destroy(version: u64, execute_after: Seconds) -> Action {
    Action::Destroy { key: key("shop/old"), version, execute_after }
}

#[test]
fn a_deny_document_is_signed_by_deny_and_well_formed() {
    let (account, other) = (Account::new(1), Account::new(2));
    let body = account.deny_document();
    assert_eq!(verified(&account, body.clone()).unwrap().document(), &body);
    assert_eq!(verified(&other, body.clone()), Err(DenyError::Account));
    for wrong in [&account.owner, &account.policy[0], &account.permit] {
        let signed = Signed::by(body.clone(), [wrong]);
        let missing = SignatureError::TooFew { got: 0, needed: 1 };
        assert_eq!(VerifiedDeny::verify(signed, &account.root), Err(DenyError::Signature(missing)));
    }
    let form = |edit: fn(&mut DenyDocument)| {
        let mut body = account.deny_document().successor(NOW);
        body.deny_grant(8, 1);
        edit(&mut body);
        verified(&account, body)
    };
    form(|_| ()).unwrap();
    assert_eq!(form(|d| d.grants.reverse()), Err(DenyError::Form));
    assert_eq!(form(|d| d.keys[0].since = 3), Err(DenyError::Form));
    assert_eq!(form(|d| d.keys[0].since = 0), Err(DenyError::Form));
    assert_eq!(form(|d| d.holders.push(d.holders[0])), Err(DenyError::Form));
    assert_eq!(verified(&account, DenyDocument::nothing(account.root.account())), Err(DenyError::Form));
}

#[test]
fn denials_only_grow() {
    let account = Account::new(1);
    let held = verified(&account, account.deny_document().successor(NOW)).unwrap();
    let follow = |edit: &dyn Fn(&mut DenyDocument)| {
        let mut body = held.document().successor(NOW + 1);
        edit(&mut body);
        verified(&account, body).unwrap().check_succession(&held)
    };
    follow(&|_| ()).unwrap();
    follow(&|d| d.deny_grant(7, 5)).unwrap();
    follow(&|d| d.version += 10).unwrap();
    follow(&|d| d.disable_key(key("shop/old"))).unwrap();
    assert_eq!(follow(&|d| d.grants.clear()), Err(DenyError::NotCumulative));
    assert_eq!(follow(&|d| d.grants[0].serial = 0), Err(DenyError::NotCumulative));
    assert_eq!(follow(&|d| d.holders.clear()), Err(DenyError::NotCumulative));
    assert_eq!(follow(&|d| d.keys.clear()), Err(DenyError::NotCumulative));
    assert_eq!(follow(&|d| d.version = 1), Err(DenyError::Older { offered: 1, held: 2 }));
    assert_eq!(follow(&|d| d.version = 2), Err(DenyError::Fork(2)));
    held.check_succession(&held).unwrap();
}

#[test]
fn two_successors_made_at_the_same_time_merge_into_one_that_follows_both() {
    let account = Account::new(1);
    let held = account.deny_document();
    let (mut one, mut two) = (held.successor(NOW), held.successor(NOW));
    one.deny_grant(9, 9);
    one.disable_key(key("shop/a"));
    two.deny_holder(account.holder_name());
    two.disable_key(key("shop/old"));
    let mut both = one.successor(NOW + 1);
    both.merge(&two);
    let [one, two, both] = [one, two, both].map(|body| verified(&account, body).unwrap());
    assert_eq!(one.check_succession(&two), Err(DenyError::Fork(2)));
    both.check_succession(&one).unwrap();
    both.check_succession(&two).unwrap();
    assert_eq!(both.document().version, 3);
}

#[test]
fn disabling_is_cancelled_by_an_order_that_knows_of_it() {
    let account = Account::new(1);
    let deny = verified(&account, account.deny_document()).unwrap();
    let enable = |serial, key, since| order(&account, serial, Action::Enable { key, since });
    let check = |orders: &[VerifiedOrder]| Denials::new(Some(&deny), orders).check_key(&key("shop/old"));
    assert_eq!(check(&[]), Err(Denied::Key));
    assert_eq!(check(&[enable(1, key("shop/old"), 0)]), Err(Denied::Key));
    assert_eq!(check(&[enable(1, key("shop/new"), 1)]), Err(Denied::Key));
    check(&[enable(1, key("shop/old"), 1)]).unwrap();

    let mut again = deny.document().successor(NOW);
    again.disable_key(key("shop/old"));
    let again = verified(&account, again).unwrap();
    let denials = Denials::new(Some(&again), &[enable(1, key("shop/old"), 1)]);
    assert_eq!(denials.check_key(&key("shop/old")), Err(Denied::Key));
    assert_eq!((denials.disabled_since(&key("shop/old")), denials.version()), (Some(2), 2));
}

#[test]
fn a_key_version_that_waits_for_destruction_is_denied_until_it_is_spared() {
    let account = Account::new(1);
    let cancel = |serial, destroy_serial| {
        order(&account, serial, Action::CancelDestruction { key: key("shop/old"), destroy_serial })
    };
    let (one, again) = (order(&account, 1, destroy(1, NOW)), order(&account, 4, destroy(1, NOW)));
    let check = |orders: &[&VerifiedOrder], version| {
        Denials::new(None, orders.iter().copied()).check_version(&key("shop/old"), version)
    };
    assert_eq!(check(&[&one], 1), Err(Denied::Destroyed(1)));
    check(&[&one], 2).unwrap();
    check(&[&cancel(2, 1), &one], 1).unwrap();
    assert_eq!(check(&[&one, &cancel(2, 3)], 1), Err(Denied::Destroyed(1)));
    assert_eq!(check(&[&one, &cancel(2, 1), &again], 1), Err(Denied::Destroyed(4)));
}

#[test]
fn an_order_is_signed_by_policy_and_taken_in_time() {
    let (account, other) = (Account::new(1), Account::new(2));
    let body = account.order(1, reshare());
    let verify = |signed, now| VerifiedOrder::verify(signed, &account.root, now);
    assert_eq!(verify(account.by_policy(body.clone()), now()).unwrap().order(), &body);
    assert_eq!(
        VerifiedOrder::verify(account.by_policy(body.clone()), &other.root, now()),
        Err(OrderError::Account)
    );
    let late = OrderError::Expired { expires: NOW + 3600, now: NOW + 3601 };
    assert_eq!(verify(account.by_policy(body.clone()), at(NOW + 3601)), Err(late));
    let early = OrderError::NotYet { issued: NOW, now: Seconds(NOW.0 - 31) };
    assert_eq!(verify(account.by_policy(body.clone()), at(Seconds(NOW.0 - 31))), Err(early));
    for wrong in
        [vec![], vec![&account.owner, &account.deny], vec![&account.permit], vec![&account.policy[2]]]
    {
        let signed = Signed::by(body.clone(), wrong.iter().copied());
        assert!(matches!(verify(signed, now()), Err(OrderError::Signature(SignatureError::TooFew { .. }))));
    }
}

#[test]
fn an_order_to_reshare_names_sets_and_eligible_members() {
    let account = Account::new(1);
    let verify = |action| {
        let body = account.order(1, action);
        VerifiedOrder::verify(account.by_policy(body), &account.root, now())
    };
    let (set, later) = (SetId::new([5; 32]), SetId::new([6; 32]));
    let reshare = |sets: &[SetId], members, exempt: &[u16]| Action::Reshare {
        sets: sets.to_vec(),
        members,
        t: 2,
        exempt: exempt.iter().copied().map(index).collect(),
    };
    verify(reshare(&[set, later], all(), &[1, 2])).unwrap();
    assert_eq!(verify(reshare(&[], all(), &[])), Err(OrderError::Form));
    assert_eq!(verify(reshare(&[later, set], all(), &[])), Err(OrderError::Form));
    assert_eq!(verify(reshare(&[set], all(), &[2, 1])), Err(OrderError::Form));
    assert!(matches!(verify(reshare(&[set], vec![index(1)], &[])), Err(OrderError::Members(_))));
    assert!(matches!(verify(reshare(&[set], vec![index(1), index(9)], &[])), Err(OrderError::Members(_))));
}

#[test]
fn a_serial_names_one_order_and_the_sequence_does_not_matter() {
    let account = Account::new(1);
    let orders =
        [order(&account, 1, reshare()), order(&account, 2, destroy(1, NOW)), order(&account, 3, reshare())];
    let mut book = OrderBook::default();
    for at in [2, 0, 1] {
        assert_eq!(book.take(orders[at].clone(), NOW), Ok(Taken::Now));
    }
    assert_eq!(book.take(orders[0].clone(), NOW + 9), Ok(Taken::Before));
    assert_eq!(book.get(1).unwrap().received, NOW);
    let other = order(&account, 2, destroy(2, NOW));
    assert_eq!(book.take(other, NOW), Err(OrderConflict::Serial(2)));
    assert_eq!((book.highest_serial(), book.iter().count()), (3, 3));
    assert_eq!(book.newest_for(SetId::new([5; 32])).unwrap().order().serial, 3);
    assert!(book.newest_for(SetId::new([6; 32])).is_none());
}

#[test]
fn a_destruction_waits_72_hours_from_the_later_of_issue_and_receipt() {
    let account = Account::new(1);
    let due = |execute_after, received| {
        let mut book = OrderBook::default();
        book.take(order(&account, 1, destroy(1, execute_after)), received).unwrap();
        book.destructions().next().unwrap().due
    };
    assert_eq!(WAITING_PERIOD, 259_200);
    assert_eq!(due(NOW, NOW), NOW + WAITING_PERIOD);
    assert_eq!(due(NOW, NOW + 500), NOW + WAITING_PERIOD + 500);
    assert_eq!(due(NOW, Seconds(NOW.0 - 500)), NOW + WAITING_PERIOD);
    assert_eq!(due(NOW + 900_000, NOW), NOW + 900_000);
}

#[test]
fn only_a_ripe_destruction_that_nobody_cancelled_is_due() {
    let account = Account::new(1);
    let mut book = OrderBook::default();
    book.take(order(&account, 1, destroy(1, NOW)), NOW).unwrap();
    book.take(order(&account, 2, destroy(2, NOW)), NOW).unwrap();
    let cancel = |key, destroy_serial| Action::CancelDestruction { key, destroy_serial };
    book.take(order(&account, 3, cancel(key("shop/old"), 2)), NOW).unwrap();
    book.take(order(&account, 4, cancel(key("shop/new"), 1)), NOW).unwrap();
    assert_eq!(book.due(at(NOW + (WAITING_PERIOD - 1))).count(), 0);
    let due: Vec<_> = book.due(at(NOW + WAITING_PERIOD)).collect();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].serial(), due[0].key(), due[0].version()), (1, &key("shop/old"), 1));
    assert_eq!(book.destructions().map(|d| d.cancelled).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn the_mark_falls_by_an_order_alone_and_not_by_an_old_one() {
    let account = Account::new(1);
    let lower = |serial, mark| account.by_policy(account.order(serial, Action::LowerMark { mark }));
    let verify = |signed, clock| VerifiedOrder::verify_lower_mark(signed, &account.root, clock);
    let mut mark = HighWaterMark::new(NOW + 1_000_000);
    assert!(mark.observe(NOW).is_err());
    let other = account.by_policy(account.order(1, reshare()));
    assert_eq!(verify(other, NOW), Err(OrderError::NotAboutTheMark));
    let unsigned = Signed::by(account.order(1, Action::LowerMark { mark: NOW }), &account.policy[..1]);
    assert!(matches!(verify(unsigned, NOW), Err(OrderError::Signature(_))));
    assert!(matches!(verify(lower(1, NOW), NOW + 9999), Err(OrderError::Expired { .. })));

    let lowering = verify(lower(5, NOW), NOW).unwrap();
    mark.lower(&lowering);
    mark.observe(NOW).unwrap();
    let mut book = OrderBook::default();
    book.take(lowering, NOW).unwrap();
    let older = verify(lower(4, Seconds(0)), NOW).unwrap();
    assert_eq!(book.take(older, NOW), Err(OrderConflict::OlderMark { offered: 4, newer: 5 }));
    book.take(verify(lower(6, NOW), NOW).unwrap(), NOW).unwrap();
    mark.lower(&order(&account, 7, reshare()));
    assert_eq!(mark.time(), NOW);
}

#[test]
fn what_was_taken_stays_in_force_under_a_later_root() {
    let account = Account::new(1);
    let deny = Signed::by(account.deny_document(), [&account.deny]);
    let order = account.by_policy(account.order(1, reshare()));
    let mut next = account.root.document().clone();
    next.version = 2;
    next.previous = Some(hash::<RootDocument>(account.root.document()));
    next.roles.deny = Role::new(1, [account.owner.public()]);
    next.roles.policy = Role::new(1, [account.owner.public()]);
    let root = account.root.succeed(Signed::by(next, [&account.owner])).unwrap();
    assert!(VerifiedDeny::verify(deny.clone(), &root).is_err());
    assert!(VerifiedOrder::verify(order.clone(), &root, now()).is_err());
    VerifiedDeny::recall(deny, &root).unwrap();
    VerifiedOrder::recall(order, &root).unwrap();
    let forged: Signed<Order> = Signed::by(account.order(1, reshare()), [&account.permit]);
    assert!(VerifiedOrder::recall(forged, &root).is_err());
    let elsewhere = Account::new(2).root;
    assert_eq!(
        VerifiedDeny::recall(Signed::by(account.deny_document(), [&account.deny]), &elsewhere),
        Err(DenyError::Account)
    );
}
