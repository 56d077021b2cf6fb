//! `symbolon decrypt`: the way back. Nothing that isn't authentic is ever written.

use std::path::{Path, PathBuf};

use clap::Args;
use symbolon_client::{Decryption, Error, Header, read_preamble};

use super::encrypt::SUFFIX;
use super::inspect::in_short;
use super::transfer::{Meter, Sink, Source, Transferred, carry};
use super::{Context, Failure, Kind, pairs};

/// `symbolon decrypt [FILE]`
#[derive(Debug, Args)]
pub struct Decrypt {
    /// A name and a value that the ciphertext was bound to; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::parse)]
    context: Vec<(String, String)>,
    /// Where the plaintext goes; - is standard output [default: FILE without .symbolon]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, short)]
    force: bool,
    /// What to decrypt [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Decrypt {
    /// Decrypts.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut source = Source::open(self.file.as_deref())?;
        let target = self.output.clone().map_or_else(|| target(source.path()), Ok)?;
        let preamble = read_preamble(&mut source).map_err(Error::from)?;
        let sink = Sink::open(&target, &source, self.force)?;
        let client = context.client_with_fragments()?;
        let bound = pairs::context(self.context)?;
        let decryption = context.noting(&client, client.decryption(&preamble, &bound)).await;
        let decryption = decryption.map_err(|failure| about(failure, preamble.header()))?;
        let meter = Meter::new(context.output(), source.len());
        let done = carry(source, sink, meter, |source, sink, progress| {
            Decryption::run(decryption, source, sink, progress)
        })
        .await?;
        context.answer_file(&Transferred { key: preamble.header().key.to_string(), ..done })
    }
}

/// A ciphertext that doesn't open says what it says about itself: perhaps another key or context was meant.
fn about(failure: Failure, header: &Header) -> Failure {
    match failure.kind() {
        Kind::Integrity => failure.next(format!("the file says: {}", in_short(header))),
        _ => failure,
    }
}

/// `report.pdf.symbolon` becomes `report.pdf`; a pipe stays a pipe.
fn target(source: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(path) = source else { return Ok(PathBuf::from("-")) };
    if path.extension().is_some_and(|extension| extension == SUFFIX) {
        return Ok(path.with_extension(""));
    }
    let error = format!("{} doesn't end in .{SUFFIX}, so its plaintext has no name", path.display());
    Err(Failure::new(Kind::Invalid, error).next("name it:  --output FILE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_named_after_the_source() {
        assert_eq!(target(Some(Path::new("a/report.pdf.symbolon"))).unwrap(), Path::new("a/report.pdf"));
        assert_eq!(target(None).unwrap(), Path::new("-"));
        assert_eq!(target(Some(Path::new("report.pdf"))).unwrap_err().kind(), Kind::Invalid);
    }
}
