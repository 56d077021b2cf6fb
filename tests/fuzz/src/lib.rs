//! Every decoder of bytes that come from outside.
