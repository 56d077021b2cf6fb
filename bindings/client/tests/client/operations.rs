//! What works: bytes, streams, files, many at once, data keys, customer fragments.

use crate::site::{Site, key};
use aws_lc_rs::hmac;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use symbolon_client::customer::{Answer, Keeper, KeeperError};
use symbolon_client::error::{Conflict, FileError, Integrity, Invalid, NotFound};
use symbolon_client::{Context, Error, FileOptions, Kind, customer, read_preamble};
use symbolon_client::{NoUnlock, Protection};
use symbolon_fragments::names::Purpose;
use symbolon_fragments::{CustomerFragment, CustomerFragmentId, SuiteId};
use zeroize::Zeroizing;

const R: SuiteId = SuiteId::Ristretto255Sha512;

fn context(user: &str) -> Context {
    Context::from_pairs([("user", user)]).unwrap()
}

fn fragment(seed: u8) -> Arc<dyn Keeper> {
    Arc::new(CustomerFragment::new(CustomerFragmentId::new([seed; 16]), Zeroizing::new([seed; 32])))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_encrypted_decrypts_on_every_suite() {
    for suite in SuiteId::ALL {
        let site = Site::start(suite).await;
        let client = site.client();
        for length in [0, 1, 70_000, 3_000_000] {
            let message: Vec<u8> = (0..=250).cycle().take(length).collect();
            let sealed = client.encrypt(&key("notes"), &message, &context("42")).await.unwrap();
            assert!(*client.decrypt(&sealed, &context("42")).await.unwrap() == message);
            let other = client.decrypt(&sealed, &context("43")).await;
            assert!(matches!(other, Err(Error::Integrity(Integrity::Commitment(_)))));
        }
        assert!(client.take_notices().is_empty(), "another context is nobody's fault");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_take_few_exchanges() {
    let site = Site::start(R).await;
    let client = site.client();
    let empty = Context::new();
    let messages: Vec<Vec<u8>> = (0..150u8).map(|i| vec![i; usize::from(i)]).collect();
    let asked: Vec<_> = messages.iter().map(|message| (&message[..], &empty)).collect();
    let sealed = client.encrypt_many(&key("notes"), &asked).await.unwrap();
    assert_eq!(site.evaluations(), 3 * 2, "150 messages are three exchanges with two managers");
    let asked: Vec<_> = sealed.iter().rev().map(|sealed| (&sealed[..], &empty)).collect();
    let opened = client.decrypt_many(&asked).await.unwrap();
    assert!(opened.iter().rev().zip(&messages).all(|(opened, message)| **opened == *message));
    assert_eq!(site.evaluations(), 6 * 2);
    assert_eq!(site.access.permits(), 2, "one permit to encrypt, one to decrypt");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_written_read_and_sought() {
    let site = Site::start(R).await;
    let client = site.client();
    let message: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
    let mut writer = client.encryption(&key("notes"), &Context::new()).await.unwrap().writer(Vec::new());
    writer.write_all(&message).unwrap();
    let mut sealed = Cursor::new(writer.finish().unwrap());

    let preamble = read_preamble(&mut sealed).unwrap();
    assert_eq!(preamble.header().writer, site.holder());
    let decryption = client.decryption(&preamble, &Context::new()).await.unwrap();
    let mut plain = Vec::new();
    decryption.reader(sealed.clone()).read_to_end(&mut plain).unwrap();
    assert!(plain == message);

    let decryption = client.decryption(&preamble, &Context::new()).await.unwrap();
    let mut reader = decryption.seek(sealed).unwrap();
    let mut piece = [0; 100];
    reader.seek(SeekFrom::Start(777_777)).unwrap();
    reader.read_exact(&mut piece).unwrap();
    assert!(piece[..] == message[777_777..777_877]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_appears_whole_or_not_at_all() {
    let site = Site::start(R).await;
    let client = site.client();
    let folder = tempfile::tempdir().unwrap();
    let [plain, sealed, back] = ["plain", "sealed", "back"].map(|name| folder.path().join(name));
    let message: Vec<u8> = (0..=250).cycle().take(5_000_000).collect();
    std::fs::write(&plain, &message).unwrap();
    let go_on = || Box::new(|_| ControlFlow::Continue(()));
    let (notes, empty, keep) = (key("notes"), Context::new(), FileOptions::default());
    client.encrypt_file(&notes, &empty, &plain, &sealed, keep, go_on()).await.unwrap();
    let length = client.decrypt_file(&empty, &sealed, &back, keep, go_on()).await.unwrap();
    assert_eq!(length, message.len() as u64);
    assert!(std::fs::read(&back).unwrap() == message);

    let again = client.decrypt_file(&empty, &sealed, &back, keep, go_on()).await;
    assert!(matches!(again, Err(Error::Conflict(Conflict::File(FileError::Exists { .. })))));
    let replace = FileOptions { overwrite: true };
    client.decrypt_file(&empty, &sealed, &back, replace, go_on()).await.unwrap();

    let mut bytes = std::fs::read(&sealed).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&sealed, bytes).unwrap();
    let target = folder.path().join("never");
    let changed = client.decrypt_file(&empty, &sealed, &target, keep, go_on()).await;
    assert!(matches!(changed, Err(Error::Integrity(Integrity::Chunks(_)))));
    let stopped = Box::new(|_| ControlFlow::Break(()));
    let stopped = client.encrypt_file(&notes, &empty, &plain, &target, keep, stopped).await;
    assert!(matches!(stopped, Err(Error::Conflict(Conflict::Cancelled))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "failures leave nothing behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_key_is_for_its_purpose() {
    let site = Site::start(R).await;
    let client = site.client();
    site.add_key(&key("wrapping"), R, Purpose::DataKey, false);
    let made = client.data_key(&key("wrapping"), &context("volume")).await.unwrap();
    let opened = client.open_data_key(made.wrapped(), &context("volume")).await.unwrap();
    assert_eq!(opened.expose(), made.expose());
    let as_data = client.decrypt(made.wrapped(), &context("volume")).await;
    assert!(matches!(as_data, Err(Error::Invalid(Invalid::Purpose { wanted: Purpose::Data, .. }))));
    let from_data = client.data_key(&key("notes"), &Context::new()).await;
    assert!(matches!(from_data, Err(Error::Invalid(Invalid::Purpose { wanted: Purpose::DataKey, .. }))));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_sealed_under_a_data_key_without_anybody() {
    let site = Site::start(R).await;
    site.add_key(&key("wrapping"), R, Purpose::DataKey, false);
    let made = site.client().data_key(&key("wrapping"), &Context::new()).await.unwrap();
    let evaluations = site.evaluations();
    let sealed = made.seal(b"record", &context("42")).unwrap();
    assert_ne!(sealed, made.seal(b"record", &context("42")).unwrap());
    assert_eq!(*made.open(&sealed, &context("42")).unwrap(), b"record");
    let other = site.client().data_key(&key("wrapping"), &Context::new()).await.unwrap();
    assert_eq!(site.evaluations(), evaluations + 2, "one data key more, and nothing for the records");
    for wrong in [
        made.open(&sealed, &context("43")),
        other.open(&sealed, &context("42")),
        made.open(&sealed[..sealed.len() - 1], &context("42")),
        made.open(b"", &context("42")),
    ] {
        assert!(matches!(wrong, Err(Error::Integrity(Integrity::Record(_)))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_fragment_takes_part() {
    let site = Site::start(R).await;
    site.add_key(&key("with-fragment"), R, Purpose::Data, true);
    let (name, empty) = (key("with-fragment"), Context::new());
    let first = site.client_with(vec![fragment(1)]);
    let sealed = first.encrypt(&name, b"secret", &empty).await.unwrap();
    let evaluations = site.evaluations();
    let without = site.client();
    let missing = without.encrypt(&name, b"secret", &empty).await;
    assert!(matches!(missing, Err(Error::NotFound(NotFound::CustomerFragment(None)))));
    let missing = without.decrypt(&sealed, &empty).await;
    let id = CustomerFragmentId::new([1; 16]);
    assert!(matches!(missing, Err(Error::NotFound(NotFound::CustomerFragment(Some(other)))) if other == id));
    assert_eq!(site.evaluations(), evaluations, "nobody is asked for what can't be opened");

    let rotated = site.client_with(vec![fragment(2), fragment(1)]);
    assert_eq!(*rotated.decrypt(&sealed, &empty).await.unwrap(), b"secret");
    let newer = rotated.encrypt(&name, b"secret", &empty).await.unwrap();
    assert!(matches!(first.decrypt(&newer, &empty).await, Err(Error::NotFound(_))));

    let same_id = CustomerFragment::new(id, Zeroizing::new([7; 32]));
    let wrong = site.client_with(vec![Arc::new(same_id)]).decrypt(&sealed, &empty).await;
    assert!(matches!(wrong, Err(Error::Integrity(Integrity::Commitment(_)))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_makes_the_same_ciphertexts_as_the_fragment_itself() {
    struct Callback(AtomicUsize);
    impl Keeper for Callback {
        fn id(&self) -> CustomerFragmentId {
            CustomerFragmentId::new([1; 16])
        }
        fn evaluate<'a>(&'a self, message: &'a [u8]) -> Answer<'a> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
            let tag = hmac::sign(&key, message).as_ref().try_into().map(Zeroizing::new);
            Box::pin(async move {
                tokio::task::yield_now().await;
                tag.map_err(|_| KeeperError::WrongLength(0))
            })
        }
    }
    let site = Site::start(R).await;
    site.add_key(&key("with-fragment"), R, Purpose::Data, true);
    let (name, empty) = (key("with-fragment"), Context::new());
    let callback = Arc::new(Callback(AtomicUsize::new(0)));
    let (own, other) = (site.client_with(vec![fragment(1)]), site.client_with(vec![callback.clone()]));
    let sealed = own.encrypt(&name, b"mine", &empty).await.unwrap();
    assert_eq!(*other.decrypt(&sealed, &empty).await.unwrap(), b"mine");
    let messages = [(&b"theirs"[..], &empty); 70];
    let sealed = other.encrypt_many(&name, &messages).await.unwrap();
    assert_eq!(*own.decrypt(&sealed[69], &empty).await.unwrap(), b"theirs");
    assert_eq!(callback.0.load(Ordering::Relaxed), 71, "once a message");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_keeper_says_is_told_by_whose_move_it_is() {
    type Failure = (fn() -> KeeperError, Kind, &'static str);
    struct Failing(fn() -> KeeperError);
    impl Keeper for Failing {
        fn id(&self) -> CustomerFragmentId {
            CustomerFragmentId::new([1; 16])
        }
        fn evaluate<'a>(&'a self, _: &'a [u8]) -> Answer<'a> {
            let error = (self.0)();
            Box::pin(async move { Err(error) })
        }
    }
    let site = Site::start(R).await;
    site.add_key(&key("with-fragment"), R, Purpose::Data, true);
    let failures: [Failure; 4] = [
        (|| KeeperError::Gone("pulled out".into()), Kind::Unavailable, "token-gone"),
        (|| KeeperError::Failed("it threw".into()), Kind::Unavailable, "customer-fragment-failed"),
        (|| KeeperError::WrongPin, Kind::Invalid, "wrong-pin"),
        (|| KeeperError::WrongLength(31), Kind::Invalid, "customer-fragment-length"),
    ];
    for (failure, kind, code) in failures {
        let client = site.client_with(vec![Arc::new(Failing(failure))]);
        let error = client.encrypt(&key("with-fragment"), b"", &Context::new()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code));
    }
    let client = site.client_with(vec![Arc::new(Failing(|| KeeperError::Failed("it threw".into())))]);
    let error = client.encrypt(&key("with-fragment"), b"", &Context::new()).await.unwrap_err();
    assert!(error.detail().ends_with(": it threw"), "{}", error.detail());
}

#[test]
fn a_customer_fragment_survives_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let [file, backup] = ["fragment", "backup"].map(|name| folder.path().join(name));
    let id = customer::create(&file, &Protection::Plain).unwrap();
    assert_eq!(customer::copy(&file, &mut NoUnlock, &backup, &Protection::Plain).unwrap(), id);
    let [one, two] = [&file, &backup].map(|path| customer::load(path, &mut NoUnlock).unwrap());
    assert_eq!((one.id(), one.secret()), (two.id(), two.secret()));
}
