//! A sharing made in the open, for loads that need no deployment.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use symbolon_fragments::{
    Evaluator, Fields, Input, Instance, KeyScope, OldRng, Suite, SuiteId, SuiteVisitor,
    names::{AccountId, Index, Purpose, Thumbprint},
    suite::{Field, Group, Scalar, encode_element, encode_scalar},
};

/// The system's generator.
pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A 2-of-3 sharing of a random key: its public side and its managers' fragments.
pub struct Sharing {
    /// The public side.
    pub instance: Instance,
    /// The fragments of members 1, 2, 3.
    pub managers: Vec<Box<dyn Evaluator>>,
}

impl Sharing {
    /// A new one.
    pub fn random(suite: SuiteId) -> Self {
        suite.visit(Deal)
    }

    /// The member at that position of `managers`.
    pub fn index(position: u16) -> Index {
        Index::new(position + 1).expect("it is above zero")
    }
}

struct Deal;

impl SuiteVisitor for Deal {
    type Output = Sharing;

    fn visit<S: Suite>(self) -> Sharing {
        let (constant, slope) = (random::<S>(), random::<S>());
        let commit = |c: &Scalar<S>| encode_element::<S>(&(S::Group::generator() * *c)).expect("not zero");
        let members = [0, 1, 2].map(Sharing::index);
        let commitment = [commit(&constant), commit(&slope)];
        let instance = Instance::new(S::SUITE, &commitment, &members).expect("a sharing");
        let fragment = |index: Index| {
            let secret = constant + slope * u64::from(index.get()).into();
            instance.fragment(index, &encode_scalar::<S>(&secret)).expect("its fragment")
        };
        Sharing { managers: members.map(fragment).into(), instance }
    }
}

fn random<S: Suite>() -> Scalar<S> {
    <S::Group as Group>::Field::random(&mut OldRng(&mut rng()))
}

/// As many inputs, all different.
pub fn inputs(suite: SuiteId, count: u8) -> Vec<Input> {
    let scope = KeyScope {
        account: AccountId::new([1; 32]),
        suite,
        key: "acme/notes".parse().expect("a key id"),
        version: 1,
    };
    let fields = |n| Fields {
        purpose: Purpose::Data,
        writer: Thumbprint::new([2; 32]),
        created: 1_795_514_400,
        r: [n; 32],
    };
    (0..count).map(|n| Input::new(&scope, &fields(n))).collect()
}
