//! The client and its operations on messages.

use crate::customer::{CustomerFragmentEntry, Foreign};
use crate::data_key::DataKey;
use crate::error::ClientError;
use crate::pieces::{Decryption, Encryption};
use crate::runtime::{run, within};
use crate::seekable::{Ciphertext, SeekableDecryption, Source, SourceReader};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use symbolon_client::customer::Keeper;
use symbolon_client::error::{FileError, Integrity};
use symbolon_client::{Context, Error, Options, Preamble, Profile, Unlock, read_preamble};
use symbolon_fragments::CustomerFragmentId;
use tokio::task::block_in_place;
use zeroize::Zeroizing;

/// How a client is opened.
#[derive(uniffi::Record)]
pub struct Settings {
    /// The profile's file; where none is named, it is looked for where the command line looks.
    pub profile: Option<String>,
    /// What opens files of the profile that are sealed under a passphrase, as UTF-8.
    pub passphrase: Option<Vec<u8>>,
    /// Time for one operation, milliseconds.
    pub deadline: Option<u64>,
    /// Customer fragments that go before those of the profile.
    pub customer_fragments: Vec<CustomerFragmentEntry>,
}

/// A message with its context.
#[derive(uniffi::Record)]
pub struct Message {
    /// Plaintext or ciphertext.
    pub bytes: Vec<u8>,
    /// What it is bound to.
    pub context: HashMap<String, String>,
}

/// One holder in one account.
#[derive(uniffi::Object)]
pub struct Client(pub(crate) symbolon_client::Client);

#[uniffi::export]
impl Client {
    /// Opens a client. Nothing is connected yet.
    #[uniffi::constructor]
    pub fn open(settings: Settings) -> Result<Arc<Self>, ClientError> {
        let keepers = settings.customer_fragments.into_iter().map(keeper).collect::<Result<_, _>>()?;
        let passphrase = Passphrase(settings.passphrase.map(Zeroizing::new));
        let mut options = Options { customer_fragments: keepers, ..Options::default() };
        if let Some(milliseconds) = settings.deadline {
            options.deadline = Duration::from_millis(milliseconds);
        }
        let client = within(|| open(settings.profile.as_deref(), passphrase, options))?;
        Ok(Arc::new(Self(client)))
    }

    /// Ends it, and every client that was made of it.
    pub fn end(&self) {
        within(|| self.0.close());
    }

    /// The same client, acting for somebody.
    pub fn on_behalf_of(&self, name: &str) -> Arc<Self> {
        Arc::new(Self(self.0.on_behalf_of(name)))
    }

    /// Who the servers see.
    pub fn holder(&self) -> String {
        self.0.holder().to_string()
    }

