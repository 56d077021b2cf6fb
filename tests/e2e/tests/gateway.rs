//! The gateway as a program without a client library sees it: a Python program that knows nothing but HTTP and JSON.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};
use symbolon_e2e::datastore::{bytes, datastore, query};
use symbolon_e2e::{Deployment, Process, disk_contains, run};

struct Fixture {
    deployment: Deployment,
    gateway: Process,
    token: String,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    cli.run(&["key", "create", "volumes", "--purpose", "data-key"]).succeeds();
    let token = new_caller(&deployment, "billing");
    let gateway = deployment.gateway();
    Fixture { deployment, gateway, token }
});

fn new_caller(deployment: &Deployment, name: &str) -> String {
    let config = deployment.site().config("gateway");
    let added = deployment
        .cli()
        .run(&["gateway", "caller", "add", name, "--config", config.to_str().unwrap()])
        .text();
    added.split_whitespace().find(|word| word.starts_with("symtok_")).expect("a token").to_owned()
}

impl Fixture {
    /// Posts a body as a caller would, and gives status and answer.
    fn post(&self, path: &str, body: &Value) -> (u64, Value) {
        self.call(json!({ "path": path, "token": self.token, "body": body }))
    }

    fn call(&self, mut call: Value) -> (u64, Value) {
        let path = call["path"].as_str().unwrap();
        call["url"] = json!(format!("https://{}{path}", self.gateway.address()));
        call["trust"] = json!(self.deployment.site().home("gateway").join("tls.pem"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/foreign.py");
        let answer = run(Command::new("python3").arg(script), call.to_string().as_bytes()).json();
        (answer["status"].as_u64().unwrap(), answer["answer"].clone())
    }
}

const HELLO: &str = "aGVsbG8";

#[test]
fn a_message_is_encrypted_and_decrypted() {
    let fixture = &*FIXTURE;
    let context = json!({ "user": "42" });
    let (status, sealed) =
        fixture.post("/v1/encrypt", &json!({ "key": "notes", "plaintext": HELLO, "context": context }));
    assert_eq!((status, &sealed["version"]), (200, &json!(1)), "{sealed}");
    let ciphertext = &sealed["ciphertext"];
    let (status, opened) =
        fixture.post("/v1/decrypt", &json!({ "ciphertext": ciphertext, "context": context }));
    assert_eq!(
        (status, &opened["plaintext"], &opened["key"]),
        (200, &json!(HELLO), &json!("notes")),
        "{opened}"
    );

    let (status, problem) = fixture.post("/v1/decrypt", &json!({ "ciphertext": ciphertext }));
    assert_eq!(
        (status, &problem["type"]),
        (422, &json!("urn:symbolon:problem:invalid-ciphertext")),
        "{problem}"
    );
}

#[test]
fn a_data_key_comes_plain_and_wrapped_and_is_unwrapped() {
    let fixture = &*FIXTURE;
    let (status, made) =
        fixture.post("/v1/data-keys", &json!({ "key": "volumes", "context": { "volume": "7" } }));
    assert_eq!(status, 200, "{made}");
    let unwrap = json!({ "wrapped": made["wrapped"], "context": { "volume": "7" } });
    let (status, again) = fixture.post("/v1/data-keys/unwrap", &unwrap);
    assert_eq!((status, &again["plaintext"]), (200, &made["plaintext"]), "{again}");
    let (_, another) = fixture.post("/v1/data-keys", &json!({ "key": "volumes" }));
    assert_ne!(another["plaintext"], made["plaintext"]);

    let (status, problem) = fixture.post("/v1/encrypt", &json!({ "key": "volumes", "plaintext": HELLO }));
    assert!((400..500).contains(&status), "one key, one purpose: {problem}");
}

#[test]
fn whoever_is_not_listed_is_told_nothing() {
    let fixture = &*FIXTURE;
    let body = json!({ "key": "notes", "plaintext": HELLO });
    for token in [Value::Null, json!("symtok_wrong")] {
        let (status, problem) = fixture.call(json!({ "path": "/v1/encrypt", "token": token, "body": body }));
        assert_eq!(
            (status, &problem["type"]),
            (401, &json!("urn:symbolon:problem:unauthenticated")),
            "{problem}"
        );
    }
    let (status, health) = fixture.call(json!({ "path": "/healthz" }));
    assert_eq!((status, &health["role"]), (200, &json!("gateway")));
}

#[test]
fn what_is_wrong_with_a_request_is_said_without_repeating_it() {
    let fixture = &*FIXTURE;
    let secret = "c2VjcmV0c2VjcmV0!";
    let malformed = [
        json!({ "key": "notes", "plaintext": secret }),
        json!({ "key": "notes", "plaintext": HELLO, "contxt": {} }),
        json!({ "key": "NOT A KEY", "plaintext": HELLO }),
        json!({ "key": "notes" }),
    ];
    for body in malformed {
        let (status, problem) = fixture.post("/v1/encrypt", &body);
        assert_eq!((status, &problem["type"]), (400, &json!("urn:symbolon:problem:malformed")), "{problem}");
        assert!(!problem.to_string().contains(secret), "{problem}");
    }
    let (status, problem) = fixture.post("/v1/encrypt", &json!({ "key": "nothing", "plaintext": HELLO }));
    assert!([403, 404].contains(&status), "{problem}");
    let big = "A".repeat(2 << 20);
    let (status, problem) = fixture.post("/v1/encrypt", &json!({ "key": "notes", "plaintext": big }));
    assert_eq!((status, &problem["type"]), (413, &json!("urn:symbolon:problem:too-large")), "{problem}");
    let text =
        json!({ "path": "/v1/encrypt", "token": fixture.token, "body": {}, "media_type": "text/plain" });
    assert_eq!(fixture.call(text).0, 415);
    assert_eq!(fixture.post("/v1/nothing", &json!({})).0, 404);
}

#[test]
fn the_interface_describes_itself() {
    let (status, openapi) = FIXTURE.call(json!({ "path": "/openapi.json" }));
    assert_eq!(status, 200);
    let paths = ["/v1/encrypt", "/v1/decrypt", "/v1/data-keys", "/v1/data-keys/unwrap"];
    for path in paths {
        assert!(openapi["paths"][path]["post"].is_object(), "{path}: {openapi}");
    }
}

#[test]
fn permits_and_audit_name_the_caller_behind_the_gateway() {
    let fixture = &*FIXTURE;
    let (status, _) = fixture.post("/v1/encrypt", &json!({ "key": "notes", "plaintext": HELLO }));
    assert_eq!(status, 200);
    let log = datastore(&fixture.deployment.site().home("access-manager"));
    let entries = query(&log, "SELECT entry FROM audit_leaf", &[]);
    let names_caller = |entry: &[u8]| memchr::memmem::find(entry, b"billing").is_some();
    assert!(entries.iter().any(|row| names_caller(&bytes(&row[0]))), "no entry names the caller");
}

#[test]
fn the_gateway_leaves_nothing_sensitive_on_disk() {
    let fixture = &*FIXTURE;
    // A data key that the gateway had in its hands, and the token that it was asked with.
    let (_, made) = fixture.post("/v1/data-keys", &json!({ "key": "volumes" }));
    let home = fixture.deployment.site().home("gateway");
    let plain = made["plaintext"].as_str().unwrap();
    assert!(!disk_contains(&home, plain.as_bytes()));
    assert!(!disk_contains(&home, &decode(plain)));
    assert!(!disk_contains(&home, fixture.token.as_bytes()));
    assert!(!fixture.gateway.log().contains(plain));
}

fn decode(base64url: &str) -> Vec<u8> {
    serde_json::from_value::<symbolon_protocol::api::Document>(json!(base64url)).unwrap().0
}
