//! The Merkle tree of RFC 6962 §2.1: growing it in little memory, making proofs from stored nodes, checking proofs.
//!
//! The tree is stored as its *complete* nodes, those over `2^level` leaves, which never change: a log appends them and
//! needs the [`Frontier`] alone to go on. Checking is ct-merkle's.

use alloc::{collections::BTreeMap, vec::Vec};
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// A SHA-256 hash of a leaf, a node or a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Hash(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

/// The hash of a leaf: `SHA-256(0x00 ‖ data)`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix([0]).chain_update(data).finalize().into())
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new_with_prefix([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// A complete node: the one over the leaves from `index · 2^level` to before `(index + 1) · 2^level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// 0 for leaves.
    pub level: u8,
    /// The node's number in its level, from 0.
    pub index: u64,
}

/// The right edge of a tree: what is needed to append to it. At most one hash for each bit of the size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Frontier {
    #[n(0)]
    size: u64,
    /// The roots of the complete subtrees that the tree falls into, the largest first.
    #[n(1)]
    peaks: Vec<Hash>,
}

/// A frontier whose number of hashes doesn't fit its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{peaks} hashes cannot be the edge of a tree of {size} leaves")]
pub struct WrongFrontier {
    size: u64,
    peaks: usize,
}

impl Frontier {
    /// The edge of an empty tree.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The edge of a stored tree: the hashes of [`Frontier::nodes`], in that order.
    pub fn from_stored(size: u64, peaks: Vec<Hash>) -> Result<Self, WrongFrontier> {
        if peaks.len() != size.count_ones() as usize {
            return Err(WrongFrontier { size, peaks: peaks.len() });
        }
        Ok(Self { size, peaks })
    }

