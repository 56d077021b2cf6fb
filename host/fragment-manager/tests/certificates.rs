//! Key certificates: one for a key version, on the set that was made for it or on a shared root.

mod site;

use site::{Site, ask, members};
use symbolon_fragments::SuiteId;
use symbolon_fragments::names::SetId;
use symbolon_protocol::wire::{Document, Error, Refusal, Request, Response, Unsuitable};
use symbolon_trust::{CreateRequest, KeyCertificate, KeyKind, KeyPair, Operation, Seconds, Signed};

const SUITE: SuiteId = SuiteId::Ristretto255Sha512;

fn certificate(response: Response) -> KeyCertificate {
    let Response::Certified { certificate, .. } = response else { panic!("{response:?}") };
    *certificate
}

fn unsuitable<T>(why: Unsuitable) -> Result<T, Error> {
    Err(Error::Unsuitable(why))
}

#[tokio::test]
async fn all_members_sign_the_same_certificate() {
    let site = Site::new();
    let origin = site.domain.create("shop/orders", 1, SUITE, KeyKind::Dedicated);
    let dealt = site.deal(&origin).await;
    let mut signed = None;
    for number in 1..=3 {
        let manager = site.start(number).await;
        let channel = manager.channel(&site.alice).await;
        let response = site.certify(&channel, &origin, dealt.set()).await.unwrap();
        let Response::Certified { signature, certificate } = response else { panic!() };
        signed.get_or_insert_with(|| Signed::new(*certificate)).add(manager.key.public(), signature);
        manager.stop().await;
    }
    let signed = signed.unwrap();
    let root = symbolon_trust::TrustedRoot::install(site.domain.id, site.domain.root.clone()).unwrap();
    let verified = symbolon_trust::VerifiedKeyCertificate::verify(signed, &root).unwrap();
    let certificate = verified.certificate();
    assert_eq!((&certificate.members, certificate.t, certificate.set), (&members(), 2, dealt.set()));
}

#[tokio::test]
async fn a_dedicated_set_serves_the_request_that_it_was_made_for_and_no_other() {
    let site = Site::new();
    let (dealt, _manager, channel, _) = site.ready().await;
    let origin = &dealt.origin;
    site.certify(&channel, origin, dealt.set()).await.unwrap();
    for other in [
        CreateRequest { key: site::key("shop/other"), ..origin.clone() },
        CreateRequest { version: 2, ..origin.clone() },
        CreateRequest { customer_fragment: true, ..origin.clone() },
        CreateRequest { kind: KeyKind::Shared, set: Some(dealt.set()), ..origin.clone() },
    ] {
        assert_eq!(site.certify(&channel, &other, dealt.set()).await, unsuitable(Unsuitable::OtherRequest));
    }
    let absent = site.certify(&channel, origin, SetId::new([1; 32])).await;
    assert_eq!(absent, unsuitable(Unsuitable::Unknown));
}

#[tokio::test]
async fn a_shared_root_serves_many_keys_with_one_certificate_a_version() {
    let site = Site::new();
    let origin = site.domain.create("tenant/root", 1, SUITE, KeyKind::Shared);
    let dealt = site.deal(&origin).await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let joining = |key: &str, version| CreateRequest {
        set: Some(dealt.set()),
        ..site.domain.create(key, version, SUITE, KeyKind::Shared)
    };
    let first = certificate(site.certify(&channel, &origin, dealt.set()).await.unwrap());
    let second = certificate(site.certify(&channel, &joining("tenant/a", 1), dealt.set()).await.unwrap());
    assert_eq!((first.set, &first.y), (second.set, &second.y));
    site.certify(&channel, &joining("tenant/a", 3), dealt.set()).await.unwrap();

    let same = certificate(site.certify(&channel, &joining("tenant/a", 1), dealt.set()).await.unwrap());
    assert_eq!(same, second);
    let remapped = CreateRequest { customer_fragment: true, ..joining("tenant/a", 1) };
    let other = site.certify(&channel, &remapped, dealt.set()).await;
    assert_eq!(other, unsuitable(Unsuitable::OtherCertificate));
    let lower = site.certify(&channel, &joining("tenant/a", 2), dealt.set()).await;
    assert_eq!(lower, unsuitable(Unsuitable::Version { newest: 3 }));
    let dedicated = CreateRequest { kind: KeyKind::Dedicated, set: None, ..joining("tenant/b", 1) };
    let refused = site.certify(&channel, &dedicated, dealt.set()).await;
    assert_eq!(refused, unsuitable(Unsuitable::OtherRequest));
}

