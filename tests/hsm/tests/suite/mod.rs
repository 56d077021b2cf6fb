//! What every module has to do the same, checked by another implementation (aws-lc).

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use symbolon_hsm::Module;
use symbolon_plugin::{GeneratedKey, KeyRef, KeySpec, Keystore, SignInput};

const MESSAGE: &[u8] = b"a message that an HSM signs";
const BINDING: &[u8] = b"account acme, key signer, version 7";

/// What each module was seen to do, in the plugin's order.
pub fn algorithms(module: Module) -> Vec<&'static str> {
    match module {
        Module::SoftHsm2 => {
            vec!["aes-256", "hmac-sha256", "ecdsa-p256", "ecdsa-p384", "ecdsa-secp256k1", "rsa-2048"]
        }
        Module::Kryoptic => vec!["aes-256", "hmac-sha256", "ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"],
    }
}

fn spec(algorithm: &str, usage: &str) -> KeySpec {
    KeySpec { algorithm: algorithm.to_owned(), usages: vec![usage.to_owned()] }
}

/// A key signs, and an outside implementation agrees, of messages and digests.
pub async fn signs(keystore: &Keystore, algorithm: &str) {
    let key = keystore.generate(&spec(algorithm, "sign"), BINDING).await.expect(algorithm);
    assert_eq!((key.algorithm.as_str(), &*key.usages), (algorithm, &["sign".to_owned()][..]));
    let there = KeyRef { id: &key.id, binding: BINDING };
    let signature =
        keystore.sign(there, name(algorithm), SignInput::Message(MESSAGE)).await.expect(algorithm);
    verify(&key, MESSAGE, &signature);
    if let Some(digest) = digest(algorithm) {
        let signature =
            keystore.sign(there, name(algorithm), SignInput::Digest(&digest)).await.expect(algorithm);
        verify(&key, MESSAGE, &signature);
    }
    assert_eq!(keystore.info(there).await.expect(algorithm), key);
}

fn name(algorithm: &str) -> &'static str {
    match algorithm {
        "ecdsa-p256" => "ecdsa-p256-sha256",
        "ecdsa-p384" => "ecdsa-p384-sha384",
        "ecdsa-secp256k1" => "ecdsa-secp256k1-sha256",
        "ed25519" => "ed25519",
        "rsa-2048" => "rsa-pss-sha256",
        "hmac-sha256" => "hmac-sha256",
        other => panic!("{other} does not sign"),
    }
}

fn digest(algorithm: &str) -> Option<Vec<u8>> {
    use aws_lc_rs::digest::{SHA256, SHA384, digest};
    match algorithm {
        "ecdsa-p256" | "ecdsa-secp256k1" | "rsa-2048" => Some(digest(&SHA256, MESSAGE).as_ref().to_vec()),
        "ecdsa-p384" => Some(digest(&SHA384, MESSAGE).as_ref().to_vec()),
        _ => None,
    }
}

fn verify(key: &GeneratedKey, message: &[u8], made: &[u8]) {
    let how: &'static dyn VerificationAlgorithm = match key.algorithm.as_str() {
        "ecdsa-p256" => &signature::ECDSA_P256_SHA256_FIXED,
        "ecdsa-p384" => &signature::ECDSA_P384_SHA384_FIXED,
        "ecdsa-secp256k1" => &signature::ECDSA_P256K1_SHA256_FIXED,
        "ed25519" => &signature::ED25519,
        "rsa-2048" => &signature::RSA_PSS_2048_8192_SHA256,
        _ => {
            // Nobody outside has the key of a MAC; its length is what there is to see.
            assert_eq!((key.public_key.as_ref(), made.len()), (None, 32));
            return;
        }
    };
    let public = key.public_key.as_deref().expect("a public key");
    UnparsedPublicKey::new(how, public).verify(message, made).expect(&key.algorithm);
    UnparsedPublicKey::new(how, public).verify(b"another message", made).expect_err(&key.algorithm);
}

/// A key seals and opens secrets of any length, each time differently.
pub async fn seals(keystore: &Keystore) {
    let key = keystore.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
    assert_eq!(key.public_key, None);
    let key = KeyRef { id: &key.id, binding: BINDING };
    for length in [1, 32, 48, 4096, 60_000] {
        let secret: Vec<u8> = (0..length).map(|at: u32| at.to_le_bytes()[0]).collect();
        let (one, two) =
            (keystore.seal(key, &secret, b"context").await, keystore.seal(key, &secret, b"context").await);
        let (one, two) = (one.expect("sealed"), two.expect("sealed"));
        assert_ne!(one, two);
        assert_eq!(one.len(), secret.len() + 1 + 12 + 16);
        assert_eq!(*keystore.open(key, &one, b"context").await.expect("opened"), secret);
    }
}

/// A key wraps another, which comes back as the same key under a new binding.
pub async fn wraps(keystore: &Keystore) {
    let outer = keystore.generate(&spec("aes-256", "wrap"), BINDING).await.expect("a wrapping key");
    let outer = KeyRef { id: &outer.id, binding: BINDING };
    for algorithm in ["hmac-sha256", "ecdsa-p256"] {
        let inner = keystore.generate(&spec(algorithm, "sign"), BINDING).await.expect(algorithm);
        let inner_there = KeyRef { id: &inner.id, binding: BINDING };
        let wrapped = keystore.wrap(outer, inner_there, b"context").await.expect("wrapped");
        let back = keystore.unwrap(outer, &wrapped, b"context", &spec(algorithm, "sign"), b"new").await;
        let back = back.expect("unwrapped");
        assert_eq!(back.public_key, inner.public_key);
        let back_there = KeyRef { id: &back.id, binding: b"new" };
        let signature =
            keystore.sign(back_there, name(algorithm), SignInput::Message(MESSAGE)).await.expect("signed");
        verify(&inner, MESSAGE, &signature);
        if algorithm == "hmac-sha256" {
            let before = keystore
                .sign(inner_there, name(algorithm), SignInput::Message(MESSAGE))
                .await
                .expect("signed");
            assert_eq!(signature, before);
        }
        keystore
            .unwrap(outer, &wrapped, b"other", &spec(algorithm, "sign"), b"new")
            .await
            .expect_err("other context");
        keystore
            .unwrap(outer, &inner.id, b"context", &spec(algorithm, "sign"), b"new")
            .await
            .expect_err("no wrapping");
    }
}
