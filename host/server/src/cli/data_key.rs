//! `symbolon data-key`: data keys of the key chain, made and opened for a volume. A key goes into a file of mode 0600 or
//! down a pipe, never into an argument, a message or a log.

use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::chain::VolumeKey;
use symbolon_client::error::FileError;
use symbolon_client::{Error, private_file};
use symbolon_keychain::{Place, Purpose, SystemId, Volume, Wrapped};
use zeroize::Zeroizing;

use super::tenant::chain;
use super::{Context, Failure, Kind};

/// How people name standard output.
const DASH: &str = "-";
/// What the wrapped key's file is called: the key's own with this behind it.
const WRAPPED: &str = "wrapped";
/// Longer files are no wrapped keys.
const MOST: u64 = 4096;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum DataKey {
    /// Make a data key for a volume: the key in one file, and the same wrapped in another, to keep beside the data
    Create(Create),
    /// Open a wrapped data key
    Open(Open),
    /// Show where a wrapped data key belongs; nothing is opened for that
    Show(Show),
}

/// Which volume of which system.
#[derive(Debug, Args)]
pub struct Of {
    /// The system, its tenant first: acme/ceph-eu
    #[arg(long)]
    system: SystemId,
    /// The volume, as the storage system calls it
    #[arg(long)]
    volume: Volume,
    /// What the key is for
    #[arg(long, default_value = "luks")]
    purpose: Purpose,
    /// Where the key goes: a new file of mode 0600, or `-` for a pipe. 64 hexadecimal digits and no newline, which is what
    /// `qemu-img` and `cryptsetup` take as a passphrase file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `symbolon data-key create`
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    of: Of,
    /// Where the wrapped key goes [default: the name of the key's file and .wrapped]
    #[arg(long, value_name = "FILE")]
    wrapped: Option<PathBuf>,
}

/// `symbolon data-key open WRAPPED`
#[derive(Debug, Args)]
pub struct Open {
    /// The file with the wrapped key
    wrapped: PathBuf,
    #[command(flatten)]
    of: Of,
}

/// `symbolon data-key show WRAPPED`
#[derive(Debug, Args)]
pub struct Show {
    /// The file with the wrapped key
    wrapped: PathBuf,
}

impl DataKey {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(verb) => verb.run(context).await,
            Self::Open(verb) => verb.run(context).await,
            Self::Show(verb) => verb.run(context),
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let Of { system, volume, purpose, out } = &self.of;
        let kept = self.kept()?;
        let out = Out::ready(out)?;
        let (client, chain) = chain(context)?;
        let made = context.noting(&client, chain.create_data_key(system, volume, purpose)).await?;
        // The wrapped key first: a key that nothing opens again must not come to be used.
        private_file::create(&kept, &made.wrapped)?;
        let written = out.write(&made).inspect_err(|_| drop(fs::remove_file(&kept)))?;
        answer(context, &Done::new(&self.of, &made, written, Some(kept)))
    }

    fn kept(&self) -> Result<PathBuf, Failure> {
        match (&self.wrapped, self.of.out == Path::new(DASH)) {
            (Some(file), _) => Ok(file.clone()),
            (None, false) => Ok(self.of.out.with_added_extension(WRAPPED)),
            (None, true) => Err(Failure::new(Kind::Invalid, "the wrapped key needs a file of its own")
                .next("name it:  --wrapped FILE")),
        }
    }
}

impl Open {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let Of { system, volume, purpose, out } = &self.of;
        let wrapped = read(&self.wrapped)?;
        let out = Out::ready(out)?;
        let (client, chain) = chain(context)?;
        let opened = context.noting(&client, chain.open_data_key(&wrapped, system, volume, purpose)).await?;
        let written = out.write(&opened)?;
        answer(context, &Done::new(&self.of, &opened, written, None))
    }
}

impl Show {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let wrapped = Wrapped::from_bytes(&read(&self.wrapped)?).map_err(Error::from)?;
        let Place::Data(place) = wrapped.place() else {
            let level = wrapped.place().level();
            return Err(Failure::new(Kind::Invalid, format!("it is the wrapped key of a {level}")));
        };
        context.output().answer(&Belongs {
            account: place.account.to_string(),
            system: place.system.to_string(),
            version: place.system_version,
            volume: place.volume.to_string(),
            purpose: place.purpose.to_string(),
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    read.map_err(|error| FileError::io(path, error))?;
    Ok(bytes)
}

/// Where a key goes. Whatever can be refused is refused before a key is made.
enum Out<'a> {
    File(&'a Path),
    Pipe,
}

impl<'a> Out<'a> {
    fn ready(path: &'a Path) -> Result<Self, Failure> {
        if path != Path::new(DASH) {
            return match path.symlink_metadata() {
                Ok(_) => Err(FileError::Exists { path: path.into() }.into()),
                Err(_) => Ok(Self::File(path)),
            };
        }
        if io::stdout().is_terminal() {
            return Err(Failure::new(Kind::Invalid, "a key is not shown on a terminal")
                .next("name a file:  --out FILE"));
        }
        Ok(Self::Pipe)
    }

    /// Writes the key. Gives the file; none for a pipe.
    fn write(self, key: &VolumeKey) -> Result<Option<PathBuf>, Failure> {
        let text = Zeroizing::new(hex::encode(key.key.expose()).into_bytes());
        match self {
            Self::File(path) => {
                private_file::create(path, &text)?;
                Ok(Some(path.to_owned()))
            }
            Self::Pipe => {
                let written = io::stdout().lock().write_all(&text).and_then(|()| io::stdout().flush());
                written.map_err(|error| Failure::io("standard output", &error))?;
                Ok(None)
            }
        }
    }
}

/// Where the key itself went down the pipe, nothing else does.
fn answer(context: &Context, done: &Done) -> Result<(), Failure> {
    if done.output.is_some() { context.output().answer(done) } else { Ok(()) }
}

/// What was made or opened, and where it is.
#[derive(Debug, Serialize)]
struct Done {
    system: String,
    version: u64,
    volume: String,
    purpose: String,
    output: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapped: Option<PathBuf>,
}

impl Done {
    fn new(of: &Of, key: &VolumeKey, output: Option<PathBuf>, wrapped: Option<PathBuf>) -> Self {
        Self {
            system: of.system.to_string(),
            version: key.version,
            volume: of.volume.to_string(),
            purpose: of.purpose.to_string(),
            output,
            wrapped,
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} v{}  volume {}  for {}", self.system, self.version, self.volume, self.purpose)?;
        if let Some(output) = &self.output {
            writeln!(f, "  {}  the key, which only you can read: use it and delete it", output.display())?;
        }
        match &self.wrapped {
            Some(wrapped) => {
                writeln!(f, "  {}  the same, wrapped: keep it beside the data", wrapped.display())
            }
            None => Ok(()),
        }
    }
}

/// Where a wrapped data key says that it belongs.
#[derive(Debug, Serialize)]
struct Belongs {
    account: String,
    system: String,
    version: u64,
    volume: String,
    purpose: String,
}

impl fmt::Display for Belongs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "volume {}  for {}", self.volume, self.purpose)?;
        writeln!(f, "  wrapped by {} v{}  in account {}", self.system, self.version, self.account)
    }
}
