//! A client's life: operations that are dropped half way, deadlines, closing, a root document that outlives it.

use crate::manager::Fault;
use crate::site::{Site, key};
use futures_util::future::{Either, join_all, select};
use std::pin::pin;
use std::time::{Duration, Instant};
use symbolon_client::error::{Invalid, Unavailable};
use symbolon_client::{Client, Context, Error, Kind, NoUnlock, Profile, Protection, RouteChoice, identity};
use symbolon_encoding::to_canonical;
use symbolon_fragments::SuiteId;
use symbolon_trust::Signed;

const R: SuiteId = SuiteId::Ristretto255Sha512;

async fn start() -> (Site, Client) {
    let site = Site::start(R).await;
    let client = site.client();
    (site, client)
}

async fn round_trip(client: &Client) -> Result<(), Error> {
    let sealed = client.encrypt(&key("notes"), b"secret", &Context::new()).await?;
    assert_eq!(*client.decrypt(&sealed, &Context::new()).await?, b"secret");
    Ok(())
}

/// Polls an operation so many times at most, and then drops it.
async fn give_up_after<T>(polls: usize, operation: impl Future<Output = T>) -> Option<T> {
    let mut operation = pin!(operation);
    let mut left = polls;
    std::future::poll_fn(|cx| match operation.as_mut().poll(cx) {
        std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
        std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(None),
        std::task::Poll::Pending => {
            left -= 1;
            std::task::Poll::Pending
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_may_be_dropped_wherever_it_waits() {
    let (site, client) = start().await;
    let mut dropped = 0;
    for polls in 0.. {
        // A fresh client has everything before it: connections, permits, certificates, verdicts.
        let fresh = site.client();
        let done = give_up_after(polls, round_trip(&fresh)).await;
        round_trip(&fresh).await.unwrap();
        round_trip(&client).await.unwrap();
        match done {
            Some(done) => {
                done.unwrap();
                break;
            }
            None => dropped += 1,
        }
    }
    assert!(dropped > 5, "there are many places to wait at: {dropped}");
    assert!(client.take_notices().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_operation_does_not_spoil_those_beside_it() {
    let (_site, client) = start().await;
    let operations = (0..200).map(|number| {
        let client = client.clone();
        async move {
            if number % 2 == 0 {
                give_up_after(number / 20, round_trip(&client)).await;
                return Ok(());
            }
            round_trip(&client).await
        }
    });
    join_all(operations).await.into_iter().collect::<Result<Vec<()>, _>>().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_holds_for_each_call() {
    let (site, client) = start().await;
    round_trip(&client).await.unwrap();
    site.managers.iter().for_each(|manager| manager.set_fault(Fault::Slow(Duration::from_mins(1))));
    let (asked, within) = (Instant::now(), Duration::from_millis(300));
    let error = round_trip(&client.within(within)).await.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { cause: Unavailable::TimedOut { within: told }, .. } if told == within)
    );
    assert!(asked.elapsed() < Duration::from_secs(5));
    site.managers.iter().for_each(|manager| manager.set_fault(Fault::None));
    round_trip(&client).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_what_is_under_way_and_everything_later() {
    let (site, client) = start().await;
    let sealed = client.encrypt(&key("notes"), b"secret", &Context::new()).await.unwrap();
    let preamble = symbolon_client::Preamble::parse(&sealed).unwrap();
    let stream = client.decryption(&preamble, &Context::new()).await.unwrap();
    site.managers.iter().for_each(|manager| manager.set_fault(Fault::Slow(Duration::from_mins(1))));
    let (twin, asked) = (client.clone(), Instant::now());
    let waiting = pin!(round_trip(&twin));
    let Either::Right(((), waiting)) = select(waiting, pin!(tokio::task::yield_now())).await else {
        panic!("nobody answers")
    };
    client.close();
    client.close();
    for error in [waiting.await.unwrap_err(), round_trip(&client).await.unwrap_err()] {
        assert!(matches!(error, Error::Invalid(Invalid::Closed)));
        assert_eq!((error.kind(), error.code()), (Kind::Invalid, "closed"));
    }
    assert!(asked.elapsed() < Duration::from_secs(5) && twin.is_closed());
    let listed = client.keys().list(symbolon_protocol::api::KeyQuery::default()).await;
    assert!(matches!(listed, Err(Error::Invalid(Invalid::Closed))));
    let mut opened = Vec::new();
    let run =
        stream.run(&sealed[preamble.len()..], &mut opened, &mut |_| std::ops::ControlFlow::Continue(()));
    assert_eq!((run.unwrap(), &opened[..]), (6, &b"secret"[..]), "a stream has its key");
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_that_come_back_within_a_second_were_never_away() {
    let (site, client) = start().await;
    round_trip(&client).await.unwrap();
    for manager in &site.managers[..2] {
        manager.set_fault(Fault::Refuses(symbolon_protocol::wire::Error::Busy));
    }
    let mend = async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        site.managers.iter().for_each(|manager| manager.set_fault(Fault::None));
    };
    let (done, ()) = tokio::join!(round_trip(&client), mend);
    done.unwrap();
    assert!(client.take_notices().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_end_when_their_budget_does() {
    let (site, client) = start().await;
    round_trip(&client).await.unwrap();
    site.managers
        .iter()
        .for_each(|manager| manager.set_fault(Fault::Refuses(symbolon_protocol::wire::Error::Busy)));
    let many = (0..40).map(|_| round_trip(&client));
    assert!(join_all(many).await.iter().all(Result::is_err));
    let (asked, tries) = (Instant::now(), site.refusals());
    assert!(round_trip(&client).await.is_err());
    assert_eq!(site.refusals() - tries, 3, "nothing is left to try again with");
    assert!(asked.elapsed() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn successors_of_the_root_are_kept_beside_it() {
    let site = Site::start(R).await;
    let folder = tempfile::tempdir().unwrap();
    let [root, identity] = ["account.root", "holder.key"].map(|name| folder.path().join(name));
    std::fs::write(&root, to_canonical(site.root.signed())).unwrap();
    identity::create(&identity, &Protection::Plain).unwrap();
    let profile = Profile {
        account: site.account().to_string(),
        root: root.clone(),
        identity,
        access_manager: None,
        route: RouteChoice::Direct,
        key_file: None,
        customer_fragments: Vec::new(),
    };
    let mut newest = site.root.clone();
    for _ in [2, 3] {
        let next = Signed::by(newest.document().successor(newest.document().created), [&site.owner]);
        site.access.add_root(next.clone());
        newest = newest.succeed(next).unwrap();
    }
    let client = Client::open(&profile, &mut NoUnlock).unwrap();
    assert!(client.refresh_root().await.unwrap());
    site.access.stop().await;
    assert_eq!(Client::open(&profile, &mut NoUnlock).unwrap().root().document().version, 3);

    // What isn't the owner's is not followed.
    std::fs::write(root.with_added_extension("3"), std::fs::read(root.with_added_extension("2")).unwrap())
        .unwrap();
    assert_eq!(profile.trusted_root().unwrap().document().version, 2);
}
