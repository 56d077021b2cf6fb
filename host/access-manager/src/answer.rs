//! What a request is answered with: JSON, an entity tag, or a problem. An answer can be stored and given again.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use symbolon_protocol::api::{PROBLEM_MEDIA_TYPE, Problem};

/// An answer to a request that went well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    status: u16,
    body: Option<String>,
    tag: Option<String>,
    location: Option<String>,
}

/// The entity tag of a revision.
pub(crate) fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

impl Answer {
    /// 200 with a JSON body.
    ///
    /// # Panics
    /// Never: the interface's types have text keys and finite numbers.
    pub(crate) fn json(body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("the interface's types are JSON");
        Self { status: StatusCode::OK.as_u16(), body: Some(body), tag: None, location: None }
    }

    /// 204.
    pub(crate) const fn empty() -> Self {
        Self { status: 204, body: None, tag: None, location: None }
    }

    /// 304 for an entity tag.
    pub(crate) fn unchanged(tag: String) -> Self {
        Self { status: 304, body: None, tag: Some(tag), location: None }
    }

    /// The same with 201 and the place of what was made.
    pub(crate) fn created(mut self, location: String) -> Self {
        (self.status, self.location) = (StatusCode::CREATED.as_u16(), Some(location));
        self
    }

    /// The same with 202: what was asked for is under way.
    pub(crate) fn accepted(mut self) -> Self {
        self.status = StatusCode::ACCEPTED.as_u16();
        self
    }

    /// The same with an entity tag.
    pub(crate) fn tagged(mut self, tag: String) -> Self {
        self.tag = Some(tag);
        self
    }

    /// The same with an entity tag that follows from the body: for what has no revision of its own.
    pub(crate) fn tagged_by_content(self) -> Self {
        let digest = Sha256::digest(self.body.as_deref().unwrap_or_default());
        let number = digest.iter().take(16).fold(0u128, |number, byte| (number << 8) | u128::from(*byte));
        self.tagged(format!("\"{number:032x}\""))
    }

    /// The same, or 304 if the caller knows it by its tag.
    pub(crate) fn unless_known(self, headers: &HeaderMap) -> Self {
        let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
        match &self.tag {
            Some(tag) if known == Some(tag) => Self::unchanged(tag.clone()),
            _ => self,
        }
    }

    /// The entity tag.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The HTTP status.
    pub(crate) const fn status(&self) -> u16 {
        self.status
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone().unwrap_or_default()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let optional = [(ETAG, self.tag), (LOCATION, self.location)];
        for (name, value) in optional {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// A problem as a response.
pub(crate) fn problem(problem: &Problem) -> Response {
    let mut response = Answer::json(problem).into_response();
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
