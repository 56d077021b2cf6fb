//! The documents in force in an account: what takes whose place, and what is refused as a step back.

use crate::support::{Account, NOW, key, now, reshare};
use symbolon_trust::{
    Action, Denied, DenyDocument, DenyError, Documents, Order, OrderConflict, OrderError, RecallError, Role,
    RootDocument, RootError, RootRule, Seconds, SignatureError, Signed, TrustedRoot, VerifiedOrder, Versions,
    hash,
};

fn successor(root: &TrustedRoot) -> RootDocument {
    let held = root.document();
    RootDocument { version: held.version + 1, previous: Some(hash(held)), ..held.clone() }
}

fn by_owner(account: &Account, body: RootDocument) -> Signed<RootDocument> {
    Signed::by(body, [&account.owner])
}

fn by_deny(account: &Account, body: DenyDocument) -> Signed<DenyDocument> {
    Signed::by(body, [&account.deny])
}

fn order(account: &Account, serial: u64, action: Action) -> VerifiedOrder {
    let signed = account.by_policy(account.order(serial, action));
    VerifiedOrder::verify(signed, &account.root, now()).unwrap()
}

fn enable(account: &Account, serial: u64) -> VerifiedOrder {
    order(account, serial, Action::Enable { key: key("shop/old"), since: 1 })
}

#[test]
fn a_new_account_denies_nothing() {
    let documents = Documents::new(Account::new(1).root);
    documents.denials().check_key(&key("shop/old")).unwrap();
    assert_eq!(documents.deny(), None);
    assert_eq!(documents.versions(), Versions { root: 1, deny: 0, order: 0 });
}

#[test]
fn a_root_document_is_followed_by_its_successor_alone() {
    let account = Account::new(1);
    let first = Documents::new(account.root.clone());
    let second = by_owner(&account, successor(&account.root));
    let held = first.with_root(second.clone()).unwrap().unwrap();
    assert_eq!(held.root().signed(), &second);
    assert_eq!(held.with_root(second.clone()).unwrap(), None);
    let not_next = RootError::Rule(RootRule::NotNext(2));
    assert_eq!(held.with_root(account.root.signed().clone()), Err(not_next.clone()));
    let other = RootDocument { created: NOW + 1, ..second.body().clone() };
    assert_eq!(held.with_root(by_owner(&account, other)), Err(not_next));
    let forged = Signed::by(successor(held.root()), [&account.deny]);
    assert!(matches!(held.with_root(forged), Err(RootError::PredecessorsSignature(_))));
}

#[test]
fn a_deny_document_is_followed_by_one_that_takes_nothing_back() {
    let account = Account::new(1);
    let body = account.deny_document();
    let held = Documents::new(account.root.clone());
    let held = held.with_deny(by_deny(&account, body.clone())).unwrap().unwrap();
    assert_eq!(held.denials().check_key(&key("shop/old")), Err(Denied::Key));
    assert_eq!(held.with_deny(by_deny(&account, body.clone())).unwrap(), None);

    let mut next = body.successor(NOW);
    next.disable_key(key("shop/new"));
    let next = held.with_deny(by_deny(&account, next)).unwrap().unwrap();
    assert_eq!(next.denials().check_key(&key("shop/new")), Err(Denied::Key));
    let older = DenyError::Older { offered: 1, held: 2 };
    assert_eq!(next.with_deny(by_deny(&account, body.clone())), Err(older));
    assert_eq!(next.with_deny(by_deny(&account, body.successor(NOW))), Err(DenyError::Fork(2)));
    let bare = DenyDocument { version: 3, ..DenyDocument::nothing(body.account) };
    assert_eq!(next.with_deny(by_deny(&account, bare)), Err(DenyError::NotCumulative));
    let forged = Signed::by(body.successor(NOW), [&account.owner]);
    let missing = SignatureError::TooFew { got: 0, needed: 1 };
    assert_eq!(held.with_deny(forged), Err(DenyError::Signature(missing)));
}