    /// The nodes that make the edge of a tree of that size, the largest first.
    pub fn nodes(size: u64) -> Vec<NodeId> {
        range_nodes(0, size)
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. Gives the nodes that became complete by it, the leaf first: they are to be stored.
    pub fn append(&mut self, leaf: Hash) -> Vec<(NodeId, Hash)> {
        let (mut hash, mut index) = (leaf, self.size);
        let mut complete = Vec::from([(NodeId { level: 0, index }, hash)]);
        for level in 1..=u8::try_from(self.size.trailing_ones()).unwrap_or(u8::MAX) {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            index /= 2;
            complete.push((NodeId { level, index }, hash));
        }
        self.peaks.push(hash);
        self.size += 1;
        complete
    }

    /// The root: the Merkle tree hash of all leaves so far.
    pub fn root(&self) -> Hash {
        join(&self.peaks)
    }
}

/// The hash over neighbouring subtrees, given from left to right, the largest first.
fn join(hashes: &[Hash]) -> Hash {
    let mut from_the_right = hashes.iter().rev();
    let Some(last) = from_the_right.next() else { return Hash(Sha256::digest([]).into()) };
    from_the_right.fold(*last, |right, left| node_hash(left, &right))
}

/// The complete nodes that the subtree over these leaves falls into, the largest first.
fn range_nodes(start: u64, end: u64) -> Vec<NodeId> {
    let (mut nodes, mut at) = (Vec::new(), start);
    while at < end {
        let level = (end - at).ilog2();
        nodes.push(NodeId { level: u8::try_from(level).unwrap_or(u8::MAX), index: at >> level });
        at += 1 << level;
    }
    nodes
}

/// A proof, as a list of subtrees (each by first leaf and the one after the last) whose hashes it consists of.
type Plan = Vec<(u64, u64)>;

/// The subtrees in `PROOF(old, D[new])` of RFC 6962 §2.1.2.
fn consistency_plan(old: u64, new: u64) -> Plan {
    let (mut plan, mut start, mut end, mut whole) = (Plan::new(), 0, new, true);
    if old == 0 || old >= new {
        return plan;
    }
    while old != end {
        let split = start + left_size(end - start);
        if old <= split {
            plan.push((split, end));
            end = split;
        } else {
            plan.push((start, split));
            (start, whole) = (split, false);
        }
    }
    if !whole {
        plan.push((start, end));
    }
    plan.reverse();
    plan
}

/// The subtrees in `PATH(leaf, D[size])` of RFC 6962 §2.1.1.
fn inclusion_plan(leaf: u64, size: u64) -> Plan {
    let (mut plan, mut start, mut end) = (Plan::new(), 0, size);
    if leaf >= size {
        return plan;
    }
    while end - start > 1 {
        let split = start + left_size(end - start);
        if leaf < split {
            plan.push((split, end));
            end = split;
        } else {
            plan.push((start, split));
            start = split;
        }
    }
    plan.reverse();
    plan
}

/// The largest power of two below a size of at least two.
const fn left_size(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// A proof that is to be made: which stored nodes it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRequest(Plan);

/// A stored node that a proof needs is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored tree lacks node {} of level {}", .0.index, .0.level)]
pub struct MissingNode(pub NodeId);

impl ProofRequest {
    /// A proof that the tree of `old` leaves is the beginning of the one of `new`.
    pub fn consistency(old: u64, new: u64) -> Self {
        Self(consistency_plan(old, new))
    }

    /// A proof that this leaf is in the tree of that size.
    pub fn inclusion(leaf: u64, size: u64) -> Self {
        Self(inclusion_plan(leaf, size))
    }

    /// The stored nodes that are needed.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.0.iter().flat_map(|(start, end)| range_nodes(*start, *end))
    }

    /// Makes the proof from them.
    pub fn prove(&self, stored: &BTreeMap<NodeId, Hash>) -> Result<Vec<Hash>, MissingNode> {
        let fetch = |node: NodeId| stored.get(&node).copied().ok_or(MissingNode(node));
        let subtree = |(start, end): &(u64, u64)| -> Result<Hash, MissingNode> {
            let hashes = range_nodes(*start, *end).into_iter().map(fetch).collect::<Result<Vec<_>, _>>()?;
            Ok(join(&hashes))
        };
        self.0.iter().map(subtree).collect()
    }
}

/// A tree by its size and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TreeHead {
    /// The number of leaves.
    #[n(0)]
    pub size: u64,
    /// The Merkle tree hash.
    #[n(1)]
    pub root: Hash,
}

/// A proof that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongProof {
    /// The tree shrank.
    #[error("the tree had {old} leaves and has {new}")]
    Shrunk {
        /// Before.
        old: u64,
        /// Now.
        new: u64,
    },
    /// The hashes don't lead from one root to the other, or from the leaf to the root.
    #[error("the hashes do not prove it")]
    Hashes,
}

impl TreeHead {
    /// The head of the tree without leaves.
    pub fn empty() -> Self {
        Self { size: 0, root: Frontier::new().root() }
    }

    /// Checks that this tree is the other with leaves appended, or none.
    pub fn check_extends(&self, old: &Self, proof: &[Hash]) -> Result<(), WrongProof> {
        if self.size < old.size {
            return Err(WrongProof::Shrunk { old: old.size, new: self.size });
        }
        if self.size == old.size || old.size == 0 {
            let same = self.size != old.size || self.root == old.root;
            let start = old.size != 0 || old.root == Self::empty().root;
            return if same && start && proof.is_empty() { Ok(()) } else { Err(WrongProof::Hashes) };
        }
        let proof = ConsistencyProof::try_from_bytes(flat(proof)).map_err(|_| WrongProof::Hashes)?;
        self.as_root().verify_consistency(&old.as_root(), &proof).map_err(|_| WrongProof::Hashes)
    }

    /// Checks that the tree's leaf of that number has these data.
    pub fn check_contains(&self, leaf: u64, data: &[u8], proof: &[Hash]) -> Result<(), WrongProof> {
        let proof = InclusionProof::try_from_bytes(flat(proof)).map_err(|_| WrongProof::Hashes)?;
        self.as_root().verify_inclusion(&data, leaf, &proof).map_err(|_| WrongProof::Hashes)
    }

