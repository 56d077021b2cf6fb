//! Managing keys.

use crate::site::{N, Site, T, key, members};
use std::collections::BTreeMap;
use symbolon_client::error::{Conflict, Denied, Invalid};
use symbolon_client::keys::{Members, NewKey, RootOfKey};
use symbolon_client::{Context, Error};
use symbolon_fragments::SuiteId;
use symbolon_fragments::names::{KeyId, Purpose};
use symbolon_trust::Operation;

fn new(key: KeyId) -> NewKey {
    NewKey {
        key,
        suite: SuiteId::Ristretto255Sha512,
        t: T,
        members: Members::Any(N),
        purpose: Purpose::Data,
        customer_fragment: false,
        root: RootOfKey::Dedicated,
        labels: BTreeMap::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_created_certified_and_used() {
    let site = Site::start(SuiteId::Ristretto255Sha512).await;
    let client = site.client();
    let set = site.new_set(SuiteId::Ristretto255Sha512, 60);
    site.access.allow_creation(set.set);
    site.access.add_key(
        &site.key_certificate(&key("granting"), &set, Purpose::Data, false),
        site.grant(&key("fresh")),
        &site,
    );
    let made = client.keys().create(&new(key("fresh"))).await.unwrap();
    let certificate = made.newest().unwrap();
    assert_eq!(certificate.certificate().members, members());
    assert_eq!(certificate.signed().signatures().len(), usize::from(N));
    let sealed = client.encrypt(&key("fresh"), b"secret", &Context::new()).await.unwrap();
    assert_eq!(*client.decrypt(&sealed, &Context::new()).await.unwrap(), b"secret");
    let again = client.keys().create(&new(key("fresh"))).await;
    assert!(matches!(again, Err(Error::Conflict(Conflict::KeyExists(_)))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused_before_it_is_asked_for() {
    let site = Site::start(SuiteId::Ristretto255Sha512).await;
    let client = site.client();
    let create = |new: NewKey| {
        let client = client.clone();
        async move { client.keys().create(&new).await.unwrap_err() }
    };
    let many = create(NewKey { members: Members::Any(4), ..new(key("x")) }).await;
    assert!(matches!(many, Error::Invalid(Invalid::TooFewMembers { have: 3, need: 4 })));
    let shape = create(NewKey { t: 4, ..new(key("x")) }).await;
    assert!(matches!(shape, Error::Invalid(Invalid::Members(_))));
    let root = RootOfKey::SharedWith(key("notes"));
    let shared = create(NewKey { root, ..new(key("x")) }).await;
    assert!(matches!(shared, Error::Invalid(Invalid::NotShared { .. })));
    let denied = create(new(key("not-granted"))).await;
    assert!(matches!(denied, Error::Denied(Denied::NotGranted { operation: Operation::Create, .. })));
}
