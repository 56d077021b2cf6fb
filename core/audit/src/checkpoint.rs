//! Checkpoints (C2SP `tlog-checkpoint`): the access manager's signature on the tree, and the managers' beside it
//! (C2SP `tlog-cosignature`).

use crate::{
    merkle::{Hash, TreeHead},
    note::{Line, Note, SignatureType, WrongNote},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use symbolon_fragments::names::{AccountId, Index};
use symbolon_trust::{KeyPair, PublicKey, Seconds, Signature, SignatureError, TrustedRoot, WrongSignature};

/// The log's name, its origin line, and the name in the access manager's signature lines.
pub fn origin(account: AccountId) -> String {
    format!("symbolon/{account:x}")
}

/// A manager's name in its cosignature lines.
pub fn cosigner(account: AccountId, index: Index) -> String {
    format!("symbolon/{account:x}/{index}")
}

fn checkpoint_text(account: AccountId, head: &TreeHead) -> String {
    format!("{}\n{}\n{}\n", origin(account), head.size, STANDARD.encode(head.root.0))
}

/// Signs a tree with the keys of the role `permit`. A log signs no tree that doesn't extend what it signed before.
pub fn sign_checkpoint<'k>(
    account: AccountId,
    head: &TreeHead,
    keys: impl IntoIterator<Item = &'k KeyPair>,
) -> Note {
    let text = checkpoint_text(account, head);
    let name = origin(account);
    let line = |key: &KeyPair| Line {
        name: name.clone(),
        key_id: SignatureType::Ed25519.key_id(&name, &key.public()),
        signature: key.sign(text.as_bytes()).as_bytes().to_vec(),
    };
    let lines = keys.into_iter().map(line).collect();
    Note { text: text.clone(), lines }
}

/// A checkpoint that the account's role `permit` signed.
///
/// ```compile_fail,E0451
/// # fn forge(note: symbolon_audit::Note, head: symbolon_audit::TreeHead,
/// #     account: symbolon_fragments::names::AccountId) {
/// let verified = symbolon_audit::VerifiedCheckpoint { account, head, note };
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    account: AccountId,
    head: TreeHead,
    note: Note,
}

/// Why a checkpoint is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a note.
    #[error(transparent)]
    Note(#[from] WrongNote),
    /// Not the three lines of a checkpoint.
    #[error("the note is not a checkpoint")]
    Form,
    /// Of another log.
    #[error("the checkpoint is another account's")]
    Account,
    /// Not signed by the role `permit`.
    #[error("the checkpoint is not signed by the role `permit`")]
    Signature(#[from] SignatureError),
    /// A cosignature by a member of the roster is wrong.
    #[error("the cosignature of member {0} is wrong")]
    Cosignature(Index),
}

impl VerifiedCheckpoint {
    /// Reads a checkpoint and checks origin and signatures.
    pub fn verify(note: &str, root: &TrustedRoot) -> Result<Self, CheckpointError> {
        let note: Note = note.parse()?;
        let account = root.account();
        let head = parse_head(&note.text)?;
        if checkpoint_text(account, &head) != note.text {
            return Err(CheckpointError::Account);
        }
        let permit = &root.document().roles.permit;
        let name = origin(account);
        let mut got = 0;
        for key in &permit.keys {
            let mut lines = note.lines_of(SignatureType::Ed25519, &name, key).peekable();
            got += usize::from(lines.peek().is_some()); // however often it is there
            lines.try_for_each(|line| check_line(key, &note.text, line)).map_err(SignatureError::from)?;
        }
        let needed = permit.threshold.into();
        if got < needed {
            return Err(SignatureError::TooFew { got, needed }.into());
        }
        Ok(Self { account, head, note })
    }

    /// The tree.
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// The account whose log it is.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The note with all its lines.
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// A member's cosignature with its time. Whether the tree extends what the member cosigned before is
    /// [`crate::Witness`]'s to check, which is why only that one calls this.
    pub(crate) fn cosign(&self, index: Index, key: &KeyPair, time: Seconds) -> Line {
        let name = cosigner(self.account, index);
        let signature = key.sign(cosigned(&self.note.text, time).as_bytes());
        Line {
            key_id: SignatureType::Cosignature.key_id(&name, &key.public()),
            name,
            signature: [&time.0.to_be_bytes()[..], signature.as_bytes()].concat(),
        }
    }

    /// Adds a member's cosignature after checking it.
    pub fn add_cosignature(
        &mut self,
        root: &TrustedRoot,
        index: Index,
        line: Line,
    ) -> Result<Seconds, CheckpointError> {
        let wrong = CheckpointError::Cosignature(index);
        let member = root.member(index).map_err(|_| wrong)?;
        let name = cosigner(self.account, index);
        let ours = line.name == name && line.key_id == SignatureType::Cosignature.key_id(&name, &member.key);
        let time = check_cosignature(&member.key, &self.note.text, &line).ok_or(wrong)?;
        if !ours {
            return Err(wrong);
        }
        self.note.add(line);
        Ok(time)
    }

    /// The managers that cosigned, and when. Lines by others are ignored; a wrong one by a manager is an error.
    pub fn cosigners(&self, root: &TrustedRoot) -> Result<Vec<(Index, Seconds)>, CheckpointError> {
        let mut cosigners = Vec::new();
        for member in root.document().fragment_managers() {
            let name = cosigner(self.account, member.index);
            if let Some(line) = self.note.lines_of(SignatureType::Cosignature, &name, &member.key).next() {
                let time = check_cosignature(&member.key, &self.note.text, line);
                cosigners.push((member.index, time.ok_or(CheckpointError::Cosignature(member.index))?));
            }
        }
        Ok(cosigners)
    }
}

fn parse_head(text: &str) -> Result<TreeHead, CheckpointError> {
    let mut lines = text.lines().skip(1);
    let (Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err(CheckpointError::Form);
    };
    let size = size.parse().map_err(|_| CheckpointError::Form)?;
    let root =
        STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or(CheckpointError::Form)?;
    Ok(TreeHead { size, root: Hash(root) })
}

fn check_line(key: &PublicKey, text: &str, line: &Line) -> Result<(), WrongSignature> {
    let signature = line.signature.as_slice().try_into().map_err(|_| WrongSignature(*key))?;
    key.verify(text.as_bytes(), &Signature::from_bytes(signature))
}

fn cosigned(text: &str, time: Seconds) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

fn check_cosignature(key: &PublicKey, text: &str, line: &Line) -> Option<Seconds> {
    let (time, signature) = line.signature.split_first_chunk()?;
    let time = Seconds(u64::from_be_bytes(*time));
    let signature = Signature::from_bytes(signature.try_into().ok()?);
    key.verify(cosigned(text, time).as_bytes(), &signature).ok()?;
    Some(time)
}

impl core::fmt::Display for VerifiedCheckpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.note.to_string())
    }
}