    fn as_root(&self) -> RootHash<Sha256> {
        RootHash::new(self.root.0.into(), self.size)
    }
}

fn flat(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    const SIZES: u64 = 40;

    fn data(leaf: u64) -> Vec<u8> {
        leaf.to_be_bytes().to_vec()
    }

    /// Our tree and ct-merkle's of the same leaves, and our stored nodes.
    fn trees(size: u64) -> (Frontier, MemoryBackedTree<Sha256, Vec<u8>>, BTreeMap<NodeId, Hash>) {
        let (mut ours, mut theirs, mut stored) = (Frontier::new(), MemoryBackedTree::new(), BTreeMap::new());
        for leaf in 0..size {
            stored.extend(ours.append(leaf_hash(&data(leaf))));
            theirs.push(data(leaf));
        }
        (ours, theirs, stored)
    }

    fn head(frontier: &Frontier) -> TreeHead {
        TreeHead { size: frontier.size(), root: frontier.root() }
    }

    /// The roots of the test leaves that Certificate Transparency implementations share (RFC 6962 reference code).
    #[test]
    fn roots_are_those_of_the_reference_tree() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Frontier::new();
        assert_eq!(
            hex::encode(tree.root().0),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (leaf, root) in leaves.iter().zip(roots) {
            tree.append(leaf_hash(&hex::decode(leaf).unwrap()));
            assert_eq!(hex::encode(tree.root().0), root);
        }
    }

    #[test]
    fn a_stored_tree_goes_on_where_it_stopped() {
        for size in 0..SIZES {
            let (mut tree, _, stored) = trees(size);
            let peaks = Frontier::nodes(size).iter().map(|node| stored[node]).collect();
            let mut read = Frontier::from_stored(size, peaks).unwrap();
            assert_eq!(read, tree);
            assert_eq!(read.append(leaf_hash(b"x")), tree.append(leaf_hash(b"x")));
        }
        assert!(Frontier::from_stored(3, Vec::new()).is_err());
    }

    #[test]
    fn roots_and_proofs_agree_with_ct_merkle() {
        for size in 1..SIZES {
            let (tree, theirs, stored) = trees(size);
            assert_eq!(tree.root().0, theirs.root().as_bytes()[..]);
            for leaf in 0..size {
                let proof = ProofRequest::inclusion(leaf, size).prove(&stored).unwrap();
                assert_eq!(flat(&proof), theirs.prove_inclusion(leaf.try_into().unwrap()).as_bytes());
                head(&tree).check_contains(leaf, &data(leaf), &proof).unwrap();
                assert!(head(&tree).check_contains(leaf, b"other", &proof).is_err());
            }
            for old in 1..=size {
                let proof = ProofRequest::consistency(old, size).prove(&stored).unwrap();
                let additions = (size - old).try_into().unwrap();
                assert_eq!(flat(&proof), theirs.prove_consistency(additions).as_bytes());
            }
        }
    }

    #[test]
    fn only_an_extension_is_consistent() {
        for size in 0..SIZES {
            let (tree, _, stored) = trees(size);
            for old in 0..=size {
                let proof = ProofRequest::consistency(old, size).prove(&stored).unwrap();
                let old = head(&trees(old).0);
                head(&tree).check_extends(&old, &proof).unwrap();
                let other = TreeHead { root: leaf_hash(b"another tree"), ..old };
                assert_eq!(head(&tree).check_extends(&other, &proof), Err(WrongProof::Hashes));
                let more = [&proof[..], &[Hash::default()]].concat();
                assert_eq!(head(&tree).check_extends(&old, &more), Err(WrongProof::Hashes));
            }
        }
        let (small, large) = (head(&trees(3).0), head(&trees(4).0));
        assert_eq!(small.check_extends(&large, &[]), Err(WrongProof::Shrunk { old: 4, new: 3 }));
    }
}
