//! A mobile adversary takes other managers each epoch, t−1 at a time, with everything on their disks and in their memory
//! and the whole ceremony log. The linear equations over the scalar field that it then holds leave the key free.
//!
//! The unknowns are all coefficients of all polynomials that were ever dealt. The equations' coefficients are known to
//! everybody; their right sides are what the adversary reads. The test makes real ceremonies, solves for all unknowns by
//! means that no adversary has (every one-time key, made again from the generator), and checks that each fragment on each
//! disk and each sealed share is the value of its equation: so it is about what the program does, not about a formula.

use hpke::{Deserializable, Kem, OpModeR, aead::AesGcm256, kdf::HkdfSha256, kem::XWing};
use std::collections::BTreeMap;
use symbolon_encoding::Tuple;
use symbolon_faults::{
    account::{account, index},
    check::Facts,
    disk::Disk,
    schedule::round,
    world::World,
};
use symbolon_fragments::{
    Quorum, Ristretto255Sha512, SuiteId,
    names::Index,
    suite::{Ciphersuite, Field, Group, Scalar, decode_scalar, encode_element},
};
use symbolon_protocol::ceremony::{Deal, Event, Message, Status};

type S = Ristretto255Sha512;
type Number = Scalar<S>;
type F = <<S as Ciphersuite>::Group as Group>::Field;

const N: u16 = 5;
const T: u16 = 3;
const EPOCHS: usize = 4;

/// A linear form in the unknowns; absent ones are zero.
type Form = BTreeMap<usize, Number>;

/// The polynomials of one ceremony, by dealer: each coefficient a linear form.
type Dealt = BTreeMap<Index, Vec<Form>>;

/// All ceremonies, symbolically.
struct Algebra {
    ceremonies: Vec<Dealt>,
    unknowns: usize,
}

fn members() -> Vec<Index> {
    (1..=N).map(index).collect()
}

fn add(sum: &mut Form, form: &Form, factor: Number) {
    for (unknown, coefficient) in form {
        let entry = sum.entry(*unknown).or_insert_with(F::zero);
        *entry += factor * coefficient;
    }
}

/// A polynomial's value at a member.
fn at(polynomial: &[Form], member: Index) -> Form {
    let (x, mut power, mut sum) = (Number::from(u64::from(member.get())), Number::from(1u64), Form::new());
    for coefficient in polynomial {
        add(&mut sum, coefficient, power);
        power *= x;
    }
    sum
}

impl Algebra {
    fn new() -> Self {
        let mut algebra = Self { ceremonies: Vec::new(), unknowns: 0 };
        let first = members()
            .into_iter()
            .map(|dealer| (dealer, (0..T).map(|_| algebra.unknown()).collect()))
            .collect();
        algebra.ceremonies.push(first);
        for _ in 1..EPOCHS {
            let next = members().into_iter().map(|dealer| {
                let constant = algebra.fragment(algebra.ceremonies.len() - 1, dealer);
                let rest: Vec<_> = (1..T).map(|_| algebra.unknown()).collect();
                (dealer, std::iter::once(constant).chain(rest).collect())
            });
            let next = next.collect();
            algebra.ceremonies.push(next);
        }
        algebra
    }

    fn unknown(&mut self) -> Form {
        self.unknowns += 1;
        Form::from([(self.unknowns - 1, Number::from(1u64))])
    }

    /// What the dealer deals to the member in a ceremony.
    fn share(&self, ceremony: usize, dealer: Index, member: Index) -> Form {
        at(&self.ceremonies[ceremony][&dealer], member)
    }

    /// A member's fragment in an epoch.
    fn fragment(&self, epoch: usize, member: Index) -> Form {
        let weights = match epoch {
            0 => vec![Number::from(1u64); usize::from(N)],
            _ => Quorum::<S>::new(&members()).unwrap().coefficients().to_vec(),
        };
        let mut sum = Form::new();
        for (dealer, weight) in members().into_iter().zip(weights) {
            add(&mut sum, &self.share(epoch, dealer, member), weight);
        }
        sum
    }

    fn key(&self) -> Form {
        let mut sum = Form::new();
        for polynomial in self.ceremonies[0].values() {
            add(&mut sum, &polynomial[0], Number::from(1u64));
        }
        sum
    }

    /// Everything in a member's memory during a ceremony: what it deals, what it is dealt, its one-time key.
    fn memory(&self, ceremony: usize, member: Index) -> Vec<Form> {
        let dealt = self.ceremonies[ceremony][&member].iter().cloned();
        dealt.chain(members().into_iter().map(|dealer| self.share(ceremony, dealer, member))).collect()
    }

    /// Whether equations with these left sides determine the key.
    fn determines(&self, equations: &[Form]) -> bool {
        rank(equations) == rank(&[equations, &[self.key()]].concat())
    }
}

