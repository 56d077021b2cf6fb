//! A hostile plugin with a token of its own, beside one that works with another token all the time.

use symbolon_guests::rust;
use symbolon_hsm::plugin::{bundle, policy};
use symbolon_hsm::{Module, TestToken};
use symbolon_pkcs11::Program;
use symbolon_plugin::{
    CallError, KeyRef, KeySpec, Keystore, PluginHost, Settings, SignInput, Tenant, Verdict,
};
use tokio::sync::oneshot::{Receiver, channel, error::TryRecvError};

const KEY: KeyRef<'static> = KeyRef { id: &[1; 16], binding: b"binding" };

fn host() -> PluginHost {
    let broker = Program { path: env!("CARGO_BIN_EXE_hsm-broker").into(), arguments: Vec::new() };
    PluginHost::new(Settings { broker: Some(broker), ..Settings::default() }).expect("a host")
}

fn tenant() -> Tenant {
    Tenant::new("acme").expect("a tenant's name")
}

/// The good plugin's store, and a key in it.
async fn working(host: &PluginHost, token: &TestToken) -> (Keystore, Vec<u8>) {
    let plugin = host.load(&bundle(), &policy(token.settings(), "")).await.expect("the good plugin");
    let store = plugin.keystore(&tenant());
    store.create_master().await.expect("a master key");
    let spec = KeySpec { algorithm: "hmac-sha256".into(), usages: vec!["sign".into()] };
    let key = store.generate(&spec, b"binding").await.expect("a key");
    (store, key.id)
}

/// Signs until it is told that it is over; as often as it did.
async fn sign_until(store: Keystore, id: Vec<u8>, mut over: Receiver<()>) -> u32 {
    let key = KeyRef { id: &id, binding: b"binding" };
    let mut signed = 0;
    loop {
        store.sign(key, "hmac-sha256", SignInput::Message(b"beside")).await.expect("the good plugin signs");
        signed += 1;
        if over.try_recv() != Err(TryRecvError::Empty) {
            return signed;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_a_tokens_objects() {
    let host = host();
    let (good, flooded) = (TestToken::new(Module::Kryoptic), TestToken::new(Module::SoftHsm2));
    let (store, id) = working(&host, &good).await;
    let (end, over) = channel();
    let beside = tokio::spawn(sign_until(store, id, over));
    let mut given = rust::policy("objects");
    given.grants.pkcs11.insert("main".to_owned(), flooded.settings());
    given.limits.deadline_ms = Some(60_000);
    let hostile = host.load(&rust::bundle(), &given).await.expect("the hostile plugin");
    let hostile = hostile.keystore(&tenant());
    // Each time anew: the objects of an instance end with it.
    for _ in 0..3 {
        let flood = hostile.sign(KEY, "any", SignInput::Message(b"message")).await;
        assert_eq!(flood, Err(CallError::Host(Verdict::TooManyHandles { limit: 256 })));
        hostile.describe().await.expect("the next call works");
    }
    end.send(()).expect("it still signs");
    assert!(beside.await.expect("all calls of the good plugin succeed") > 0);
}
