//! Steps with files.

use crate::scenario::{Action, Step};
use crate::{Outcome, Place};
use std::fs::{self, Permissions};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use symbolon_client::{FileOptions, FileProgress};

pub(crate) fn act(place: &mut Place, step: &Step) -> Outcome {
    let (client, work) = (place.client(&step.by), place.work().to_owned());
    match &step.action {
        Action::EncryptFile { key, from, to, context, overwrite, stop_at } => {
            let (key, context) = (key.get(place).parse()?, context.get(place)?);
            let (from, to) = (work.join(from), work.join(to));
            let options = FileOptions { overwrite: *overwrite };
            place.wait(client.encrypt_file(&key, &context, &from, &to, options, progress(*stop_at)))?;
        }
        Action::DecryptFile { from, to, context, overwrite, stop_at } => {
            let (context, from, to) = (context.get(place)?, work.join(from), work.join(to));
            let options = FileOptions { overwrite: *overwrite };
            place.wait(client.decrypt_file(&context, &from, &to, options, progress(*stop_at)))?;
        }
        Action::Write { name, content } => {
            let file = work.join(name);
            fs::write(&file, content.get(place)).expect("a file can be written");
            fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("its mode can be set");
        }
        Action::Append { name, content } => {
            let mut whole = fs::read(work.join(name)).expect("the file is there");
            whole.extend(content.get(place));
            fs::write(work.join(name), whole).expect("a file can be written");
        }
        Action::Absent { name } => assert!(!work.join(name).exists(), "{step:?}"),
        Action::Folder { path } => fs::create_dir(path.get(place)).expect("a new folder"),
        other => unreachable!("{other:?} is no step of files"),
    }
    Ok(())
}

fn progress(stop_at: Option<u64>) -> FileProgress {
    Box::new(move |told| match stop_at {
        Some(stop) if told >= stop => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
}
