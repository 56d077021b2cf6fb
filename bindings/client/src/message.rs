//! Encrypting and decrypting: from a key's name to a message's key, and the messages that fit in memory.

use crate::aead::AwsLc;
use crate::bulk::{Decryption, Encryption};
use crate::client::Client;
use crate::customer::Contributions;
use crate::error::{Bug, DownReason, Error, Integrity, Invalid, Unavailable};
use crate::managers::Trouble;
use crate::permits::{HeldPermit, Wanted, WantedOperation};
use crate::quorum::{Batch, Mode, NotGathered, combine_error, gather};
use crate::retry::persistently;
use crate::versions::Sharing;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use symbolon_envelope::{CommitmentMismatch, Context, Decryptor, Header, Preamble};
use symbolon_fragments::names::{KeyId, Purpose};
use symbolon_fragments::{Binding, Combination, CustomerContribution, Derived, MAX_BATCH, Output};
use symbolon_trust::{Seconds, VerifiedKeyCertificate};
use zeroize::Zeroizing;

/// Messages up to this length are sealed and opened where they are; longer ones on several threads.
const INLINE: usize = 256 * 1024;
/// Exchanges of one call that are under way at a time.
const EXCHANGES: usize = 16;
/// How often a batch is tried when the set turns out to have been shared anew.
const STALE_TRIES: usize = 3;
/// How far the managers' time must move for a batch that they found stale to be made again.
const CLOCK_MOVED: u64 = 60;

/// A message that is to be encrypted, and its context.
pub(crate) type Plain<'a> = (&'a [u8], &'a Context);

impl Client {
    /// Encrypts a message under the newest version of a key.
    pub async fn encrypt(&self, key: &KeyId, plaintext: &[u8], context: &Context) -> Result<Vec<u8>, Error> {
        let sealed = self.encrypt_for(key, Purpose::Data, &[(plaintext, context)]).await?;
        sealed.into_iter().next().ok_or_else(|| Bug::Internal("no ciphertext").into())
    }

    /// Encrypts many messages under the newest version of a key: 64 an exchange, all exchanges at once.
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

