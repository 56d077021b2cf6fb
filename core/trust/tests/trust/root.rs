//! Root documents: installing, succeeding, and every rule that they may break.

use crate::support::{Account, all, document, index, pair};
use symbolon_trust::{
    EligibleMembers, KeyPair, MembersError, Role, RootDocument, RootError, RootRule, Shape, ShapeWarning,
    SignatureError, Signed, Spread, TrustedRoot, binding_quorum, hash, shape_warning,
};

fn install(body: RootDocument) -> Result<TrustedRoot, RootError> {
    TrustedRoot::install(body.account(), Signed::by(body, [&pair(1, 1)]))
}

fn broken(edit: impl FnOnce(&mut RootDocument)) -> RootError {
    let mut body = document(1);
    edit(&mut body);
    install(body).unwrap_err()
}

fn successor(root: &TrustedRoot) -> RootDocument {
    let body = root.document().clone();
    RootDocument { version: body.version + 1, previous: Some(hash(&body)), ..body }
}

#[test]
fn the_first_document_is_trusted_by_the_accounts_id_alone() {
    let body = document(1);
    let signed = Signed::by(body.clone(), [&pair(1, 1)]);
    TrustedRoot::install(body.account(), signed.clone()).unwrap();
    let other = document(2).account();
    let error = TrustedRoot::install(other, signed).unwrap_err();
    assert_eq!(error, RootError::Account { expected: other, found: body.account() });
    let unsigned = TrustedRoot::install(body.account(), Signed::by(body, [&pair(2, 1)])).unwrap_err();
    assert_eq!(unsigned, RootError::OwnSignature(SignatureError::TooFew { got: 0, needed: 1 }));
}

#[test]
fn accounts_with_the_same_keys_are_told_apart_by_the_nonce() {
    let (one, mut two) = (document(1), document(1));
    two.nonce = [9; 16];
    assert_ne!(one.account(), two.account());
}

#[test]
fn every_rule_for_a_document_holds() {
    let rule = |rule: RootRule| RootError::Rule(rule);
    assert_eq!(broken(|b| b.previous = Some([0; 32])), rule(RootRule::Previous));
    assert_eq!(broken(|b| b.roles.deny.threshold = 2), rule(RootRule::Role("deny")));
    assert_eq!(broken(|b| b.roles.permit.threshold = 0), rule(RootRule::Role("permit")));
    assert_eq!(broken(|b| b.roles.policy.keys.reverse()), rule(RootRule::Role("policy")));
    assert_eq!(broken(|b| b.roles.policy.keys[1] = b.roles.policy.keys[0]), rule(RootRule::Role("policy")));
    assert_eq!(broken(|b| b.roster.swap(0, 1)), rule(RootRule::RosterOrder));
    assert_eq!(broken(|b| b.roster[1].name = "kfm-1".into()), rule(RootRule::Name("kfm-1".into())));
    assert_eq!(broken(|b| b.roster[1].name.clear()), rule(RootRule::Name(String::new())));
    assert_eq!(broken(|b| b.roster[1].cloud = "x".repeat(256)), rule(RootRule::Text));
    assert_eq!(broken(|b| b.minimum = Shape { t: 1, n: 1 }), rule(RootRule::Minimum));
    assert_eq!(broken(|b| b.minimum = Shape { t: 3, n: 2 }), rule(RootRule::Minimum));
    let version = RootDocument { version: 2, ..document(1) };
    assert!(matches!(install(version), Err(RootError::Account { .. })));
}

#[test]
fn no_key_has_two_offices() {
    let two = |key| RootError::Rule(RootRule::KeyInTwoOffices(key));
    let [root, permit, manager] = [1, 6, 11].map(|number| pair(1, number).public());
    assert_eq!(broken(|b| b.roles.permit = Role::new(1, [root])), two(root));
    assert_eq!(broken(|b| b.access_manager.key = root), two(root));
    assert_eq!(broken(|b| b.roster[1].key = manager), two(manager));
    assert_eq!(broken(|b| b.roster[1].key = permit), two(permit));
    assert_eq!(broken(|b| b.roles.deny = Role::new(1, [manager])), two(manager));
    let mut owner_alone = document(1);
    owner_alone.roles.policy = Role::new(1, [root]);
    owner_alone.roles.deny = Role::new(1, [root]);
    owner_alone.access_manager.key = permit;
    install(owner_alone).unwrap();
}