fn rank(forms: &[Form]) -> usize {
    let mut pivots: BTreeMap<usize, Form> = BTreeMap::new();
    for form in forms {
        let mut form = form.clone();
        while let Some((lead, factor)) = leading(&form) {
            let Some(pivot) = pivots.get(&lead) else {
                let inverse = F::invert(&factor).expect("a leading coefficient is not zero");
                let mut monic = Form::new();
                add(&mut monic, &form, inverse);
                pivots.insert(lead, monic);
                break;
            };
            add(&mut form, pivot, F::zero() - factor);
        }
    }
    pivots.len()
}

fn leading(form: &Form) -> Option<(usize, Number)> {
    form.iter().find(|(_, coefficient)| **coefficient != F::zero()).map(|(unknown, c)| (*unknown, *c))
}

/// Real ceremonies: the world after the last of them, and every fragment of every epoch.
fn ceremonies() -> (World, Vec<BTreeMap<Index, Number>>) {
    let mut world = World::new(5, vec![Disk::default(); usize::from(N)], Facts::default());
    (0..world.nodes.len()).for_each(|at| world.start(at).unwrap());
    let proposal = account().generate(SuiteId::Ristretto255Sha512, &members(), T, 1, 9);
    world.announce(&Message::Proposal(proposal));
    let mut fragments = Vec::new();
    for epoch in 1..=EPOCHS as u64 {
        if epoch > 1 {
            world.handle(0, Event::Refresh(Vec::new())).unwrap();
        }
        for _ in 0..6 {
            round(&mut world).unwrap();
        }
        fragments.push(
            world
                .nodes
                .iter()
                .map(|node| {
                    let stored: Vec<_> = node.disk.instances.values().collect();
                    let [only] = stored.as_slice() else { panic!("{}", world.describe()) };
                    assert_eq!((only.status, only.certificate.body().epoch), (Status::Settled, epoch));
                    (node.index, decode_scalar::<S>(&only.fragment).unwrap())
                })
                .collect(),
        );
    }
    (world, fragments)
}

/// Every dealing of the log, in the order of the ceremonies.
fn deals(world: &World) -> Vec<Vec<Deal>> {
    let mut ceremonies: Vec<Vec<Deal>> = Vec::new();
    for posted in &world.log {
        if let Ok(Message::Deal(deal)) = Message::from_bytes(&posted.bytes) {
            let deal = deal.into_body();
            match ceremonies.iter_mut().find(|deals| deals[0].ceremony == deal.ceremony) {
                Some(deals) => deals.push(deal),
                None => ceremonies.push(vec![deal]),
            }
        }
    }
    ceremonies
}

/// A one-time key that its member did not erase: made again from the generator that made it.
fn kept_key(world: &World, ceremony: usize, member: Index) -> <XWing as Kem>::PrivateKey {
    let of_member = world.joins.iter().filter(|(index, _)| *index == member);
    let (_, generator) = of_member.clone().nth(ceremony).expect("every member joined every ceremony");
    XWing::gen_keypair_with_rng(&mut generator.clone()).0
}

/// The share that a dealer sealed to a member, opened with a kept key.
fn opened(deal: &Deal, member: Index, key: &<XWing as Kem>::PrivateKey) -> Number {
    let shares = deal.shares.iter().find(|shares| shares.receiver == member).unwrap();
    let info = Tuple::new("deal").bytes(&deal.ceremony).bytes(&deal.h1);
    let info = info.uint(deal.index.get().into()).uint(member.get().into()).encode();
    let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&shares.encapsulated).unwrap();
    let plain = hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
        &OpModeR::Base,
        key,
        &encapsulated,
        &info,
        &shares.sealed,
        &[],
    );
    decode_scalar::<S>(&plain.expect("the kept key opens the share")).unwrap()
}

/// The coefficients of the polynomial of degree below `T` through these points.
fn interpolate(points: &[(Index, Number)]) -> Vec<Number> {
    let zero_poly = || vec![F::zero(); usize::from(T)];
    let mut sum = zero_poly();
    for (i, y) in points {
        let (mut basis, mut scale) = (vec![Number::from(1u64)], *y);
        for (j, _) in points.iter().filter(|(j, _)| j != i) {
            let (xi, xj) = (Number::from(u64::from(i.get())), Number::from(u64::from(j.get())));
            scale *= F::invert(&(xi - xj)).unwrap();
            let mut next = vec![F::zero(); basis.len() + 1];
            for (k, c) in basis.iter().enumerate() {
                next[k + 1] += c;
                next[k] -= c * xj;
            }
            basis = next;
        }
        for (k, c) in basis.iter().enumerate() {
            sum[k] += c * scale;
        }
    }
    sum
}

