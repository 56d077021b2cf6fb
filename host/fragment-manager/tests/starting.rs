//! Starting: what is wrong with configuration, datastore, keys or documents is named, and nothing is harmed by it.

mod site;

use site::{Domain, Hands, Place, START, Site, ask, evaluate};
use symbolon_encoding::to_canonical;
use symbolon_envelope::sealed::SealingKey;
use symbolon_fragment_manager::{AccountsError, Config, FragmentManager, OpenError, VaultError};
use symbolon_fragments::SuiteId;
use symbolon_trust::{KeyKind, KeyPair, Signed};

async fn refused(place: &Place) -> OpenError {
    refused_with(place, place.sealing(), place.identity()).await
}

async fn refused_with(place: &Place, sealing: SealingKey, identity: KeyPair) -> OpenError {
    let clock = Hands::at(START).clock();
    let opened =
        FragmentManager::open_with(&place.config(), sealing, identity, clock, &|source| source).await;
    opened.err().expect("it should not open")
}

fn datastore(error: OpenError) -> symbolon_store::OpenError {
    let OpenError::Datastore { cause, .. } = error else { panic!("{error:?}") };
    cause
}

#[tokio::test]
async fn a_datastore_in_use_swapped_or_damaged_is_named() {
    let site = Site::new();
    let (_, manager, _, _) = site.ready().await;
    assert!(matches!(datastore(refused(&site.places[0]).await), symbolon_store::OpenError::InUse));
    manager.stop().await;

    let other = &site.places[1];
    let swapped = refused_with(&site.places[0], other.sealing(), other.identity()).await;
    assert!(matches!(datastore(swapped), symbolon_store::OpenError::Swapped { .. }));

    let path = site.places[0].config().datastore;
    std::fs::write(&path, vec![7; 8192]).unwrap();
    assert!(matches!(datastore(refused(&site.places[0]).await), symbolon_store::OpenError::Corrupted(_)));
}

#[tokio::test]
async fn another_sealing_key_opens_nothing_and_the_right_one_still_does() {
    let site = Site::new();
    let (dealt, manager, channel, _) = site.ready().await;
    drop(channel);
    manager.stop().await;
    let wrong = refused_with(&site.places[0], SealingKey::new([1; 32]), site.places[0].identity()).await;
    assert!(matches!(wrong, OpenError::Vault(VaultError::Locked { .. })), "{wrong:?}");
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let handle = site.authorise(&channel, &site.all_rights(), "shop/orders", 1).await.unwrap();
    ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await.unwrap();
}

#[tokio::test]
async fn root_documents_that_are_not_in_order_are_named_by_file() {
    let place = Place::new(1);
    let domain = Domain::new(&[&place.identity()]);
    let file = place.path("accounts").join("a.root");

    std::fs::write(&file, b"not a document").unwrap();
    let error = refused(&place).await;
    assert!(matches!(error, OpenError::Accounts(AccountsError::Malformed { path, .. }) if path == file));
    std::fs::write(&file, to_canonical(&Signed::new(domain.root.body().clone()))).unwrap();
    let error = refused(&place).await;
    assert!(matches!(error, OpenError::Accounts(AccountsError::Refused { path, .. }) if path == file));

    let mut second = domain.root.body().clone();
    second.version = 2;
    second.previous = Some(symbolon_trust::hash(domain.root.body()));
    std::fs::write(&file, to_canonical(&domain.sign(second))).unwrap();
    let error = refused(&place).await;
    assert!(matches!(error, OpenError::Accounts(AccountsError::Orphan { version: 2, .. })));
    place.join(&domain);
    place.open(&Hands::at(START)).await;
}

#[tokio::test]
async fn an_account_whose_roster_does_not_name_this_manager_is_refused() {
    let (place, stranger) = (Place::new(1), Place::new(2));
    place.join(&Domain::new(&[&stranger.identity()]));
    let error = refused(&place).await;
    assert!(matches!(error, OpenError::Accounts(AccountsError::NotRostered { .. })));
}

#[tokio::test]
async fn an_account_stays_when_its_file_is_gone() {
    let site = Site::new();
    let (_, manager, _, _) = site.ready().await;
    manager.stop().await;
    std::fs::remove_dir_all(site.places[0].path("accounts")).unwrap();
    std::fs::create_dir(site.places[0].path("accounts")).unwrap();
    let manager = site.places[0].open(&site.hands).await;
    assert!(manager.account(&site.domain.id).is_some());
}

#[tokio::test]
async fn no_fragment_is_on_the_disk_in_the_clear() {
    let site = Site::new();
    let origin = site.domain.create("shop/orders", 1, SuiteId::Ristretto255Sha512, KeyKind::Dedicated);
    let dealt = site.deal(&origin).await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    site.certify(&channel, &origin, dealt.set()).await.unwrap();
    let handle = site.authorise(&channel, &site.all_rights(), "shop/orders", 1).await.unwrap();
    ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await.unwrap();
    let place = &site.places[0];
    assert!(place.disk_contains(dealt.set().as_bytes()), "the search finds what is there");
    for secret in &dealt.secrets {
        assert!(!place.disk_contains(secret));
    }
    manager.stop().await;
    assert!(!place.disk_contains(&dealt.secrets[0]));
}

#[test]
fn an_unknown_configuration_key_is_refused() {
    let text =
        r#"{"listen": "a:1", "identity": "i", "sealing": {"file": "s"}, "accounts": "a", "datastore": "d"}"#;
    let config: Config = serde_json::from_str(text).unwrap();
    assert_eq!((config.workers, config.refresh_hours), (1, 24));
    let unknown = text.replace("\"listen\"", "\"colour\": 1, \"listen\"");
    assert!(serde_json::from_str::<Config>(&unknown).is_err());
}
