//! The ceremony log and the Merkle log, as members and auditors read them.

mod harness;

use std::time::Duration;

use harness::{
    Client, Site, config, directory, now,
    world::{World, bytes, document, indexes},
};
use symbolon_audit::{Entry, EvaluationHead, Event, Hash, LogReader, TreeHead, VerifiedCheckpoint, Witness};
use symbolon_encoding::to_canonical;
use symbolon_protocol::{
    api::{
        Checkpoint, Cosignature, EntryPage, InclusionProof, LogHead, LogPage, LogPost, PermitRequest,
        ProblemType, path,
    },
    ceremony::{
        Erasure, MAX_MESSAGE_BYTES, Message,
        log::{Chain, Entry as LogEntry},
    },
};
use symbolon_trust::{HighWaterMark, Operation, Seconds, Signed};
use tempfile::TempDir;

struct Account {
    world: World,
    site: Site,
    owner: Client,
    members: Vec<Client>,
    _directory: TempDir,
}

impl Account {
    async fn open() -> Self {
        let world = World::unreachable("a", 10);
        let directory = directory(&[&world]);
        let site = Site::start(&config(directory.path())).await;
        let owner = site.client(&world.owner);
        let members = world.members.iter().map(|key| site.client(key)).collect();
        Self { world, site, owner, members, _directory: directory }
    }

    async fn read(&self, query: &str) -> LogPage {
        self.members[0].get(&format!("{}?{query}", self.world.path(path::CEREMONY_LOG))).await.ok()
    }

    async fn post(&self, member: usize, messages: Vec<Vec<u8>>) -> harness::Answer {
        let messages = messages.into_iter().map(Into::into).collect();
        self.members[member].post(&self.world.path(path::CEREMONY_LOG), &LogPost { messages }).await
    }

    async fn grants(&self, ids: std::ops::Range<u64>) {
        for id in ids {
            let grant = self.world.grant(id, 1, "*", &self.world.holder, &[Operation::Audit]);
            self.owner.post(&self.world.path(path::GRANTS), &document(&grant)).await.done();
        }
    }

    async fn checkpoint(&self, client: &Client) -> Checkpoint {
        client.get(&self.world.path(path::AUDIT_CHECKPOINT)).await.ok()
    }

    /// Reads and checks the whole log as an auditor does.
    async fn entries(&self) -> Vec<Entry> {
        let page: EntryPage =
            self.owner.get(&format!("{}?limit=1000", self.world.path(path::AUDIT_ENTRIES))).await.ok();
        let mut reader = LogReader::new();
        let entries = page.entries.iter().map(|entry| reader.read(&entry.0).unwrap()).collect();
        let checkpoint = self.checkpoint(&self.owner).await;
        reader.finish(&VerifiedCheckpoint::verify(&checkpoint.note, &self.world.root).unwrap()).unwrap();
        entries
    }

    async fn proof(&self, query: &str) -> Vec<Hash> {
        let proof: InclusionProof =
            self.owner.get(&format!("{}?{query}", self.world.path(path::AUDIT_PROOF))).await.ok();
        proof.hashes.into_iter().map(|hash| Hash(hash.0)).collect()
    }
}

fn refresh() -> Vec<u8> {
    Message::Refresh(vec![]).to_bytes()
}

#[tokio::test]
async fn the_ceremony_log_is_a_chain_that_members_follow() {
    let account = Account::open().await;
    assert_eq!(
        account.read("").await.head,
        LogHead { sequence: 0, hash: symbolon_protocol::api::Id([0; 32]) }
    );
    account.post(0, vec![refresh(), refresh()]).await.done();
    let head: LogHead = account.post(2, vec![refresh()]).await.ok();
    let mut chain = Chain::new(account.world.account());
    let mut after = 0;
    while after < 3 {
        for entry in account.read(&format!("after={after}&limit=2")).await.entries {
            let previous = *chain.head();
            chain.follow(&LogEntry { sequence: entry.sequence, previous, message: entry.message.0 }).unwrap();
            assert_eq!(*chain.head(), entry.hash.0);
            after = entry.sequence;
        }
    }
    assert_eq!((head.sequence, head.hash.0), (chain.sequence(), *chain.head()));
}

