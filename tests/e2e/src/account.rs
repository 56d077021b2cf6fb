//! An account as a party outside of the client sees it: its root document, who its servers are, and the documents that a holder needs.

use std::path::Path;

use hyper::Method;
use symbolon_channel::Server;
use symbolon_channel::http::Request;
use symbolon_channel::relay::Destination;
use symbolon_encoding::from_canonical;
use symbolon_fragments::names::{AccountId, Index, InstanceId, SetId};
use symbolon_protocol::api::{self, Id, path};
use symbolon_protocol::wire;
use symbolon_trust::{EpochCertificate, Grant, Permit, PublicKey, RootDocument, Signed, TrustedRoot};

use crate::{Conversation, Party};

/// An account, by its installed root document.
pub struct Account {
    /// The document.
    pub root: TrustedRoot,
}

/// What a holder shows to a fragment manager.
pub type Credential = (Signed<Grant>, Signed<Permit>);

impl Account {
    /// The account of a root file, as `symbolon init` writes it.
    pub fn at(root_file: &Path) -> Self {
        let bytes = std::fs::read(root_file).expect("the root file can be read");
        let signed: Signed<RootDocument> = from_canonical(&bytes).expect("the root file is canonical");
        let root =
            TrustedRoot::install(signed.body().account(), signed).expect("the root file is a first document");
        Self { root }
    }

    /// Its id.
    pub fn id(&self) -> AccountId {
        self.root.account()
    }

    /// Its id as paths have it.
    pub fn path_id(&self) -> Id {
        Id(*self.id().as_bytes())
    }

    /// Its access manager.
    pub fn access_manager(&self) -> Server {
        let access_manager = &self.root.document().access_manager;
        Server { address: access_manager.address.clone(), key: access_manager.key }
    }

    /// The identity key of the fragment manager at a position of the roster, from 0.
    pub fn manager(&self, position: usize) -> PublicKey {
        self.root.document().roster[position].key
    }

    /// The relay's name of that manager.
    pub fn destination(&self, position: usize) -> Destination {
        Destination { account: self.id(), index: self.index(position) }
    }

    /// The roster index of that manager.
    pub fn index(&self, position: usize) -> Index {
        self.root.document().roster[position].index
    }

    /// Grant and permit for a party, from the access manager; what it says instead where it refuses.
    pub fn credential(
        &self,
        party: &Party,
        key: &str,
        operations: &[api::Operation],
    ) -> Result<Credential, api::Problem> {
        let body = api::PermitRequest {
            key: key.into(),
            version: None,
            operations: operations.to_vec(),
            on_behalf_of: None,
            process: None,
        };
        let answer: api::Permit = self.post(party, path::PERMITS, &body)?;
        let grant = from_canonical(&answer.grant.0).expect("the access manager serves canonical documents");
        let permit = from_canonical(&answer.permit.0).expect("the access manager serves canonical documents");
        Ok((grant, permit))
    }

    /// Posts a JSON body to one of the account's paths.
    pub fn post<B: serde::Serialize, A: serde::de::DeserializeOwned>(
        &self,
        party: &Party,
        template: &str,
        body: &B,
    ) -> Result<A, api::Problem> {
        let body = serde_json::to_vec(body).expect("bodies are JSON");
        let request = Request::new(Method::POST, path::of_account(template, &self.path_id())).with_json(body);
        self.send(party, request)
    }

    /// Gets one of the account's resources.
    pub fn get<A: serde::de::DeserializeOwned>(&self, party: &Party, path: &str) -> Result<A, api::Problem> {
        self.send(party, Request::new(Method::GET, path))
    }

    fn send<A: serde::de::DeserializeOwned>(
        &self,
        party: &Party,
        request: Request,
    ) -> Result<A, api::Problem> {
        let answer = party.rest(&self.access_manager(), request).expect("the access manager answers");
        if answer.status.is_success() {
            Ok(serde_json::from_slice(&answer.body).expect("the answer is what the interface says"))
        } else {
            Err(serde_json::from_slice(&answer.body).expect("a refusal is problem details"))
        }
    }

    /// The set that serves the newest version of a key.
    pub fn set_of(&self, party: &Party, key: &str) -> SetId {
        let key: api::Key = self.get(party, &path::key(&self.path_id(), key)).expect("the key is there");
        let set = key.all_versions.first().and_then(|newest| newest.set).expect("the key has a set");
        SetId::new(set.0)
    }

    /// The newest instance of a set that this manager serves.
    pub fn newest_instance(&self, conversation: &Conversation<'_>, set: SetId) -> Signed<EpochCertificate> {
        let request = wire::Request::Instances { account: self.id(), set };
        match conversation.call(request) {
            Ok(wire::Response::Instances(instances)) => instances
                .into_iter()
                .max_by_key(|signed| signed.body().number())
                .expect("an instance is served"),
            other => panic!("instances were expected, not {other:?}"),
        }
    }
}

/// The id of a certified instance.
pub fn instance(certificate: &Signed<EpochCertificate>) -> InstanceId {
    certificate.body().instance()
}
