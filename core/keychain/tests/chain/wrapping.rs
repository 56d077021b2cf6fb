//! Wrapping and unwrapping: what is wrapped opens at its place, under its key, and nowhere else.

use crate::support::{ACCOUNT, Chain, NAMES, Names};
use proptest::prelude::*;
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_envelope::sealed::OpenError;
use symbolon_fragments::names::AccountId;
use symbolon_keychain::{Difference, Place, TenantKey, UnwrapError, Wrapped};

/// A wrapped key's three fields, to be put together again in another way.
type Parts = (String, Place, minicbor::bytes::ByteVec);

fn parts(wrapped: &Wrapped) -> Parts {
    from_canonical(&wrapped.to_bytes()).unwrap()
}

fn open(chain: &Chain, wrapped: Wrapped, volume: &str, purpose: &str) -> Result<[u8; 32], UnwrapError> {
    let permit = chain.system.data_permit(volume.parse().unwrap(), purpose.parse().unwrap()).unwrap();
    chain.system_key.unwrap_data_key(permit, wrapped).map(|key| *key.expose())
}

#[test]
fn a_chain_opens_from_top_to_bottom() {
    let mut chain = Chain::new(&NAMES, 1);
    let (key, wrapped) = chain.data_key("vol-1", "luks");
    let wrapped = Wrapped::from_bytes(&wrapped.to_bytes()).unwrap();

    let system = NAMES.system();
    let sealed = TenantKey::unwrap(system.tenant().permit().unwrap(), chain.wrapped_tenant.clone()).unwrap();
    let secret = sealed.sealed().to_vec();
    let tenant_key = sealed.opened(&secret).unwrap();
    let system_key =
        tenant_key.unwrap_system_key(system.permit().unwrap(), chain.wrapped_system.clone()).unwrap();
    let permit = system.data_permit("vol-1".parse().unwrap(), "luks".parse().unwrap()).unwrap();
    assert_eq!(*system_key.unwrap_data_key(permit, wrapped).unwrap().expose(), key);
}

#[test]
fn a_data_key_opens_for_its_volume_and_purpose_only() {
    let mut chain = Chain::new(&NAMES, 1);
    let (key, wrapped) = chain.data_key("vol-1", "luks");
    assert_eq!(open(&chain, wrapped.clone(), "vol-1", "luks"), Ok(key));
    let elsewhere = |difference| Err(UnwrapError::Elsewhere(difference));
    assert_eq!(open(&chain, wrapped.clone(), "vol-2", "luks"), elsewhere(Difference::Volume));
    assert_eq!(open(&chain, wrapped, "vol-1", "backup"), elsewhere(Difference::Purpose));
}

#[test]
fn wrapped_keys_of_other_places_are_told_apart() {
    let cases = [
        (Names { account: AccountId::new([2; 32]), ..NAMES }, Difference::Account),
        (Names { tenant: "umbrella", system: "umbrella/ceph-eu", ..NAMES }, Difference::Tenant),
        (Names { system: "acme/ceph-us", ..NAMES }, Difference::System),
        (Names { version: 2, ..NAMES }, Difference::Version),
    ];
    let chain = Chain::new(&NAMES, 1);
    for (names, difference) in cases {
        let mut other = Chain::new(&names, 2);
        let elsewhere = UnwrapError::Elsewhere(difference);
        let wrapped = other.data_key("vol-1", "luks").1;
        assert_eq!(open(&chain, wrapped, "vol-1", "luks"), Err(elsewhere), "{names:?}");
        let permit = chain.system.permit().unwrap();
        let system = chain.tenant_key.unwrap_system_key(permit, other.wrapped_system);
        assert_eq!(system.err(), Some(elsewhere), "{names:?}");
    }
}

#[test]
fn a_tenants_key_belongs_to_one_root_tenant_and_version() {
    let cases = [
        (Names { account: AccountId::new([2; 32]), ..NAMES }, Difference::Account),
        (Names { root: "other-root", ..NAMES }, Difference::Root),
        (Names { tenant: "umbrella", system: "umbrella/ceph-eu", ..NAMES }, Difference::Tenant),
        (Names { tenant_version: 2, ..NAMES }, Difference::Version),
    ];
    for (names, difference) in cases {
        let other = Chain::new(&names, 2).wrapped_tenant;
        let refused = TenantKey::unwrap(NAMES.tenant().permit().unwrap(), other).err();
        assert_eq!(refused, Some(UnwrapError::Elsewhere(difference)), "{names:?}");
        // And if somebody wrote the right place over it, the root key's context still differs.
        let (own, theirs) = (NAMES.tenant(), names.tenant());
        let context = |tenant: symbolon_keychain::Tenant| {
            tenant.permit::<symbolon_keychain::Unwrap>().unwrap().place().context().hash()
        };
        assert_ne!(context(own), context(theirs), "{names:?}");
    }
}

