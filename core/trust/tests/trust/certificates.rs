//! Create requests, key and epoch certificates, receipts.

use crate::support::{Account, NOW, all, at, index, key, now, pair};
use symbolon_fragments::names::{InstanceId, SetId, SuiteId};
use symbolon_trust::{
    Acknowledgement, AcknowledgementError, CeremonyKind, CertificateError, CreateError, CreateRequest,
    Denials, Denied, EpochCertificate, InForce, KeyCertificate, KeyKind, NotInForce, Operation, Receipt,
    ReceiptError, SignatureError, Signed, VerifiedAcknowledgement, VerifiedCreate, VerifiedDeny,
    VerifiedEpochCertificate, VerifiedGrant, VerifiedKeyCertificate, VerifiedReceipt,
};

fn create(account: &Account, edit: impl FnOnce(&mut CreateRequest)) -> Result<VerifiedCreate, CreateError> {
    let mut body = account.create();
    edit(&mut body);
    let signed = Signed::by(body, [&account.holder]);
    VerifiedCreate::verify(&signed, &granted(account), &Denials::default(), &account.root, now())
}

fn granted(account: &Account) -> VerifiedGrant {
    VerifiedGrant::verify(&account.by_policy(account.grant()), &account.root, now()).unwrap()
}

#[test]
fn a_key_is_created_by_a_granted_holder() {
    let (account, other) = (Account::new(1), Account::new(2));
    let verified = create(&account, |_| ()).unwrap();
    assert_eq!((verified.request(), verified.holder()), (&account.create(), account.holder_name()));
    assert_eq!(verified.hash(), symbolon_trust::hash(&account.create()));
    assert_eq!(create(&account, |c| c.account = other.root.account()), Err(CreateError::Account));
    assert_eq!(create(&account, |c| c.version = 0), Err(CreateError::Form));
    assert_eq!(create(&account, |c| c.set = Some(SetId::new([1; 32]))), Err(CreateError::Form));
    create(&account, |c| (c.set, c.kind) = (Some(SetId::new([1; 32])), KeyKind::Shared)).unwrap();
    assert!(matches!(create(&account, |c| c.t = 1), Err(CreateError::Members(_))));
    assert!(matches!(create(&account, |c| c.issued = NOW + 31), Err(CreateError::Time { .. })));
    assert!(matches!(
        create(&account, |c| c.expires = symbolon_trust::Seconds(NOW.0 - 1)),
        Err(CreateError::Time { .. })
    ));
    assert_eq!(create(&account, |c| c.key = key("elsewhere")), Err(CreateError::NotGranted));

    let stranger = Signed::by(account.create(), [&pair(1, 21)]);
    let verify = |signed: &Signed<_>, grant: &_, denials: &_| {
        VerifiedCreate::verify(signed, grant, denials, &account.root, now())
    };
    let missing = SignatureError::TooFew { got: 0, needed: 1 };
    assert_eq!(
        verify(&stranger, &granted(&account), &Denials::default()),
        Err(CreateError::Signature(missing))
    );
    let mut forged = Signed::by(account.create(), []);
    forged.add(account.holder.public(), account.holder.sign(b"another"));
    let wrong = verify(&forged, &granted(&account), &Denials::default());
    assert!(matches!(wrong, Err(CreateError::Signature(SignatureError::Wrong(_)))));
}

#[test]
fn creating_takes_its_own_permission_and_can_be_denied() {
    let account = Account::new(1);
    let signed = Signed::by(account.create(), [&account.holder]);
    let mut encrypting = account.grant();
    encrypting.operations = [Operation::Encrypt].into_iter().collect();
    let encrypting = VerifiedGrant::verify(&account.by_policy(encrypting), &account.root, now()).unwrap();
    let verify =
        |grant: &_, denials: &_| VerifiedCreate::verify(&signed, grant, denials, &account.root, now());
    assert_eq!(verify(&encrypting, &Denials::default()), Err(CreateError::NotGranted));
    let mut deny = account.deny_document();
    deny.deny_holder(account.holder_name());
    let deny = VerifiedDeny::verify(Signed::by(deny, [&account.deny]), &account.root).unwrap();
    let denials = Denials::new(Some(&deny), []);
    assert_eq!(verify(&granted(&account), &denials), Err(CreateError::Denied(Denied::Holder)));
    let elsewhere = granted(&Account::new(2));
    assert_eq!(verify(&elsewhere, &Denials::default()), Err(CreateError::Account));
}

