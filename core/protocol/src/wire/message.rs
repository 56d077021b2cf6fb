//! Requests to a fragment manager and its responses.

use alloc::{boxed::Box, vec::Vec};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_audit::EvaluationHead;
use symbolon_fragments::names::{AccountId, Index, InstanceId, SetId};
use symbolon_fragments::{Evaluation, Fields, Proof};
use symbolon_trust::{
    CreateRequest, DenyDocument, EpochCertificate, Grant, KeyCertificate, Order, Permit, Receipt,
    RootDocument, Seconds, Signature, Signed,
};

use super::{Error, MAX_INPUTS};

/// What a client asks of a fragment manager.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Request {
    /// How the manager sees the account: answered by [`Response::Status`].
    #[n(0)]
    Status {
        /// The account.
        #[n(0)]
        account: AccountId,
    },
    /// Checks grant, permit and the channel's holder once; evaluations then name the verdict by its handle.
    #[n(1)]
    Authorise {
        /// What the owner allows.
        #[n(0)]
        grant: Signed<Grant>,
        /// What the access manager allows now.
        #[n(1)]
        permit: Signed<Permit>,
    },
    /// Evaluates inputs of the key version behind a handle.
    #[n(2)]
    Evaluate {
        /// A handle of this channel.
        #[n(0)]
        handle: u64,
        /// The instance whose fragment is to be used: evaluations of two instances don't combine.
        #[n(1)]
        instance: InstanceId,
        /// Whether to prove the evaluations right. Encrypting needs the proof.
        #[n(2)]
        prove: bool,
        /// 1 to [`MAX_INPUTS`] inputs.
        #[n(3)]
        inputs: Inputs,
    },
    /// Asks for this member's signature on a key certificate.
    #[n(3)]
    Certify {
        /// The create request, signed by the holder on whose channel it comes.
        #[n(0)]
        create: Signed<CreateRequest>,
        /// The grant of the operation `create`.
        #[n(1)]
        grant: Signed<Grant>,
        /// The set that is to serve the key.
        #[n(2)]
        set: SetId,
    },
    /// Installs a successor of the root document.
    #[n(4)]
    InstallRoot {
        /// The successor.
        #[n(0)]
        root: Signed<RootDocument>,
    },
    /// Installs a newer deny document.
    #[n(5)]
    InstallDeny {
        /// The newer document.
        #[n(0)]
        deny: Signed<DenyDocument>,
    },
    /// Installs an order.
    #[n(6)]
    InstallOrder {
        /// The order.
        #[n(0)]
        order: Signed<Order>,
    },
    /// Which instances of a set the manager serves, newest first.
    #[n(7)]
    Instances {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// The set.
        #[n(1)]
        set: SetId,
    },
    /// A page of the manager's own evaluation log. The channel's holder needs the operation `audit`.
    #[n(8)]
    Log {
        /// The grant of the operation `audit`.
        #[n(0)]
        grant: Signed<Grant>,
        /// How many records the asker has; those from that number on are sent.
        #[n(1)]
        after: u64,
        /// Most records to send; the manager may send fewer.
        #[n(2)]
        limit: u64,
    },
    /// Gives a member that lost its disk, or joined later, the complete certificate of a key on a set that it holds.
    #[n(9)]
    InstallKey {
        /// The certificate, signed by all members that it names.
        #[n(0)]
        certificate: Signed<KeyCertificate>,
    },
}

/// 1 to [`MAX_INPUTS`] inputs; no other number can be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
#[cbor(transparent)]
pub struct Inputs(#[n(0)] Vec<Fields>);

/// A number of inputs that no request may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request carries 1 to {MAX_INPUTS} inputs")]
pub struct WrongInputCount;

impl Inputs {
    /// The inputs, if their number is allowed.
    pub fn new(inputs: Vec<Fields>) -> Result<Self, WrongInputCount> {
        if (1..=MAX_INPUTS).contains(&inputs.len()) { Ok(Self(inputs)) } else { Err(WrongInputCount) }
    }
}

impl core::ops::Deref for Inputs {
    type Target = [Fields];

    fn deref(&self) -> &[Fields] {
        &self.0
    }
}

impl<'b, C> Decode<'b, C> for Inputs {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(Vec::decode(d, ctx)?).map_err(|_| minicbor::decode::Error::message("number of inputs"))
    }
}

/// A fragment manager's answer. Each request has one kind of success; any may be answered by an error.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Response {
    /// To [`Request::Status`].
    #[n(0)]
    Status(#[n(0)] Status),
    /// To [`Request::Authorise`].
    #[n(1)]
    Authorised {
        /// The verdict's handle on this channel.
        #[n(0)]
        handle: u64,
        /// Until when it holds, if nothing is revoked.
        #[n(1)]
        not_after: Seconds,
        /// The manager's clock.
        #[n(2)]
        time: Seconds,
    },
    /// To [`Request::Evaluate`].
    #[n(2)]
    Evaluated {
        /// The instance whose fragment was used.
        #[n(0)]
        instance: InstanceId,
        /// The proof over all evaluations, if one was asked for.
        #[n(1)]
        proof: Option<Proof>,
        /// The evaluations, in the order of the inputs.
        #[n(2)]
        evaluations: Vec<Evaluation>,
    },
    /// To [`Request::Certify`].
    #[n(3)]
    Certified {
        /// The member's signature on the certificate.
        #[n(0)]
        signature: Signature,
        /// What it signed.
        #[n(1)]
        certificate: Box<KeyCertificate>,
    },
    /// To the three installing requests: the document is stored durably.
    #[n(4)]
    Installed(#[n(0)] Signed<Receipt>),
    /// To [`Request::Instances`].
    #[n(7)]
    Instances(#[n(0)] Vec<Signed<EpochCertificate>>),
    /// To [`Request::Log`].
    #[n(8)]
    Log(#[n(0)] LogPage),
    /// To [`Request::InstallKey`]: the key version is known here now.
    #[n(9)]
    KeyInstalled,
    /// To any request.
    #[n(255)]
    Error(#[n(0)] Error),
}

/// How one manager sees an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Status {
    /// The manager's number in the account's roster.
    #[n(0)]
    pub index: Index,
    /// Its clock.
    #[n(1)]
    pub time: Seconds,
    /// Version of the root document that it holds.
    #[n(2)]
    pub root_version: u64,
    /// Version of the deny document that it holds; 0 if none.
    #[n(3)]
    pub deny_version: u64,
    /// Serial of the newest order that it holds; 0 if none.
    #[n(4)]
    pub order_serial: u64,
    /// High-water mark of its clock.
    #[n(5)]
    pub mark: Seconds,
    /// Number of fragment sets that it serves.
    #[n(6)]
    pub sets: u64,
}

/// Consecutive records of a manager's evaluation log (specification §8.3).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogPage {
    /// Canonical records; the first is the one asked for.
    #[n(0)]
    pub records: Vec<ByteVec>,
    /// The manager's word on how far the log has come.
    #[n(1)]
    pub head: Signed<EvaluationHead>,
}
