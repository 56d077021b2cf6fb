//! What travels between holders, the queue and the drivers of a key store.

use symbolon_encoding::to_canonical;
use symbolon_protocol::jobs::{JobId, JobResult, Payload, Request, SealedSecret, Subject, Submission};
use symbolon_trust::{Enrolment, Job, KeyAlgorithm, Operation, StoreLabel, WrappedKey};

use super::{LATER, NOW, account, encoded, grant_document, index, key, pair, permit_document, signed};

fn store() -> StoreLabel {
    "prod".parse().expect("a label")
}

fn wrapped_key(algorithm: KeyAlgorithm) -> WrappedKey {
    WrappedKey {
        account: account(),
        key: key(),
        version: 1,
        store: store(),
        algorithm,
        wrapped: b"what the HSM made of it".to_vec(),
        public_key: algorithm.signs().then(|| vec![4; 91]),
        request: [6; 32],
        driver: index(5),
        created: NOW,
    }
}

/// Of a key that seals, and of one that signs.
pub fn wrapped_keys() -> Vec<Vec<u8>> {
    [KeyAlgorithm::Aes256, KeyAlgorithm::EcdsaP256].map(wrapped_key).into_iter().flat_map(encoded).collect()
}

pub fn enrolment() -> Vec<Vec<u8>> {
    encoded(Enrolment {
        account: account(),
        store: store(),
        key: pair(11).public(),
        sealing_key: vec![2; 48],
        check_value: vec![9; 32],
        created: NOW,
    })
}

fn job(request: &Request) -> Job {
    Job {
        account: account(),
        request: request.hash(),
        response_key: vec![2; 48],
        nonce: [3; 16],
        expires: LATER,
    }
}

fn request(subject: Subject, operation: Operation) -> Request {
    let payload = |driver| Payload { driver: index(driver), encapsulated: vec![1; 48], sealed: vec![5; 40] };
    Request {
        account: account(),
        store: store(),
        key: key(),
        version: 1,
        operation,
        subject,
        payload: [5, 6].map(payload).into(),
    }
}

/// One that makes a key, and one that uses it.
pub fn submissions() -> Vec<Vec<u8>> {
    let making = request(Subject::New(KeyAlgorithm::Aes256), Operation::Create);
    let using = request(Subject::Wrapped([7; 32]), Operation::Decrypt);
    let making = Submission {
        job: signed(job(&making)),
        request: making,
        grant: signed(grant_document()),
        permit: None,
        wrapped: None,
    };
    let using = Submission {
        job: signed(job(&using)),
        request: using,
        grant: signed(grant_document()),
        permit: Some(signed(permit_document(None))),
        wrapped: Some(signed(wrapped_key(KeyAlgorithm::Aes256))),
    };
    [making, using].iter().map(to_canonical).collect()
}

pub fn results() -> Vec<Vec<u8>> {
    let asked = job(&request(Subject::Wrapped([7; 32]), Operation::Decrypt));
    encoded(JobResult {
        account: account(),
        job: JobId::of(&asked),
        driver: index(5),
        encapsulated: vec![1; 48],
        sealed: vec![5; 30],
    })
}

pub fn sealed_secret() -> Vec<Vec<u8>> {
    vec![SealedSecret::new(account(), key(), 1, [6; 32], vec![8; 60]).to_bytes()]
}
