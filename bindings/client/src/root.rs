//! The account's root document as this client trusts it: installed by the profile, succeeded by what its owner signs.

mod successors;

pub(crate) use successors::Successors;

use crate::access::{Access, AccessError, Subject, document};
use crate::error::{Error, Integrity, ServerName};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use symbolon_protocol::api::{ProblemType, SignedDocument, path};
use symbolon_trust::{RootDocument, Signed, TrustedRoot};

/// Most successors that are fetched at a time: a hostile server can't make a client verify for ever.
const MAX_STEPS: usize = 1000;
/// Time between two questions that nobody asked for by hand.
const SELDOM: Duration = Duration::from_secs(5);

/// The trusted root, which only grows.
pub(crate) struct Root {
    trusted: RwLock<Arc<TrustedRoot>>,
    /// When successors were last asked for; the lock is held meanwhile.
    refreshed: tokio::sync::Mutex<Option<Instant>>,
    kept: Option<Successors>,
}

impl Root {
    /// A root, with the place where its successors are kept.
    pub(crate) fn new(root: TrustedRoot, kept: Option<Successors>) -> Self {
        Self { trusted: RwLock::new(Arc::new(root)), refreshed: tokio::sync::Mutex::default(), kept }
    }

    pub(crate) fn get(&self) -> Arc<TrustedRoot> {
        self.trusted.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`Root::refresh`], but not again and again: certificates that don't verify may be anybody's.
    pub(crate) async fn refresh_seldom(&self, access: &Access) -> Result<bool, Error> {
        let refreshed = *self.refreshed.lock().await;
        if refreshed.is_some_and(|at| at.elapsed() < SELDOM) {
            return Ok(false);
        }
        self.refresh(access).await
    }

    /// Takes over successors that the access manager has. Says whether there were any.
    pub(crate) async fn refresh(&self, access: &Access) -> Result<bool, Error> {
        let mut refreshed = self.refreshed.lock().await;
        *refreshed = Some(Instant::now());
        let before = self.get();
        let mut root = before.clone();
        for _ in 0..MAX_STEPS {
            match self.successor(access, &root).await? {
                Some(next) => root = Arc::new(next),
                None => break,
            }
        }
        let grown = root.document().version > before.document().version;
        if let Some(kept) = self.kept.as_ref().filter(|_| grown) {
            kept.keep(&root, before.document().version);
        }
        *self.trusted.write().unwrap_or_else(PoisonError::into_inner) = root;
        Ok(grown)
    }

    async fn successor(&self, access: &Access, root: &TrustedRoot) -> Result<Option<TrustedRoot>, Error> {
        let path = path::of_account(path::ROOT, access.account());
        let version = root.document().version + 1;
        let answer: SignedDocument = match access.get(format!("{path}?version={version}")).await {
            Ok(answer) => answer,
            Err(AccessError::Problem(problem)) if problem.kind == ProblemType::NotFound => return Ok(None),
            Err(error) => return Err(access.explain(error, Subject::default())),
        };
        let signed: Signed<RootDocument> =
            document(&answer.document).map_err(|_| Integrity::Protocol(ServerName::AccessManager))?;
        Ok(Some(root.succeed(signed).map_err(Integrity::Root)?))
    }
}
