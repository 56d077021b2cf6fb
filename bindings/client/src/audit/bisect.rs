//! Finding the first edited entry: the access manager's stored tree still proves, for every earlier size, whether the
//! entries up to there are the ones that the tree was grown from.

use super::{Fault, PAGE};
use crate::client::Client;
use crate::error::Error;
use symbolon_audit::{Frontier, Hash, LogError, TreeHead, leaf_hash};
use symbolon_protocol::api::{self, path};

/// The hashes of all entries as they were read.
#[derive(Default)]
pub(super) struct Leaves(Vec<Hash>);

impl Leaves {
    pub(super) fn push(&mut self, data: &[u8]) {
        self.0.push(leaf_hash(data));
    }

    /// The tree over the first entries.
    fn head(&self, size: u64) -> TreeHead {
        let mut frontier = Frontier::new();
        for leaf in self.0.iter().take(usize::try_from(size).unwrap_or(usize::MAX)) {
            frontier.append(*leaf);
        }
        TreeHead { size, root: frontier.root() }
    }
}

impl Client {
    /// The fault of a log whose entries don't hash to the signed root.
    pub(super) async fn locate(&self, leaves: &Leaves, signed: TreeHead) -> Result<Fault, Error> {
        let (mut right, mut wrong) = (0, signed.size);
        while wrong - right > 1 {
            let middle = right + (wrong - right) / 2;
            if self.is_beginning(leaves.head(middle), signed).await? {
                right = middle;
            } else {
                wrong = middle;
            }
        }
        // If nothing at all can be proven, it is the stored tree that was edited.
        let proven = right > 0 || self.proves_another(leaves, signed).await?;
        Ok(if proven { Fault::Edited(right) } else { Fault::Log(LogError::Root) })
    }

    async fn is_beginning(&self, ours: TreeHead, signed: TreeHead) -> Result<bool, Error> {
        let query = format!("?size={}&from={}", signed.size, ours.size);
        let proof = self.proof(&query).await?;
        Ok(signed.check_extends(&ours, &proof).is_ok())
    }

    /// Whether the tree proves any entry behind the first.
    async fn proves_another(&self, leaves: &Leaves, signed: TreeHead) -> Result<bool, Error> {
        let first = signed.size.saturating_sub(u64::from(PAGE)).max(1);
        let page: api::EntryPage = self.read(path::AUDIT_ENTRIES, &format!("?first={first}")).await?;
        for (entry, leaf) in page.entries.iter().zip(first..leaves.0.len() as u64) {
            let proof = self.proof(&format!("?size={}&leaf={leaf}", signed.size)).await?;
            if signed.check_contains(leaf, &entry.0, &proof).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn proof(&self, query: &str) -> Result<Vec<Hash>, Error> {
        let proof: api::InclusionProof = self.read(path::AUDIT_PROOF, query).await?;
        Ok(proof.hashes.iter().map(|hash| Hash(hash.0)).collect())
    }
}
