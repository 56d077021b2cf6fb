//! The owner's folder, alone and between two administrators.

use super::{
    Administrator, GrantTerms, NewAccount, NewMember, Office, Owner, OwnerError, RootChange, Signer, Waiting,
    sign_first_root,
};
use crate::error::FileError;
use crate::secret::{Protection, SecretError, Unlock};
use std::path::{Path, PathBuf};
use symbolon_envelope::sealed::{Cost, OpenError, Passphrase};
use symbolon_fragments::names::{Index, KeyId, SetId};
use symbolon_trust::{
    AccessManager, Action, KeyPair, MembersError, Operation, OrderError, PublicKey, RootError, RootRule,
    Seconds, Shape, Spread, TrustedRoot,
};
use zeroize::Zeroizing;

struct Knows(&'static str);

impl Unlock for Knows {
    fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(self.0.into()))
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}

fn passphrase() -> Protection {
    let cheap = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    Protection::Passphrase(Passphrase::new("right".into()).costing(cheap))
}

fn public(number: u8) -> PublicKey {
    KeyPair::from_seed(&[number; 32]).public()
}

fn manager(number: u8) -> NewMember {
    NewMember {
        name: format!("kfm-{number}"),
        key: public(number),
        address: format!("127.0.0.1:{number}"),
        operator: String::new(),
        cloud: String::new(),
        region: String::new(),
    }
}

fn new_account() -> NewAccount {
    NewAccount {
        access_manager: AccessManager { key: public(100), address: "127.0.0.1:100".into() },
        permit: public(101),
        managers: [1, 2, 3].map(manager).into(),
        minimum: Shape { t: 2, n: 2 },
        spread: Spread::None,
        administrators: Vec::new(),
        threshold: 1,
    }
}

fn terms() -> GrantTerms {
    GrantTerms {
        keys: vec!["shop/*".parse().unwrap()],
        holder: public(50).thumbprint(),
        operations: [Operation::Encrypt].into_iter().collect(),
        rate: 0,
        not_before: Seconds(0),
        not_after: Seconds(u64::MAX),
    }
}

fn key(text: &str) -> KeyId {
    text.parse().unwrap()
}

#[test]
fn what_was_signed_is_there_when_the_folder_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::found(folder.path(), new_account(), &passphrase()).unwrap();
    let (mut knows, place) = (Knows("right"), folder.path());
    let mut signer = Signer::new(place, &mut knows);
    let grant = owner.make_grant(&mut signer, terms()).unwrap();
    assert_eq!(owner.make_grant(&mut signer, terms()).unwrap().body().id, 2);
    owner.deny_more(&mut signer, |deny| deny.deny_grant(1, 1)).unwrap();
    owner.deny_more(&mut signer, |deny| deny.disable_key(key("shop/a"))).unwrap();
    let destroy = Action::Destroy { key: key("shop/a"), version: 1, execute_after: Seconds(0) };
    owner.order(&mut signer, destroy).unwrap();
    owner.change_root(&mut signer, RootChange::AddManagers(vec![manager(4)])).unwrap();

    let again = Owner::open(place).unwrap();
    assert_eq!(again.account(), owner.account());
    assert_eq!(again.grant(1), Some(&grant));
    assert_eq!(again.deny().unwrap().document().version, 2);
    assert!(again.denials().check_grant(1, 1).is_err());
    assert!(again.denials().check_version(&key("shop/a"), 1).is_err());
    assert_eq!(again.orders().highest_serial(), 1);
    assert_eq!(again.root().document().version, 2);
    assert_eq!(again.root().member(Index::new(4).unwrap()).unwrap().name, "kfm-4");
}

#[test]
fn two_commands_at_once_give_two_numbers() {
    let folder = tempfile::tempdir().unwrap();
    drop(Owner::found(folder.path(), new_account(), &passphrase()).unwrap());
    let grant = || {
        let mut knows = Knows("right");
        let mut owner = Owner::open_to_sign(folder.path()).unwrap();
        assert!(owner.is_locked());
        owner.make_grant(&mut Signer::new(folder.path(), &mut knows), terms()).unwrap().body().id
    };
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|_| scope.spawn(grant)).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn an_enabled_key_is_enabled_and_a_spared_one_spared() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::found(folder.path(), new_account(), &passphrase()).unwrap();
    let mut knows = Knows("right");
    let mut signer = Signer::new(folder.path(), &mut knows);
    assert!(owner.enable(&mut signer, &key("shop/a")).unwrap().is_none());
    owner.deny_more(&mut signer, |deny| deny.disable_key(key("shop/a"))).unwrap();
    assert!(owner.denials().check_key(&key("shop/a")).is_err());
    owner.enable(&mut signer, &key("shop/a")).unwrap().unwrap();
    owner.denials().check_key(&key("shop/a")).unwrap();

    let destroy = |version| Action::Destroy { key: key("shop/a"), version, execute_after: Seconds(0) };
    owner.order(&mut signer, destroy(1)).unwrap();
    owner.order(&mut signer, destroy(2)).unwrap();
    assert_eq!(owner.cancel_destruction(&mut signer, &key("shop/a")).unwrap().len(), 2);
    assert!(owner.cancel_destruction(&mut signer, &key("shop/a")).unwrap().is_empty());
    assert!(owner.orders().destructions().all(|found| found.cancelled));
    owner.denials().check_version(&key("shop/a"), 2).unwrap();
}

