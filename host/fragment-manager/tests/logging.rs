//! The manager's own log: complete within a second, a chain that can be checked, honest about crashes.

mod site;

use std::time::{Duration, Instant};

use site::{START, Site, ask, evaluate, thumbprint};
use symbolon_audit::{Alarm, EvaluationHead, Record, RecordBody, RecordChain, Refusal as Reason, Refused};
use symbolon_channel::Channel;
use symbolon_encoding::from_canonical;
use symbolon_protocol::wire::{Document, Error, Refusal, Request, Response};
use symbolon_trust::{Action, KeyPair, Operation, Order, Seconds, Signed};

const KEY: &str = "shop/orders";

/// Reads the whole log page by page, and checks the chain against the signed head.
async fn read(site: &Site, channel: &Channel, limit: u64) -> Vec<Record> {
    let mut chain = RecordChain::new(site.domain.id, site::index(1));
    let mut records = Vec::new();
    loop {
        let grant = site.domain.sign(site.all_rights());
        let request = Request::Log { grant, after: chain.records(), limit };
        let Response::Log(page) = ask(channel, request).await.unwrap() else { panic!() };
        for record in &page.records {
            let record: Record = from_canonical(record).unwrap();
            chain.follow(&record).unwrap();
            records.push(record);
        }
        if page.records.is_empty() {
            check_head(site, &page.head, &chain);
            return records;
        }
    }
}

fn check_head(site: &Site, head: &Signed<EvaluationHead>, chain: &RecordChain) {
    head.check([&site.keys()[0].public()], 1).unwrap();
    assert_eq!((head.body().records, head.body().hash), (chain.records(), chain.last()));
}

fn bodies(records: &[Record]) -> Vec<RecordBody> {
    records.iter().map(|record| record.body.clone()).collect()
}

#[tokio::test]
async fn every_evaluation_is_in_the_log_by_permit_and_number() {
    let site = Site::new();
    let (dealt, _manager, channel, handle) = site.ready().await;
    for (inputs, prove) in [(3, true), (2, true), (4, false)] {
        let fields: Vec<_> = (0..inputs).map(|_| site.fields()).collect();
        ask(&channel, evaluate(handle, dealt.id(), prove, &fields)).await.unwrap();
    }
    let evaluated = |operation, inputs| RecordBody::Evaluated {
        permit: [7; 16],
        holder: thumbprint(&site.alice),
        key: site::key(KEY),
        version: 1,
        operation,
        instance: dealt.id(),
        inputs,
    };
    let bodies = bodies(&read(&site, &channel, 2).await);
    assert_eq!(bodies[0], RecordBody::Started);
    let count = |operation| {
        let of = |body: &RecordBody| match body {
            RecordBody::Evaluated { operation: found, inputs, .. } if *found == operation => *inputs,
            _ => 0,
        };
        assert!(bodies.iter().all(|body| of(body) == 0 || *body == evaluated(operation, of(body))));
        bodies.iter().map(of).sum::<u64>()
    };
    assert_eq!((count(Operation::Encrypt), count(Operation::Decrypt)), (5, 4));
    assert!(bodies.iter().any(|body| matches!(body, RecordBody::Certified { version: 1, .. })));
}

#[tokio::test]
async fn refusals_are_in_the_log() {
    let site = Site::new();
    let (_, manager, channel, _) = site.ready().await;
    let mallory = KeyPair::generate(&mut site::rng());
    let stranger = manager.channel(&mallory).await;
    for _ in 0..3 {
        site.authorise(&stranger, &site.all_rights(), KEY, 1).await.unwrap_err();
    }
    let enable = Action::Enable { key: site::key(KEY), since: 1 };
    let order = site.domain.order(1, site.hands.now(), enable);
    let unsigned = Request::InstallOrder { order: Signed::new(order.clone()) };
    ask(&stranger, unsigned).await.unwrap_err();
    let late = Order { expires: Seconds(START), ..order };
    ask(&stranger, Request::InstallOrder { order: site.domain.sign(late) }).await.unwrap_err();

    let bodies = bodies(&read(&site, &channel, 100).await);
    let times = |what, reason| {
        let of = |body: &RecordBody| match body {
            RecordBody::Refused { holder, what: w, reason: r, times } if (*w, *r) == (what, reason) => {
                assert_eq!(*holder, thumbprint(&mallory));
                *times
            }
            _ => 0,
        };
        bodies.iter().map(of).sum::<u64>()
    };
    assert_eq!(times(Refused::Permit, Reason::NotGranted), 3);
    assert_eq!(times(Refused::Order, Reason::Signature), 1);
    assert_eq!(times(Refused::Order, Reason::Expired), 1);
}

#[tokio::test]
async fn a_clock_set_back_is_an_alarm_in_the_log() {
    let site = Site::new();
    let (_, manager, channel, _) = site.ready().await;
    let mark = site.hands.now();
    site.hands.set(START - 1000);
    site.authorise(&channel, &site.all_rights(), KEY, 1).await.unwrap_err();
    manager.stop().await;
    site.hands.set(mark);
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let bodies = bodies(&read(&site, &channel, 100).await);
    assert!(bodies.contains(&RecordBody::Alarm(Alarm::ClockSetBack)));
}

#[tokio::test]
async fn an_ordered_end_leaves_no_gap_and_a_crash_states_one() {
    let site = Site::new();
    let (_, manager, _, _) = site.ready().await;
    manager.stop().await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let records = read(&site, &channel, 100).await;
    let ends: Vec<_> = records.iter().rev().take(2).map(|record| record.body.clone()).collect();
    assert_eq!(ends, [RecordBody::Started, RecordBody::Stopped]);
    drop(channel);
    manager.crash().await;

    site.hands.pass(50);
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let again = read(&site, &channel, 100).await;
    let since = records.last().unwrap().time;
    let bodies = bodies(&again[records.len()..]);
    assert_eq!(bodies[..2], [RecordBody::Gap { since }, RecordBody::Started]);
}

#[tokio::test]
async fn records_are_written_without_being_asked_for() {
    let site = Site::new();
    let (dealt, manager, channel, handle) = site.ready().await;
    ask(&channel, evaluate(handle, dealt.id(), true, &[site.fields()])).await.unwrap();
    let permit = [7; 16];
    let asked = Instant::now();
    while !site.places[0].disk_contains(&permit) {
        assert!(asked.elapsed() < site::AMPLE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    manager.crash().await;
    let manager = site.start(1).await;
    let channel = manager.channel(&site.alice).await;
    let bodies = bodies(&read(&site, &channel, 100).await);
    assert!(bodies.iter().any(|body| matches!(body, RecordBody::Evaluated { .. })));
}

#[tokio::test]
async fn reading_needs_the_operation_audit() {
    let site = Site::new();
    let (_, manager, channel, _) = site.ready().await;
    let log = |grant| Request::Log { grant: site.domain.sign(grant), after: 0, limit: 1 };
    let no_auditor = site.domain.grant(3, &site.alice, "*", &[Operation::Encrypt, Operation::Decrypt]);
    let refused = ask(&channel, log(no_auditor)).await;
    assert_eq!(refused, Err(Error::NotAllowed { operation: Operation::Audit }));
    let mallory = KeyPair::generate(&mut site::rng());
    let stranger = manager.channel(&mallory).await;
    let refused = ask(&stranger, log(site.all_rights())).await;
    assert_eq!(refused, Err(Error::Refused { document: Document::Grant, reason: Refusal::Holder }));
}
