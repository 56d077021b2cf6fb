//! The child process: loads one vendor's library, logs in to one token, and does what it is asked, one thing at a time.
//!
//! It takes everything from the socket that is its standard input, the PIN too, and ends when that does. It decides
//! nothing: what may be asked was decided on the other side, which no library can reach.

mod memory;
mod module;
mod open;

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use zeroize::Zeroizing;

use self::module::Session;
use crate::link::LOOK;
use crate::wire::{self, Answer, Fault, HEAD, Message, Request};

/// Serves the socket on standard input to its end.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the PKCS#11 process is started by the program that it serves: {error}");
            ExitCode::FAILURE
        }
    }
}

/// As [`main`], for a program that has its own way of ending.
pub fn serve() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    end_with(socket.as_fd().try_clone_to_owned()?);
    let Some(Message { request: Some(first), .. }) = receive(&mut socket)? else { return Ok(()) };
    let session = match open::open(&first) {
        Ok((session, info)) => {
            drop(first);
            send(&mut socket, &Answer::Opened(info))?;
            session
        }
        Err(fault) => return send(&mut socket, &Answer::Failed(fault)),
    };
    while let Some(Message { dropped, request }) = receive(&mut socket)? {
        for object in dropped {
            // It may be gone already with what it was made in.
            let _ = session.destroy(object);
        }
        if let Some(request) = request {
            let answer = perform(&session, request).unwrap_or_else(Answer::Failed);
            send(&mut socket, &answer)?;
        }
    }
    Ok(())
}

/// A library may hang when whom it serves is gone. Nobody waits for it then.
fn end_with(socket: OwnedFd) {
    std::thread::spawn(move || {
        while poll(&mut [PollFd::new(&socket, PollFlags::empty())], None).is_err() {}
        std::process::exit(0);
    });
}

fn perform(session: &Session, request: Request) -> Result<Answer, Fault> {
    Ok(match request {
        // Only the first request opens.
        Request::Open { .. } => return Err(Fault::Lost),
        Request::Find { template, max } => Answer::Objects(session.find(&template, max)?),
        Request::GenerateKey { mechanism, template } => {
            Answer::Object(session.generate_key(&mechanism, &template)?)
        }
        Request::GenerateKeyPair { mechanism, public, private } => {
            let (public, private) = session.generate_key_pair(&mechanism, &public, &private)?;
            Answer::Pair(public, private)
        }
        Request::Attributes { object, ids } => Answer::Attributes(session.attributes(object, &ids)?),
        Request::Sign { mechanism, key, data } => Answer::Bytes(session.sign(&mechanism, key, &data)?),
        Request::Verify { mechanism, key, data, signature } => {
            session.verify(&mechanism, key, &data, &signature)?;
            Answer::Done
        }
        Request::Encrypt { mechanism, key, plaintext } => {
            Answer::Bytes(session.encrypt(&mechanism, key, plaintext.bytes())?)
        }
        Request::Decrypt { mechanism, key, ciphertext } => {
            Answer::Secret(wire::Secret::new(session.decrypt(&mechanism, key, &ciphertext)?))
        }
        Request::Wrap { mechanism, wrapping, key } => Answer::Bytes(session.wrap(&mechanism, wrapping, key)?),
        Request::Unwrap { mechanism, wrapping, wrapped, template, read_back } => {
            let key = session.unwrap(&mechanism, wrapping, &wrapped, &template)?;
            let attributes = session.attributes(key, &read_back).inspect_err(|_| {
                // A key that nobody could look at is of no use to anybody.
                let _ = session.destroy(key);
            })?;
            Answer::Unwrapped(key, attributes)
        }
        Request::Copy { object } => Answer::Object(session.copy(object)?),
        Request::Destroy { object } => {
            session.destroy(object)?;
            Answer::Done
        }
    })
}

fn send(socket: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let frame = wire::to_frame(answer)?;
    let mut rest = &frame[..];
    while !rest.is_empty() {
        match socket.write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(socket, PollFlags::OUT)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The next message; none where the other side has ended.
fn receive(socket: &mut UnixStream) -> io::Result<Option<Message>> {
    let mut head = [0; HEAD];
    match read(socket, &mut head) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut body = Zeroizing::new(vec![0; wire::body_length(head)?]);
    read(socket, &mut body)?;
    wire::from_body(&body).map(Some)
}

fn read(socket: &mut UnixStream, mut rest: &mut [u8]) -> io::Result<()> {
    let looking_until = Instant::now() + LOOK;
    while !rest.is_empty() {
        match socket.read(rest) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => rest = &mut rest[read..],
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            Err(_) if Instant::now() < looking_until => std::thread::yield_now(),
            Err(_) => wait(socket, PollFlags::IN)?,
        }
    }
    Ok(())
}

fn wait(socket: &UnixStream, flags: PollFlags) -> io::Result<()> {
    match poll(&mut [PollFd::new(socket, flags)], None) {
        Err(error) if error != rustix::io::Errno::INTR => Err(error.into()),
        _ => Ok(()),
    }
}