/// The values of all unknowns in the real ceremonies.
fn solve(world: &World, algebra: &Algebra) -> Vec<Number> {
    let mut values = Vec::new();
    for (ceremony, deals) in deals(world).iter().enumerate() {
        for dealer in members() {
            let deal = deals.iter().find(|deal| deal.index == dealer).unwrap();
            let receivers = members().into_iter().filter(|member| *member != dealer).take(T.into());
            let points: Vec<_> = receivers
                .map(|member| (member, opened(deal, member, &kept_key(world, ceremony, member))))
                .collect();
            let skip = usize::from(ceremony > 0); // a reshare's constants are no unknowns of their own
            values.extend(interpolate(&points).into_iter().skip(skip));
        }
    }
    assert_eq!(values.len(), algebra.unknowns);
    values
}

fn value(form: &Form, values: &[Number]) -> Number {
    form.iter().fold(F::zero(), |sum, (unknown, coefficient)| sum + values[*unknown] * coefficient)
}

#[test]
fn the_equations_are_those_of_the_program() {
    let (world, fragments) = ceremonies();
    let algebra = Algebra::new();
    let values = solve(&world, &algebra);
    let y = &world.facts.certificates.values().next().unwrap().y;
    let key = <S as Ciphersuite>::Group::generator() * value(&algebra.key(), &values);
    assert_eq!(encode_element::<S>(&key).unwrap().as_ref(), &y[..]);
    for (epoch, held) in fragments.iter().enumerate() {
        for (member, fragment) in held {
            assert_eq!(
                value(&algebra.fragment(epoch, *member), &values),
                *fragment,
                "{member} in epoch {epoch}"
            );
        }
    }
    for (ceremony, deals) in deals(&world).iter().enumerate() {
        let deal = &deals[0];
        let last = *members().last().unwrap();
        let share = opened(deal, last, &kept_key(&world, ceremony, last));
        assert_eq!(value(&algebra.share(ceremony, deal.index, last), &values), share);
    }
}

#[test]
fn other_managers_in_each_epoch_leave_the_key_free() {
    let algebra = Algebra::new();
    let visits = |epoch: u16| (0..T - 1).map(move |number| index(1 + (number + 2 * epoch) % N));
    let mut held = Vec::new();
    for (epoch, number) in (0..EPOCHS).zip(0u16..) {
        held.extend(visits(number).map(|member| algebra.fragment(epoch, member)));
    }
    assert_eq!(held.len(), EPOCHS * usize::from(T - 1));
    assert!(!algebra.determines(&held));
    // One manager more in one epoch is one too many.
    let other = members().into_iter().find(|member| !visits(2).any(|visited| visited == *member)).unwrap();
    let mut one_more = held.clone();
    one_more.push(algebra.fragment(2, other));
    assert!(algebra.determines(&one_more));
}

#[test]
fn who_stays_in_managers_during_ceremonies_learns_no_more() {
    let algebra = Algebra::new();
    // In the ceremony to epoch e it is in manager e, with all memory; so in epoch e in managers e and e + 1: t - 1.
    let mut held = Vec::new();
    for ceremony in 0..EPOCHS {
        let member = index(u16::try_from(ceremony).unwrap() + 1);
        held.extend(algebra.memory(ceremony, member));
        held.push(algebra.fragment(ceremony, member));
        if ceremony > 0 {
            held.push(algebra.fragment(ceremony - 1, member));
        }
    }
    assert!(!algebra.determines(&held));
}

#[test]
fn a_kept_one_time_key_determines_the_key() {
    let algebra = Algebra::new();
    // The same visits, one manager an epoch fewer than allowed; but what it finds opens all that was dealt to it before.
    let mut held = Vec::new();
    for epoch in 0..EPOCHS {
        let member = index(u16::try_from(epoch).unwrap() + 1);
        held.push(algebra.fragment(epoch, member));
        for ceremony in 0..=epoch {
            held.extend(members().into_iter().map(|dealer| algebra.share(ceremony, dealer, member)));
        }
    }
    assert!(algebra.determines(&held));
}

/// A refresh in which one member alone deals, a polynomial that is zero at zero: not this protocol.
#[test]
fn a_single_dealer_would_determine_the_key() {
    let algebra = Algebra::new();
    let first = |member| algebra.fragment(0, member);
    let (mut unknowns, mut held, mut zeros): (usize, Vec<Form>, Vec<Vec<Form>>) =
        (algebra.unknowns, Vec::new(), Vec::new());
    for epoch in 0..EPOCHS {
        let fragment = |member: Index, zeros: &[Vec<Form>]| {
            let mut sum = first(member);
            for zero in zeros {
                add(&mut sum, &at(zero, member), Number::from(1u64));
            }
            sum
        };
        // The adversary is in the dealer's memory during each ceremony, and in one other manager afterwards.
        let visited = index(u16::try_from(epoch).unwrap() + 1);
        held.push(fragment(visited, &zeros));
        let zero: Vec<Form> = std::iter::once(Form::new())
            .chain((1..T).map(|_| {
                unknowns += 1;
                Form::from([(unknowns - 1, Number::from(1u64))])
            }))
            .collect();
        held.extend(zero.iter().cloned());
        zeros.push(zero);
    }
    assert!(algebra.determines(&held));
}