    /// Encrypts a message.
    pub async fn encrypt(&self, key: String, message: Message) -> Result<Vec<u8>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let message = Bound::new(message)?;
            client.encrypt(&key.parse()?, &message.bytes, &message.context).await
        })
        .await
    }

    /// Decrypts a message.
    pub async fn decrypt(&self, message: Message) -> Result<Vec<u8>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let message = Bound::new(message)?;
            Ok(client.decrypt(&message.bytes, &message.context).await?.to_vec())
        })
        .await
    }

    /// Encrypts many messages under one key.
    pub async fn encrypt_many(
        &self,
        key: String,
        messages: Vec<Message>,
    ) -> Result<Vec<Vec<u8>>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let messages = bound(messages)?;
            let messages: Vec<_> = messages.iter().map(Bound::parts).collect();
            client.encrypt_many(&key.parse()?, &messages).await
        })
        .await
    }

    /// Decrypts many messages, whatever their keys.
    pub async fn decrypt_many(&self, messages: Vec<Message>) -> Result<Vec<Vec<u8>>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let messages = bound(messages)?;
            let messages: Vec<_> = messages.iter().map(Bound::parts).collect();
            let opened = client.decrypt_many(&messages).await?;
            Ok(opened.into_iter().map(|text| text.to_vec()).collect())
        })
        .await
    }

    /// Begins a message that is written piece by piece.
    pub async fn encryption(
        &self,
        key: String,
        context: HashMap<String, String>,
    ) -> Result<Arc<Encryption>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let encryption = client.encryption(&key.parse()?, &context_of(context)?).await?;
            Ok(Arc::new(Encryption::new(encryption)))
        })
        .await
    }

    /// Begins a message that is read piece by piece, whose whole preamble this is.
    pub async fn decryption(
        &self,
        preamble: Vec<u8>,
        context: HashMap<String, String>,
    ) -> Result<Arc<Decryption>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let preamble = Preamble::parse(&preamble).map_err(Integrity::Header)?;
            let decryption = client.decryption(&preamble, &context_of(context)?).await?;
            Ok(Arc::new(Decryption::new(decryption)))
        })
        .await
    }

    /// Opens a message that is read from any place.
    pub async fn seekable(
        &self,
        source: Arc<dyn Source>,
        context: HashMap<String, String>,
    ) -> Result<Arc<SeekableDecryption>, ClientError> {
        let client = self.0.clone();
        run(async move { seekable(client, Box::new(SourceReader::new(source)), context).await }).await
    }

    /// Opens a file that is read from any place.
    pub async fn seekable_file(
        &self,
        path: String,
        context: HashMap<String, String>,
    ) -> Result<Arc<SeekableDecryption>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let path = Path::new(&path);
            let file = File::open(path).map_err(|cause| FileError::io(path, cause))?;
            seekable(client, Box::new(file), context).await
        })
        .await
    }

    /// Makes a data key.
    pub async fn data_key(
        &self,
        key: String,
        context: HashMap<String, String>,
    ) -> Result<Arc<DataKey>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let made = client.data_key(&key.parse()?, &context_of(context)?).await?;
            Ok(Arc::new(DataKey(made)))
        })
        .await
    }

    /// Opens a wrapped data key.
    pub async fn open_data_key(
        &self,
        wrapped: Vec<u8>,
        context: HashMap<String, String>,
    ) -> Result<Arc<DataKey>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let opened = client.open_data_key(&wrapped, &context_of(context)?).await?;
            Ok(Arc::new(DataKey(opened)))
        })
        .await
    }
}

/// The context that pairs make.
pub(crate) fn context_of(pairs: HashMap<String, String>) -> Result<Context, Error> {
    Ok(Context::from_pairs(pairs)?)
}

async fn seekable(
    client: symbolon_client::Client,
    mut ciphertext: Box<dyn Ciphertext>,
    context: HashMap<String, String>,
) -> Result<Arc<SeekableDecryption>, Error> {
    let preamble = block_in_place(|| read_preamble(&mut ciphertext))?;
    let decryption = client.decryption(&preamble, &context_of(context)?).await?;
    let reader = block_in_place(|| decryption.seek(ciphertext))?;
    Ok(Arc::new(SeekableDecryption::new(reader)))
}

/// A message as the client takes it.
struct Bound {
    bytes: Zeroizing<Vec<u8>>,
    context: Context,
}

impl Bound {
    fn new(message: Message) -> Result<Self, Error> {
        let bytes = Zeroizing::new(message.bytes);
        Ok(Self { bytes, context: context_of(message.context)? })
    }

    fn parts(&self) -> (&[u8], &Context) {
        (&self.bytes, &self.context)
    }
}

fn bound(messages: Vec<Message>) -> Result<Vec<Bound>, Error> {
    messages.into_iter().map(Bound::new).collect()
}

fn open(
    profile: Option<&str>,
    mut passphrase: Passphrase,
    options: Options,
) -> Result<symbolon_client::Client, Error> {
    let file = Profile::locate(profile.map(Path::new))?;
    symbolon_client::Client::open_with(&Profile::load(&file)?, &mut passphrase, options)
}

fn keeper(entry: CustomerFragmentEntry) -> Result<Arc<dyn Keeper>, ClientError> {
    let id = <[u8; 16]>::try_from(entry.id.as_slice());
    let wrong =
        |_| ClientError::invalid("customer-fragment-id", "the id of a customer fragment has 16 bytes");
    let id = CustomerFragmentId::new(id.map_err(wrong)?);
    Ok(Arc::new(Foreign { id, fragment: entry.fragment }))
}

/// Knows one passphrase, for whatever asks.
struct Passphrase(Option<Zeroizing<Vec<u8>>>);

impl Unlock for Passphrase {
    fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
        let text = std::str::from_utf8(self.0.as_deref()?).ok()?;
        Some(Zeroizing::new(text.into()))
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}
