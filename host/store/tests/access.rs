//! The access manager's tables: what every store that serves it has to do.

use std::collections::BTreeMap;

use symbolon_fragments::names::{AccountId, Index, InstanceId, KeyId, SetId, Thumbprint};
use symbolon_store::{
    Datastore, Owner, Role, StoreError,
    access::{
        self, CheckpointRow, GrantRow, KeyFilter, KeyRange, LeaseRow, LinkLevel, LinkRow, LinkVersionRow,
        LogRow, NewInstance, NewKey, NewVersion, Remembered, Rows, Stamp,
    },
};
use tempfile::TempDir;

const HERE: AccountId = AccountId::new([1; 32]);
const THERE: AccountId = AccountId::new([2; 32]);
const HOLDER: Thumbprint = Thumbprint::new([3; 32]);

async fn store() -> (Datastore, TempDir) {
    let directory = TempDir::new().unwrap();
    let owner = Owner { role: Role::AccessManager, identity: Thumbprint::new([9; 32]) };
    let store = Datastore::open(&directory.path().join("datastore"), &owner, &access::SCHEMA).await.unwrap();
    (store, directory)
}

fn key(id: &str) -> KeyId {
    id.parse().unwrap()
}

fn members(numbers: &[u16]) -> Vec<Index> {
    numbers.iter().map(|number| Index::new(*number).unwrap()).collect()
}

fn version(number: u64, request: u64) -> NewVersion {
    let mut request_hash = [0; 32];
    request_hash[..8].copy_from_slice(&request.to_be_bytes());
    NewVersion {
        version: number,
        store: None,
        set: None,
        suite: 1,
        shared: false,
        purpose: 1,
        customer_fragment: false,
        t: 2,
        members: members(&[1, 2, 3]),
        created: 100,
        request: vec![0; 400],
        request_hash,
    }
}

fn new_key(id: &str, request: u64) -> NewKey {
    NewKey {
        key: key(id),
        version: version(1, request),
        labels: BTreeMap::from([("n".to_owned(), id.to_owned())]),
        disabled: false,
    }
}

fn everything() -> KeyRange {
    KeyRange { from: String::new(), to: None }
}

#[tokio::test]
async fn accounts_share_no_row() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    for account in [&HERE, &THERE] {
        let mut rows = Rows::of(&mut write, account);
        rows.put_root(1, b"root", 5).await.unwrap();
        rows.put_key(&new_key("same", 1)).await.unwrap();
        rows.put_order(1, b"order", 5).await.unwrap();
        let grant = GrantRow { id: 1, serial: 1, principal: HOLDER, document: account.as_bytes().to_vec() };
        rows.put_grant(&grant, 5).await.unwrap();
        rows.append_leaf(0, b"leaf").await.unwrap();
        rows.append_log(&LogRow { sequence: 1, hash: [1; 32], message: b"message".to_vec() }).await.unwrap();
    }
    let mut here = Rows::of(&mut write, &HERE);
    here.put_disabled(&key("same"), true).await.unwrap();
    here.put_deny(7, b"deny", 5).await.unwrap();
    assert_eq!(here.stamp().await.unwrap(), Stamp { root: 1, deny: 7, orders: 1 });
    let mut there = Rows::of(&mut write, &THERE);
    assert_eq!(there.key(&key("same")).await.unwrap().unwrap().state, "pending");
    assert_eq!(there.stamp().await.unwrap(), Stamp { root: 1, deny: 0, orders: 1 });
    assert_eq!(there.grant(1).await.unwrap().unwrap().document, THERE.as_bytes());
    assert_eq!(there.leaves().await.unwrap(), 1);
    assert_eq!(access::accounts(&mut write).await.unwrap(), [HERE, THERE]);
}

#[tokio::test]
async fn what_exists_is_not_overwritten() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    let mut rows = Rows::of(&mut write, &HERE);
    rows.put_root(1, b"one", 0).await.unwrap();
    rows.put_key(&new_key("a", 1)).await.unwrap();
    rows.append_leaf(0, b"leaf").await.unwrap();
    assert!(matches!(rows.put_root(1, b"other", 0).await, Err(StoreError::Exists)));
    assert!(matches!(rows.put_key(&new_key("a", 2)).await, Err(StoreError::Exists)));
    assert!(
        matches!(rows.put_key(&new_key("b", 1)).await, Err(StoreError::Exists)),
        "one request, one version"
    );
    assert!(matches!(rows.append_leaf(0, b"other").await, Err(StoreError::Exists)));
}

