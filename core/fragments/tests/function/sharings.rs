//! Sharings made in the open, as no deployment does: a polynomial whose coefficients the test knows.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use symbolon_fragments::{
    Evaluator, Fields, Input, Instance, KeyScope, OldRng, Suite, SuiteId,
    names::{AccountId, Index, Purpose, Thumbprint},
    suite::{Ciphersuite, Field, Group, Scalar, encode_element, encode_scalar},
};

pub type FieldOf<S> = <<S as Ciphersuite>::Group as Group>::Field;

/// The quorum systems that the project promises: threshold and members.
pub const SYSTEMS: [(usize, u16); 4] = [(2, 2), (2, 3), (3, 3), (3, 5)];

/// A shared key, all of it.
pub struct Shared<S: Suite> {
    pub polynomial: Vec<Scalar<S>>,
    pub members: Vec<Index>,
}

impl<S: Suite> Shared<S> {
    pub fn random(threshold: usize, members: u16, rng: &mut ChaCha20Rng) -> Self {
        let polynomial = (0..threshold).map(|_| random_scalar::<S>(rng)).collect();
        Self { polynomial, members: (1..=members).map(index).collect() }
    }

    pub fn fragment(&self, member: Index) -> [u8; 32] {
        encode_scalar::<S>(&self.at(u64::from(member.get()).into()))
    }

    pub fn at(&self, x: Scalar<S>) -> Scalar<S> {
        self.polynomial.iter().rev().fold(FieldOf::<S>::zero(), |sum, coefficient| sum * x + *coefficient)
    }

    pub fn instance(&self) -> Instance {
        let commitment: Vec<Vec<u8>> = self.polynomial.iter().map(|c| commit::<S>(c)).collect();
        Instance::new(S::SUITE, &commitment, &self.members).unwrap()
    }

    pub fn evaluator(&self, member: Index) -> Box<dyn Evaluator> {
        self.instance().fragment(member, &self.fragment(member)).unwrap()
    }
}

pub fn commit<S: Suite>(coefficient: &Scalar<S>) -> Vec<u8> {
    encode_element::<S>(&(S::Group::generator() * *coefficient)).unwrap().as_ref().to_vec()
}

pub fn random_scalar<S: Suite>(rng: &mut ChaCha20Rng) -> Scalar<S> {
    FieldOf::<S>::random(&mut OldRng(rng))
}

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

pub fn scope(suite: SuiteId) -> KeyScope {
    KeyScope { account: AccountId::new([1; 32]), suite, key: "acme/notes".parse().unwrap(), version: 3 }
}

pub fn fields(n: u8) -> Fields {
    Fields { purpose: Purpose::Data, writer: Thumbprint::new([2; 32]), created: 1_795_514_400, r: [n; 32] }
}

pub fn inputs(suite: SuiteId, count: u8) -> Vec<Input> {
    (0..count).map(|n| Input::new(&scope(suite), &fields(n))).collect()
}

/// All subsets of that size.
pub fn subsets(members: &[Index], size: usize) -> Vec<Vec<Index>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let with = |i: usize| {
        subsets(&members[i + 1..], size - 1).into_iter().map(move |mut rest| {
            rest.insert(0, members[i]);
            rest
        })
    };
    (0..members.len()).flat_map(with).collect()
}
