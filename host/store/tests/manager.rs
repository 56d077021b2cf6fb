//! A fragment manager's tables: what is put in comes out, accounts stay apart, a dropped transaction leaves nothing.

use std::path::Path;

use symbolon_fragments::names::{AccountId, Index, InstanceId, KeyId, SetId, Thumbprint};
use symbolon_store::manager::{
    Chain, InstanceRow, KeyRow, NewInstance, OrderRow, Position, RecordRow, Rows, SCHEMA, SetRow, Status,
    accounts,
};
use symbolon_store::{Datastore, Owner, Read, Role, StoreError, Write};

const ONE: AccountId = AccountId::new([1; 32]);
const TWO: AccountId = AccountId::new([2; 32]);

async fn open(directory: &Path) -> Datastore {
    let owner = Owner { role: Role::FragmentManager, identity: Thumbprint::new([9; 32]) };
    Datastore::open(&directory.join("manager.db"), &owner, &SCHEMA).await.unwrap()
}

async fn write(store: &Datastore, put: impl AsyncFnOnce(&mut Rows<'_, Write>) -> Result<(), StoreError>) {
    let mut write = store.write().await.unwrap();
    put(&mut Rows::of(&mut write, &ONE)).await.unwrap();
    write.commit().await.unwrap();
}

async fn read<T>(
    store: &Datastore,
    account: AccountId,
    get: impl AsyncFnOnce(&mut Rows<'_, Read>) -> Result<T, StoreError>,
) -> T {
    let mut read = store.read().await.unwrap();
    get(&mut Rows::of(&mut read, &account)).await.unwrap()
}

fn key() -> KeyId {
    "shop/orders".parse().unwrap()
}

fn instance(number: u8) -> NewInstance {
    NewInstance {
        set: SetId::new([5; 32]),
        instance: InstanceId::new([number; 32]),
        origin: vec![1],
        certificate: vec![2],
        fragment: vec![number],
    }
}

#[tokio::test]
async fn documents_and_marks_stay_through_a_restart_and_in_their_account() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    write(&store, async |rows| {
        rows.add_root(1, b"first").await?;
        rows.add_root(2, b"second").await?;
        rows.put_deny(4, b"four").await?;
        rows.put_deny(5, b"five").await?;
        rows.add_order(8, b"eight", 80).await?;
        rows.add_order(7, b"seven", 81).await?;
        rows.put_mark(100).await?;
        rows.put_mark(90).await
    })
    .await;
    store.close().await;

    let store = open(directory.path()).await;
    let mut transaction = store.read().await.unwrap();
    assert_eq!(accounts(&mut transaction).await.unwrap(), [ONE]);
    drop(transaction);
    read(&store, ONE, async |rows| {
        assert_eq!(rows.roots().await?, [b"first".to_vec(), b"second".to_vec()]);
        assert_eq!(rows.deny().await?, Some(b"five".to_vec()));
        let order = |document: &[u8], received| OrderRow { document: document.to_vec(), received };
        assert_eq!(rows.orders().await?, [order(b"seven", 81), order(b"eight", 80)]);
        assert_eq!(rows.mark().await?, 90);
        Ok(())
    })
    .await;
    read(&store, TWO, async |rows| {
        assert!(
            rows.roots().await?.is_empty() && rows.deny().await?.is_none() && rows.orders().await?.is_empty()
        );
        assert_eq!(rows.mark().await?, 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_document_of_the_same_number_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    write(&store, async |rows| {
        rows.add_root(1, b"first").await?;
        rows.add_order(1, b"first", 1).await
    })
    .await;
    let mut again = store.write().await.unwrap();
    let mut rows = Rows::of(&mut again, &ONE);
    assert!(matches!(rows.add_root(1, b"other").await, Err(StoreError::Exists)));
    assert!(matches!(rows.add_order(1, b"other", 1).await, Err(StoreError::Exists)));
}

#[tokio::test]
async fn a_key_version_is_destroyed_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let row = KeyRow { set: SetId::new([5; 32]), certificate: vec![1], destroyed: false };
    let put = row.clone();
    write(&store, async move |rows| rows.put_key(&key(), 3, &put).await).await;
    assert_eq!(read(&store, ONE, async |rows| rows.key(&key(), 3).await).await, Some(row.clone()));
    assert_eq!(read(&store, ONE, async |rows| rows.newest_version(&key()).await).await, 3);
    assert_eq!(read(&store, TWO, async |rows| rows.key(&key(), 3).await).await, None);
    for expected in [true, false] {
        write(&store, async |rows| {
            assert_eq!(rows.destroy_key(&key(), 3).await?, expected);
            Ok(())
        })
        .await;
    }
    let destroyed = KeyRow { destroyed: true, ..row };
    assert_eq!(read(&store, ONE, async |rows| rows.key(&key(), 3).await).await, Some(destroyed));
}

#[tokio::test]
async fn records_are_read_in_pages_from_any_number() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let records: Vec<_> = (0..5).map(|sequence| RecordRow { sequence, record: vec![7; 3] }).collect();
    let chain = Chain { records: 5, last: [7; 32], time: 50 };
    let put = records.clone();
    write(&store, async move |rows| rows.append(&put, &chain).await).await;
    read(&store, ONE, async |rows| {
        assert_eq!(rows.records(1, 2).await?, records[1..3]);
        assert_eq!(rows.records(5, 2).await?, []);
        assert_eq!(rows.chain().await?, Some(chain));
        Ok(())
    })
    .await;
    assert_eq!(read(&store, TWO, async |rows| rows.chain().await).await, None);
}

#[tokio::test]
async fn an_instance_is_signed_flipped_settled_and_erased() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let (first, second) = (instance(1), instance(2));
    write(&store, async |rows| {
        rows.add_instance(&first).await?;
        rows.add_instance(&second).await?;
        rows.flip(&first.instance, b"complete").await?;
        rows.settle(&first.instance).await?;
        rows.flip(&first.instance, b"complete").await
    })
    .await;
    let row = |new: &NewInstance, status, certificate: &[u8]| InstanceRow {
        set: new.set,
        instance: new.instance,
        status,
        certificate: certificate.to_vec(),
    };
    let expected = [row(&first, Status::Settled, b"complete"), row(&second, Status::Signed, &[2])];
    assert_eq!(read(&store, ONE, async |rows| rows.instances().await).await, expected);
    let fragment = read(&store, ONE, async |rows| rows.fragment(&second.instance).await).await;
    assert_eq!(fragment, Some((vec![2], vec![2])));

    write(&store, async |rows| {
        rows.erase(&first.instance).await?;
        rows.destroy_set(&first.set, 9).await
    })
    .await;
    assert_eq!(read(&store, ONE, async |rows| rows.fragment(&first.instance).await).await, None);
    let destroyed = SetRow { set: first.set, origin: vec![1], destroyed: Some(9) };
    assert_eq!(read(&store, ONE, async |rows| rows.sets().await).await, [destroyed]);
}

#[tokio::test]
async fn flips_and_the_logs_position_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let member = Index::new(2).unwrap();
    let position = Position { sequence: 4, head: [6; 32] };
    write(&store, async |rows| {
        rows.put_flip(b"transcript", member, b"statement").await?;
        rows.put_flip(b"transcript", member, b"statement").await?;
        rows.put_flip(b"another", member, b"other").await?;
        rows.drop_flips(b"another").await?;
        rows.put_position(&position).await
    })
    .await;
    assert_eq!(read(&store, ONE, async |rows| rows.flips().await).await, [b"statement".to_vec()]);
    assert_eq!(read(&store, ONE, async |rows| rows.position().await).await, Some(position));
}

#[tokio::test]
async fn what_is_not_committed_never_was() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let mut write = store.write().await.unwrap();
    Rows::of(&mut write, &ONE).add_instance(&instance(1)).await.unwrap();
    drop(write);
    assert_eq!(read(&store, ONE, async |rows| rows.instances().await).await, []);
    assert_eq!(read(&store, ONE, async |rows| rows.sets().await).await, []);
}