#[test]
fn a_place_that_is_written_over_does_not_open() {
    let mut chain = Chain::new(&NAMES, 1);
    let (_, right) = chain.data_key("vol-1", "luks");
    let (_, theirs) = chain.data_key("vol-2", "luks");
    let (mark, place, _) = parts(&right);
    let forged = to_canonical(&(mark, place, parts(&theirs).2));
    let forged = Wrapped::from_bytes(&forged).unwrap();
    assert_eq!(open(&chain, forged, "vol-1", "luks"), Err(UnwrapError::NotAuthentic(OpenError::WrongKey)));
}

#[test]
fn another_key_above_does_not_open_it() {
    let mut chain = Chain::new(&NAMES, 1);
    let other = Chain::new(&NAMES, 2);
    let wrapped = chain.data_key("vol-1", "luks").1;
    let refused = Err(UnwrapError::NotAuthentic(OpenError::WrongKey));
    assert_eq!(open(&other, wrapped, "vol-1", "luks"), refused);
    let permit = other.system.permit().unwrap();
    let system = other.tenant_key.unwrap_system_key(permit, chain.wrapped_system);
    assert_eq!(system.err(), Some(UnwrapError::NotAuthentic(OpenError::WrongKey)));
}

#[test]
fn a_permit_below_another_key_makes_nothing() {
    let mut chain = Chain::new(&NAMES, 1);
    let other = Names { version: 2, ..NAMES }.system();
    let permit = other.data_permit("vol-1".parse().unwrap(), "luks".parse().unwrap()).unwrap();
    let made = chain.system_key.generate_data_key(permit, &mut chain.rng);
    assert_eq!(made.err().map(|error| error.0), Some(Difference::Version));
    let permit = Names { tenant_version: 2, ..NAMES }.system().permit().unwrap();
    let made = chain.tenant_key.generate_system_key(permit, &mut chain.rng);
    assert_eq!(made.err().map(|error| error.0), Some(Difference::Version));
}

#[test]
fn what_a_root_key_opens_must_be_a_key() {
    let chain = Chain::new(&NAMES, 1);
    let sealed = TenantKey::unwrap(NAMES.tenant().permit().unwrap(), chain.wrapped_tenant).unwrap();
    assert_eq!(sealed.opened(&[1; 31]).err(), Some(UnwrapError::Length));
}

#[test]
fn every_changed_bit_is_refused() {
    let mut chain = Chain::new(&NAMES, 1);
    let bytes = chain.data_key("vol-1", "luks").1.to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let refused =
            Wrapped::from_bytes(&changed).and_then(|wrapped| open(&chain, wrapped, "vol-1", "luks"));
        assert!(refused.is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(matches!(Wrapped::from_bytes(&bytes[..length]), Err(UnwrapError::Malformed(_))), "{length}");
    }
}

#[test]
fn a_wrapped_key_shows_where_it_belongs_and_nothing_else() {
    let mut chain = Chain::new(&NAMES, 1);
    let (key, wrapped) = chain.data_key("vol-1", "luks");
    let Place::Data(place) = wrapped.place() else { panic!("{wrapped:?}") };
    assert_eq!((place.account, place.volume.as_str()), (ACCOUNT, "vol-1"));
    assert!(!wrapped.to_bytes().windows(8).any(|window| window == &key[..8]));
}

proptest! {
    #[test]
    fn any_volume_and_purpose_come_back(volume in "[^\\p{Cc}]{1,60}", purpose in "[a-z0-9-]{1,63}", seed: u8) {
        let mut chain = Chain::new(&NAMES, seed);
        let (key, wrapped) = chain.data_key(&volume, &purpose);
        let wrapped = Wrapped::from_bytes(&wrapped.to_bytes()).unwrap();
        prop_assert_eq!(open(&chain, wrapped, &volume, &purpose), Ok(key));
    }

    #[test]
    fn reading_any_bytes_ends(bytes: Vec<u8>) {
        if let Ok(wrapped) = Wrapped::from_bytes(&bytes) {
            prop_assert_eq!(wrapped.to_bytes(), bytes);
        }
    }
}
