//! The owner's folder: one file a document, in the encoding that everybody else has it in.
//!
//! ```text
//! account.root            the first root document, whose hash is the account's id; public
//! successors/2.root …     later ones
//! keys/root.key           this owner's key of each role, sealed under a passphrase
//! keys/policy.key
//! keys/deny.key
//! keys/policy.next.key …  one that is to take an old one's place, until the root document that says so is complete
//! grants/7.grant          the newest serial of each grant
//! deny.document           the newest deny document
//! orders/3.order          every order
//! unsigned/…              documents that wait for other administrators' signatures
//! lock                    held by the command that signs
//! ```

use super::signer::Office;
use crate::error::FileError;
use crate::secret::SecretError;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::iter;
use std::path::{Path, PathBuf};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::AccountId;
use symbolon_protocol::wire::MAX_DOCUMENT;
use symbolon_trust::{
    ClockBehind, Denials, DenyDocument, DenyError, Documents, Grant, Order, OrderBook, OrderConflict,
    OrderError, RecallError, RootDocument, RootError, SignatureError, Signed, TrustedRoot, UnknownMember,
    VerifiedDeny, VerifiedOrder,
};

/// What an account's owner has done so far.
#[derive(Debug)]
pub struct Owner {
    folder: PathBuf,
    documents: Documents,
    /// A deny document that another administrator made at the same time as the kept one: the next successor takes it over.
    rival: Option<VerifiedDeny>,
    grants: BTreeMap<u64, Signed<Grant>>,
    /// Held as long as this lives, where something is to be signed.
    lock: Option<File>,
}

