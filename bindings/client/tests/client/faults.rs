//! What a client gets around, and what it says when it can't.

use crate::manager::Fault;
use crate::site::{Site, key};
use std::time::{Duration, Instant};
use symbolon_client::error::{Conflict, Denied, DownReason, NotFound, Unavailable};
use symbolon_client::{Client, Context, Error, Notice};
use symbolon_fragments::SuiteId;
use symbolon_protocol::api::ProblemType;
use symbolon_protocol::wire;
use symbolon_trust::Operation;

async fn start() -> (Site, Client) {
    let site = Site::start(SuiteId::Ristretto255Sha512).await;
    let client = site.client();
    (site, client)
}

async fn round_trip(client: &Client) -> Result<(), Error> {
    let sealed = client.encrypt(&key("notes"), b"secret", &Context::new()).await?;
    assert_eq!(*client.decrypt(&sealed, &Context::new()).await?, b"secret");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_manager_is_not_waited_for() {
    let (site, client) = start().await;
    for slow in 0..3 {
        site.managers[slow].set_fault(Fault::Slow(Duration::from_mins(1)));
        let asked = Instant::now();
        round_trip(&client).await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        site.managers[slow].set_fault(Fault::None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_manager_gone_is_a_note_two_are_an_error() {
    let (site, client) = start().await;
    site.managers[0].stop().await;
    round_trip(&client).await.unwrap();
    let notices = client.take_notices();
    assert!(matches!(&notices[..], [Notice::Down(down)] if down.member.name == "kfm-1"), "{notices:?}");
    site.managers[2].stop().await;
    let error = round_trip(&client).await.unwrap_err();
    let Error::Unavailable { cause: Unavailable::TooFewManagers { have: 1, need: 2, mut down }, .. } = error
    else {
        panic!("{error:?}")
    };
    down.sort_by_key(|down| down.member.index);
    let names: Vec<_> = down.iter().map(|down| down.member.name.as_str()).collect();
    assert_eq!(names, ["kfm-1", "kfm-3"]);
    assert!(matches!(down[0].reason, DownReason::Dial(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_channels_and_forgotten_permits_are_invisible() {
    let (site, client) = start().await;
    round_trip(&client).await.unwrap();
    site.managers.iter().for_each(|manager| manager.cut());
    round_trip(&client).await.unwrap();
    site.managers.iter().for_each(|manager| manager.set_fault(Fault::Forgetful));
    round_trip(&client).await.unwrap();
    assert!(client.take_notices().is_empty());
    assert_eq!(site.access.permits(), 2, "the permits in hand were shown again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_that_lost_its_disk_learns_the_key_again() {
    let (site, client) = start().await;
    site.managers.iter().for_each(|manager| manager.set_fault(Fault::LostKeys));
    round_trip(&client).await.unwrap();
    assert!(client.take_notices().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_epoch_is_invisible() {
    let (site, client) = start().await;
    let set = site.new_set(SuiteId::Ristretto255Sha512, 77);
    let certificate =
        site.key_certificate(&key("moving"), &set, symbolon_fragments::names::Purpose::Data, false);
    site.access.add_key(&certificate, site.grant(&key("moving")), &site);
    let sealed = client.encrypt(&key("moving"), b"secret", &Context::new()).await.unwrap();
    site.refresh(&set, 90);
    assert_eq!(*client.decrypt(&sealed, &Context::new()).await.unwrap(), b"secret");
    client.encrypt(&key("moving"), b"more", &Context::new()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_clock_that_is_off_is_a_note() {
    let (site, client) = start().await;
    for wrong in 0..3 {
        site.managers[wrong].set_fault(Fault::Ahead(86_400));
        round_trip(&site.client()).await.unwrap();
        site.managers[wrong].set_fault(Fault::None);
    }
    let wrong = [&site.managers[0], &site.managers[1]];
    wrong.iter().zip([86_400, 200_000]).for_each(|(manager, by)| manager.set_fault(Fault::Ahead(by)));
    let error = round_trip(&client).await.unwrap_err();
    let Error::Unavailable { cause: Unavailable::TooFewManagers { down, .. }, .. } = error else {
        panic!("{error:?}")
    };
    assert!(down.iter().all(|down| matches!(down.reason, DownReason::Clock { .. })), "{down:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_managers_deny_is_told() {
    let (site, client) = start().await;
    let deny = |error: wire::Error| {
        site.managers[1..].iter().for_each(|manager| manager.set_fault(Fault::Refuses(error.clone())));
    };
    deny(wire::Error::Denied(wire::Denial::Holder));
    let error = round_trip(&client).await.unwrap_err();
    assert!(matches!(error, Error::Denied(Denied::Revoked { holder }) if holder == site.holder()));
    deny(wire::Error::Denied(wire::Denial::Key));
    let error = round_trip(&client).await.unwrap_err();
    assert!(matches!(error, Error::Denied(Denied::KeyDisabled { .. })));
    deny(wire::Error::Denied(wire::Denial::Destroyed));
    let error = round_trip(&client).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(Conflict::KeyDestroyed { .. })));
    deny(wire::Error::RateExceeded { retry_after_ms: 1500 });
    let error = round_trip(&client).await.unwrap_err();
    let after = Some(Duration::from_millis(1500));
    assert!(
        matches!(error, Error::Unavailable { retry_after, cause: Unavailable::RateLimited } if retry_after == after)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_access_manager_denies_is_told() {
    let (site, client) = start().await;
    site.access.deny(Some(ProblemType::Denied));
    let error = round_trip(&client).await.unwrap_err();
    assert!(matches!(error, Error::Denied(Denied::NotGranted { operation: Operation::Encrypt, .. })));
    site.access.deny(Some(ProblemType::KeyDisabled));
    assert!(matches!(round_trip(&client).await, Err(Error::Denied(Denied::KeyDisabled { .. }))));
    site.access.deny(None);
    let unknown = client.encrypt(&key("unknown"), b"", &Context::new()).await;
    assert!(matches!(unknown, Err(Error::NotFound(NotFound::Key(name))) if name == key("unknown")));
    site.access.stop().await;
    let gone = site.client().encrypt(&key("notes"), b"", &Context::new()).await;
    assert!(
        matches!(gone, Err(Error::Unavailable { cause: Unavailable::AccessManager { .. }, .. })),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn permits_are_kept_apart_by_whom_they_are_for() {
    let (site, client) = start().await;
    let (alice, bob) = (client.on_behalf_of("alice"), client.on_behalf_of("bob"));
    for client in [&client, &alice, &bob, &alice, &client] {
        client.encrypt(&key("notes"), b"", &Context::new()).await.unwrap();
    }
    assert_eq!(site.access.permits(), 3);
    let shown: usize = site.managers.iter().map(|manager| manager.authorisations()).sum();
    assert!((6..=9).contains(&shown), "each permit is shown once a channel: {shown}");
}