#[tokio::test]
async fn a_keys_state_follows_from_its_versions_and_what_is_denied() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    let mut rows = Rows::of(&mut write, &HERE);
    let a = key("a");
    rows.put_key(&new_key("a", 1)).await.unwrap();
    let mut seen = Vec::new();
    let mut see = async |rows: &mut Rows<'_, _>| {
        let row = rows.key(&a).await.unwrap().unwrap();
        assert!(seen.last().is_none_or(|(_, _, revision)| *revision < row.revision), "each change shows");
        seen.push((row.state, row.current, row.revision));
    };
    see(&mut rows).await;
    rows.put_certificate(&a, 1, b"certificate", false).await.unwrap();
    see(&mut rows).await;
    rows.put_version(&a, &version(2, 2)).await.unwrap();
    see(&mut rows).await;
    rows.put_certificate(&a, 2, b"certificate", false).await.unwrap();
    see(&mut rows).await;
    rows.put_disabled(&a, true).await.unwrap();
    see(&mut rows).await;
    rows.put_disabled(&a, false).await.unwrap();
    see(&mut rows).await;
    rows.schedule_destruction(&a, 2, 5, 1000).await.unwrap();
    see(&mut rows).await;
    rows.schedule_destruction(&a, 1, 6, 2000).await.unwrap();
    see(&mut rows).await;
    rows.cancel_destruction(&a, 6).await.unwrap();
    see(&mut rows).await;
    rows.schedule_destruction(&a, 1, 7, 2000).await.unwrap();
    assert_eq!(rows.destroy_due(999).await.unwrap(), 0);
    assert_eq!(rows.destroy_due(1000).await.unwrap(), 1);
    see(&mut rows).await;
    assert_eq!(rows.destroy_due(3000).await.unwrap(), 1);
    see(&mut rows).await;
    rows.cancel_destruction(&a, 7).await.unwrap();
    see(&mut rows).await;
    let states: Vec<_> = seen.iter().map(|(state, current, _)| (state.as_str(), *current)).collect();
    let expected = [
        ("pending", 0),
        ("active", 1),
        ("active", 1),
        ("active", 2),
        ("disabled", 2),
        ("active", 2),
        ("active", 2),
        ("scheduled", 2),
        ("active", 2),
        ("scheduled", 2),
        ("destroyed", 2),
        ("destroyed", 2),
    ];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn an_instance_settles_when_all_its_members_have_flipped_in_whatever_order() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    let mut rows = Rows::of(&mut write, &HERE);
    let (set, transcript) = (SetId::new([4; 32]), [5; 32]);
    let instance = |epoch: u8| NewInstance {
        set,
        instance: InstanceId::new([epoch; 32]),
        serial: 0,
        epoch: epoch.into(),
        suite: 1,
        t: 2,
        members: members(&[1, 2]),
        transcript,
        certificate: vec![epoch],
    };
    rows.put_key(&new_key("a", 1)).await.unwrap();
    assert_eq!(rows.put_set(&version(1, 1).request_hash, &set).await.unwrap(), Some(key("a")));
    assert_eq!(rows.put_set(&version(1, 1).request_hash, &set).await.unwrap(), None);
    rows.put_flip(&transcript, members(&[2])[0]).await.unwrap();
    assert!(rows.put_instance(&instance(1), 10).await.unwrap());
    assert!(!rows.put_instance(&instance(1), 20).await.unwrap(), "the first stays");
    assert!(rows.settle(&transcript).await.unwrap().is_empty());
    rows.put_flip(&transcript, members(&[1])[0]).await.unwrap();
    assert_eq!(rows.settle(&transcript).await.unwrap(), [(set, InstanceId::new([1; 32]))]);
    assert!(rows.settle(&transcript).await.unwrap().is_empty(), "said once");
    let next = NewInstance { transcript: [6; 32], ..instance(2) };
    rows.put_instance(&next, 30).await.unwrap();
    let sets = rows.sets(None, 10).await.unwrap();
    assert_eq!((sets.len(), sets[0].keys, sets[0].newest.settled), (1, 1, false));
    assert_eq!(sets[0].newest.instance, next);
    let instances = rows.instances(&set, 10).await.unwrap();
    assert_eq!(
        (instances[1].completed, instances[1].settled, instances[1].flipped.as_slice()),
        (10, true, &[1, 2][..])
    );
}

