//! Certificates count where their members might have formed a set, under any version of the root document.

use crate::support::{Account, NOW, document, index};
use symbolon_trust::{
    CertificateError, KeyCertificate, Shape, Signed, Spread, TrustedRoot, VerifiedEpochCertificate,
    VerifiedKeyCertificate,
};

/// The account with another minimum and spread than before, as its owner's next document says.
fn asking_for(account: &Account, minimum: Shape, spread: Spread) -> TrustedRoot {
    let mut body = account.root.document().successor(NOW);
    (body.minimum, body.spread) = (minimum, spread);
    account.root.succeed(Signed::by(body, [&account.owner])).unwrap()
}

#[test]
fn fewer_members_than_the_owner_ever_allowed_certify_nothing() {
    let account = Account::new(1);
    let mut first = document(1);
    first.minimum = Shape { t: 3, n: 3 };
    let root = TrustedRoot::install(first.account(), Signed::by(first, [&account.owner])).unwrap();
    let key = |t, members: &[u16]| {
        let members = members.iter().copied().map(index).collect();
        let body = KeyCertificate { account: root.account(), t, members, ..account.key_certificate() };
        VerifiedKeyCertificate::verify(Signed::by(body, &account.managers), &root)
    };
    key(3, &[1, 2, 3]).unwrap();
    assert_eq!(key(2, &[1, 2]), Err(CertificateError::Members), "two make themselves a key of their own");
    assert_eq!(key(2, &[1, 2, 3]), Err(CertificateError::Members));

    let mut epoch = account.epoch_certificate();
    (epoch.account, epoch.members) = (root.account(), vec![index(1), index(2)]);
    let epoch = VerifiedEpochCertificate::verify(Signed::by(epoch, &account.managers), &root);
    assert_eq!(epoch, Err(CertificateError::Members));
}

#[test]
fn certificates_stay_valid_where_the_owner_asks_for_more_later() {
    let account = Account::new(1);
    let root = asking_for(&account, Shape { t: 3, n: 3 }, Spread::Cloud);
    let key = Signed::by(account.key_certificate(), &account.managers);
    VerifiedKeyCertificate::verify(key, &root).unwrap();
    let epoch = Signed::by(account.epoch_certificate(), &account.managers);
    VerifiedEpochCertificate::verify(epoch, &root).unwrap();
}