#[test]
fn an_order_is_taken_once_and_counts_whenever_it_comes() {
    let account = Account::new(1);
    let deny = by_deny(&account, account.deny_document());
    let first = Documents::new(account.root.clone());
    let early = first.with_order(enable(&account, 5), NOW).unwrap().unwrap();
    let early = early.with_deny(deny.clone()).unwrap().unwrap();
    let late = first.with_deny(deny).unwrap().unwrap();
    let late = late.with_order(enable(&account, 5), NOW).unwrap().unwrap();
    assert_eq!(early, late);
    late.denials().check_key(&key("shop/old")).unwrap();
    assert_eq!(late.with_order(enable(&account, 5), NOW + 9).unwrap(), None);
    assert_eq!(late.with_order(order(&account, 5, reshare()), NOW), Err(OrderConflict::Serial(5)));
    assert!(late.with_order(enable(&account, 4), NOW).unwrap().is_some());
}

#[test]
fn versions_tell_who_lacks_something() {
    let versions = |root, deny, order| Versions { root, deny, order };
    let here = versions(2, 3, 4);
    assert!(!here.lack(here));
    assert!(!here.lack(versions(1, 0, 0)));
    for there in [versions(3, 0, 0), versions(0, 4, 0), versions(0, 0, 5)] {
        assert!(here.lack(there));
    }
}

/// An account's documents, with a deny document and an order by keys that a second root document replaced.
struct Stored {
    account: Account,
    held: Documents,
    deny: Signed<DenyDocument>,
    order: Signed<Order>,
}

impl Stored {
    fn new() -> Self {
        let account = Account::new(1);
        let deny = by_deny(&account, account.deny_document());
        let taken = enable(&account, 1);
        let held = Documents::new(account.root.clone()).with_deny(deny.clone()).unwrap().unwrap();
        let held = held.with_order(taken.clone(), NOW + 7).unwrap().unwrap();
        let mut next = successor(held.root());
        next.roles.deny = Role::new(1, [account.owner.public()]);
        next.roles.policy = Role::new(1, [account.owner.public()]);
        let held = held.with_root(by_owner(&account, next)).unwrap().unwrap();
        Self { account, held, deny, order: taken.signed().clone() }
    }

    fn recall(
        &self,
        roots: &[Signed<RootDocument>],
        deny: &Signed<DenyDocument>,
        orders: &[Signed<Order>],
    ) -> Result<Documents, RecallError> {
        let orders = orders.iter().map(|order| (order.clone(), NOW + 7));
        let account = self.account.root.account();
        Documents::recall(account, roots.iter().cloned(), Some(deny.clone()), orders)
    }
}

#[test]
fn what_was_stored_is_in_force_again() {
    let stored = Stored::new();
    let roots = stored.held.root().chain();
    assert_eq!(stored.recall(roots, &stored.deny, std::slice::from_ref(&stored.order)).unwrap(), stored.held);
    assert_eq!(stored.held.orders().get(1).unwrap().received, NOW + 7);
    stored.held.denials().check_key(&key("shop/old")).unwrap();
    let nothing: [(Signed<Order>, Seconds); 0] = [];
    let account = stored.account.root.account();
    let bare = Documents::recall(account, stored.account.root.chain().to_vec(), None, nothing).unwrap();
    assert_eq!(bare, Documents::new(stored.account.root.clone()));
}

#[test]
fn what_was_stored_is_not_believed() {
    let stored = Stored::new();
    let (account, roots) = (&stored.account, stored.held.root().chain());
    let recall = |deny: &_, orders: &[_]| stored.recall(roots, deny, orders);
    let only_second = stored.recall(&roots[1..], &stored.deny, &[]);
    assert!(matches!(only_second, Err(RecallError::Root(RootError::Account { .. }))));
    assert_eq!(stored.recall(&[], &stored.deny, &[]), Err(RecallError::Root(RootError::Missing)));
    let forged = Signed::by(account.deny_document(), [&account.permit]);
    assert!(matches!(recall(&forged, &[]), Err(RecallError::Deny(DenyError::Signature(_)))));
    let forged = Signed::by(account.order(1, reshare()), [&account.permit]);
    assert!(matches!(recall(&stored.deny, &[forged]), Err(RecallError::Order(OrderError::Signature(_)))));
    let other = account.by_policy(account.order(1, reshare()));
    let two = recall(&stored.deny, &[stored.order.clone(), other]);
    assert_eq!(two, Err(RecallError::Conflict(OrderConflict::Serial(1))));
}