#[tokio::test]
async fn checkpoints_and_their_cosignatures_are_kept_for_a_while() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    let mut rows = Rows::of(&mut write, &HERE);
    for size in 1..=6 {
        rows.put_checkpoint(&CheckpointRow { size, note: size.to_string(), made: size }).await.unwrap();
        if size == 3 || size == 4 {
            rows.put_cosignature(size, members(&[1])[0], "one").await.unwrap();
        }
        if size == 3 {
            rows.put_cosignature(size, members(&[2])[0], "two").await.unwrap();
        }
    }
    assert!(rows.checkpoint(2).await.unwrap().is_none());
    assert_eq!(rows.open_checkpoint().await.unwrap().unwrap().size, 6);
    assert_eq!(rows.cosigned_checkpoint().await.unwrap().unwrap().size, 3, "most cosignatures");
    assert_eq!(rows.cosignatures(3).await.unwrap(), ["one", "two"]);
    rows.put_checkpoint(&CheckpointRow { size: 7, note: String::new(), made: 7 }).await.unwrap();
    assert_eq!(rows.cosigned_checkpoint().await.unwrap().unwrap().size, 4);
}

#[tokio::test]
async fn an_answer_is_remembered_for_its_caller_and_forgotten_in_time() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    let answer = Remembered { request: [1; 32], status: 201, answer: b"{}".to_vec() };
    Rows::of(&mut write, &HERE).remember(&HOLDER, "k", &answer, 100).await.unwrap();
    assert_eq!(Rows::of(&mut write, &HERE).remembered(&HOLDER, "k").await.unwrap(), Some(answer));
    assert_eq!(Rows::of(&mut write, &THERE).remembered(&HOLDER, "k").await.unwrap(), None);
    let other = Thumbprint::new([4; 32]);
    assert_eq!(Rows::of(&mut write, &HERE).remembered(&other, "k").await.unwrap(), None);
    assert_eq!(access::forget_answers(&mut write, 100).await.unwrap(), 0);
    assert_eq!(access::forget_answers(&mut write, 101).await.unwrap(), 1);
}

#[tokio::test]
async fn keys_are_listed_by_range_label_and_state() {
    let (store, _directory) = store().await;
    fill(&store, 2_000).await;
    let mut read = store.read().await.unwrap();
    let mut rows = Rows::of(&mut read, &HERE);
    let label = |value: &str| KeyFilter { state: None, label: Some(("n".into(), value.into())) };
    let state = |state| KeyFilter { state: Some(state), label: None };
    let both = |state, value: &str| KeyFilter { state: Some(state), ..label(value) };
    let tail = || KeyRange { from: "k001900".into(), to: None };
    let middle = KeyRange { from: "k000500".into(), to: Some("k000520".into()) };
    let cases = [
        ("first page", everything(), KeyFilter::default(), 1000),
        ("last page", tail(), KeyFilter::default(), 100),
        ("a range", middle, KeyFilter::default(), 20),
        ("label", everything(), label("k000321"), 1),
        ("label outside of the range", tail(), label("k000321"), 0),
        ("no such label", everything(), label("none"), 0),
        ("rare state", everything(), state("active"), 1),
        ("rare state outside of the range", tail(), state("active"), 0),
        ("common state", tail(), state("pending"), 100),
        ("no such state", everything(), state("destroyed"), 0),
        ("label and state", everything(), both("active", "k001234"), 1),
        ("label and another state", everything(), both("pending", "k001234"), 0),
    ];
    for (name, range, filter, found) in cases {
        let listed = rows.list_keys(&range, &filter, 1000).await.unwrap();
        assert_eq!(listed.len(), found, "{name}");
        assert!(listed.is_sorted_by(|a, b| a.key < b.key), "{name}");
        assert!(listed.iter().all(|line| line.row.labels["n"] == line.key), "{name}");
    }
    assert_eq!(rows.versions(&key("k001777")).await.unwrap().len(), 1);
}

async fn fill(store: &Datastore, keys: u64) {
    let mut write = store.write().await.unwrap();
    let mut rows = Rows::of(&mut write, &HERE);
    for number in 0..keys {
        rows.put_key(&new_key(&format!("k{number:06}"), number)).await.unwrap();
    }
    rows.put_certificate(&key("k001234"), 1, b"certificate", false).await.unwrap();
    write.commit().await.unwrap();
}

fn link(id: &str, level: LinkLevel, above: &str) -> LinkRow {
    LinkRow { link: key(id), level, above: key(above), newest: 0, created: 100 }
}