#[tokio::test]
async fn the_one_certificate_is_remembered_through_a_crash() {
    let site = Site::new();
    let origin = site.domain.create("tenant/root", 1, SUITE, KeyKind::Shared);
    let (dealt, other) = (site.deal(&origin).await, site.deal(&origin).await);
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    site.certify(&channel, &origin, dealt.set()).await.unwrap();
    manager.crash().await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let remapped = site.certify(&channel, &origin, other.set()).await;
    assert_eq!(remapped, unsuitable(Unsuitable::OtherCertificate));
}

#[tokio::test]
async fn creating_needs_a_grant_the_holders_signature_and_the_holders_channel() {
    let site = Site::new();
    let origin = site.domain.create("shop/orders", 1, SUITE, KeyKind::Dedicated);
    let dealt = site.deal(&origin).await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let refused = |document, reason| Err(Error::Refused { document, reason });
    let certify = |create: Signed<CreateRequest>, operations: &[Operation]| {
        let grant = site.domain.sign(site.domain.grant(1, &site.alice, "shop/*", operations));
        ask(&channel, Request::Certify { create, grant, set: dealt.set() })
    };

    let signed = Signed::by(origin.clone(), [&site.alice]);
    let readonly = certify(signed.clone(), &[Operation::Decrypt]).await;
    assert_eq!(readonly, refused(Document::Grant, Refusal::Key));
    let mallory = KeyPair::generate(&mut site::rng());
    let forged = certify(Signed::by(origin.clone(), [&mallory]), &[Operation::Create]).await;
    assert_eq!(forged, refused(Document::Create, Refusal::TooFewSignatures { got: 0, needed: 1 }));
    let late = CreateRequest { expires: Seconds(site.hands.now() - 1), ..origin.clone() };
    let expired = certify(Signed::by(late, [&site.alice]), &[Operation::Create]).await;
    assert!(matches!(expired, Err(Error::Refused { reason: Refusal::Expired { .. }, .. })));

    let relayed = manager.channel(&mallory).await;
    let grant = site.domain.sign(site.domain.grant(1, &site.alice, "shop/*", &[Operation::Create]));
    let answer = ask(&relayed, Request::Certify { create: signed.clone(), grant, set: dealt.set() }).await;
    assert_eq!(answer, refused(Document::Create, Refusal::Holder));
    certify(signed, &[Operation::Create]).await.unwrap();
}

#[tokio::test]
async fn a_member_that_lost_its_disk_takes_the_complete_certificate() {
    let site = Site::new();
    let origin = site.domain.create("tenant/root", 1, SUITE, KeyKind::Shared);
    let dealt = site.deal(&origin).await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let whole = certificate(site.certify(&channel, &origin, dealt.set()).await.unwrap());
    manager.stop().await;
    // Another member never signed for the key, as after a repair.
    let manager = site.start(2).await;
    let channel = manager.channel(&site.alice).await;
    let grant = site.all_rights();
    let authorise = || site.authorise(&channel, &grant, "tenant/root", 1);
    assert_eq!(authorise().await, Err(Error::UnknownKey));

    let keys = site.keys();
    let install = |certificate| ask(&channel, Request::InstallKey { certificate });
    let two = install(Signed::by(whole.clone(), &keys[..2])).await;
    let reason = Refusal::TooFewSignatures { got: 2, needed: 3 };
    assert_eq!(two, Err(Error::Refused { document: Document::KeyCertificate, reason }));
    let elsewhere = KeyCertificate { set: SetId::new([1; 32]), ..whole.clone() };
    assert_eq!(install(Signed::by(elsewhere, &keys)).await, unsuitable(Unsuitable::Unknown));
    let other_point = KeyCertificate { y: vec![1; 32], ..whole.clone() };
    assert_eq!(install(Signed::by(other_point, &keys)).await, unsuitable(Unsuitable::OtherRequest));
    assert_eq!(install(Signed::by(whole.clone(), &keys)).await, Ok(Response::KeyInstalled));
    authorise().await.unwrap();
    let remapped = KeyCertificate { customer_fragment: true, ..whole };
    assert_eq!(install(Signed::by(remapped, &keys)).await, unsuitable(Unsuitable::OtherCertificate));
}
