//! Documents with signatures on them: what is signed, and how many signatures are enough (specification §1).

use crate::keys::{KeyPair, PublicKey, Signature, WrongSignature};
use alloc::vec::Vec;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use symbolon_encoding::Tuple;

/// A body that can be signed. The label keeps signatures on one kind of document from counting on another.
pub trait Document: Encode<()> {
    /// The document's name in `T(label, body)`, without the name space.
    const LABEL: &'static str;
}

/// The bytes that a signature on this document is over: `T(label, body)`.
pub fn message<B: Document>(body: &B) -> Vec<u8> {
    Tuple::new(B::LABEL).value(body).encode()
}

/// The hash that names this document: SHA-256 of `T(label, body)`.
pub fn hash<B: Document>(body: &B) -> [u8; 32] {
    Tuple::new(B::LABEL).value(body).sha256()
}

/// This key's signature on the document, where signatures travel apart from documents.
pub fn sign<B: Document>(key: &KeyPair, body: &B) -> Signature {
    key.sign(&message(body))
}

/// Checks one key's signature on the document, where signatures travel apart from documents.
pub fn verify<B: Document>(key: &PublicKey, body: &B, signature: &Signature) -> Result<(), WrongSignature> {
    key.verify(&message(body), signature)
}

/// A document and the signatures on it, sorted by key, no key twice. Nothing in it is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<B> {
    body: B,
    signatures: Vec<(PublicKey, Signature)>,
}

/// Why the signatures on a document are not the ones that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A signature by a key that counts is wrong.
    #[error(transparent)]
    Wrong(#[from] WrongSignature),
    /// Too few of the keys that count signed.
    #[error("{got} of the {needed} signatures that are needed")]
    TooFew {
        /// Signatures that count.
        got: usize,
        /// Signatures that are needed.
        needed: usize,
    },
}

impl<B: Document> Signed<B> {
    /// The document, without a signature.
    pub const fn new(body: B) -> Self {
        Self { body, signatures: Vec::new() }
    }

    /// The document, signed by these keys.
    pub fn by<'k>(body: B, keys: impl IntoIterator<Item = &'k KeyPair>) -> Self {
        let mut signed = Self::new(body);
        keys.into_iter().for_each(|key| signed.sign(key));
        signed
    }

    /// Adds the key's signature, or replaces the one that stands there.
    pub fn sign(&mut self, key: &KeyPair) {
        let signature = sign(key, &self.body);
        self.add(key.public(), signature);
    }

    /// Adds a signature made elsewhere, or replaces the key's earlier one. It is not verified here.
    pub fn add(&mut self, key: PublicKey, signature: Signature) {
        match self.signatures.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => self.signatures[at].1 = signature,
            Err(at) => self.signatures.insert(at, (key, signature)),
        }
    }

    /// The document.
    pub const fn body(&self) -> &B {
        &self.body
    }

    /// The document, without its signatures.
    pub fn into_body(self) -> B {
        self.body
    }

    /// The signatures, sorted by key.
    pub fn signatures(&self) -> &[(PublicKey, Signature)] {
        &self.signatures
    }

    /// This key's signature, if it is there. It is not verified here.
    pub fn signature_of(&self, key: &PublicKey) -> Option<&Signature> {
        let at = self.signatures.binary_search_by_key(key, |(key, _)| *key).ok()?;
        Some(&self.signatures[at].1)
    }

    /// Checks that at least `needed` of the given keys signed, and that every signature of theirs is right.
    ///
    /// Signatures by other keys are ignored. Each key counts once, however often it is given.
    pub fn check<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k PublicKey>,
        needed: usize,
    ) -> Result<(), SignatureError> {
        let mut counting: Vec<PublicKey> = keys.into_iter().copied().collect();
        counting.sort_unstable();
        let message = message(&self.body);
        let mut got = 0;
        for (key, signature) in &self.signatures {
            if counting.binary_search(key).is_ok() {
                key.verify(&message, signature)?;
                got += 1;
            }
        }
        if got < needed { Err(SignatureError::TooFew { got, needed }) } else { Ok(()) }
    }
}

impl<C, B: Encode<C>> Encode<C> for Signed<B> {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, c: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.encode_with(&self.body, c)?.encode_with(&self.signatures, c)?.ok()
    }
}

impl<'b, C, B: Decode<'b, C>> Decode<'b, C> for Signed<B> {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(2) {
            return Err(decode::Error::message("a signed document is an array of two"));
        }
        let body = d.decode_with(c)?;
        let signatures: Vec<(PublicKey, Signature)> = d.decode_with(c)?;
        if !signatures.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(decode::Error::message("signatures are sorted by key, no key twice"));
        }
        Ok(Self { body, signatures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_encoding::{from_canonical, to_canonical};

    #[derive(Clone, Debug, PartialEq, Encode, Decode)]
    struct Note(#[n(0)] u64);

    impl Document for Note {
        const LABEL: &'static str = "note";
    }

    fn keys() -> [KeyPair; 3] {
        [1, 2, 3].map(|seed| KeyPair::from_seed(&[seed; 32]))
    }

    #[test]
    fn enough_of_the_right_keys_must_sign() {
        let keys = keys();
        let asked = [keys[0].public(), keys[1].public(), keys[0].public()];
        let one = Signed::by(Note(1), [&keys[0], &keys[0], &keys[2]]);
        assert_eq!(one.signatures().len(), 2);
        one.check(&asked, 1).unwrap();
        assert_eq!(one.check(&asked, 2), Err(SignatureError::TooFew { got: 1, needed: 2 }));
        Signed::by(Note(1), &keys[..2]).check(&asked, 2).unwrap();
    }

    #[test]
    fn a_wrong_signature_counts_only_if_its_key_is_asked_for() {
        let keys = keys();
        let mut signed = Signed::by(Note(1), &keys[..1]);
        signed.add(keys[1].public(), keys[1].sign(&message(&Note(2))));
        signed.check(&[keys[0].public()], 1).unwrap();
        let both = [keys[0].public(), keys[1].public()];
        assert_eq!(signed.check(&both, 1), Err(SignatureError::Wrong(WrongSignature(keys[1].public()))));
    }

    #[test]
    fn signatures_are_sorted_and_unique_or_not_read() {
        let keys = keys();
        let signed = Signed::by(Note(7), &keys);
        assert_eq!(from_canonical::<Signed<Note>>(&to_canonical(&signed)), Ok(signed.clone()));
        let mut twice = signed.clone();
        twice.signatures[1] = twice.signatures[0];
        assert!(from_canonical::<Signed<Note>>(&to_canonical(&twice)).is_err());
        let mut unsorted = signed;
        unsorted.signatures.reverse();
        assert!(from_canonical::<Signed<Note>>(&to_canonical(&unsorted)).is_err());
    }
}
