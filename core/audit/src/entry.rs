//! What an account's audit log says: one entry for each thing that the access manager did (specification §8.1).

use alloc::string::String;
use minicbor::{Decode, Encode};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::{Index, InstanceId, KeyId, SetId, Thumbprint};
use symbolon_trust::{Operations, Receipt, Seconds};

use crate::merkle::{Hash, leaf_hash};

/// One leaf of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// The leaf's number, from 0.
    #[n(0)]
    pub sequence: u64,
    /// When it was written; never before the entry that precedes it.
    #[n(1)]
    pub time: Seconds,
    /// Who caused it: a holder, a member, the owner's signer, or the access manager itself.
    #[n(2)]
    pub actor: Thumbprint,
    /// What happened.
    #[n(3)]
    pub event: Event,
}

/// What happened. A closed list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Event {
    /// The access manager began to serve the account, for the first time or again.
    #[n(0)]
    Started,
    /// A permit was issued to the actor.
    #[n(1)]
    PermitIssued {
        /// The permit's id.
        #[cbor(n(0), with = "minicbor::bytes")]
        permit: [u8; 16],
        /// The key.
        #[n(1)]
        key: KeyId,
        /// Its version.
        #[n(2)]
        version: u64,
        /// What is permitted.
        #[n(3)]
        operations: Operations,
        /// For whom the holder acts.
        #[n(4)]
        on_behalf_of: Option<String>,
        /// The grant.
        #[n(5)]
        grant_id: u64,
        /// Its serial.
        #[n(6)]
        grant_serial: u64,
        /// Until when it is good.
        #[n(7)]
        not_after: Seconds,
    },
    /// A permit was refused to the actor.
    #[n(2)]
    PermitRefused {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// What was asked for.
        #[n(1)]
        operations: Operations,
        /// Why not.
        #[n(2)]
        reason: Refusal,
    },
    /// The actor asked for a key version.
    #[n(3)]
    KeyRequested {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// Its version.
        #[n(1)]
        version: u64,
        /// The hash of the create request.
        #[n(2)]
        request: Hash,
    },
    /// A complete key certificate was stored: the key version exists.
    #[n(4)]
    KeyCertified {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// Its version.
        #[n(1)]
        version: u64,
        /// The hash of the certificate.
        #[n(2)]
        certificate: Hash,
    },
    /// Labels of a key changed.
    #[n(5)]
    LabelsChanged {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// The revision of its metadata now.
        #[n(1)]
        revision: u64,
    },
    /// A grant was stored.
    #[n(6)]
    GrantInstalled {
        /// Its id.
        #[n(0)]
        id: u64,
        /// Its serial.
        #[n(1)]
        serial: u64,
        /// Its hash.
        #[n(2)]
        hash: Hash,
    },
    /// A root document was stored.
    #[n(7)]
    RootInstalled {
        /// Its version.
        #[n(0)]
        version: u64,
        /// Its hash.
        #[n(1)]
        hash: Hash,
    },
    /// A deny document was stored.
    #[n(8)]
    DenyInstalled {
        /// Its version.
        #[n(0)]
        version: u64,
        /// Its hash.
        #[n(1)]
        hash: Hash,
    },
    /// An order was stored.
    #[n(9)]
    OrderInstalled {
        /// Its serial.
        #[n(0)]
        serial: u64,
        /// Its hash.
        #[n(1)]
        hash: Hash,
    },
    /// A ceremony was proposed.
    #[n(10)]
    CeremonyProposed {
        /// The message's number in the ceremony log.
        #[n(0)]
        message: u64,
        /// Its hash.
        #[n(1)]
        hash: Hash,
    },
    /// An instance's certificate is complete.
    #[n(11)]
    InstanceCompleted {
        /// The set.
        #[n(0)]
        set: SetId,
        /// The instance.
        #[n(1)]
        instance: InstanceId,
    },
    /// All members said that they hold the instance.
    #[n(12)]
    InstanceSettled {
        /// The set.
        #[n(0)]
        set: SetId,
        /// The instance.
        #[n(1)]
        instance: InstanceId,
    },
    /// A manager's evaluation log had come so far: the manager can't rewrite what is before.
    #[n(13)]
    EvaluationHead {
        /// The manager.
        #[n(0)]
        index: Index,
        /// The number of records.
        #[n(1)]
        records: u64,
        /// The hash of the last one.
        #[n(2)]
        hash: Hash,
    },
    /// A manager's receipt was stored.
    #[n(14)]
    ReceiptStored(#[n(0)] Receipt),
    /// The actor was connected to a manager.
    #[n(15)]
    Relayed {
        /// The manager.
        #[n(0)]
        index: Index,
    },
    /// A document or request was refused.
    #[n(16)]
    Refused {
        /// What it was.
        #[n(0)]
        what: Refused,
        /// Why.
        #[n(1)]
        reason: Refusal,
    },
    /// A version of a tenant's or of a system's wrapped key was stored.
    #[n(17)]
    LinkStored {
        /// The tenant or system.
        #[n(0)]
        link: KeyId,
        /// The version of its key.
        #[n(1)]
        version: u64,
        /// The hash of the wrapped key.
        #[n(2)]
        wrapped: Hash,
    },
    /// A process of the actor let go of all keys on a lease that a deny document takes away.
    #[n(18)]
    Acknowledged {
        /// The deny document's version.
        #[n(0)]
        version: u64,
        /// The process.
        #[n(1)]
        process: Hash,
        /// The hash of the acknowledgement.
        #[n(2)]
        hash: Hash,
    },
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Refused {
    /// A root document.
    #[n(1)]
    Root,
    /// A deny document.
    #[n(2)]
    Deny,
    /// An order.
    #[n(3)]
    Order,
    /// A grant.
    #[n(4)]
    Grant,
    /// A create request.
    #[n(5)]
    Create,
    /// A key certificate.
    #[n(6)]
    Certificate,
    /// A connection through the relay.
    #[n(7)]
    Relay,
    /// A permit.
    #[n(8)]
    Permit,
    /// An evaluation.
    #[n(9)]
    Evaluation,
    /// Reading a log.
    #[n(10)]
    Reading,
    /// A ceremony message.
    #[n(11)]
    Ceremony,
    /// A tenant's or a system's wrapped key.
    #[n(12)]
    Link,
    /// A job for an HSM.
    #[n(13)]
    Job,
}

/// Why something was refused. One list for the access manager and the fragment managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Refusal {
    /// Not signed by those who must.
    #[n(1)]
    Signature,
    /// Another account's.
    #[n(2)]
    Account,
    /// Its time is over.
    #[n(3)]
    Expired,
    /// Its time has not come.
    #[n(4)]
    NotYet,
    /// Older than what is held, or in conflict with it.
    #[n(5)]
    Superseded,
    /// Against a rule for its content.
    #[n(6)]
    Form,
    /// No grant for it.
    #[n(7)]
    NotGranted,
    /// Denied: grant, holder or key.
    #[n(8)]
    Denied,
    /// The access manager's own policy forbids it.
    #[n(9)]
    Policy,
    /// There is no such key, version, set or member.
    #[n(10)]
    Unknown,
    /// The clock was set back.
    #[n(11)]
    Clock,
    /// More than the grant's rate.
    #[n(12)]
    Rate,
    /// Another's input, or an old one, to encrypt.
    #[n(13)]
    Input,
}

impl Entry {
    /// The leaf's data: the entry's canonical encoding.
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        to_canonical(self)
    }

    /// The entry that a leaf's data are.
    pub fn from_bytes(data: &[u8]) -> Result<Self, symbolon_encoding::DecodeError> {
        from_canonical(data)
    }

    /// The leaf's hash.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.to_bytes())
    }
}
