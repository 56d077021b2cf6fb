//! A member that lies: it runs the same machine, but twists what it sends, with valid signatures.

use crate::world::World;
use hpke::{Deserializable, Kem, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::XWing};
use rand_core::Rng;
use symbolon_encoding::Tuple;
use symbolon_fragments::{
    names::Index,
    suite::{Ristretto255Sha512, Scalar, encode_scalar},
};
use symbolon_protocol::ceremony::{Commit, Deal, Join, Message, SealedShares};
use symbolon_trust::Signed;

/// A way to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Commitments of a polynomial of a higher degree.
    LongCommitment,
    /// Commitments of a polynomial of a lower degree.
    ShortCommitment,
    /// A commitment that is no element.
    NoElement,
    /// Another constant than the fragment of the predecessor; in a generate, one whose possession isn't proven.
    OtherConstant,
    /// A proof of possession of something else; in a reshare, one where none is due.
    WrongProof,
    /// A share that is not on the polynomial.
    WrongShare,
    /// A share that is no reduced scalar.
    UnreducedShare,
    /// A share that is too short.
    ShortShare,
    /// Bytes that don't open.
    Garbage,
    /// No share for somebody.
    MissingReceiver,
    /// Joins with different nonces for different members.
    TwoJoins,
    /// Dealings that differ for different members.
    TwoDeals,
}

impl Lie {
    /// All ways.
    pub const ALL: [Self; 12] = [
        Self::LongCommitment,
        Self::ShortCommitment,
        Self::NoElement,
        Self::OtherConstant,
        Self::WrongProof,
        Self::WrongShare,
        Self::UnreducedShare,
        Self::ShortShare,
        Self::Garbage,
        Self::MissingReceiver,
        Self::TwoJoins,
        Self::TwoDeals,
    ];
}

/// The member that lies, and how it does just now; `None`: not at all.
pub struct Liar {
    /// Who.
    pub index: Index,
    /// How.
    pub lie: Option<Lie>,
}

impl Liar {
    /// What goes out instead of a message, and to whom (one bit a member).
    pub fn twist(&mut self, world: &mut World, message: Message) -> Vec<(Message, u8)> {
        let everybody = u8::MAX;
        let Some(lie) = self.lie else { return vec![(message, everybody)] };
        match (message, lie) {
            (Message::Join(join), Lie::TwoJoins) => {
                let mut other = join.body().clone();
                other.nonce[0] ^= 1;
                let half = half(world);
                vec![(Message::Join(join), half), (Message::Join(self.sign(world, other)), !half)]
            }
            (Message::Commit(commit), _) => {
                let twisted = twist_commit(lie, commit.body().clone());
                vec![(Message::Commit(self.sign(world, twisted)), everybody)]
            }
            (Message::Deal(deal), Lie::TwoDeals) => {
                let mut other = deal.body().clone();
                other.shares.iter_mut().skip(1).for_each(|shares| shares.sealed[0] ^= 1);
                let half = half(world);
                vec![(Message::Deal(deal), half), (Message::Deal(self.sign(world, other)), !half)]
            }
            (Message::Deal(deal), _) => {
                let twisted = twist_deal(world, lie, deal.body());
                vec![(Message::Deal(self.sign(world, twisted)), everybody)]
            }
            (message, _) => vec![(message, everybody)],
        }
    }

    fn sign<B: symbolon_trust::Document>(&self, world: &World, body: B) -> Signed<B> {
        let key = &world.account.members[usize::from(self.index.get()) - 1];
        Signed::by(body, [key.as_ref()])
    }
}

fn half(world: &mut World) -> u8 {
    u8::try_from(world.below(256)).unwrap_or(0)
}

fn twist_commit(lie: Lie, mut commit: Commit) -> Commit {
    // ristretto255's generator
    let element = [
        0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f, 0x58,
        0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76,
    ];
    match lie {
        Lie::LongCommitment => commit.commitments.extend_from_slice(&element),
        Lie::ShortCommitment => commit.commitments.truncate(commit.commitments.len() - element.len()),
        Lie::NoElement => commit.commitments[..32].fill(0xff),
        Lie::OtherConstant => commit.commitments[..32].copy_from_slice(&element),
        Lie::WrongProof => match commit.proofs.last_mut() {
            Some(byte) => *byte ^= 1,
            None => commit.proofs.push(0),
        },
        _ => {}
    }
    commit
}

