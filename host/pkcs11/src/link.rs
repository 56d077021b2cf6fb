//! A running child process and the socket to it.
//!
//! A request and its answer are shorter than the way through a runtime's event loop. So for a moment the answer is looked
//! for directly, and waited for only then.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::Interest;
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::settings::{Program, TokenSettings};
use crate::wire::{self, Answer, HEAD, Message};

/// Both ends look for the other's next message for so long before they sleep: what a token in software takes for a function,
/// and far less than one behind a network.
pub const LOOK: Duration = Duration::from_micros(200);

/// A child process that is ours alone; dropping it ends it.
pub struct Link {
    child: Child,
    /// For what can be done at once.
    socket: UnixStream,
    /// The same socket, for what has to be waited for.
    waiting: tokio::net::UnixStream,
}

impl Link {
    /// Starts the child. It gets nothing by its arguments and only what the operator said by its environment.
    pub fn start(program: &Program, settings: &TokenSettings) -> Result<Self, Error> {
        Self::spawn(program, settings).map_err(Error::NotStarted)
    }

    fn spawn(program: &Program, settings: &TokenSettings) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(&program.path)
            .args(&program.arguments)
            .env_clear()
            .envs(&settings.environment)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            // A library may print what it likes, and it may be anything.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let waiting = tokio::net::UnixStream::from_std(ours.try_clone()?)?;
        Ok(Self { child, socket: ours, waiting })
    }

    /// Sends a request and waits for its answer.
    pub async fn ask(&mut self, message: &Message) -> io::Result<Answer> {
        self.write(&wire::to_frame(message)?).await?;
        let mut head = [0; HEAD];
        self.read(&mut head).await?;
        let mut body = Zeroizing::new(vec![0; wire::body_length(head)?]);
        self.read(&mut body).await?;
        wire::from_body(&body)
    }

    /// Sends what has no answer, if the socket takes it at once.
    pub fn tell(&mut self, message: &Message) -> io::Result<()> {
        let frame = wire::to_frame(message)?;
        match self.socket.write(&frame) {
            Ok(written) if written == frame.len() => Ok(()),
            // Part of a frame is the end of the conversation.
            Ok(_) => Err(ErrorKind::WriteZero.into()),
            Err(error) => Err(error),
        }
    }

    async fn write(&mut self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            let written = match (&self.socket).write(rest) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waiting.async_io(Interest::WRITABLE, || (&self.socket).write(rest)).await?
                }
                written => written?,
            };
            rest = &rest[written..];
        }
        Ok(())
    }

    async fn read(&mut self, mut rest: &mut [u8]) -> io::Result<()> {
        while !rest.is_empty() {
            match self.read_some(rest).await? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => rest = &mut rest[read..],
            }
        }
        Ok(())
    }

    async fn read_some(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let looking_until = Instant::now() + LOOK;
        loop {
            match (&self.socket).read(buffer) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) if Instant::now() >= looking_until => break,
                Err(_) => std::thread::yield_now(),
                read => return read,
            }
        }
        self.waiting.async_io(Interest::READABLE, || (&self.socket).read(buffer)).await
    }

    /// What the child's end was, for the operator.
    pub async fn end(mut self) -> Error {
        // A child that closed its socket but lives on is ended.
        let _ = self.child.start_kill();
        match self.child.wait().await {
            Ok(status) => Error::Crashed(status.to_string()),
            Err(error) => Error::Crashed(error.to_string()),
        }
    }
}
