//! `Idempotency-Key`: the same request, sent again, is answered again and not done again, across crashes too.

use crate::{answer::Answer, call::Call, failure::Failure, unit::Unit};
use axum::http::HeaderMap;
use symbolon_store::access::Remembered;

const HEADER: &str = "idempotency-key";
const LONGEST: usize = 255;

/// What a caller sent with a request; nothing where it sent no key.
pub(crate) struct Idempotency {
    key: Option<String>,
    request: [u8; 32],
}

/// A request that has begun: new, or answered before.
pub(crate) enum Begun {
    New(Unit),
    Answered(Answer),
}

impl Idempotency {
    /// The header's key for the request with this hash.
    pub(crate) fn of(headers: &HeaderMap, request: [u8; 32]) -> Result<Self, Failure> {
        let Some(value) = headers.get(HEADER) else { return Ok(Self { key: None, request }) };
        let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST);
        let key =
            key.ok_or_else(|| Failure::malformed("an Idempotency-Key has 1 to 255 visible characters"))?;
        Ok(Self { key: Some(key.to_owned()), request })
    }

    /// Begins a unit of work, unless the request was answered before.
    pub(crate) async fn begin(&self, call: &Call) -> Result<Begun, Failure> {
        let mut unit = call.begin().await?;
        let Some(key) = &self.key else { return Ok(Begun::New(unit)) };
        match unit.rows().remembered(&call.holder.thumbprint(), key).await? {
            None => Ok(Begun::New(unit)),
            Some(known) if known.request != self.request => Err(Failure::IdempotencyConflict),
            Some(known) => {
                serde_json::from_slice(&known.answer).map(Begun::Answered).map_err(Failure::internal)
            }
        }
    }

    /// Remembers the answer in the unit that it tells of.
    pub(crate) async fn remember(&self, unit: &mut Unit, answer: &Answer) -> Result<(), Failure> {
        let Some(key) = &self.key else { return Ok(()) };
        let encoded = serde_json::to_vec(answer).map_err(Failure::internal)?;
        let remembered = Remembered { request: self.request, status: answer.status(), answer: encoded };
        let (caller, now) = (unit.actor(), crate::clock::wall().0);
        Ok(unit.rows().remember(&caller, key, &remembered, now).await?)
    }
}
