//! What an instance keeps between calls: a session with its token, and what belongs to that session.

use std::cell::RefCell;
use std::rc::Rc;

use crate::failure::{Error, Kind, Result};
use crate::token::Token;

thread_local! {
    static TOKEN: RefCell<Option<Rc<Token>>> = const { RefCell::new(None) };
}

/// Runs what needs the token. When the session turns out to be gone, everything of it is let go, and the next call begins
/// with a new one. Nothing is tried again here: whoever asked knows whether it may be.
pub fn with<T>(run: impl FnOnce(&Token) -> Result<T>) -> Result<T> {
    let token = current()?;
    let done = run(&token);
    if done.as_ref().is_err_and(is_end_of_session) {
        TOKEN.take();
    }
    done
}

fn current() -> Result<Rc<Token>> {
    if let Some(token) = TOKEN.with_borrow(Clone::clone) {
        return Ok(token);
    }
    let token = Rc::new(Token::open()?);
    TOKEN.set(Some(token.clone()));
    Ok(token)
}

pub fn is_end_of_session(error: &Error) -> bool {
    matches!(error.kind, Kind::Unavailable | Kind::OutOfTime)
}
