//! Every way of lying about the past is found.

use crate::support;
use crate::support::{NOW, chain, checkpoint, evaluated, index, issued, log, now, pair, permits, read, root};
use symbolon_audit::{
    Alarm, AuditedLog, BrokenChain, Entry, Event, Finding, Hash, LogError, Record, RecordBody, RecordError,
};
use symbolon_trust::{Operation, Signed};

fn audited(entries: &[Entry]) -> AuditedLog {
    read(entries).unwrap().finish(&checkpoint(entries)).unwrap()
}

#[test]
fn an_edited_removed_reordered_or_omitted_entry_is_found() {
    let entries = permits(&[1, 2, 3, 4]);
    let signed = checkpoint(&entries);
    assert_eq!(audited(&entries).head(), signed.head());
    let verify = |entries: &[Entry]| read(entries)?.finish(&signed).map(|_| ());

    let mut edited = entries.clone();
    edited[1] = issued(1, 9);
    assert_eq!(verify(&edited), Err(LogError::Root));
    let removed = [&entries[..1], &entries[2..]].concat();
    assert_eq!(verify(&removed), Err(LogError::Sequence { expected: 1, found: 2 }));
    let mut swapped = entries.clone();
    swapped.swap(1, 2);
    assert_eq!(verify(&swapped), Err(LogError::Sequence { expected: 1, found: 2 }));
    assert_eq!(verify(&entries[..3]), Err(LogError::Size { signed: 4, read: 3 }));
    assert_eq!(verify(&permits(&[1, 2, 4])), Err(LogError::Size { signed: 4, read: 3 }));
    assert_eq!(verify(&permits(&[1, 2, 4, 3])), Err(LogError::Root));
    let mut older = entries.clone();
    older[2].time = NOW;
    assert_eq!(verify(&older), Err(LogError::Time(2)));
    let mut reader = read(&entries[..1]).unwrap();
    assert_eq!(reader.read(b"\x80"), Err(LogError::Malformed(1)));
    assert_eq!(reader.entries(), 1);
}

#[test]
fn a_managers_records_follow_each_other() {
    let (chain, records) = chain(vec![RecordBody::Started, evaluated(1), evaluated(2), RecordBody::Stopped]);
    let head = chain.head(NOW);
    let account = root(2);
    let signed = Signed::by(head, [&pair(11)]);
    let good = log(&records).unwrap();
    good.check_head(&signed, &account).unwrap();
    assert_eq!((good.records(), good.evaluations(), good.gaps()), (4, 6, &[][..]));

    assert_eq!(log(&records[..3]).unwrap().check_head(&signed, &account), Err(RecordError::Head));
    let unsigned = good.check_head(&Signed::by(head, [&pair(12)]), &account);
    assert!(matches!(unsigned, Err(RecordError::Signature(_))));
    let removed = [&records[..1], &records[2..]].concat();
    let missing = BrokenChain::Sequence { expected: 1, found: 2 };
    assert_eq!(log(&removed).unwrap_err(), RecordError::Chain(missing));
    let mut edited = records.clone();
    edited[1].body = evaluated(7);
    assert_eq!(log(&edited).unwrap_err(), RecordError::Chain(BrokenChain::Previous(2)));
    let mut last = records;
    last[3].body = RecordBody::Started;
    assert_eq!(log(&last).unwrap().check_head(&signed, &account), Err(RecordError::Head));
}

#[test]
fn a_crash_leaves_a_gap_that_the_log_states() {
    let (_, records) = chain(vec![RecordBody::Started, RecordBody::Gap { since: NOW }, RecordBody::Started]);
    let log = log(&records).unwrap();
    assert_eq!((log.gaps()[0].manager, log.gaps()[0].since, log.gaps()[0].until), (index(1), NOW, NOW));
    let (_, records) = chain(vec![RecordBody::Started, RecordBody::Alarm(Alarm::AuditLogRewritten)]);
    assert_eq!(support::log(&records).unwrap().alarms(), [(NOW, Alarm::AuditLogRewritten)]);
}

fn reconcile(entries: &[Entry], bodies: Vec<RecordBody>) -> Vec<Finding> {
    audited(entries).reconcile(&log(&chain(bodies).1).unwrap())
}

#[test]
fn every_evaluation_has_its_permit_in_the_access_managers_log() {
    let entries = permits(&[1, 2]);
    assert_eq!(reconcile(&entries, vec![evaluated(1), evaluated(2), evaluated(1)]), []);
    let missing = Finding::PermitMissing { manager: index(1), record: 1 };
    assert_eq!(reconcile(&entries, vec![evaluated(1), evaluated(3)]), [missing]);

    let other = |edit: fn(&mut Entry)| {
        let mut entry = issued(0, 1);
        edit(&mut entry);
        reconcile(&[entry], vec![evaluated(1)])
    };
    let finding = [Finding::OtherThanPermitted { manager: index(1), record: 0 }];
    assert_eq!(other(|e| e.actor = pair(21).public().thumbprint()), finding);
    let permit = |entry: &mut Entry, only: Operation| {
        let Event::PermitIssued { operations, .. } = &mut entry.event else { panic!() };
        *operations = [only].into_iter().collect();
    };
    let mut encrypting = issued(0, 1);
    permit(&mut encrypting, Operation::Encrypt);
    assert_eq!(reconcile(&[encrypting], vec![evaluated(1)]), finding);
    let mut short = issued(0, 1);
    let Event::PermitIssued { not_after, .. } = &mut short.event else { panic!() };
    not_after.0 = NOW.0 - 61;
    assert_eq!(
        reconcile(&[short], vec![evaluated(1)]),
        [Finding::AfterPermit { manager: index(1), record: 0 }]
    );
}

#[test]
fn a_manager_cannot_rewrite_what_it_signed_for() {
    let (mut entries, bodies) = (permits(&[1]), vec![RecordBody::Started, evaluated(1)]);
    let (honest, _) = chain(bodies.clone());
    let event = Event::EvaluationHead { index: index(1), records: honest.records(), hash: honest.last() };
    entries.push(Entry { sequence: 1, time: NOW + 5, actor: pair(11).public().thumbprint(), event });
    assert_eq!(reconcile(&entries, bodies), []);
    let rewritten = Finding::Rewritten { manager: index(1), records: 2 };
    assert_eq!(reconcile(&entries, vec![RecordBody::Started, RecordBody::Stopped]), [rewritten]);
    assert_eq!(reconcile(&entries, vec![RecordBody::Started]), [rewritten]);
}

#[test]
fn records_never_go_back_in_time() {
    let mut chain = symbolon_audit::RecordChain::new(root(2).account(), index(1));
    chain.append(NOW + 5, RecordBody::Started);
    assert_eq!(chain.append(NOW, RecordBody::Stopped).time, NOW + 5);
    let resumed = symbolon_audit::RecordChain::resume(root(2).account(), index(1), 2, chain.last(), NOW + 5);
    assert_eq!(resumed, chain);
    let forged =
        Record { sequence: 2, previous: Hash([0; 32]), time: now().time(), body: RecordBody::Started };
    assert_eq!(chain.follow(&forged), Err(BrokenChain::Previous(2)));
}
