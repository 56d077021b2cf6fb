//! Servers that cheat: who is named, who isn't, and what is refused.

use crate::manager::Fault;
use crate::site::{Site, key, pair};
use symbolon_client::error::{CertificateFault, Integrity, Invalid};
use symbolon_client::{Context, Error, Notice, Options, RouteChoice};
use symbolon_fragments::SuiteId;
use symbolon_fragments::names::{Index, Purpose};
use symbolon_trust::{KeyPair, RootError, Signed};

const R: SuiteId = SuiteId::Ristretto255Sha512;

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_stops_encryption_and_is_named() {
    for suite in SuiteId::ALL {
        for liar in 0..2 {
            let site = Site::start(suite).await;
            site.managers[liar].set_fault(Fault::Lies);
            let error = site.client().encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap_err();
            let name = format!("kfm-{}", liar + 1);
            assert!(
                matches!(&error, Error::Integrity(Integrity::Liar(member)) if member.name == name),
                "{error:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_is_left_out_of_decryption_and_named() {
    for suite in SuiteId::ALL {
        let site = Site::start(suite).await;
        let sealed = site.client().encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap();
        for liar in 0..3 {
            site.managers[liar].set_fault(Fault::Lies);
            let client = site.client();
            for _ in 0..4 {
                assert_eq!(*client.decrypt(&sealed, &Context::new()).await.unwrap(), b"secret");
            }
            let notices = client.take_notices();
            let named = |notice: &Notice| matches!(notice, Notice::Lied(_));
            assert!(notices.iter().all(named), "{notices:?}");
            if liar < 2 {
                assert_eq!(notices[0].member().name, format!("kfm-{}", liar + 1));
            }
            site.managers[liar].set_fault(Fault::None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_liars_are_both_named_and_nothing_is_decrypted() {
    let site = Site::start(R).await;
    let sealed = site.client().encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap();
    site.managers[..2].iter().for_each(|manager| manager.set_fault(Fault::Lies));
    let client = site.client();
    let error = client.decrypt(&sealed, &Context::new()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let mut named: Vec<_> = client.take_notices().iter().map(|notice| notice.member().name.clone()).collect();
    named.sort();
    assert_eq!(named, ["kfm-1", "kfm-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_commitment_is_nobodys_fault() {
    let site = Site::start(R).await;
    let client = site.client();
    let mut sealed = client.encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap();
    let commitment = symbolon_client::Preamble::parse(&sealed).unwrap().len() - 1;
    sealed[commitment] ^= 1;
    let error = client.decrypt(&sealed, &Context::new()).await.unwrap_err();
    assert!(matches!(error, Error::Integrity(Integrity::Commitment(_))));
    assert!(client.take_notices().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_message_among_many_is_found_with_a_liar_among_the_managers() {
    let site = Site::start(R).await;
    let empty = Context::new();
    let asked: Vec<(&[u8], _)> = [&b"a"[..], b"b", b"c"].map(|text| (text, &empty)).to_vec();
    let sealed = site.client().encrypt_many(&key("notes"), &asked).await.unwrap();
    site.managers[0].set_fault(Fault::Lies);
    let client = site.client();
    let good: Vec<_> = sealed.iter().map(|sealed| (&sealed[..], &empty)).collect();
    assert_eq!(*client.decrypt_many(&good).await.unwrap()[2], b"c");
    let other = Context::from_pairs([("a", "b")]).unwrap();
    let bad = [good[0], (&sealed[1][..], &other)];
    assert!(matches!(client.decrypt_many(&bad).await, Err(Error::Integrity(Integrity::Commitment(_)))));
}

#[tokio::test(flavor = "multi_thread")]
async fn substituted_certificates_are_refused() {
    let site = Site::start(R).await;
    let set = site.new_set(R, 50);
    let honest = site.key_certificate(&key("notes"), &set, Purpose::Data, false);
    let encrypt = || async {
        let sealed = site.client().encrypt(&key("notes"), b"secret", &Context::new()).await;
        match sealed.unwrap_err() {
            Error::Integrity(Integrity::Certificate(fault)) => fault,
            other => panic!("{other:?}"),
        }
    };
    site.access.substitute("notes", &site.key_certificate(&key("other"), &set, Purpose::Data, false));
    assert!(matches!(encrypt().await, CertificateFault::Other));

    let mut body = honest.body().clone();
    body.customer_fragment = false;
    body.version = 2;
    site.access.substitute("notes", &Signed::by(body.clone(), site.managers.iter().map(|m| &m.identity)));
    assert!(matches!(encrypt().await, CertificateFault::Other));

    body.version = 1;
    site.access.substitute("notes", &Signed::by(body.clone(), [&site.permit, &site.managers[0].identity]));
    assert!(matches!(encrypt().await, CertificateFault::NotValid(_)));

    body.account = symbolon_fragments::names::AccountId::new([7; 32]);
    site.access.substitute("notes", &Signed::by(body, site.managers.iter().map(|m| &m.identity)));
    assert!(matches!(encrypt().await, CertificateFault::NotValid(_)));
    assert_eq!(site.evaluations(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_roster_is_refused_and_changes_nothing() {
    let site = Site::start(R).await;
    let client = site.client();
    let sealed = client.encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap();
    // Whoever stole the access manager has its permit key, and would like a fragment manager and a policy key of its own.
    let (thief, its_manager) = (pair(66), pair(67));
    let mut next = site.root.document().successor(site.root.document().created);
    let mut own = next.roster[0].clone();
    (own.index, own.key, own.name) = (Index::new(4).unwrap(), its_manager.public(), "kfm-4".to_owned());
    next.roster.push(own);
    next.roles.policy.keys = vec![thief.public()];
    site.access.add_root(Signed::by(next.clone(), [&thief, &site.permit]));
    let refused = client.refresh_root().await.unwrap_err();
    let unsigned = matches!(refused, Error::Integrity(Integrity::Root(RootError::PredecessorsSignature(_))));
    assert!(unsigned, "{refused:?}");
    assert_eq!(client.root().document(), site.root.document());
    assert_eq!(*client.decrypt(&sealed, &Context::new()).await.unwrap(), b"secret");
    site.root.succeed(Signed::by(next, [&site.owner])).expect("the owner's signature is all that it lacks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_ciphertext_is_refused_before_anybody_is_asked() {
    let site = Site::start(R).await;
    let sealed = site.client().encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap();
    let account = sealed.windows(32).position(|w| w == site.account().as_bytes()).unwrap();
    let mut foreign = sealed;
    foreign[account] ^= 1;
    let evaluations = site.evaluations();
    let refused = site.client().decrypt(&foreign, &Context::new()).await;
    assert!(matches!(refused, Err(Error::Invalid(Invalid::OtherAccount))));
    let garbage = site.client().decrypt(b"something else entirely", &Context::new()).await;
    assert!(matches!(garbage, Err(Error::Integrity(Integrity::Header(_)))));
    assert_eq!(site.evaluations(), evaluations);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_in_the_access_managers_place_is_noticed() {
    let site = Site::start(R).await;
    let imposter = crate::access::AccessDouble::start(&pair(99)).await;
    let options = Options {
        route: RouteChoice::Direct,
        access_manager: Some(imposter.address.clone()),
        ..Options::default()
    };
    let holder = KeyPair::from_seed(&site.holder);
    let client = symbolon_client::Client::new(site.root.clone(), holder, options).unwrap();
    let error = client.encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap_err();
    assert!(matches!(error, Error::Integrity(Integrity::WrongServer(_))), "{error:?}");
}