/// What a liar seals.
enum Share {
    /// A random scalar.
    Random,
    /// 32 bytes above every group's order.
    Unreduced,
    /// 31 bytes.
    Short,
}

fn twist_deal(world: &mut World, lie: Lie, deal: &Deal) -> Deal {
    match lie {
        Lie::WrongShare => reseal(world, deal, &Share::Random),
        Lie::UnreducedShare => reseal(world, deal, &Share::Unreduced),
        Lie::ShortShare => reseal(world, deal, &Share::Short),
        Lie::Garbage => {
            let mut deal = deal.clone();
            deal.shares.iter_mut().for_each(|shares| shares.sealed[0] ^= 1);
            deal
        }
        Lie::MissingReceiver => {
            let mut deal = deal.clone();
            deal.shares.pop();
            deal
        }
        // The commitments that went out are not the machine's own: the dealing must name their hash, to be looked at.
        Lie::LongCommitment
        | Lie::ShortCommitment
        | Lie::NoElement
        | Lie::OtherConstant
        | Lie::WrongProof => {
            let mut deal = deal.clone();
            deal.h1 = h1_of_log(world, &deal).unwrap_or(deal.h1);
            reseal(world, &deal, &Share::Random)
        }
        Lie::TwoJoins | Lie::TwoDeals => deal.clone(),
    }
}

/// The hash of the commitments as they stand in the log.
fn h1_of_log(world: &World, deal: &Deal) -> Option<[u8; 32]> {
    let mut commits = std::collections::BTreeMap::new();
    for posted in &world.log {
        if let Ok(Message::Commit(commit)) = Message::from_bytes(&posted.bytes)
            && commit.body().ceremony == deal.ceremony
        {
            commits.insert(commit.body().index, commit.into_body());
        }
    }
    let tuple = Tuple::new("commitments").bytes(&deal.ceremony);
    (!commits.is_empty()).then(|| commits.values().fold(tuple, Tuple::value).sha256())
}

fn reseal(world: &mut World, deal: &Deal, share: &Share) -> Deal {
    let mut twisted = deal.clone();
    for shares in &mut twisted.shares {
        let Some(join) = join_of(world, deal, shares.receiver) else { continue };
        let plain = plaintext(world, share);
        if let Some(sealed) = seal(world, deal, &join, &plain) {
            *shares = sealed;
        }
    }
    twisted
}

fn plaintext(world: &mut World, share: &Share) -> Vec<u8> {
    match share {
        Share::Unreduced => vec![0xff; 32],
        Share::Short => vec![1; 31],
        Share::Random => {
            let number = world.rng.next_u64();
            encode_scalar::<Ristretto255Sha512>(&Scalar::<Ristretto255Sha512>::from(number)).to_vec()
        }
    }
}

fn join_of(world: &World, deal: &Deal, receiver: Index) -> Option<Join> {
    world.log.iter().rev().find_map(|posted| match Message::from_bytes(&posted.bytes) {
        Ok(Message::Join(join)) if join.body().proposal == deal.proposal && join.body().index == receiver => {
            Some(join.into_body())
        }
        _ => None,
    })
}

fn seal(world: &mut World, deal: &Deal, join: &Join, plain: &[u8]) -> Option<SealedShares> {
    let info = Tuple::new("deal")
        .bytes(&deal.ceremony)
        .bytes(&deal.h1)
        .uint(deal.index.get().into())
        .uint(join.index.get().into())
        .encode();
    let key = <XWing as Kem>::PublicKey::from_bytes(&join.key).ok()?;
    let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
        &OpModeS::Base,
        &key,
        &info,
        plain,
        &[],
        &mut world.rng,
    )
    .ok()?;
    Some(SealedShares { receiver: join.index, encapsulated: encapsulated.to_bytes().to_vec(), sealed })
}
