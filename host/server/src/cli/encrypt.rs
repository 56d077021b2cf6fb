//! `symbolon encrypt`: a file or a pipe, with a key that nobody has.

use std::path::{Path, PathBuf};

use clap::Args;
use symbolon_client::Encryption;
use symbolon_fragments::names::KeyId;

use super::transfer::{Meter, Sink, Source, Transferred, carry};
use super::{Context, Failure, pairs};

/// What an encrypted file's name ends with.
pub const SUFFIX: &str = "symbolon";

/// `symbolon encrypt --key KEY [FILE]`
#[derive(Debug, Args)]
pub struct Encrypt {
    /// The key
    #[arg(long, short, value_name = "KEY")]
    key: KeyId,
    /// Binds the ciphertext to a name and a value, which must be given again to decrypt; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::parse)]
    context: Vec<(String, String)>,
    /// Where the ciphertext goes; - is standard output [default: FILE.symbolon]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, short)]
    force: bool,
    /// What to encrypt [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Encrypt {
    /// Encrypts.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let source = Source::open(self.file.as_deref())?;
        let target = self.output.clone().unwrap_or_else(|| target(source.path()));
        let sink = Sink::open(&target, &source, self.force)?;
        let client = context.client_with_fragments()?;
        let bound = pairs::context(self.context)?;
        let encryption = context.noting(&client, client.encryption(&self.key, &bound)).await?;
        let meter = Meter::new(context.output(), source.len());
        let done = carry(source, sink, meter, |source, sink, progress| {
            Encryption::run(encryption, source, sink, progress)
        })
        .await?;
        context.answer_file(&Transferred { key: self.key.to_string(), ..done })
    }
}

/// `report.pdf` becomes `report.pdf.symbolon`; a pipe stays a pipe.
fn target(source: Option<&Path>) -> PathBuf {
    source.map_or_else(|| PathBuf::from("-"), |path| path.with_added_extension(SUFFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_named_after_the_source() {
        assert_eq!(target(Some(Path::new("a/report.pdf"))), Path::new("a/report.pdf.symbolon"));
        assert_eq!(target(None), Path::new("-"));
    }
}