#[tokio::test]
async fn a_member_that_waits_is_told_of_a_message_and_of_silence() {
    let account = Account::open().await;
    let began = std::time::Instant::now();
    assert!(account.read("wait=1").await.entries.is_empty());
    assert!(began.elapsed() >= Duration::from_secs(1));
    let waiting = {
        let (member, at) =
            (account.members[1].clone(), format!("{}?wait=30", account.world.path(path::CEREMONY_LOG)));
        tokio::spawn(async move { member.get(&at).await.ok::<LogPage>() })
    };
    account.post(0, vec![refresh()]).await.done();
    assert_eq!(waiting.await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn only_members_post_and_only_in_their_own_name() {
    let account = Account::open().await;
    let erasure = Erasure {
        account: account.world.account(),
        index: indexes()[1],
        set: symbolon_fragments::names::SetId::new([1; 32]),
        serial: 1,
    };
    let erasure = Message::Erasure(Signed::by(erasure, [&account.world.members[1]])).to_bytes();
    account.post(0, vec![refresh(), erasure.clone()]).await.problem(ProblemType::Denied);
    assert_eq!(account.read("").await.head.sequence, 0, "all of a post or nothing");
    account.post(1, vec![erasure]).await.done();
    account.post(1, vec![b"\x00".to_vec()]).await.problem(ProblemType::InvalidDocument);
    account.post(1, vec![vec![0; MAX_MESSAGE_BYTES + 1]]).await.problem(ProblemType::TooLarge);
    let post = LogPost { messages: vec![refresh().into()] };
    account.owner.post(&account.world.path(path::CEREMONY_LOG), &post).await.problem(ProblemType::Denied);
}

#[tokio::test]
async fn a_certificate_that_lacks_a_signature_makes_no_instance() {
    let account = Account::open().await;
    let request = account.world.create("k", 1);
    let whole = account.world.instance(request.body());
    let short = Signed::by(whole.body().clone(), &account.world.members[..2]);
    account.post(0, vec![World::certificates(request.body(), &short).0]).await.done();
    let sets: symbolon_protocol::api::SetPage = account.owner.get(&account.world.path(path::SETS)).await.ok();
    assert!(sets.sets.is_empty());
    account.post(0, vec![World::certificates(request.body(), &whole).0]).await.done();
    let sets: symbolon_protocol::api::SetPage = account.owner.get(&account.world.path(path::SETS)).await.ok();
    assert_eq!(sets.sets.len(), 1);
}

#[tokio::test]
async fn a_page_of_large_messages_ends_early_but_never_stands_still() {
    let account = Account::open().await;
    let sets = (0..20_000u32).map(|n| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        symbolon_fragments::names::SetId::new(id)
    });
    let large = Message::Refresh(sets.collect()).to_bytes();
    for _ in 0..4 {
        account.post(0, vec![large.clone()]).await.done();
    }
    let first = account.read("").await;
    assert_eq!((first.entries.len(), first.head.sequence), (3, 4));
    assert_eq!(account.read("after=3").await.entries.len(), 1);
}

#[tokio::test]
async fn every_change_is_in_the_log_and_the_log_is_what_was_signed() {
    let account = Account::open().await;
    account.grants(1..3).await;
    account
        .owner
        .put(&account.world.path(path::DENY), &document(&account.world.deny(1, |_| {})))
        .await
        .done();
    let entries = account.entries().await;
    let events: Vec<_> = entries.iter().map(|entry| &entry.event).collect();
    let [first, second] =
        [Event::RootInstalled { version: 1, hash: hash_of(account.world.root.document()) }, Event::Started];
    assert_eq!(events[..2], [&first, &second]);
    assert!(matches!(events[2], Event::GrantInstalled { id: 1, .. }));
    assert!(matches!(events[4], Event::DenyInstalled { version: 1, .. }));
    assert_eq!(entries[4].actor, account.world.owner.public().thumbprint());
}

fn hash_of(document: &impl symbolon_trust::Document) -> Hash {
    Hash(symbolon_trust::hash(document))
}

#[tokio::test]
async fn permits_and_refusals_are_logged_with_their_reason() {
    let account = Account::open().await;
    let holder = account.site.client(&account.world.holder);
    let grant = account.world.grant(1, 1, "shop/*", &account.world.holder, &[Operation::Encrypt]);
    holder.post(&account.world.path(path::GRANTS), &document(&grant)).await.done();
    let ask = async |key: &str, operation| {
        let (key, operations) = (key.into(), vec![operation]);
        let request = PermitRequest { key, version: None, operations, on_behalf_of: None, process: None };
        holder.post(&account.world.path(path::PERMITS), &request).await
    };
    ask("shop/a", symbolon_protocol::api::Operation::Encrypt).await.problem(ProblemType::UnknownKey);
    ask("shop/a", symbolon_protocol::api::Operation::Decrypt).await.problem(ProblemType::Denied);
    let stranger = account.site.client(&account.world.other);
    let request = PermitRequest {
        key: "shop/a".into(),
        version: None,
        operations: vec![symbolon_protocol::api::Operation::Encrypt],
        on_behalf_of: None,
        process: None,
    };
    stranger.post(&account.world.path(path::PERMITS), &request).await.problem(ProblemType::Denied);
    let entries = account.entries().await;
    let reasons: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::PermitRefused { reason, .. } => Some((*reason, entry.actor)),
            _ => None,
        })
        .collect();
    let holder = account.world.holder_id();
    // A stranger costs the account no entry.
    assert_eq!(
        reasons,
        [(symbolon_audit::Refusal::Unknown, holder), (symbolon_audit::Refusal::NotGranted, holder)]
    );
}

