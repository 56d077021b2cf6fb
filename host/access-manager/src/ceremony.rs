//! What the access manager adds to the ceremony log, and what it learns from it.

use crate::{account::Account, failure::Failure, unit::Unit};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, sync::Arc};
use symbolon_audit::{Event, Hash};
use symbolon_encoding::to_canonical;
pub(crate) use symbolon_protocol::ceremony::Observed;
use symbolon_protocol::ceremony::{
    Creation, Message, Proposal, Transcript, Work, log::Chain, observe as observe_message,
};
use symbolon_store::access::{LogRow, NewInstance};
use symbolon_trust::VerifiedEpochCertificate;
use tokio::task::spawn_blocking;

/// Appends a message; gives its place.
pub(crate) async fn append(unit: &mut Unit, message: Vec<u8>) -> Result<u64, Failure> {
    let tail = unit.rows().log_tail().await?;
    let mut chain = Chain::at(unit.account.id(), tail.sequence, tail.hash);
    let entry = chain.append(message);
    let row = LogRow { sequence: entry.sequence, hash: *chain.head(), message: entry.message };
    unit.rows().append_log(&row).await?;
    Ok(row.sequence)
}

/// Appends a message that asks the members for a ceremony, and logs that it was asked for.
pub(crate) async fn request(unit: &mut Unit, message: Vec<u8>) -> Result<u64, Failure> {
    let hash = Hash(Sha256::digest(&message).into());
    let sequence = append(unit, message).await?;
    unit.record(Event::CeremonyProposed { message: sequence, hash }).await?;
    Ok(sequence)
}

/// Proposes to generate the set that a holder asked for.
pub(crate) async fn propose(unit: &mut Unit, creation: Creation) -> Result<(), Failure> {
    let asked = creation.request.body();
    let proposal = Proposal {
        account: unit.account.id(),
        serial: 0,
        root_version: unit.account.root().document().version,
        suite: asked.suite,
        t: asked.t,
        members: asked.members.clone(),
        dealers: asked.members.clone(),
        work: Work::Generate(vec![creation]),
    };
    request(unit, Message::Proposal(proposal).to_bytes()).await?;
    Ok(())
}

/// What messages make known. Certificates have many signatures, so they are checked on a thread of their own and before
/// the datastore is locked.
pub(crate) async fn observe(account: &Arc<Account>, messages: &[Vec<u8>]) -> Result<Vec<Observed>, Failure> {
    let (account, messages) = (Arc::clone(account), messages.to_vec());
    let observing = spawn_blocking(move || {
        let observed = messages.iter().map(|message| observe_message(account.root(), message));
        observed.collect::<Result<Vec<_>, _>>()
    });
    let observed = observing.await.map_err(Failure::internal)?.map_err(|_| Failure::Encoding)?;
    Ok(observed.into_iter().flatten().collect())
}

/// Stores what messages made known: instances, flips, sets of keys.
pub(crate) async fn store(unit: &mut Unit, observed: Vec<Observed>) -> Result<(), Failure> {
    let mut touched = BTreeSet::new();
    for fact in observed {
        touched.extend(store_one(unit, fact).await?);
    }
    for transcript in touched {
        for (set, instance) in unit.rows().settle(&transcript).await? {
            unit.record(Event::InstanceSettled { set, instance }).await?;
        }
    }
    Ok(())
}

/// Stores a fact; gives the ceremony that it was about.
async fn store_one(unit: &mut Unit, fact: Observed) -> Result<Option<[u8; 32]>, Failure> {
    match fact {
        Observed::Complete { certificate, origin } => {
            let new = instance(&certificate);
            if unit.rows().put_instance(&new, crate::clock::wall().0).await? {
                unit.rows().put_set(&origin, &new.set).await?;
                unit.record(Event::InstanceCompleted { set: new.set, instance: new.instance }).await?;
            }
            Ok(Some(new.transcript))
        }
        Observed::Flipped { transcript, index } => {
            let transcript = name(&transcript);
            unit.rows().put_flip(&transcript, index).await?;
            Ok(Some(transcript))
        }
        Observed::Erased { .. } => Ok(None),
    }
}

fn name(transcript: &Transcript) -> [u8; 32] {
    Sha256::digest(to_canonical(transcript)).into()
}

fn instance(certificate: &VerifiedEpochCertificate) -> NewInstance {
    let body = certificate.certificate();
    NewInstance {
        set: body.set,
        instance: certificate.instance(),
        serial: body.serial,
        epoch: body.epoch,
        suite: body.suite.number(),
        t: body.t,
        members: body.members.clone(),
        transcript: name(&Transcript::of(body)),
        certificate: to_canonical(certificate.signed()),
    }
}
