//! The gateway role: encryption over HTTP for programs without a client library.
#![forbid(unsafe_code)]
