//! Encrypting and decrypting: from a key's name to a message's key, and the messages that fit in memory.

use crate::aead::AwsLc;
use crate::bulk::{Decryption, Encryption};
use crate::client::Client;
use crate::error::{Bug, DownReason, Error, Integrity, Invalid, Unavailable};
use crate::managers::Trouble;
use crate::permits::{HeldPermit, Wanted, WantedOperation};
use crate::quorum::{Batch, Mode, NotGathered, combine_error, gather};
use crate::versions::Sharing;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use symbolon_envelope::{Context, Decryptor, Header, Preamble};
use symbolon_fragments::names::{KeyId, Purpose};
use symbolon_fragments::{Binding, Combination, Derived, MAX_BATCH, Output};
use symbolon_trust::{Seconds, VerifiedKeyCertificate};
use zeroize::Zeroizing;

/// Messages up to this length are sealed and opened where they are; longer ones on several threads.
const INLINE: usize = 256 * 1024;
/// How often a batch is tried when the set turns out to have been shared anew.
const STALE_TRIES: usize = 3;
/// How far the managers' time must move for a batch that they found stale to be made again.
const CLOCK_MOVED: u64 = 60;

/// A data key: for the caller's own cipher, and wrapped for keeping.
pub struct DataKey {
    /// 256 random bits.
    pub plaintext: Zeroizing<[u8; 32]>,
    /// The same, encrypted. [`Client::open_data_key`] opens it.
    pub wrapped: Vec<u8>,
}

impl Client {
    /// Encrypts a message under the newest version of a key.
    pub async fn encrypt(&self, key: &KeyId, plaintext: &[u8], context: &Context) -> Result<Vec<u8>, Error> {
        let sealed = self.encrypt_for(key, Purpose::Data, &[(plaintext, context)]).await?;
        sealed.into_iter().next().ok_or_else(|| Bug::Internal("no ciphertext").into())
    }

    /// Encrypts many messages under the newest version of a key, 64 an exchange.
    pub async fn encrypt_many(
        &self,
        key: &KeyId,
        messages: &[(&[u8], &Context)],
    ) -> Result<Vec<Vec<u8>>, Error> {
        self.encrypt_for(key, Purpose::Data, messages).await
    }