#[test]
fn a_successor_is_signed_by_the_old_and_the_new_quorum() {
    let account = Account::new(1);
    let new_owner = KeyPair::from_seed(&[77; 32]);
    let mut next = successor(&account.root);
    next.roles.root = Role::new(1, [new_owner.public()]);
    let by = |keys: &[&KeyPair]| account.root.succeed(Signed::by(next.clone(), keys.iter().copied()));
    let missing = SignatureError::TooFew { got: 0, needed: 1 };
    assert_eq!(by(&[&account.owner]), Err(RootError::OwnSignature(missing)));
    assert_eq!(by(&[&new_owner]), Err(RootError::PredecessorsSignature(missing)));
    let second = by(&[&account.owner, &new_owner]).unwrap();
    assert_eq!(second.account(), account.root.account());
    assert_eq!(second.document(), &next);

    let third = second.succeed(Signed::by(successor(&second), [&new_owner])).unwrap();
    let chain = third.chain().to_vec();
    assert_eq!(TrustedRoot::replay(third.account(), chain.clone()).unwrap(), third);
    assert_eq!(TrustedRoot::replay(third.account(), []), Err(RootError::Missing));
    let skipped = [chain[0].clone(), chain[2].clone()];
    assert_eq!(TrustedRoot::replay(third.account(), skipped), Err(RootError::Rule(RootRule::NotNext(1))));
}

#[test]
fn a_successor_follows_and_keeps_the_roster() {
    let account = Account::new(1);
    let refused = |edit: &dyn Fn(&mut RootDocument)| {
        let mut next = successor(&account.root);
        edit(&mut next);
        match account.root.succeed(Signed::by(next, [&account.owner])).unwrap_err() {
            RootError::Rule(rule) => rule,
            other => panic!("{other}"),
        }
    };
    assert_eq!(refused(&|b| b.version = 3), RootRule::NotNext(1));
    assert_eq!(refused(&|b| b.previous = Some([1; 32])), RootRule::NotNext(1));
    assert_eq!(refused(&|b| b.nonce = [0; 16]), RootRule::NotNext(1));
    assert_eq!(refused(&|b| b.created.0 -= 1), RootRule::Created);
    assert_eq!(refused(&|b| drop(b.roster.remove(1))), RootRule::Entry(index(2)));
    assert_eq!(refused(&|b| b.roster[1].key = pair(3, 3).public()), RootRule::Entry(index(2)));
    assert_eq!(refused(&|b| b.roster[1].kind = b.roster[3].kind), RootRule::Entry(index(2)));

    let mut retiring = successor(&account.root);
    retiring.roster[1].retired = true;
    let root = account.root.succeed(Signed::by(retiring, [&account.owner])).unwrap();
    let mut back = successor(&root);
    back.roster[1].retired = false;
    let error = root.succeed(Signed::by(back, [&account.owner])).unwrap_err();
    assert_eq!(error, RootError::Rule(RootRule::Entry(index(2))));
    assert_eq!(EligibleMembers::check(&root, &all(), 2), Err(MembersError::Retired(index(2))));
}

#[test]
fn only_eligible_members_form_a_set() {
    let account = Account::new(1);
    let check = |members: &[u16], t| {
        let members: Vec<_> = members.iter().copied().map(index).collect();
        EligibleMembers::check(&account.root, &members, t)
    };
    assert_eq!(check(&[1, 2, 3], 2).unwrap().warning(), None);
    assert_eq!(check(&[1, 2], 2).unwrap().warning(), Some(ShapeWarning::NoSpare));
    assert_eq!(check(&[2, 1], 2), Err(MembersError::Order));
    assert_eq!(check(&[1, 1], 2), Err(MembersError::Order));
    assert_eq!(check(&[1, 9], 2), Err(MembersError::Kind(index(9))));
    assert!(matches!(check(&[1, 8], 2), Err(MembersError::Unknown(_))));
    for (members, t) in [(&[1][..], 1), (&[1, 2, 3], 1), (&[1, 2], 3), (&[1], 2)] {
        assert!(matches!(check(members, t), Err(MembersError::Shape { .. })), "{t} of {members:?}");
    }
}

#[test]
fn nobody_may_make_a_key_alone_under_a_spread_rule() {
    let with = |spread, operators: [&str; 3]| {
        let mut body = document(1);
        body.spread = spread;
        body.roster
            .iter_mut()
            .zip(operators)
            .for_each(|(member, operator)| member.operator = operator.into());
        EligibleMembers::check(&install(body).unwrap(), &all(), 2)
    };
    with(Spread::Operator, ["a", "b", "c"]).unwrap();
    with(Spread::None, ["a", "a", "a"]).unwrap();
    assert_eq!(with(Spread::Operator, ["a", "b", "a"]), Err(MembersError::Spread("a".into(), 2)));
    assert_eq!(with(Spread::Cloud, ["a", "b", "c"]), Err(MembersError::Spread("local".into(), 2)));
}

#[test]
fn shapes_and_quorums() {
    assert_eq!([binding_quorum(2, 3), binding_quorum(3, 5), binding_quorum(3, 3)], [2, 3, 1]);
    assert_eq!(shape_warning(2, 3), None);
    assert_eq!(shape_warning(3, 4), Some(ShapeWarning::Minority));
    assert_eq!(shape_warning(3, 3), Some(ShapeWarning::NoSpare));
}
