//! Orders that no owner gave, or gave for another time: game i, on real managers. Refused, and written down.

use std::sync::LazyLock;

use symbolon_audit::{RecordBody, Refusal as Logged, Refused};
use symbolon_client::owner::Office;
use symbolon_e2e::{Deployment, Party, exit, unix_time};
use symbolon_fragments::names::{Index, SetId};
use symbolon_protocol::wire::{Document, Error, Refusal, Request, Response};
use symbolon_trust::{Action, Order, Seconds, Signed};

static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(Deployment::start);

/// An order of this account, to be taken for an hour from now on.
fn order(serial: u64, action: Action) -> Order {
    let issued = Seconds(unix_time());
    Order { account: DEPLOYMENT.account().id(), serial, issued, expires: issued + 3600, action }
}

/// Lowering the mark to the present is an order that changes nothing.
fn harmless(serial: u64) -> Order {
    order(serial, Action::LowerMark { mark: Seconds(unix_time()) })
}

fn by_policy(order: Order) -> Signed<Order> {
    Signed::by(order, [&DEPLOYMENT.owner_key(Office::Policy)])
}

/// What each manager answers to an order.
fn offer(order: &Signed<Order>) -> [Response; 3] {
    let (account, anybody) = (DEPLOYMENT.account(), Party::stranger());
    [0, 1, 2].map(|position| {
        let address = DEPLOYMENT.manager_address(position);
        let manager = anybody.direct(address, &account.manager(position)).unwrap();
        manager.call(Request::InstallOrder { order: order.clone() }).unwrap()
    })
}

#[track_caller]
fn refused(order: &Signed<Order>, expected: impl Fn(&Refusal) -> bool) {
    for answer in offer(order) {
        let right = matches!(&answer, Response::Error(Error::Refused { document: Document::Order, reason })
            if expected(reason));
        assert!(right, "{answer:?}");
    }
}

/// What a manager has written down of its refusals.
fn refusals_in_log(position: usize) -> Vec<(Refused, Logged)> {
    let of = |record| match record {
        RecordBody::Refused { what, reason, .. } => Some((what, reason)),
        _ => None,
    };
    DEPLOYMENT.records_of_manager(position).into_iter().filter_map(of).collect()
}

#[test]
fn an_order_that_policy_did_not_sign_is_refused_and_written_down() {
    let keys = [Office::Root, Office::Deny].map(|office| DEPLOYMENT.owner_key(office));
    let manager = DEPLOYMENT.identity_of_manager(0);
    for signed in [
        Signed::new(harmless(900)),
        Signed::by(harmless(900), &keys),
        Signed::by(harmless(900), [&DEPLOYMENT.permit_key(), &manager]),
    ] {
        refused(&signed, |reason| *reason == Refusal::TooFewSignatures { got: 0, needed: 1 });
    }
    let mut wrong = by_policy(harmless(900));
    let (key, signature) = wrong.signatures()[0];
    wrong = Signed::new(harmless(901));
    wrong.add(key, signature);
    refused(&wrong, |reason| *reason == Refusal::WrongSignature);
    for position in 0..3 {
        assert!(
            refusals_in_log(position).contains(&(Refused::Order, Logged::Signature)),
            "manager {position}"
        );
    }
}

#[test]
fn an_order_out_of_its_time_is_refused_and_written_down() {
    let mut expired = harmless(910);
    (expired.issued.0, expired.expires.0) = (unix_time() - 7200, unix_time() - 1);
    refused(&by_policy(expired), |reason| matches!(reason, Refusal::Expired { .. }));
    let mut future = harmless(911);
    (future.issued.0, future.expires.0) = (unix_time() + 3600, unix_time() + 7200);
    refused(&by_policy(future), |reason| matches!(reason, Refusal::NotYet { .. }));
    for position in 0..3 {
        let log = refusals_in_log(position);
        assert!(log.contains(&(Refused::Order, Logged::Expired)), "manager {position}");
        assert!(log.contains(&(Refused::Order, Logged::NotYet)), "manager {position}");
    }
}

#[test]
fn a_serial_stands_for_one_order() {
    let first = by_policy(harmless(920));
    for answer in offer(&first) {
        assert!(matches!(answer, Response::Installed(_)), "{answer:?}");
    }
    for answer in offer(&first) {
        assert!(matches!(answer, Response::Installed(_)), "sent twice, taken once: {answer:?}");
    }
    let mut other = harmless(920);
    other.expires.0 += 1;
    for answer in offer(&by_policy(other)) {
        assert!(
            matches!(answer, Response::Error(Error::Refused { document: Document::Order, .. })),
            "{answer:?}"
        );
    }
}

#[test]
fn an_order_that_would_leave_too_few_is_refused() {
    let alone = Action::Reshare {
        sets: vec![SetId::new([7; 32])],
        members: vec![Index::new(1).unwrap()],
        t: 1,
        exempt: vec![],
    };
    for answer in offer(&by_policy(order(930, alone))) {
        assert!(
            matches!(answer, Response::Error(Error::Refused { document: Document::Order, .. })),
            "{answer:?}"
        );
    }
    let owner = DEPLOYMENT.owner();
    owner.run(&["key", "create", "too-few"]).succeeds();
    let words =
        owner.run(&["order", "change", "--members", "kfm-1", "--threshold", "1"]).fails(exit::INVALID);
    assert!(words.contains("minimum"), "{words}");
    let words = owner.run(&["order", "repair", "--manager", "kfm-9"]).fails(exit::NOT_FOUND);
    assert!(words.contains("kfm-9"), "{words}");
}