fn certify(
    account: &Account,
    edit: impl FnOnce(&mut KeyCertificate),
) -> Result<VerifiedKeyCertificate, CertificateError> {
    let mut body = account.key_certificate();
    edit(&mut body);
    VerifiedKeyCertificate::verify(Signed::by(body, &account.managers), &account.root)
}

fn epoch(
    account: &Account,
    edit: impl FnOnce(&mut EpochCertificate),
) -> Result<VerifiedEpochCertificate, CertificateError> {
    let mut body = account.epoch_certificate();
    edit(&mut body);
    VerifiedEpochCertificate::verify(Signed::by(body, &account.managers), &account.root)
}

#[test]
fn a_key_certificate_is_signed_by_all_its_members() {
    let (account, other) = (Account::new(1), Account::new(2));
    certify(&account, |_| ()).unwrap();
    certify(&account, |c| c.members.truncate(2)).unwrap();
    assert_eq!(certify(&account, |c| c.account = other.root.account()), Err(CertificateError::Account));
    assert_eq!(certify(&account, |c| c.version = 0), Err(CertificateError::Form));
    assert_eq!(certify(&account, |c| c.members.reverse()), Err(CertificateError::Form));
    assert_eq!(certify(&account, |c| c.members.clear()), Err(CertificateError::Form));
    assert_eq!(certify(&account, |c| c.t = 4), Err(CertificateError::Form));
    assert_eq!(certify(&account, |c| c.t = 1), Err(CertificateError::Form));
    assert_eq!(certify(&account, |c| c.members.push(index(9))), Err(CertificateError::Kind(index(9))));
    assert!(matches!(certify(&account, |c| c.members.push(index(4))), Err(CertificateError::Unknown(_))));
    let missing = CertificateError::Signature(SignatureError::TooFew { got: 2, needed: 3 });
    let two = Signed::by(account.key_certificate(), &account.managers[..2]);
    assert_eq!(VerifiedKeyCertificate::verify(two, &account.root), Err(missing));
    let foreign = Signed::by(account.key_certificate(), &other.managers);
    assert!(VerifiedKeyCertificate::verify(foreign, &account.root).is_err());
}

#[test]
fn an_epoch_certificate_is_consistent_and_signed_by_all_its_members() {
    let (account, other) = (Account::new(1), Account::new(2));
    let verified = epoch(&account, |_| ()).unwrap();
    assert_eq!(verified.instance(), account.epoch_certificate().instance());
    assert_eq!(verified.certificate().number(), (0, 1));
    let instance = verified.instance();
    let again =
        epoch(&account, |c| (c.kind, c.predecessor) = (CeremonyKind::Reshare, Some(instance))).unwrap();
    assert_ne!(again.instance(), instance);
    let wrong = |edit: fn(&mut EpochCertificate)| epoch(&account, edit).unwrap_err();
    assert_eq!(wrong(|c| c.kind = CeremonyKind::Reshare), CertificateError::Form);
    assert_eq!(wrong(|c| c.predecessor = Some(InstanceId::new([0; 32]))), CertificateError::Form);
    assert_eq!(wrong(|c| c.dealers.clear()), CertificateError::Form);
    assert_eq!(wrong(|c| c.commitment.push(vec![1].into())), CertificateError::Form);
    assert_eq!(wrong(|c| c.y = vec![7; 32]), CertificateError::Form);
    assert_eq!(epoch(&account, |c| c.account = other.root.account()), Err(CertificateError::Account));
    let two = Signed::by(account.epoch_certificate(), &account.managers[1..]);
    assert!(VerifiedEpochCertificate::verify(two, &account.root).is_err());
}

#[test]
fn an_instance_of_another_key_is_told_apart() {
    let account = Account::new(1);
    let key = certify(&account, |_| ()).unwrap();
    epoch(&account, |_| ()).unwrap().check_key(&key).unwrap();
    let other = |edit: fn(&mut EpochCertificate)| epoch(&account, edit).unwrap().check_key(&key);
    assert!(other(|c| c.set = SetId::new([6; 32])).is_err());
    assert!(other(|c| c.suite = SuiteId::P256Sha256).is_err());
    assert!(other(|c| (c.y, c.commitment[0]) = (vec![7; 32], vec![7; 32].into())).is_err());
}