#[tokio::test]
async fn proofs_lead_from_any_tree_to_any_later_one() {
    let account = Account::open().await;
    account.grants(1..12).await;
    let page: EntryPage = account.owner.get(&account.world.path(path::AUDIT_ENTRIES)).await.ok();
    let mut frontier = symbolon_audit::Frontier::new();
    let mut heads = vec![TreeHead::empty()];
    for entry in &page.entries {
        frontier.append(symbolon_audit::leaf_hash(&entry.0));
        heads.push(TreeHead { size: frontier.size(), root: frontier.root() });
    }
    for new in 1..heads.len() {
        for old in 0..=new {
            let proof = account.proof(&format!("size={new}&from={old}")).await;
            heads[new].check_extends(&heads[old], &proof).unwrap();
        }
        for leaf in 0..new {
            let proof = account.proof(&format!("size={new}&leaf={leaf}")).await;
            heads[new].check_contains(leaf as u64, &page.entries[leaf].0, &proof).unwrap();
        }
    }
    let at = account.world.path(path::AUDIT_PROOF);
    account.owner.get(&format!("{at}?size=99&leaf=1")).await.problem(ProblemType::NotFound);
    for wrong in ["size=5&leaf=5", "size=5&from=6", "size=5", "size=5&leaf=1&from=1"] {
        account.owner.get(&format!("{at}?{wrong}")).await.problem(ProblemType::Malformed);
    }
}

