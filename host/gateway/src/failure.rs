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

fn fault_of(rejection: &JsonRejection) -> String {
    told(&rejection.body_text())
}

/// What the fault is and where, without the words of the body: those may be a plaintext. A field that is missing is
/// named by the interface, not by the body.
fn told(fault: &str) -> String {
    let missing = fault.split_once("missing field `").and_then(|(_, rest)| rest.split_once('`'));
    let what = match missing {
        Some((field, _)) => format!("`{field}` is missing"),
        None => "this is not what the operation takes (/openapi.json tells what; bytes are base64url without padding)"
            .to_owned(),
    };
    let place = fault.rfind(" at line ").map_or("", |start| &fault[start..]);
    format!("{what}{place}")
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_fault_names_what_is_missing_and_repeats_nothing_of_the_body() {
        let missing = "Failed to deserialize: missing field `plaintext` at line 1 column 18";
        assert_eq!(told(missing), "`plaintext` is missing at line 1 column 18");
        let wrong = told("Failed to deserialize: invalid value: string \"a secret\" at line 1 column 43");
        assert!(wrong.ends_with(" at line 1 column 43") && !wrong.contains("secret"), "{wrong}");
        assert!(!told("invalid value: string \"a at line b\" at line 1 column 2").contains("line b"));
    }
}