#[test]
fn what_is_against_a_rule_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let same = NewAccount { permit: public(1), ..new_account() };
    let refused = Owner::found(folder.path(), same, &passphrase());
    assert!(matches!(refused, Err(OwnerError::Root(RootError::Rule(RootRule::KeyInTwoOffices(_))))));
    let mut owner = Owner::found(folder.path(), new_account(), &passphrase()).unwrap();
    let again = Owner::found(folder.path(), new_account(), &passphrase());
    assert!(matches!(again, Err(OwnerError::File(FileError::Exists { .. }))));

    let mut knows = Knows("right");
    let mut signer = Signer::new(folder.path(), &mut knows);
    let alone =
        owner.reshare(&mut signer, vec![SetId::new([1; 32])], vec![Index::new(1).unwrap()], 1, vec![]);
    let error = OrderError::Members(MembersError::Shape { t: 1, n: 1, minimum: Shape { t: 2, n: 2 } });
    assert!(matches!(alone, Err(OwnerError::Order(found)) if found == error));
    assert_eq!(owner.orders().highest_serial(), 0);
    let unknown = owner.change_root(&mut signer, RootChange::Retire(Index::new(9).unwrap()));
    assert!(matches!(unknown, Err(OwnerError::Member(_))));
    assert_eq!(Owner::open(folder.path()).unwrap().root().document().version, 1);
}

#[test]
fn a_wrong_passphrase_signs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::found(folder.path(), new_account(), &passphrase()).unwrap();
    let mut knows = Knows("wrong");
    let refused = owner.make_grant(&mut Signer::new(folder.path(), &mut knows), terms());
    let wrong = |cause: &OpenError| matches!(cause, OpenError::WrongKey);
    assert!(matches!(refused, Err(OwnerError::Secret(SecretError::Open { cause, .. })) if wrong(&cause)));
    assert_eq!(owner.grants().count(), 0);
}

/// Two administrators of whom both must sign, with copies of one another's public files.
struct Two {
    ours: tempfile::TempDir,
    theirs: tempfile::TempDir,
}

impl Two {
    fn found() -> Self {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let second: Administrator = Owner::administrator(theirs.path(), &passphrase()).unwrap();
        let new = NewAccount { administrators: vec![second], threshold: 2, ..new_account() };
        let waits = Owner::found(ours.path(), new, &passphrase()).unwrap_err();
        let OwnerError::MoreSignatures { file, .. } = waits else { panic!("{waits}") };
        let Waiting::Root(first) = Waiting::read(&file).unwrap() else { panic!() };
        let mut knows = Knows("right");
        let signed = sign_first_root(&file, first, &mut Signer::new(theirs.path(), &mut knows)).unwrap();
        signed.unwrap();
        std::fs::copy(&file, theirs.path().join("account.root")).unwrap();
        Self { ours, theirs }
    }
}

#[test]
fn two_administrators_sign_what_neither_can_alone() {
    let two = Two::found();
    let mut ours = Owner::open(two.ours.path()).unwrap();
    let mut theirs = Owner::open(two.theirs.path()).unwrap();
    assert_eq!(ours.account(), theirs.account());
    let (mut we, mut they) = (Knows("right"), Knows("right"));
    let waits = ours.make_grant(&mut Signer::new(two.ours.path(), &mut we), terms()).unwrap_err();
    let OwnerError::MoreSignatures { file, .. } = waits else { panic!("{waits}") };
    assert_eq!(ours.grants().count(), 0);
    let waiting = Waiting::read(&file).unwrap();
    theirs.sign_too(&file, waiting, &mut Signer::new(two.theirs.path(), &mut they)).unwrap();
    let grant = theirs.grant(1).unwrap();
    ours.root().document().roles.policy.check(grant).unwrap();
    // One alone can deny, and what both denied at the same time comes together in the next one.
    let mut we = Signer::new(two.ours.path(), &mut we);
    ours.deny_more(&mut we, |deny| deny.deny_grant(1, 1)).unwrap();
    let mut they = Signer::new(two.theirs.path(), &mut they);
    let rival = theirs.deny_more(&mut they, |deny| deny.deny_grant(2, 1)).unwrap();
    ours.hear_deny(rival).unwrap();
    let both = ours.deny_more(&mut we, |_| ()).unwrap();
    assert_eq!((both.body().version, both.body().grants.len(), ours.rival()), (2, 2, None));
    theirs.hear_deny(both.clone()).unwrap();
    assert_eq!(theirs.deny().unwrap().signed(), &both);
    let root: &TrustedRoot = ours.root();
    assert_eq!(root.document().roles.root.threshold, 2);
}

