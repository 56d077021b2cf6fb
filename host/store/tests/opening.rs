//! Opening a datastore: every way in which it can be refused, and that what was committed is there again.

use std::{fs, path::Path};
use symbolon_fragments::names::{AccountId, Thumbprint};
use symbolon_store::{Datastore, OpenError, Owner, Role, Schema, StoreError, access};
use tempfile::TempDir;

const OWNER: Owner = Owner { role: Role::AccessManager, identity: Thumbprint::new([1; 32]) };
const ACCOUNT: AccountId = AccountId::new([9; 32]);

async fn open(directory: &TempDir) -> Result<Datastore, OpenError> {
    open_as(directory, &OWNER, &access::SCHEMA).await
}

async fn open_as(directory: &TempDir, owner: &Owner, schema: &Schema) -> Result<Datastore, OpenError> {
    Datastore::open(&file(directory), owner, schema).await
}

fn file(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("datastore")
}

/// Writes something, so that the file has more than its first page.
async fn write_mark(store: &Datastore, mark: u64) {
    let mut write = store.write().await.unwrap();
    access::Rows::of(&mut write, &ACCOUNT).put_mark(mark).await.unwrap();
    write.commit().await.unwrap();
}

async fn read_mark(store: &Datastore) -> u64 {
    access::Rows::of(&mut store.read().await.unwrap(), &ACCOUNT).mark().await.unwrap()
}

fn overwrite(path: &Path, range: std::ops::Range<usize>) {
    let mut bytes = fs::read(path).unwrap();
    bytes[range].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn what_was_committed_is_there_again_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory).await.unwrap();
    write_mark(&store, 7).await;
    let mut dropped = store.write().await.unwrap();
    access::Rows::of(&mut dropped, &ACCOUNT).put_mark(8).await.unwrap();
    drop(dropped);
    assert_eq!(read_mark(&store).await, 7);
    store.close().await;
    assert_eq!(read_mark(&open(&directory).await.unwrap()).await, 7);
}

#[tokio::test]
async fn a_reader_keeps_the_state_it_began_with() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory).await.unwrap();
    write_mark(&store, 1).await;
    let mut before = store.read().await.unwrap();
    assert_eq!(access::Rows::of(&mut before, &ACCOUNT).mark().await.unwrap(), 1);
    write_mark(&store, 2).await;
    assert_eq!(access::Rows::of(&mut before, &ACCOUNT).mark().await.unwrap(), 1);
    assert_eq!(read_mark(&store).await, 2);
}

#[tokio::test]
async fn two_processes_cannot_share_a_datastore() {
    let directory = TempDir::new().unwrap();
    let first = open(&directory).await.unwrap();
    assert!(matches!(open(&directory).await, Err(OpenError::InUse)));
    drop(first);
    open(&directory).await.unwrap();
}

#[tokio::test]
async fn a_swapped_datastore_is_refused() {
    let directory = TempDir::new().unwrap();
    drop(open(&directory).await.unwrap());
    for owner in [
        Owner { identity: Thumbprint::new([2; 32]), ..OWNER },
        Owner { role: Role::FragmentManager, ..OWNER },
    ] {
        let refused = open_as(&directory, &owner, &access::SCHEMA).await.err().unwrap();
        let OpenError::Swapped { found, expected } = refused else { panic!("{refused:?}") };
        assert_eq!((found, expected), (OWNER.to_string(), owner.to_string()));
    }
}

#[tokio::test]
async fn a_damaged_datastore_is_refused() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory).await.unwrap();
    write_mark(&store, 1).await;
    store.close().await;
    let whole = fs::read(file(&directory)).unwrap();
    for (name, range) in [("header", 0..64), ("schema", 200..4096), ("a later page", 4096..8192)] {
        fs::write(file(&directory), &whole).unwrap();
        overwrite(&file(&directory), range);
        let refused = open(&directory).await.err();
        assert!(matches!(refused, Some(OpenError::Corrupted(_))), "{name}: {refused:?}");
    }
    fs::write(file(&directory), &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(open(&directory).await, Err(OpenError::Corrupted(_))));
}

#[tokio::test]
async fn another_programs_file_is_refused() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite://{}?mode=rwc", file(&directory).display());
    let stranger = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE other (x)").execute(&stranger).await.unwrap();
    stranger.close().await;
    assert!(matches!(open(&directory).await, Err(OpenError::Corrupted(_))));
}

#[tokio::test]
async fn tables_are_brought_up_to_date_and_never_back() {
    const OLD: Schema = Schema { scripts: &["CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (5);"] };
    const NEW: Schema =
        Schema { scripts: &[OLD.scripts[0], "CREATE TABLE b AS SELECT x + 1 AS y FROM a; DROP TABLE a;"] };
    let directory = TempDir::new().unwrap();
    drop(open_as(&directory, &OWNER, &OLD).await.unwrap());
    drop(open_as(&directory, &OWNER, &NEW).await.unwrap());
    drop(open_as(&directory, &OWNER, &NEW).await.unwrap());
    let refused = open_as(&directory, &OWNER, &OLD).await.err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 2, known: 1 })), "{refused:?}");
}

#[tokio::test]
async fn a_script_that_fails_leaves_the_version_before() {
    const OLD: Schema = Schema { scripts: &["CREATE TABLE a (x INTEGER) STRICT;"] };
    const BROKEN: Schema = Schema { scripts: &[OLD.scripts[0], "CREATE TABLE b (x); CREATE TABLE a (x);"] };
    const MENDED: Schema = Schema { scripts: &[OLD.scripts[0], "CREATE TABLE b (x);"] };
    let directory = TempDir::new().unwrap();
    drop(open_as(&directory, &OWNER, &OLD).await.unwrap());
    assert!(matches!(open_as(&directory, &OWNER, &BROKEN).await, Err(OpenError::Failed(_))));
    open_as(&directory, &OWNER, &MENDED).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named_as_such() {
    let directory = TempDir::new().unwrap();
    let missing = directory.path().join("no/such/datastore");
    let refused = Datastore::open(&missing, &OWNER, &access::SCHEMA).await.err();
    assert!(matches!(refused, Some(OpenError::File(_))), "{refused:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_this_user_reads_its_files() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let store = open(&directory).await.unwrap();
    write_mark(&store, 1).await;
    let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "file, log, index, lock: {files:?}");
    for path in files {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
}

#[tokio::test]
async fn a_full_disk_changes_nothing_and_goes_on_when_there_is_room() {
    // A page limit gives the very error that a full disk gives; the real disk is the end-to-end tests' matter.
    const LIMITED: Schema =
        Schema { scripts: &["CREATE TABLE owner_limit (x); PRAGMA max_page_count = 200;"] };
    let directory = TempDir::new().unwrap();
    let scripts: &'static [&'static str] = vec![access::SCHEMA.scripts[0], LIMITED.scripts[0]].leak();
    let store = open_as(&directory, &OWNER, &Schema { scripts }).await.unwrap();
    write_mark(&store, 1).await;
    let mut write = store.write().await.unwrap();
    access::Rows::of(&mut write, &ACCOUNT).put_mark(2).await.unwrap();
    let full = access::Rows::of(&mut write, &ACCOUNT).put_root(1, &vec![0; 1 << 20], 0).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    drop(write);
    assert_eq!(read_mark(&store).await, 1);
    write_mark(&store, 3).await;
    assert_eq!(read_mark(&store).await, 3);
}
