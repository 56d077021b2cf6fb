//! Ciphertexts whose keys really come from a fragment: what the golden files and the tests are made of.
#![allow(dead_code, reason = "each test binary uses its part")]

use symbolon_envelope::{Aes256GcmCore, ChunkSize, Context, Header, Preamble};
use symbolon_fragments::names::{AccountId, Index, Purpose, Thumbprint};
use symbolon_fragments::{
    Binding, CustomerFragment, CustomerFragmentId, Derived, Instance, Output, SuiteId, load,
};
use zeroize::Zeroizing;

/// The key of all golden files, whole: a scalar of either group.
pub const KEY: [u8; 32] = [7; 32];
/// The customer fragment of those that have one.
pub const CF_ID: [u8; 16] = [0xcf; 16];
/// Its secret.
pub const CF_SECRET: [u8; 32] = [0x5e; 32];
/// Plaintext bytes of a chunk in the golden files: the smallest, to keep the files small.
pub const CHUNK: usize = 4096;

/// A golden file.
pub struct Case {
    /// Name of the file, without its extension.
    pub name: &'static str,
    /// The suite.
    pub suite: SuiteId,
    /// Whether a customer fragment takes part.
    pub cf: bool,
    /// The context.
    pub context: &'static [(&'static str, &'static str)],
    /// Length of the message.
    pub length: usize,
}

const R: SuiteId = SuiteId::Ristretto255Sha512;
const P: SuiteId = SuiteId::P256Sha256;

/// All golden files of format version 1.
pub const CASES: [Case; 9] = [
    Case { name: "ristretto255", suite: R, cf: false, context: &[], length: 26 },
    Case { name: "p256", suite: P, cf: false, context: &[], length: 26 },
    Case { name: "ristretto255-cf", suite: R, cf: true, context: &[], length: 26 },
    Case { name: "p256-cf", suite: P, cf: true, context: &[], length: 26 },
    Case {
        name: "context", suite: R, cf: false, context: &[("user", "42"), ("album", "2026 é")], length: 1
    },
    Case { name: "empty", suite: R, cf: false, context: &[], length: 0 },
    Case { name: "one-chunk", suite: R, cf: false, context: &[], length: CHUNK },
    Case { name: "two-chunks", suite: R, cf: false, context: &[], length: CHUNK + 1 },
    Case { name: "three-chunks", suite: P, cf: true, context: &[("a", "")], length: 3 * CHUNK },
];

impl Case {
    /// The case of that name.
    pub fn named(name: &str) -> &'static Self {
        CASES.iter().find(|case| case.name == name).expect("a case of that name")
    }

    /// The message: byte `i` is `i mod 251`.
    pub fn message(&self) -> Vec<u8> {
        (0..self.length).map(|i| u8::try_from(i % 251).unwrap()).collect()
    }

    /// The context.
    pub fn context(&self) -> Context {
        Context::from_pairs(self.context.iter().copied()).unwrap()
    }

    /// The header.
    pub fn header(&self) -> Header {
        Header {
            suite: self.suite,
            account: AccountId::new([0xac; 32]),
            key: "golden/v1".parse().unwrap(),
            version: 3,
            purpose: Purpose::Data,
            writer: Thumbprint::new([0x3b; 32]),
            created: 1_764_000_000,
            r: [0x9a; 32],
            cf: self.cf.then(|| CustomerFragmentId::new(CF_ID)),
            chunk: ChunkSize::new(CHUNK).unwrap(),
            context_pairs: u8::try_from(self.context.len()).unwrap(),
        }
    }

    /// The key of a ciphertext with that header.
    pub fn derive(&self, header: &Header) -> Derived {
        derive(header, &self.context())
    }

    /// The ciphertext.
    pub fn seal(&self) -> Vec<u8> {
        let header = self.header();
        symbolon_envelope::seal_message::<Aes256GcmCore>(&header, self.derive(&header), &self.message())
            .unwrap()
    }

    /// Reads a ciphertext as it should be read, with this case's context.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let preamble = Preamble::parse(sealed)?;
        let decryptor = preamble.unlock::<Aes256GcmCore>(self.derive(preamble.header()))?;
        Ok(symbolon_envelope::open_message(decryptor, &sealed[preamble.len()..])?.to_vec())
    }
}

/// Derives a key from the one fragment that makes the whole, as clients do from several.
pub fn derive(header: &Header, context: &Context) -> Derived {
    let customer = header.cf.map(|id| CustomerFragment::new(id, Zeroizing::new(CF_SECRET)));
    let contribution = customer.map(|fragment| fragment.evaluate(&header.input()));
    let binding = Binding { header: &header.encode(), context: &context.canonical() };
    output(header).derive(contribution.as_ref(), binding)
}

fn output(header: &Header) -> Output {
    let member = Index::new(1).unwrap();
    let fragment = load(header.suite, &KEY).unwrap();
    let instance = Instance::new(header.suite, &[fragment.public_share()], &[member]).unwrap();
    let mut combination = instance.combination(vec![header.input()]).unwrap();
    combination.accept(member, &fragment.evaluate(&[header.input()]).unwrap()).unwrap();
    combination.finish().unwrap().remove(0)
}

/// Where the vectors are.
pub fn vectors() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/envelope")
}