fn role_keys(owner: &Owner, office: Office) -> Vec<PublicKey> {
    office.role(&owner.root().document().roles).keys.clone()
}

#[test]
fn a_rotated_key_takes_over_and_the_old_one_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::found(folder.path(), new_account(), &passphrase()).unwrap();
    let mut knows = Knows("right");
    let mut signer = Signer::new(folder.path(), &mut knows);
    for _ in 0..2 {
        owner.make_grant(&mut signer, terms()).unwrap();
    }
    owner.deny_more(&mut signer, |deny| deny.deny_grant(2, 1)).unwrap();
    for (office, version) in Office::ALL.into_iter().zip(2..) {
        let before = role_keys(&owner, office);
        let renewed = owner.rotate_key(&mut signer, office).unwrap();
        assert_ne!(role_keys(&owner, office), before);
        assert_eq!(owner.root().document().version, version);
        // The revoked grant stays revoked, and nobody signs it again.
        let serials: Vec<_> =
            renewed.grants.iter().map(|grant| (grant.body().id, grant.body().serial)).collect();
        assert_eq!(serials, if office == Office::Policy { vec![(1, 2)] } else { vec![] });
        assert!(renewed.waiting.is_empty());
    }
    assert_eq!(owner.usable_grants().map(|grant| grant.body().id).collect::<Vec<_>>(), [1]);
    assert_eq!(owner.deny().unwrap().document().version, 2, "signed anew by the new key");
    assert_eq!(std::fs::read_dir(folder.path().join("keys")).unwrap().count(), 3);

    // Another process finds the new keys, and they do everything.
    let (mut again, mut knows) = (Owner::open(folder.path()).unwrap(), Knows("right"));
    let mut signer = Signer::new(folder.path(), &mut knows);
    again.make_grant(&mut signer, terms()).unwrap();
    again.deny_more(&mut signer, |deny| deny.deny_grant(1, 2)).unwrap();
    again.change_root(&mut signer, RootChange::AddManagers(vec![manager(4)])).unwrap();
}

#[test]
fn a_rotation_waits_for_the_other_administrator_and_goes_on() {
    let two = Two::found();
    let mut ours = Owner::open(two.ours.path()).unwrap();
    let mut theirs = Owner::open(two.theirs.path()).unwrap();
    let (mut we, mut they) = (Knows("right"), Knows("right"));
    let mut we = Signer::new(two.ours.path(), &mut we);
    let mut they = Signer::new(two.theirs.path(), &mut they);
    let grant = {
        let waits = ours.make_grant(&mut we, terms()).unwrap_err();
        let OwnerError::MoreSignatures { file, .. } = waits else { panic!("{waits}") };
        theirs.sign_too(&file, Waiting::read(&file).unwrap(), &mut they).unwrap();
        theirs.grant(1).unwrap().clone()
    };
    ours.keep_grant(grant).unwrap();
    for office in [Office::Root, Office::Policy] {
        let waits = ours.rotate_key(&mut we, office).unwrap_err();
        let OwnerError::MoreSignatures { file, .. } = waits else { panic!("{waits}") };
        let proposed = std::fs::read(&file).unwrap();
        assert!(matches!(ours.rotate_key(&mut we, office), Err(OwnerError::MoreSignatures { .. })));
        assert_eq!(std::fs::read(&file).unwrap(), proposed, "the same key, the same document");
        theirs.sign_too(&file, Waiting::read(&file).unwrap(), &mut they).unwrap();
        let renewed = ours.rotate_key(&mut we, office).unwrap();
        assert_eq!(ours.root().document(), theirs.root().document());
        // The grant had both signatures; now it has one, and waits for the other.
        assert_eq!(renewed.waiting.len(), usize::from(office == Office::Policy));
    }
    let waiting = two.ours.path().join("unsigned/1.grant");
    theirs.sign_too(&waiting, Waiting::read(&waiting).unwrap(), &mut they).unwrap();
    assert_eq!(theirs.usable_grants().map(|grant| grant.body().serial).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_key_that_is_not_the_accounts_is_not_rotated() {
    let two = Two::found();
    let stranger = tempfile::tempdir().unwrap();
    Owner::administrator(stranger.path(), &passphrase()).unwrap();
    std::fs::copy(two.ours.path().join("account.root"), stranger.path().join("account.root")).unwrap();
    let mut knows = Knows("right");
    let mut owner = Owner::open(stranger.path()).unwrap();
    let refused = owner.rotate_key(&mut Signer::new(stranger.path(), &mut knows), Office::Deny);
    assert!(matches!(refused, Err(OwnerError::NotInOffice(Office::Deny))));
}
