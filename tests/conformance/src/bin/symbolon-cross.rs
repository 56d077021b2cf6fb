//! The Rust program of the cross-opening: writes or opens the messages of a plan, through the client.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use symbolon_client::{Client, Context, FileOptions, NoUnlock, read_preamble};

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Plan {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    key: String,
    how: String,
    pattern: usize,
    context: BTreeMap<String, String>,
    seek: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().collect();
    let [_, verb, folder, name] = &words[..] else { return Err("write|open FOLDER NAME".into()) };
    let folder = Path::new(folder);
    let plan: Plan = serde_json::from_slice(&fs::read(folder.join("cross.json"))?)?;
    let client = Client::from_environment(&mut NoUnlock)?;
    for entry in &plan.entries {
        match verb.as_str() {
            "write" => write(&client, entry, folder, name).await?,
            _ => open_all(&client, entry, folder).await?,
        }
    }
    Ok(())
}

async fn write(client: &Client, entry: &Entry, folder: &Path, name: &str) -> Result<(), Failure> {
    let (key, context) = (entry.key.parse()?, Context::from_pairs(entry.context.clone())?);
    let (text, target) = (entry.text(), folder.join(format!("{}.{name}.symbolon", entry.name)));
    match entry.how.as_str() {
        "bytes" => fs::write(target, client.encrypt(&key, &text, &context).await?)?,
        "stream" => {
            let mut writer = client.encryption(&key, &context).await?.writer(fs::File::create(target)?);
            text.chunks(1000).try_for_each(|piece| writer.write_all(piece))?;
            writer.finish()?;
        }
        _ => {
            let plain = folder.join(format!("{}.{name}.plain", entry.name));
            fs::write(&plain, text)?;
            let progress = Box::new(|_| ControlFlow::Continue(()));
            client.encrypt_file(&key, &context, &plain, &target, FileOptions::default(), progress).await?;
            fs::remove_file(plain)?;
        }
    }
    Ok(())
}

async fn open_all(client: &Client, entry: &Entry, folder: &Path) -> Result<(), Failure> {
    let context = Context::from_pairs(entry.context.clone())?;
    let written =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<Vec<PathBuf>, Failure>>()?;
    let ours = format!("{}.", entry.name);
    for file in written.iter().filter(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&ours) && name.ends_with(".symbolon")
    }) {
        let opened = client.decrypt(&fs::read(file)?, &context).await?;
        check(*opened == entry.text(), file)?;
        if let Some(offset) = entry.seek {
            let mut source = fs::File::open(file)?;
            let preamble = read_preamble(&mut source)?;
            let mut reader = client.decryption(&preamble, &context).await?.seek(source)?;
            let mut rest = Vec::new();
            reader.seek(SeekFrom::Start(offset))?;
            reader.read_to_end(&mut rest)?;
            check(rest == entry.text()[usize::try_from(offset)?..], file)?;
        }
        println!("opened {}", file.display());
    }
    Ok(())
}

fn check(same: bool, file: &Path) -> Result<(), Failure> {
    if same { Ok(()) } else { Err(format!("{} holds something else", file.display()).into()) }
}

impl Entry {
    fn text(&self) -> Vec<u8> {
        (0..=250).cycle().take(self.pattern).collect()
    }
}