fn link_version(version: u64) -> LinkVersionRow {
    LinkVersionRow { version, above_version: None, wrapped: Some(vec![7; 40]), created: 100 }
}

#[tokio::test]
async fn links_have_versions_and_are_erased_for_good() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    let mut rows = Rows::of(&mut write, &HERE);
    rows.put_link(&link("acme", LinkLevel::Tenant, "root"), &link_version(1)).await.unwrap();
    rows.put_link(&link("acme/a", LinkLevel::System, "acme"), &link_version(1)).await.unwrap();
    rows.put_link(&link("acme/b", LinkLevel::System, "acme"), &link_version(1)).await.unwrap();
    let again = rows.put_link(&link("acme", LinkLevel::Tenant, "other"), &link_version(1)).await;
    assert!(matches!(again, Err(StoreError::Exists)));
    rows.put_link_version(&key("acme"), &link_version(2)).await.unwrap();
    assert!(matches!(rows.put_link_version(&key("acme"), &link_version(2)).await, Err(StoreError::Exists)));
    assert_eq!(rows.link(&key("acme")).await.unwrap().unwrap().newest, 2);
    assert_eq!(rows.count_links(LinkLevel::System, &key("acme")).await.unwrap(), 2);

    assert!(rows.erase_link_version(&key("acme"), 1).await.unwrap());
    assert!(!rows.erase_link_version(&key("acme"), 1).await.unwrap(), "it is gone already");
    let versions = rows.link_versions(&key("acme")).await.unwrap();
    let left: Vec<_> = versions.iter().map(|row| (row.version, row.wrapped.is_some())).collect();
    assert_eq!(left, [(2, true), (1, false)]);
    write.commit().await.unwrap();

    let mut read = store.read().await.unwrap();
    let everything = KeyRange { from: String::new(), to: None };
    let mut rows = Rows::of(&mut read, &HERE);
    let listed = rows.list_links(LinkLevel::System, &everything, None, 1).await.unwrap();
    assert_eq!(listed, [LinkRow { newest: 1, ..link("acme/a", LinkLevel::System, "acme") }]);
    let below = rows.list_links(LinkLevel::Tenant, &everything, Some(&key("other")), 9).await.unwrap();
    assert_eq!(below, []);
    assert!(Rows::of(&mut read, &THERE).link(&key("acme")).await.unwrap().is_none(), "another account's");
}

#[tokio::test]
async fn leases_end_and_what_their_process_acknowledges_stands_at_each_of_them() {
    let (store, _directory) = store().await;
    let mut write = store.write().await.unwrap();
    for (account, root, process, until) in
        [(HERE, "a", 1, 50), (HERE, "a", 1, 40), (HERE, "b", 1, 60), (HERE, "a", 2, 30), (THERE, "a", 1, 70)]
    {
        Rows::of(&mut write, &account)
            .put_lease(&key(root), HOLDER, Some(&[process; 32]), until)
            .await
            .unwrap();
    }
    let mut rows = Rows::of(&mut write, &HERE);
    rows.put_lease(&key("c"), HOLDER, None, 20).await.unwrap();
    assert_eq!(rows.leases(&key("c"), 0).await.unwrap()[0].process, None);
    let until = |rows: Vec<LeaseRow>| rows.iter().map(|row| row.until).collect::<Vec<_>>();
    assert_eq!(
        until(rows.leases(&key("a"), 0).await.unwrap()),
        [50, 30],
        "a shorter permit shortens nothing"
    );
    assert_eq!(until(rows.leases(&key("a"), 30).await.unwrap()), [50]);
    for (process, word, changes) in [(1, b"word", true), (1, b"word", false), (9, b"word", false)] {
        assert_eq!(rows.put_acknowledgement(HOLDER, &[process; 32], word).await.unwrap(), changes);
    }
    for (root, said) in [("a", [true, false].as_slice()), ("b", &[true])] {
        let leases = rows.leases(&key(root), 0).await.unwrap();
        assert_eq!(leases.iter().map(|row| row.acknowledgement.is_some()).collect::<Vec<_>>(), said);
    }
    assert_eq!(access::forget_leases(&mut write, 50).await.unwrap(), 3);
    let left = Rows::of(&mut write, &THERE).leases(&key("a"), 0).await.unwrap();
    assert_eq!((left.len(), left[0].acknowledgement.as_ref()), (1, None));
}