#[tokio::test]
async fn members_cosign_one_open_checkpoint_and_auditors_see_it() {
    let account = Account::open().await;
    assert_eq!(account.checkpoint(&account.owner).await.open, None);
    let open = account.checkpoint(&account.members[0]).await.open.unwrap();
    account.grants(1..3).await;
    let time = HighWaterMark::default().observe(Seconds(now())).unwrap();
    for member in [0, 2] {
        let seen = account.checkpoint(&account.members[member]).await;
        assert_eq!(seen.open.as_ref(), Some(&open), "the same for all");
        let checkpoint = VerifiedCheckpoint::verify(&open, &account.world.root).unwrap();
        let size = checkpoint.head().size;
        let proof = account.proof(&format!("size={size}&from=0")).await;
        let witness = Witness::new(account.world.account());
        let cosignature = witness.check(&checkpoint, &proof).unwrap().cosign(
            indexes()[member],
            &account.world.members[member],
            time,
        );
        let head = EvaluationHead {
            account: account.world.account(),
            index: indexes()[member],
            records: 5,
            hash: Hash([7; 32]),
            time: Seconds(now()),
        };
        let head = Some(bytes(&Signed::by(head, [&account.world.members[member]])));
        let body = Cosignature { size, line: cosignature.to_string().trim_end().to_owned(), head };
        let at = account.world.path(path::AUDIT_COSIGNATURES);
        account.members[1].post(&at, &body).await.problem(ProblemType::InvalidDocument);
        account.owner.post(&at, &body).await.problem(ProblemType::Denied);
        account.members[member].post(&at, &body).await.done();
        account.members[member].post(&at, &body).await.done();
        let unknown = Cosignature { size: size + 1, ..body };
        account.members[member].post(&at, &unknown).await.problem(ProblemType::NotFound);
    }
    let seen = account.checkpoint(&account.owner).await;
    let cosigned = VerifiedCheckpoint::verify(&seen.cosigned.unwrap(), &account.world.root).unwrap();
    let cosigners = cosigned.cosigners(&account.world.root).unwrap();
    assert_eq!(cosigners.iter().map(|(index, _)| index.get()).collect::<Vec<_>>(), [1, 3]);
    let newest = VerifiedCheckpoint::verify(&seen.note, &account.world.root).unwrap();
    assert!(newest.head().size > cosigned.head().size);
    let heads = account
        .entries()
        .await
        .into_iter()
        .filter(|entry| matches!(entry.event, Event::EvaluationHead { .. }));
    assert_eq!(heads.count(), 2, "the same head again is no news");
}

#[tokio::test]
async fn a_wrong_cosignature_and_a_rewritten_evaluation_log_are_refused() {
    let account = Account::open().await;
    let open = account.checkpoint(&account.members[0]).await.open.unwrap();
    let checkpoint = VerifiedCheckpoint::verify(&open, &account.world.root).unwrap();
    let size = checkpoint.head().size;
    let time = HighWaterMark::default().observe(Seconds(now())).unwrap();
    let proof = account.proof(&format!("size={size}&from=0")).await;
    let witness = Witness::new(account.world.account());
    let witnessed = witness.check(&checkpoint, &proof).unwrap();
    let at = account.world.path(path::AUDIT_COSIGNATURES);
    let post = async |key: usize, records: u64, hash: u8| {
        let line = witnessed.cosign(indexes()[0], &account.world.members[key], time).to_string();
        let (index, hash, time) = (indexes()[0], Hash([hash; 32]), Seconds(now()));
        let head = EvaluationHead { account: account.world.account(), index, records, hash, time };
        let head = Some(to_canonical(&Signed::by(head, [&account.world.members[key]])).into());
        account.members[0].post(&at, &Cosignature { size, line: line.trim_end().to_owned(), head }).await
    };
    post(1, 5, 1).await.problem(ProblemType::InvalidDocument);
    post(0, 5, 1).await.done();
    post(0, 5, 2).await.problem(ProblemType::Superseded);
    post(0, 4, 1).await.problem(ProblemType::Superseded);
    post(0, 6, 2).await.done();
}

#[tokio::test]
async fn only_those_who_are_granted_audit_read_it() {
    let account = Account::open().await;
    let holder = account.site.client(&account.world.holder);
    let at = account.world.path(path::AUDIT_ENTRIES);
    let decrypt = account.world.grant(1, 1, "*", &account.world.holder, &[Operation::Decrypt]);
    holder.post(&account.world.path(path::GRANTS), &document(&decrypt)).await.done();
    holder.get(&at).await.problem(ProblemType::Denied);
    let audit = account.world.grant(2, 1, "*", &account.world.holder, &[Operation::Audit]);
    holder.post(&account.world.path(path::GRANTS), &document(&audit)).await.done();
    holder.get(&at).await.done();
    let deny = account.world.deny(1, |deny| deny.deny_holder(account.world.holder_id()));
    account.owner.put(&account.world.path(path::DENY), &document(&deny)).await.done();
    holder.get(&at).await.problem(ProblemType::Revoked);
}
