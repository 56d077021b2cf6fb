//! The account's Merkle log in the datastore: appending, checkpoints, proofs.

use crate::{failure::Failure, service::Service};
use std::collections::BTreeMap;
use symbolon_audit::{Entry, Frontier, Hash, NodeId, Note, ProofRequest, TreeHead, sign_checkpoint};
use symbolon_fragments::names::AccountId;
use symbolon_store::{Reading, Write, access::Rows};

/// The right edge of the log as the transaction sees it.
pub(crate) async fn frontier(
    service: &Service,
    rows: &mut Rows<'_, impl Reading>,
    id: AccountId,
) -> Result<Frontier, Failure> {
    let size = rows.leaves().await?;
    match service.frontier(id, size) {
        Some(frontier) => Ok(frontier),
        None => stored_frontier(rows, size).await,
    }
}

async fn stored_frontier(rows: &mut Rows<'_, impl Reading>, size: u64) -> Result<Frontier, Failure> {
    let nodes = Frontier::nodes(size);
    let places: Vec<_> = nodes.iter().map(|node| (node.level, node.index)).collect();
    let peaks = rows.nodes(&places).await?.into_iter().map(Hash).collect();
    Frontier::from_stored(size, peaks).map_err(Failure::internal)
}

/// Appends an entry: its leaf, and the nodes that it completes.
pub(crate) async fn append(
    rows: &mut Rows<'_, Write>,
    frontier: &mut Frontier,
    entry: &Entry,
) -> Result<(), Failure> {
    rows.append_leaf(entry.sequence, &entry.to_bytes()).await?;
    for (node, hash) in frontier.append(entry.leaf_hash()) {
        rows.put_node(node.level, node.index, &hash.0).await?;
    }
    Ok(())
}

/// A checkpoint of the log as the transaction sees it.
pub(crate) async fn checkpoint(
    service: &Service,
    rows: &mut Rows<'_, impl Reading>,
    id: AccountId,
) -> Result<(u64, Note), Failure> {
    let frontier = frontier(service, rows, id).await?;
    let head = TreeHead { size: frontier.size(), root: frontier.root() };
    Ok((head.size, sign_checkpoint(id, &head, [&service.permit_key])))
}

/// Makes a proof from stored nodes.
pub(crate) async fn prove(
    rows: &mut Rows<'_, impl Reading>,
    request: &ProofRequest,
) -> Result<Vec<Hash>, Failure> {
    let nodes: Vec<NodeId> = request.nodes().collect();
    let places: Vec<_> = nodes.iter().map(|node| (node.level, node.index)).collect();
    let hashes = rows.nodes(&places).await?.into_iter().map(Hash);
    let stored: BTreeMap<_, _> = nodes.into_iter().zip(hashes).collect();
    request.prove(&stored).map_err(Failure::internal)
}