/// Why something can't be done in the owner's folder.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key's file.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A file that holds no such document.
    #[error("{} does not hold the document that belongs there", .0.display())]
    Document(PathBuf),
    /// Documents that don't go together.
    #[error(transparent)]
    Stored(#[from] RecallError),
    /// A root document that breaks a rule, or that the owner didn't sign.
    #[error(transparent)]
    Root(#[from] RootError),
    /// A deny document that breaks a rule.
    #[error(transparent)]
    Deny(#[from] DenyError),
    /// An order that breaks a rule.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// An order that contradicts another.
    #[error(transparent)]
    Conflict(#[from] OrderConflict),
    /// No such member.
    #[error(transparent)]
    Member(#[from] UnknownMember),
    /// The clock was set back while it was read.
    #[error(transparent)]
    Clock(#[from] ClockBehind),
    /// More than a manager takes.
    #[error("the document would have {size} bytes; managers take {MAX_DOCUMENT}")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// The root document names another key.
    #[error("the {0} key in this folder is not one of the account's")]
    NotInOffice(Office),
    /// Other administrators have to sign too.
    #[error("{signatures}: the document waits in {}", file.display())]
    MoreSignatures {
        /// Where the document is.
        file: PathBuf,
        /// How many are there.
        signatures: SignatureError,
    },
}

impl Owner {
    /// Opens the folder.
    pub fn open(folder: &Path) -> Result<Self, OwnerError> {
        let first: Signed<RootDocument> = read(&first_root(folder))?;
        let account = first.body().account();
        let successors = read_all::<RootDocument>(&folder.join("successors"), "root")?.into_values();
        let deny = read_optional::<DenyDocument>(&deny_file(folder))?;
        let orders = read_all::<Order>(&folder.join("orders"), "order")?.into_values();
        let orders = orders.map(|order| {
            let issued = order.body().issued;
            (order, issued)
        });
        let documents = Documents::recall(account, iter::once(first).chain(successors), deny, orders)?;
        let grants = read_all::<Grant>(&folder.join("grants"), "grant")?;
        Ok(Self { folder: folder.into(), documents, rival: None, grants, lock: None })
    }

    /// Opens the folder to sign something, and waits for whoever else is signing there: numbers are given once.
    pub fn open_to_sign(folder: &Path) -> Result<Self, OwnerError> {
        let file = folder.join("lock");
        let lock = File::options().create(true).append(true).open(&file);
        let lock =
            lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|cause| FileError::io(&file, cause))?;
        Ok(Self { lock: Some(lock), ..Self::open(folder)? })
    }

    /// Whether nobody else can sign here meanwhile.
    pub const fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the first root document, to be given to every role and person.
    pub fn account_file(&self) -> PathBuf {
        first_root(&self.folder)
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.documents.root().account()
    }

    /// The newest root document.
    pub const fn root(&self) -> &TrustedRoot {
        self.documents.root()
    }

    /// The newest deny document.
    pub const fn deny(&self) -> Option<&VerifiedDeny> {
        self.documents.deny()
    }

    /// A deny document by another administrator that the kept one neither contains nor follows.
    pub const fn rival(&self) -> Option<&VerifiedDeny> {
        self.rival.as_ref()
    }

    /// All orders.
    pub const fn orders(&self) -> &OrderBook {
        self.documents.orders()
    }

    /// The newest serial of each grant, by id.
    pub fn grants(&self) -> impl DoubleEndedIterator<Item = &Signed<Grant>> {
        self.grants.values()
    }

    /// The newest serial of a grant.
    pub fn grant(&self, id: u64) -> Option<&Signed<Grant>> {
        self.grants.get(&id)
    }

    /// What is denied now.
    pub const fn denials(&self) -> &Denials {
        self.documents.denials()
    }

    pub(super) fn keep_root(&mut self, next: Signed<RootDocument>) -> Result<(), OwnerError> {
        let file = self.folder.join("successors").join(format!("{}.root", next.body().version));
        let Some(next) = self.documents.with_root(next)? else { return Ok(()) };
        write(&file, next.root().signed())?;
        self.documents = next;
        Ok(())
    }

    /// Keeps a newer deny document. One that is older than the kept one is an error.
    pub(super) fn keep_deny(&mut self, signed: &Signed<DenyDocument>) -> Result<(), OwnerError> {
        let Some(next) = self.documents.with_deny(signed.clone())? else { return Ok(()) };
        write(&deny_file(&self.folder), signed)?;
        (self.documents, self.rival) = (next, None);
        Ok(())
    }

    /// Hears of a deny document. One that follows the kept one is kept; one that doesn't, and isn't older, is a rival.
    pub(super) fn hear_deny(&mut self, signed: Signed<DenyDocument>) -> Result<(), OwnerError> {
        let heard = VerifiedDeny::verify(signed, self.root())?;
        let followed = self.deny().map_or(Ok(()), |held| heard.check_succession(held));
        match followed {
            Ok(()) => self.keep_deny(heard.signed()),
            Err(DenyError::Fork(_) | DenyError::NotCumulative) => {
                self.rival = Some(heard);
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    pub(super) fn keep_order(&mut self, order: VerifiedOrder) -> Result<(), OwnerError> {
        let (serial, issued) = (order.order().serial, order.order().issued);
        let file = self.folder.join("orders").join(format!("{serial}.order"));
        let signed = order.signed().clone();
        let Some(next) = self.documents.with_order(order, issued)? else { return Ok(()) };
        write(&file, &signed)?;
        self.documents = next;
        Ok(())
    }

    pub(super) fn keep_grant(&mut self, signed: Signed<Grant>) -> Result<(), OwnerError> {
        let id = signed.body().id;
        write(&self.folder.join("grants").join(format!("{id}.grant")), &signed)?;
        self.grants.insert(id, signed);
        Ok(())
    }

    /// Puts a document that needs more signatures where it can be fetched from.
    pub(super) fn keep_unsigned<B: Encode<()>>(
        &self,
        name: &str,
        signed: &Signed<B>,
    ) -> Result<PathBuf, FileError> {
        let file = self.folder.join("unsigned").join(name);
        write(&file, signed)?;
        Ok(file)
    }
}

pub(super) fn first_root(folder: &Path) -> PathBuf {
    folder.join("account.root")
}

fn deny_file(folder: &Path) -> PathBuf {
    folder.join("deny.document")
}

/// Reads a signed document.
pub(super) fn read<B>(file: &Path) -> Result<Signed<B>, OwnerError>
where
    B: Encode<()> + for<'b> Decode<'b, ()>,
{
    let bytes = fs::read(file).map_err(|cause| FileError::io(file, cause))?;
    from_canonical(&bytes).map_err(|_| OwnerError::Document(file.into()))
}

fn read_optional<B>(file: &Path) -> Result<Option<Signed<B>>, OwnerError>
where
    B: Encode<()> + for<'b> Decode<'b, ()>,
{
    match read(file) {
        Err(OwnerError::File(FileError::Missing { .. })) => Ok(None),
        other => other.map(Some),
    }
}

/// All documents `<number>.<extension>` of a folder, by number; none where there is no folder.
fn read_all<B>(folder: &Path, extension: &str) -> Result<BTreeMap<u64, Signed<B>>, OwnerError>
where
    B: Encode<()> + for<'b> Decode<'b, ()>,
{
    let failed = |cause| FileError::io(folder, cause);
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        other => other.map_err(failed)?,
    };
    let mut documents = BTreeMap::new();
    for entry in entries {
        let file = entry.map_err(failed)?.path();
        let number = file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (Some(number), true) = (number, file.extension().is_some_and(|found| found == extension)) {
            documents.insert(number, read(&file)?);
        }
    }
    Ok(documents)
}

/// Writes a signed document whole, in the place of the one that may be there.
pub(super) fn write<B: Encode<()>>(file: &Path, signed: &Signed<B>) -> Result<(), FileError> {
    let write = || -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut draft, &to_canonical(signed))?;
        draft.as_file().sync_all()?;
        draft.persist(file).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|cause| FileError::io(file, cause))
}
