//! Golden bytes of every document (tests/vectors/trust-v1.json): what was signed once must verify for ever.
//!
//! To write the file anew after a deliberate change of format: `SYMBOLON_WRITE_VECTORS=1 cargo test -p symbolon-trust`.

use crate::support::{Account, NOW, index, key, pair, reshare};
use std::{fmt::Write, fs, path::PathBuf};
use symbolon_encoding::to_canonical;
use symbolon_trust::{Acknowledgement, Action, Document, Job, KeyPair, Receipt, Signed, hash, message};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/trust-v1.json")
}

fn vector<'k, B: Document>(
    out: &mut String,
    name: &str,
    body: B,
    signers: impl IntoIterator<Item = &'k KeyPair>,
) {
    let (text, name_hash) = (hex::encode(message(&body)), hex::encode(hash(&body)));
    let signed = hex::encode(to_canonical(&Signed::by(body, signers)));
    let separator = if out.is_empty() { "" } else { ",\n" };
    writeln!(out, "{separator}    {{ \"name\": \"{name}\", \"label\": \"symbolon/v1/{}\",", B::LABEL)
        .unwrap();
    write!(out, "      \"message\": \"{text}\",\n      \"sha256\": \"{name_hash}\",\n").unwrap();
    write!(out, "      \"signed\": \"{signed}\" }}").unwrap();
}

fn documents() -> String {
    let account = Account::new(1);
    let id = account.root.account();
    let by_policy = &account.policy[..2];
    let mut out = String::new();
    vector(&mut out, "root", account.root.document().clone(), [&account.owner]);
    vector(&mut out, "grant", account.grant(), by_policy);
    vector(&mut out, "permit", account.permit(), [&account.permit]);
    let gateways = symbolon_trust::Permit { on_behalf_of: Some("orders".into()), ..account.permit() };
    vector(&mut out, "permit of a gateway", gateways, [&account.permit]);
    vector(&mut out, "deny", account.deny_document(), [&account.deny]);
    let actions = [
        ("order: reshare", reshare()),
        ("order: enable", Action::Enable { key: key("shop/old"), since: 1 }),
        (
            "order: destroy",
            Action::Destroy { key: key("shop/old"), version: 3, execute_after: NOW + 300_000 },
        ),
        ("order: cancel destruction", Action::CancelDestruction { key: key("shop/old"), destroy_serial: 3 }),
        ("order: lower mark", Action::LowerMark { mark: NOW }),
    ];
    for (serial, (name, action)) in (1..).zip(actions) {
        vector(&mut out, name, account.order(serial, action), by_policy);
    }
    vector(&mut out, "create", account.create(), [&account.holder]);
    vector(&mut out, "key certificate", account.key_certificate(), &account.managers);
    vector(&mut out, "epoch certificate", account.epoch_certificate(), &account.managers);
    let receipt = Receipt::of(id, index(2), &account.deny_document(), NOW);
    vector(&mut out, "receipt", receipt, [&account.managers[1]]);
    let acknowledgement = Acknowledgement::of(account.holder_name(), [6; 32], &account.deny_document(), NOW);
    vector(&mut out, "acknowledgement", acknowledgement, [&account.holder]);
    let (response_key, nonce) = (vec![1, 2, 3], [5; 16]);
    let job = Job { account: id, request: [4; 32], response_key, nonce, expires: NOW + 10 };
    vector(&mut out, "job", job, [&account.holder]);
    out
}

fn names() -> String {
    let key = pair(1, 20).public();
    format!(
        "{{ \"public-key\": \"{key}\", \"bytes\": \"{}\", \"thumbprint\": \"{}\", \"account\": \"{}\" }}",
        hex::encode(key.as_bytes()),
        key.thumbprint(),
        Account::new(1).root.account(),
    )
}

#[test]
fn the_golden_file_is_what_we_write() {
    let provenance = "made by symbolon-trust's own tests from keys whose seed is 32 bytes of the account's number, the first one replaced by the key's; check against specification sections 1 and 2";
    let file = format!(
        "{{\n  \"version\": 1,\n  \"provenance\": \"{provenance}\",\n  \"names\": {},\n  \"documents\": [\n{}\n  ]\n}}\n",
        names(),
        documents()
    );
    if std::env::var_os("SYMBOLON_WRITE_VECTORS").is_some() {
        fs::write(path(), &file).unwrap();
    }
    assert_eq!(fs::read_to_string(path()).unwrap(), file);
}