    /// Decrypts many messages, whatever their keys: up to 64 an exchange, all exchanges at once. One that doesn't open
    /// fails them all.
    pub async fn decrypt_many(
        &self,
        messages: &[(&[u8], &Context)],
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
        self.decrypt_for(Purpose::Data, messages).await
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

    pub(crate) async fn encrypt_for(
        &self,
        key: &KeyId,
        purpose: Purpose,
        messages: &[Plain<'_>],
    ) -> Result<Vec<Vec<u8>>, Error> {
        let seal = |batch| self.encrypt_batch(key, purpose, batch).boxed();
        let exchanges: Vec<BoxFuture<'_, _>> = messages.chunks(MAX_BATCH).map(seal).collect();
        Ok(self.at_once(exchanges).await?.into_iter().flatten().collect())
    }

    pub(crate) async fn decrypt_for(
        &self,
        purpose: Purpose,
        messages: &[(&[u8], &Context)],
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
        let parse = |(sealed, _): &(&[u8], &Context)| Preamble::parse(sealed).map_err(Integrity::Header);
        let preambles = messages.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let batches = batches(&preambles);
        let unlock = |batch: &Vec<usize>| {
            let asked: Vec<_> = batch.iter().map(|at| (&preambles[*at], messages[*at].1)).collect();
            self.decryptors(purpose, asked).boxed()
        };
        let exchanges: Vec<BoxFuture<'_, _>> = batches.iter().map(unlock).collect();
        let unlocked = self.at_once(exchanges).await?.into_iter().flatten();
        let mut opened: Vec<_> = messages.iter().map(|_| Zeroizing::default()).collect();
        for (decryptor, at) in unlocked.zip(batches.into_iter().flatten()) {
            opened[at] = open(&preambles[at], decryptor, messages[at].0)?;
        }
        Ok(opened)
    }

    /// Carries exchanges out beside each other, all of them within the deadline.
    async fn at_once<T>(&self, exchanges: Vec<BoxFuture<'_, Result<T, Error>>>) -> Result<Vec<T>, Error> {
        self.in_time(stream::iter(exchanges).buffered(EXCHANGES).try_collect()).await
    }

    async fn encrypt_batch(
        &self,
        key: &KeyId,
        purpose: Purpose,
        batch: &[Plain<'_>],
    ) -> Result<Vec<Vec<u8>>, Error> {
        let contexts: Vec<_> = batch.iter().map(|(_, context)| *context).collect();
        let made = self.derive_new(key, purpose, &contexts).await?;
        made.into_iter()
            .zip(batch)
            .map(|((header, derived), (text, _))| seal(&header, derived, text))
            .collect()
    }

    async fn decryptors(
        &self,
        purpose: Purpose,
        messages: Vec<(&Preamble, &Context)>,
    ) -> Result<Vec<Decryptor<AwsLc>>, Error> {
        self.unlock(purpose, &messages).await
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
        let derive = || self.try_derive_new(&wanted, purpose, contexts).boxed();
        match persistently(&self.inner.budget, derive).await {
            Err(error) if self.clock_was_wrong(&error, before) => derive().await,
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
        let evaluation = self.evaluate(wanted, &key, &headers, Mode::Prove);
        let (combination, shares) =
            tokio::try_join!(evaluation, self.inner.customer.contributions(&headers))?;
        let outputs = combination.finish_proven().map_err(combine_error)?;
        let parts = outputs.iter().zip(&shares).zip(contexts);
        let derived: Vec<_> = headers
            .iter()
            .zip(parts)
            .map(|(header, ((output, share), context))| derive(header, output, share.as_ref(), context))
            .collect();
        Ok(headers.into_iter().zip(derived).collect())
    }

    /// Decryptors of messages under one key version.
    async fn unlock(
        &self,
        purpose: Purpose,
        messages: &[(&Preamble, &Context)],
    ) -> Result<Vec<Decryptor<AwsLc>>, Error> {
        self.check_readable(messages, purpose)?;
        persistently(&self.inner.budget, || self.try_unlock(purpose, messages).boxed()).await
    }

    async fn try_unlock(
        &self,
        purpose: Purpose,
        messages: &[(&Preamble, &Context)],
    ) -> Result<Vec<Decryptor<AwsLc>>, Error> {
        let first = messages.first().ok_or(Bug::Internal("no message"))?.0.header();
        let wanted = self.wanted(&first.key, Some(first.version), WantedOperation::Decrypt);
        let key = self.inner.versions.key(&first.key, first.version).await?;
        check_purpose(&key, purpose)?;
        let headers: Vec<_> = messages.iter().map(|(preamble, _)| preamble.header().clone()).collect();
        let evaluation = self.evaluate(&wanted, &key, &headers, Mode::Trust);
        let (trusted, shares) = tokio::try_join!(evaluation, self.inner.customer.contributions(&headers))?;
        // Answers that add up to nothing are wrong, as a mismatch is.
        let outputs = trusted.finish().unwrap_or_default();
        let locked = Locked { messages, shares: &shares };
        let mut unlocked: Vec<_> = (0..messages.len())
            .map(|at| outputs.get(at).and_then(|output| locked.unlock(at, output).ok()))
            .collect();
        self.unlock_by_proof(&wanted, &key, &locked, &mut unlocked).await?;
        unlocked.into_iter().collect::<Option<_>>().ok_or_else(|| Bug::Internal("a message was left").into())
    }

    /// What didn't open is evaluated once more, with proofs: either a manager lied, who is left out, or the
    /// ciphertext is wrong.
    async fn unlock_by_proof(
        &self,
        wanted: &Wanted,
        key: &VerifiedKeyCertificate,
        locked: &Locked<'_>,
        unlocked: &mut [Option<Decryptor<AwsLc>>],
    ) -> Result<(), Error> {
        let left: Vec<usize> = (0..unlocked.len()).filter(|at| unlocked[*at].is_none()).collect();
        if left.is_empty() {
            return Ok(());
        }
        let headers: Vec<_> = left.iter().map(|at| locked.messages[*at].0.header().clone()).collect();
        let judged = self.evaluate(wanted, key, &headers, Mode::Judge).await?;
        let outputs = judged.finish_proven().map_err(combine_error)?;
        for (output, at) in outputs.iter().zip(left) {
            unlocked[at] = Some(locked.unlock(at, output).map_err(Integrity::Commitment)?);
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

    pub(crate) fn wanted(&self, key: &KeyId, version: Option<u64>, operation: WantedOperation) -> Wanted {
        Wanted { key: key.clone(), version, operation, on_behalf_of: self.on_behalf_of.clone() }
    }
}

/// Messages that are to be unlocked, with what customer fragments contribute to each.
struct Locked<'a> {
    messages: &'a [(&'a Preamble, &'a Context)],
    shares: &'a Contributions,
}

impl Locked<'_> {
    fn unlock(&self, at: usize, output: &Output) -> Result<Decryptor<AwsLc>, CommitmentMismatch> {
        let (preamble, context) = self.messages[at];
        preamble.unlock(derive(preamble.header(), output, self.shares[at].as_ref(), context))
    }
}

fn derive(
    header: &Header,
    output: &Output,
    share: Option<&CustomerContribution>,
    context: &Context,
) -> Derived {
    output.derive(share, Binding { header: &header.encode(), context: &context.canonical() })
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