    /// Decrypts a message.
    pub async fn decrypt(&self, sealed: &[u8], context: &Context) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opened = self.decrypt_for(Purpose::Data, &[(sealed, context)]).await?;
        opened.into_iter().next().ok_or_else(|| Bug::Internal("no plaintext").into())
    }

    /// Decrypts many messages, whatever their keys, up to 64 an exchange. One that doesn't open fails them all.
    pub async fn decrypt_many(
        &self,
        messages: &[(&[u8], &Context)],
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
        self.decrypt_for(Purpose::Data, messages).await
    }

    /// Makes a data key under a key whose purpose that is.
    pub async fn data_key(&self, key: &KeyId, context: &Context) -> Result<DataKey, Error> {
        let plaintext = Zeroizing::new(crate::random::bytes::<32>());
        let wrapped = self.encrypt_for(key, Purpose::DataKey, &[(&plaintext[..], context)]).await?;
        let wrapped = wrapped.into_iter().next().ok_or(Bug::Internal("no ciphertext"))?;
        Ok(DataKey { plaintext, wrapped })
    }

    /// Opens a wrapped data key.
    pub async fn open_data_key(
        &self,
        wrapped: &[u8],
        context: &Context,
    ) -> Result<Zeroizing<[u8; 32]>, Error> {
        let opened = self.decrypt_for(Purpose::DataKey, &[(wrapped, context)]).await?;
        let key = opened.first().and_then(|key| <[u8; 32]>::try_from(key.as_slice()).ok());
        let malformed = Integrity::Header(symbolon_envelope::HeaderError::Malformed);
        key.map(Zeroizing::new).ok_or_else(|| malformed.into())
    }

    /// Gets the key of a new message of any length.
    pub async fn encryption(&self, key: &KeyId, context: &Context) -> Result<Encryption, Error> {
        let mut made = self.in_time(self.derive_new(key, Purpose::Data, &[context])).await?;
        let (header, derived) = made.pop().ok_or(Bug::Internal("no key"))?;
        Ok(Encryption::new(&header, derived))
    }

    /// Gets the key of a message of any length, whose preamble was read.
    pub async fn decryption(&self, preamble: &Preamble, context: &Context) -> Result<Decryption, Error> {
        let purpose = Purpose::Data;
        let mut unlocked = self.in_time(self.unlock(purpose, &[(preamble, context)])).await?;
        let decryptor = unlocked.pop().ok_or(Bug::Internal("no key"))?;
        Ok(Decryption::new(preamble.clone(), decryptor))
    }

    async fn encrypt_for(
        &self,
        key: &KeyId,
        purpose: Purpose,
        messages: &[(&[u8], &Context)],
    ) -> Result<Vec<Vec<u8>>, Error> {
        let mut sealed = Vec::with_capacity(messages.len());
        for batch in messages.chunks(MAX_BATCH) {
            let contexts: Vec<_> = batch.iter().map(|(_, context)| *context).collect();
            let made = self.in_time(self.derive_new(key, purpose, &contexts)).await?;
            for ((header, derived), (plaintext, _)) in made.into_iter().zip(batch) {
                sealed.push(seal(&header, derived, plaintext)?);
            }
        }
        Ok(sealed)
    }

    async fn decrypt_for(
        &self,
        purpose: Purpose,
        messages: &[(&[u8], &Context)],
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
        let parse = |(sealed, _): &(&[u8], &Context)| Preamble::parse(sealed).map_err(Integrity::Header);
        let preambles = messages.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let mut opened: Vec<_> = messages.iter().map(|_| Zeroizing::default()).collect();
        for batch in batches(&preambles) {
            let asked: Vec<_> = batch.iter().map(|at| (&preambles[*at], messages[*at].1)).collect();
            let unlocked = self.in_time(self.unlock(purpose, &asked)).await?;
            for (decryptor, at) in unlocked.into_iter().zip(batch) {
                opened[at] = open(&preambles[at], decryptor, messages[at].0)?;
            }
        }
        Ok(opened)
    }

    /// New headers under the newest version of a key, and their keys, whose every part was proven.
    async fn derive_new(
        &self,
        key: &KeyId,
        purpose: Purpose,
        contexts: &[&Context],
    ) -> Result<Vec<(Header, Derived)>, Error> {
        let wanted = self.wanted(key, None, WantedOperation::Encrypt);
        let before = self.inner.managers.time();
        match self.try_derive_new(&wanted, purpose, contexts).await {
            Err(error) if self.clock_was_wrong(&error, before) => {
                self.try_derive_new(&wanted, purpose, contexts).await
            }
            result => result,
        }
    }

    async fn try_derive_new(
        &self,
        wanted: &Wanted,
        purpose: Purpose,
        contexts: &[&Context],
    ) -> Result<Vec<(Header, Derived)>, Error> {
        let permit = self.inner.permits.get(wanted).await?;
        let key = self.inner.versions.key(&wanted.key, permit.version()).await?;
        check_purpose(&key, purpose)?;
        let sharing = self.inner.versions.sharing(&key).await?;
        let created = self.time(&permit, &sharing).await?;
        let header = |context: &&Context| self.new_header(&key, created, context);
        let headers = contexts.iter().map(header).collect::<Result<Vec<_>, _>>()?;
        let combination = self.evaluate(wanted, &key, &headers, Mode::Prove).await?;
        let outputs = combination.finish_proven().map_err(combine_error)?;
        let derive = |(header, (output, context)): (Header, (_, &&Context))| {
            let output: symbolon_fragments::Proven = output;
            Ok((header.clone(), self.derive(&header, &output, context)?))
        };
        headers.into_iter().zip(outputs.into_iter().zip(contexts)).map(derive).collect()
    }

    /// Decryptors of messages under one key version.
    async fn unlock(
        &self,
        purpose: Purpose,
        messages: &[(&Preamble, &Context)],
    ) -> Result<Vec<Decryptor<AwsLc>>, Error> {
        let first = messages.first().ok_or(Bug::Internal("no message"))?.0.header();
        self.check_readable(messages, purpose)?;
        let wanted = self.wanted(&first.key, Some(first.version), WantedOperation::Decrypt);
        let key = self.inner.versions.key(&first.key, first.version).await?;
        check_purpose(&key, purpose)?;
        let headers: Vec<_> = messages.iter().map(|(preamble, _)| preamble.header().clone()).collect();
        let trusted = self.evaluate(&wanted, &key, &headers, Mode::Trust).await?;
        // Answers that add up to nothing are wrong, as a mismatch is.
        let outputs = trusted.finish().unwrap_or_default();
        let mut unlocked: Vec<Option<Decryptor<AwsLc>>> = Vec::new();
        for (at, (preamble, context)) in messages.iter().enumerate() {
            unlocked.push(match outputs.get(at) {
                Some(output) => preamble.unlock(self.derive(preamble.header(), output, context)?).ok(),
                None => None,
            });
        }
        self.unlock_by_proof(&wanted, &key, messages, &mut unlocked).await?;
        unlocked.into_iter().collect::<Option<_>>().ok_or_else(|| Bug::Internal("a message was left").into())
    }

    /// What didn't open is evaluated once more, with proofs: either a manager lied, who is left out, or the
    /// ciphertext is wrong.
    async fn unlock_by_proof(
        &self,
        wanted: &Wanted,
        key: &VerifiedKeyCertificate,
        messages: &[(&Preamble, &Context)],
        unlocked: &mut [Option<Decryptor<AwsLc>>],
    ) -> Result<(), Error> {
        let left: Vec<usize> = (0..messages.len()).filter(|at| unlocked[*at].is_none()).collect();
        if left.is_empty() {
            return Ok(());
        }
        let headers: Vec<_> = left.iter().map(|at| messages[*at].0.header().clone()).collect();
        let judged = self.evaluate(wanted, key, &headers, Mode::Judge).await?;
        let outputs = judged.finish_proven().map_err(combine_error)?;
        for (output, at) in outputs.iter().zip(left) {
            let (preamble, context) = messages[at];
            let derived = self.derive(preamble.header(), output, context)?;
            unlocked[at] = Some(preamble.unlock(derived).map_err(Integrity::Commitment)?);
        }
        Ok(())
    }

    /// Has a batch evaluated, by the newest instance if the one at hand is no longer served.
    async fn evaluate(
        &self,
        wanted: &Wanted,
        key: &VerifiedKeyCertificate,
        headers: &[Header],
        mode: Mode,
    ) -> Result<Combination, Error> {
        let inner = &self.inner;
        let batch = Batch {
            key,
            holder: inner.thumbprint,
            operation: wanted.operation,
            fields: headers.iter().map(Header::fields).collect(),
            inputs: headers.iter().map(Header::input).collect(),
        };
        let mut sharing = inner.versions.sharing(key).await?;
        let mut tries = 0;
        loop {
            let permit = inner.permits.get(wanted).await?;
            match gather(&inner.managers, &permit, &sharing, &batch, mode, &inner.notices).await {
                Ok(combination) => return Ok(combination),
                Err(NotGathered::Failed(error)) => return Err(error),
                Err(NotGathered::Stale(error)) => {
                    let newest = inner.versions.newest_sharing(key).await?;
                    tries += 1;
                    if newest.number() <= sharing.number() || tries == STALE_TRIES {
                        return Err(error);
                    }
                    sharing = newest;
                }
            }
        }
    }

    /// The time by the managers' clocks; where none was read yet, the first that answers says it.
    async fn time(&self, permit: &HeldPermit, sharing: &Sharing) -> Result<Seconds, Error> {
        if let Some(time) = self.inner.managers.time() {
            return Ok(time);
        }
        let managers = self.inner.managers.ranked(sharing.members());
        let mut asked: FuturesUnordered<_> = managers
            .iter()
            .map(|manager| async move { (manager, manager.authorise(permit).await) })
            .collect();
        while let Some((manager, answer)) = asked.next().await {
            match answer {
                Ok(()) | Err(Trouble::Said(_)) if manager.time().is_some() => break,
                _ => {}
            }
        }
        drop(asked);
        // Nobody could be asked, or nobody accepts the permit: the evaluation will say why.
        Ok(self.inner.managers.time().unwrap_or_default())
    }

    /// Whether managers refused inputs as stale by a time that they have corrected since.
    fn clock_was_wrong(&self, error: &Error, before: Option<Seconds>) -> bool {
        let Error::Unavailable { cause: Unavailable::TooFewManagers { down, .. }, .. } = error else {
            return false;
        };
        let used = down.iter().find_map(|down| match down.reason {
            DownReason::Clock { ours, .. } => Some(ours),
            _ => None,
        });
        let (Some(used), Some(now)) = (used.or(before), self.inner.managers.time()) else { return false };
        used.0.abs_diff(now.0) > CLOCK_MOVED
    }

    fn new_header(
        &self,
        key: &VerifiedKeyCertificate,
        created: Seconds,
        context: &Context,
    ) -> Result<Header, Error> {
        let certificate = key.certificate();
        let cf = certificate.customer_fragment.then(|| self.inner.customer.writing()).transpose()?;
        Ok(Header {
            suite: certificate.suite,
            account: certificate.account,
            key: certificate.key.clone(),
            version: certificate.version,
            purpose: certificate.purpose,
            writer: self.inner.thumbprint,
            created: created.0,
            r: crate::random::bytes(),
            cf,
            chunk: self.inner.chunk,
            context_pairs: u8::try_from(context.len()).map_err(|_| Bug::Internal("too large a context"))?,
        })
    }

    fn derive(&self, header: &Header, output: &Output, context: &Context) -> Result<Derived, Error> {
        let contribution = self.inner.customer.evaluate(header.cf, output.input())?;
        let binding = Binding { header: &header.encode(), context: &context.canonical() };
        Ok(output.derive(contribution.as_ref(), binding))
    }

    /// Refuses before anybody is asked what can't be read here.
    fn check_readable(&self, messages: &[(&Preamble, &Context)], purpose: Purpose) -> Result<(), Error> {
        for (preamble, _) in messages {
            let header = preamble.header();
            if header.account != self.inner.root.get().account() {
                return Err(Invalid::OtherAccount.into());
            }
            if header.purpose != purpose {
                let key = header.key.clone();
                return Err(Invalid::Purpose { key, purpose: header.purpose, wanted: purpose }.into());
            }
            self.inner.customer.check(header.cf)?;
        }
        Ok(())
    }

    fn wanted(&self, key: &KeyId, version: Option<u64>, operation: WantedOperation) -> Wanted {
        Wanted { key: key.clone(), version, operation, on_behalf_of: self.on_behalf_of.clone() }
    }
}

