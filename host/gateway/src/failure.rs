//! What a caller is told when a request fails: problem details (RFC 9457), the same closed set as the access manager's.

use axum::Json;
use axum::extract::FromRequest;
use axum::extract::rejection::JsonRejection;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use symbolon_protocol::api::{PROBLEM_MEDIA_TYPE, Problem, ProblemType};

/// A failed request, as the caller sees it.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Problem);

impl Failure {
    pub(crate) fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self(Problem::new(kind).detail(detail))
    }
}

impl From<ProblemType> for Failure {
    fn from(kind: ProblemType) -> Self {
        Self(Problem::new(kind))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after;
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A JSON body whose faults are problem details.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Failure))]
pub(crate) struct Body<T>(pub(crate) T);

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(ProblemType::TooLarge, "large files belong to a client: `symbolon encrypt`")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemType::UnsupportedMediaType.into(),
            _ => Self::new(ProblemType::Malformed, fault_of(&rejection)),
        }
    }
}

/// Where the fault is, without the words of the body: those may be a plaintext.
fn fault_of(rejection: &JsonRejection) -> String {
    let text = rejection.body_text();
    match text.find(" at line ") {
        Some(start) => format!("not the JSON of this operation{}", &text[start..]),
        None => "not the JSON of this operation".into(),
    }
}