#[test]
fn a_receipt_is_for_one_document_by_one_member() {
    let account = Account::new(1);
    let deny = account.deny_document();
    let receipt = Receipt::of(account.root.account(), index(2), &deny, NOW);
    let by = |receipt: &Receipt, key| {
        VerifiedReceipt::verify(&Signed::by(receipt.clone(), [key]), &deny, &account.root)
    };
    assert_eq!(by(&receipt, &account.managers[1]).unwrap().receipt(), &receipt);
    let missing = ReceiptError::Signature(SignatureError::TooFew { got: 0, needed: 1 });
    assert_eq!(by(&receipt, &account.managers[0]), Err(missing));
    let unknown = Receipt { index: index(5), ..receipt.clone() };
    assert!(matches!(by(&unknown, &account.managers[1]), Err(ReceiptError::Unknown(_))));
    let other = Receipt::of(account.root.account(), index(2), &deny.successor(NOW), NOW);
    assert_eq!(by(&other, &account.managers[1]), Err(ReceiptError::Other));
    let elsewhere = Receipt { account: Account::new(2).root.account(), ..receipt };
    assert_eq!(by(&elsewhere, &account.managers[1]), Err(ReceiptError::Other));
}

#[test]
fn an_acknowledgement_is_one_holders_word_about_one_process_and_one_deny_document() {
    let (account, stranger) = (Account::new(1), Account::new(2).holder);
    let (deny, holder) = (account.deny_document(), account.holder_name());
    let word = Acknowledgement::of(holder, [1; 32], &deny, NOW);
    let verify = |word: &Acknowledgement, key| {
        VerifiedAcknowledgement::verify(&Signed::by(word.clone(), [key]), holder, [1; 32], &deny)
    };
    assert_eq!(verify(&word, &account.holder).unwrap().acknowledgement(), &word);
    let missing = AcknowledgementError::Signature(SignatureError::TooFew { got: 0, needed: 1 });
    assert_eq!(verify(&word, &stranger), Err(missing), "nobody else can say it");
    let mut forged = Signed::by(Acknowledgement { time: NOW + 1, ..word.clone() }, []);
    forged.add(account.holder.public(), symbolon_trust::sign(&account.holder, &word));
    let forged = VerifiedAcknowledgement::verify(&forged, holder, [1; 32], &deny);
    assert!(matches!(forged, Err(AcknowledgementError::Signature(SignatureError::Wrong(_)))));
    for other in [
        Acknowledgement::of(holder, [2; 32], &deny, NOW),
        Acknowledgement::of(holder, [1; 32], &deny.successor(NOW), NOW),
        Acknowledgement::of(stranger.public().thumbprint(), [1; 32], &deny, NOW),
        Acknowledgement { hash: [0; 32], ..word.clone() },
        Acknowledgement { account: Account::new(2).root.account(), ..word },
    ] {
        assert_eq!(verify(&other, &account.holder), Err(AcknowledgementError::Other));
    }
}

#[test]
fn a_document_is_in_force_once_every_quorum_knows_it() {
    let account = Account::new(1);
    let deny = account.deny_document();
    let receipt = |number: u16| {
        let body = Receipt::of(account.root.account(), index(number), &deny, at(NOW).time());
        let signed = Signed::by(body, [&account.managers[usize::from(number) - 1]]);
        VerifiedReceipt::verify(&signed, &deny, &account.root).unwrap()
    };
    let one = [receipt(1), receipt(1)];
    assert_eq!(InForce::check(&one, &all(), 2), Err(NotInForce { signed: vec![index(1)], needed: 2 }));
    let two = [receipt(3), receipt(1)];
    assert_eq!(InForce::check(&two, &all(), 2).unwrap().signed(), [index(1), index(3)]);
    let outsider = InForce::check(&two, &[index(1), index(2)], 1);
    assert_eq!(outsider, Err(NotInForce { signed: vec![index(1)], needed: 2 }));
}
