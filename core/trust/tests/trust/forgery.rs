//! Whatever bit is flipped in whatever signed document: it is malformed, or some signature no longer counts.

use crate::support::{Account, NOW, index, now, reshare};
use minicbor::{Decode, Encode};
use proptest::prelude::*;
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_trust::{
    Denials, Installable, Job, JobBinding, KeyPair, ProvenHolder, Receipt, Signed, TrustedRoot,
    VerifiedCreate, VerifiedDeny, VerifiedEpochCertificate, VerifiedGrant, VerifiedKeyCertificate,
    VerifiedOrder, VerifiedPermit, VerifiedReceipt,
};

/// One kind of document, and whether bytes pass its check.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    passes: Check,
}

/// Whether bytes are a document that passes.
type Check = Box<dyn Fn(&[u8]) -> bool>;

/// A sample whose check is over the decoded document.
fn sample<B>(name: &'static str, signed: &Signed<B>, check: impl Fn(Signed<B>) -> bool + 'static) -> Sample
where
    B: Encode<()> + for<'b> Decode<'b, ()> + 'static,
{
    let passes = move |bytes: &[u8]| from_canonical::<Signed<B>>(bytes).is_ok_and(&check);
    Sample { name, bytes: to_canonical(signed), passes: Box::new(passes) }
}

fn receipt<B: Installable>(account: &Account, body: &B) -> Signed<Receipt> {
    Signed::by(Receipt::of(account.root.account(), index(1), body, NOW), [&account.managers[0]])
}

/// Every document of one account, checked under the root of another number if that is what is asked for.
fn samples(account: &Account, under: &TrustedRoot) -> Vec<Sample> {
    let root = || under.clone();
    let (r1, r2, r3, r4, r5, r6, r7, r8) = (root(), root(), root(), root(), root(), root(), root(), root());
    let expected = under.account();
    let grant = VerifiedGrant::verify(&account.by_policy(account.grant()), &account.root, now()).unwrap();
    let deny = account.deny_document();
    let holder = account.holder.public();
    let job = Job {
        account: account.root.account(),
        request: [4; 32],
        response_key: vec![1, 2, 3],
        nonce: [5; 16],
        expires: NOW + 10,
    };
    let binding = JobBinding { account: expected, request: [4; 32] };
    let by = |key: &KeyPair, body| Signed::by(body, [key]);
    vec![
        sample("root", account.root.signed(), move |s| TrustedRoot::install(expected, s).is_ok()),
        sample("grant", &account.by_policy(account.grant()), move |s| {
            VerifiedGrant::verify(&s, &r1, now()).is_ok()
        }),
        sample("permit", &Signed::by(account.permit(), [&account.permit]), move |s| {
            VerifiedPermit::verify(&s, &r2, now()).is_ok()
        }),
        sample("deny", &by(&account.deny, deny.clone()), move |s| VerifiedDeny::verify(s, &r3).is_ok()),
        sample("order", &account.by_policy(account.order(1, reshare())), move |s| {
            VerifiedOrder::verify(s, &r4, now()).is_ok()
        }),
        sample("create", &Signed::by(account.create(), [&account.holder]), move |s| {
            VerifiedCreate::verify(&s, &grant, &Denials::default(), &r5, now()).is_ok()
        }),
        sample("key certificate", &Signed::by(account.key_certificate(), &account.managers), move |s| {
            VerifiedKeyCertificate::verify(s, &r6).is_ok()
        }),
        sample("epoch certificate", &Signed::by(account.epoch_certificate(), &account.managers), move |s| {
            VerifiedEpochCertificate::verify(s, &r7).is_ok()
        }),
        sample("receipt", &receipt(account, &deny), move |s| VerifiedReceipt::verify(&s, &deny, &r8).is_ok()),
        sample("job", &Signed::by(job, [&account.holder]), move |s| {
            ProvenHolder::by_job(&s, holder, &binding, now()).is_ok()
        }),
    ]
}

#[test]
fn every_document_passes_in_its_account_and_none_in_another() {
    let (account, other) = (Account::new(1), Account::new(2));
    for sample in samples(&account, &account.root) {
        assert!((sample.passes)(&sample.bytes), "{}", sample.name);
    }
    for sample in samples(&account, &other.root) {
        assert!(!(sample.passes)(&sample.bytes), "{}", sample.name);
    }
}

#[test]
fn no_flipped_bit_passes() {
    let account = Account::new(1);
    for sample in samples(&account, &account.root) {
        for bit in 0..sample.bytes.len() * 8 {
            let mut bytes = sample.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!(sample.passes)(&bytes), "{}: bit {bit}", sample.name);
        }
    }
}

proptest! {
    /// Cut off, extended, overwritten: never accepted, never a panic.
    #[test]
    fn no_mutilated_document_passes(which in 0..10usize, at in 0..4096usize, junk in prop::collection::vec(any::<u8>(), 0..8)) {
        let account = Account::new(1);
        let sample = samples(&account, &account.root).swap_remove(which);
        let at = at % (sample.bytes.len() + 1);
        let mut bytes = sample.bytes.clone();
        bytes.splice(at..(at + junk.len() / 2).min(sample.bytes.len()), junk);
        prop_assert!(bytes == sample.bytes || !(sample.passes)(&bytes));
        prop_assert!(at == sample.bytes.len() || !(sample.passes)(&sample.bytes[..at]));
    }
}
