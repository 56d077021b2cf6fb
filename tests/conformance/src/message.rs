//! Steps with messages in memory and data keys.

use crate::scenario::{Action, Message, Step};
use crate::{Outcome, Place};
use futures_util::future::{Either, select};
use serde_json::json;
use std::pin::pin;
use std::time::Duration;
use symbolon_client::{Context, Error, Header, Preamble};

/// How long a call has for getting stuck before it is cancelled.
const STUCK: Duration = Duration::from_millis(200);

pub(crate) fn act(place: &mut Place, step: &Step) -> Outcome {
    let client = place.client(&step.by);
    match &step.action {
        Action::Encrypt { key, plaintext, context, save } => {
            let (key, context) = (key.get(place).parse()?, context.get(place)?);
            let sealed = place.wait(client.encrypt(&key, &plaintext.get(place), &context))?;
            place.save(save.as_ref(), sealed);
        }
        Action::Decrypt { sealed, context, expect } => {
            let (sealed, context) = (sealed.get(place), context.get(place)?);
            let opened = place.wait(client.decrypt(&sealed, &context))?;
            assert!(expect.as_ref().is_none_or(|expect| expect.get(place) == *opened), "{step:?}");
        }
        Action::EncryptMany { key, messages, times, save } => {
            let messages = all(place, messages, *times)?;
            let sealed = place.wait(client.encrypt_many(&key.get(place).parse()?, &borrowed(&messages)))?;
            assert_eq!(sealed.len(), messages.len());
            save.iter().zip(sealed).for_each(|(name, sealed)| place.save(Some(name), sealed));
        }
        Action::DecryptMany { messages, times, expect } => {
            let messages = all(place, messages, *times)?;
            let opened = place.wait(client.decrypt_many(&borrowed(&messages)))?;
            let Some(expect) = expect else { return Ok(()) };
            let expected: Vec<_> = expect.iter().map(|expect| expect.get(place)).collect();
            assert_eq!(opened.len(), messages.len());
            assert!(opened.iter().zip(expected.iter().cycle()).all(|(opened, expect)| **opened == **expect));
        }
        Action::DataKey { key, context, save, save_key } => {
            let (key, context) = (key.get(place).parse()?, context.get(place)?);
            let made = place.wait(client.data_key(&key, &context))?;
            place.save(save.as_ref(), made.wrapped().to_vec());
            place.keep_data_key(save_key.as_ref(), made);
        }
        Action::OpenDataKey { wrapped, context, save_key, same_as } => {
            let (wrapped, context) = (wrapped.get(place), context.get(place)?);
            let opened = place.wait(client.open_data_key(&wrapped, &context))?;
            let same = same_as.as_ref().is_none_or(|name| place.data_key(name).expose() == opened.expose());
            assert!(same, "{step:?}");
            place.keep_data_key(save_key.as_ref(), opened);
        }
        Action::SealRecord { with, plaintext, context, save } => {
            let context = context.get(place)?;
            let sealed = place.data_key(with).seal(&plaintext.get(place), &context)?;
            place.save(Some(save), sealed);
        }
        Action::OpenRecord { with, sealed, context, expect } => {
            let context = context.get(place)?;
            let opened = place.data_key(with).open(&sealed.get(place), &context)?;
            assert!(expect.as_ref().is_none_or(|expect| expect.get(place) == *opened), "{step:?}");
        }
        Action::Inspect { sealed, expect } => {
            let preamble = Preamble::parse(&sealed.get(place))?;
            let about = about(preamble.header());
            for (name, value) in expect.iter().flatten() {
                assert_eq!(about[name], *value, "{name}: {step:?}");
            }
        }
        Action::Differ { values: (one, other) } => assert!(one.get(place) != other.get(place), "{step:?}"),
        Action::Same { values: (one, other) } => assert!(one.get(place) == other.get(place), "{step:?}"),
        Action::Cancel { step } => cancel(place, step)?,
        other => unreachable!("{other:?} is no step of messages"),
    }
    Ok(())
}

/// Dropping a future is Rust's way of cancelling; that it was still waiting says that it was cancelled.
fn cancel(place: &Place, step: &Step) -> Outcome {
    let client = place.client(&step.by);
    let stuck = tokio::time::sleep;
    match &step.action {
        Action::Encrypt { key, plaintext, context, .. } => {
            let (key, text, context) = (key.get(place).parse()?, plaintext.get(place), context.get(place)?);
            place.wait(async { still_waits(client.encrypt(&key, &text, &context), stuck(STUCK)).await });
        }
        Action::Decrypt { sealed, context, .. } => {
            let (sealed, context) = (sealed.get(place), context.get(place)?);
            place.wait(async { still_waits(client.decrypt(&sealed, &context), stuck(STUCK)).await });
        }
        other => unreachable!("{other:?} is not cancelled in any case"),
    }
    Ok(())
}

async fn still_waits<T>(operation: impl Future<Output = T>, stuck: impl Future<Output = ()>) {
    let ended = matches!(select(pin!(operation), pin!(stuck)).await, Either::Left(_));
    assert!(!ended, "it ended before it could be cancelled");
}

fn all(place: &Place, messages: &[Message], times: usize) -> Result<Vec<(Vec<u8>, Context)>, Error> {
    let read = |message: &Message| Ok((message.plaintext.get(place), message.context.get(place)?));
    let once = messages.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    Ok(once.iter().cycle().take(once.len() * times).cloned().collect())
}

fn borrowed(messages: &[(Vec<u8>, Context)]) -> Vec<(&[u8], &Context)> {
    messages.iter().map(|(bytes, context)| (&bytes[..], context)).collect()
}

fn about(header: &Header) -> serde_json::Value {
    json!({
        "key": header.key.as_str(),
        "version": header.version,
        "suite": header.suite.name(),
        "purpose": header.purpose.to_string(),
        "customer-fragment": header.cf.is_some(),
        "context-pairs": header.context_pairs,
        "chunk": header.chunk.plain(),
    })
}
