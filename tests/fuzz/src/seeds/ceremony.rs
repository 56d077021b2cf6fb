//! One message of each kind that travels through the ceremony log.

use symbolon_encoding::to_canonical;
use symbolon_fragments::SuiteId;
use symbolon_protocol::ceremony::{
    Certified, Commit, Creation, Deal, Erasure, Flip, Have, HaveInstance, HaveSet, Join, Message, Number,
    Proposal, SealedShares, Signatures, Status, Step, Transcript, Work,
};
use symbolon_trust::Action;

use super::{
    NOW, POINT, account, create_request, epoch_certificate_document, grant_document, index, instance,
    members, order, set, signed,
};

fn proposal(work: Work) -> Message {
    Message::Proposal(Proposal {
        account: account(),
        serial: 1,
        root_version: 1,
        suite: SuiteId::Ristretto255Sha512,
        t: 2,
        members: members(),
        dealers: members(),
        work,
    })
}

fn generate() -> Work {
    Work::Generate(vec![Creation { request: signed(create_request(None)), grant: signed(grant_document()) }])
}

fn reshare() -> Work {
    Work::Reshare(vec![Step { set: set(), epoch: 2, predecessor: instance(), origin: [5; 32] }])
}

fn join() -> Join {
    Join { account: account(), proposal: [1; 32], index: index(1), nonce: [2; 32], key: vec![3; 1216] }
}

fn commit() -> Commit {
    Commit {
        account: account(),
        proposal: [1; 32],
        ceremony: [2; 32],
        index: index(1),
        commitments: POINT.repeat(2),
        proofs: vec![4; 64],
    }
}

fn deal() -> Deal {
    let shares = vec![SealedShares { receiver: index(2), encapsulated: vec![6; 1120], sealed: vec![7; 48] }];
    Deal { account: account(), proposal: [1; 32], ceremony: [2; 32], h1: [3; 32], index: index(1), shares }
}

fn transcript() -> Transcript {
    Transcript::of(&epoch_certificate_document())
}

fn have() -> Have {
    let instances = vec![HaveInstance {
        instance: instance(),
        number: Number { serial: 1, epoch: 4 },
        status: Status::Flipped,
    }];
    Have {
        account: account(),
        index: index(1),
        time: NOW,
        sets: vec![HaveSet { set: set(), serial: 1, instances }],
    }
}

pub fn messages() -> Vec<Vec<u8>> {
    let signatures =
        Signatures { account: account(), transcript: transcript(), index: index(2), signatures: vec![8; 64] };
    let certified =
        Certified { origin: create_request(None), certificate: signed(epoch_certificate_document()) };
    let messages = [
        proposal(generate()),
        proposal(reshare()),
        Message::Join(signed(join())),
        Message::Commit(signed(commit())),
        Message::Deal(signed(deal())),
        Message::Signatures(signatures),
        Message::Flip(signed(Flip { account: account(), index: index(1), transcript: transcript() })),
        Message::Have(signed(have())),
        Message::Certificates(vec![certified]),
        Message::Order(signed(order(Action::LowerMark { mark: NOW }))),
        Message::Refresh(vec![set()]),
        Message::Erasure(signed(Erasure { account: account(), index: index(3), set: set(), serial: 9 })),
    ];
    messages.iter().map(to_canonical).collect()
}