fn check_purpose(key: &VerifiedKeyCertificate, wanted: Purpose) -> Result<(), Invalid> {
    let certificate = key.certificate();
    if certificate.purpose == wanted {
        return Ok(());
    }
    Err(Invalid::Purpose { key: certificate.key.clone(), purpose: certificate.purpose, wanted })
}

/// Messages by key version, at most 64 a batch; indices into the list.
fn batches(preambles: &[Preamble]) -> Vec<Vec<usize>> {
    let mut by_version: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, preamble) in preambles.iter().enumerate() {
        let header = preamble.header();
        by_version.entry((header.account, &header.key, header.version, header.suite)).or_default().push(at);
    }
    by_version
        .into_values()
        .flat_map(|group| group.chunks(MAX_BATCH).map(<[_]>::to_vec).collect::<Vec<_>>())
        .collect()
}

fn seal(header: &Header, derived: Derived, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    if plaintext.len() <= INLINE {
        return Ok(
            symbolon_envelope::seal_message::<AwsLc>(header, derived, plaintext).map_err(Invalid::TooLong)?
        );
    }
    let length = header.chunk.sealed_len(plaintext.len() as u64).map_err(Invalid::TooLong)?;
    let mut out = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1024);
    on_this_thread(|| Encryption::new(header, derived).run(plaintext, &mut out, &mut go_on()))?;
    Ok(out)
}

fn open(
    preamble: &Preamble,
    decryptor: Decryptor<AwsLc>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let body = &sealed[preamble.len()..];
    if body.len() <= INLINE {
        return Ok(symbolon_envelope::open_message(decryptor, body).map_err(Integrity::Chunks)?);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(body.len()));
    let decryption = Decryption::new(preamble.clone(), decryptor);
    on_this_thread(|| decryption.run(body, &mut *out, &mut go_on()))?;
    Ok(out)
}

fn go_on() -> impl FnMut(u64) -> ControlFlow<()> + Send {
    |_| ControlFlow::Continue(())
}

/// Long work on a thread of the runtime: where the runtime has others, they take over this one's tasks.
fn on_this_thread<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
