//! A customer fragment behind a callback of this program: what a phone's key store would be.

use crate::value::Text;
use aws_lc_rs::hmac;
use serde::Deserialize;
use symbolon_client::customer::{Answer, Keeper, KeeperError};
use symbolon_fragments::CustomerFragmentId;
use zeroize::Zeroizing;

/// What the scenario says of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) file: Text,
    pub(crate) fault: Option<Fault>,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    Throws,
    Length,
}

pub(crate) struct Callback {
    id: CustomerFragmentId,
    key: hmac::Key,
    fault: Option<Fault>,
}

impl Callback {
    /// The fragment of a plain file: id and secret, hexadecimal.
    pub(crate) fn new(file: &str, fault: Option<Fault>) -> Self {
        let text = std::fs::read_to_string(file).expect("the fragment's file");
        let bytes = hex::decode(text.trim()).expect("a plain fragment");
        let (id, secret) = bytes.split_first_chunk::<16>().expect("an id first");
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { id: CustomerFragmentId::new(*id), key, fault }
    }
}

impl Keeper for Callback {
    fn id(&self) -> CustomerFragmentId {
        self.id
    }

    fn evaluate<'a>(&'a self, message: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            match self.fault {
                Some(Fault::Throws) => Err(KeeperError::Failed("the callback threw".into())),
                Some(Fault::Length) => Err(KeeperError::WrongLength(31)),
                None => {
                    let tag = hmac::sign(&self.key, message);
                    Ok(Zeroizing::new(tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")))
                }
            }
        })
    }
}
