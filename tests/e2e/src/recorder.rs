//! A TCP proxy that keeps every byte that passes, in both directions: what a wire-tapper has.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A proxy in front of one address. It ends with the test process.
pub struct Recorder {
    address: SocketAddr,
    tape: Tape,
}

type Tape = Arc<Mutex<Vec<u8>>>;

impl Recorder {
    /// Listens on `public` and forwards to `target`, which needs not be up yet.
    pub fn on(public: SocketAddr, target: SocketAddr) -> Self {
        let listener = TcpListener::bind(public).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let tape = Tape::default();
        let shared = Arc::clone(&tape);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let tape = Arc::clone(&shared);
                thread::spawn(move || forward(&client, target, &tape));
            }
        });
        Self { address, tape }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All bytes so far. Those of different connections and directions are interleaved by read.
    pub fn tape(&self) -> Vec<u8> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn forward(client: &TcpStream, target: SocketAddr, tape: &Tape) {
    let Ok(server) = TcpStream::connect(target) else { return };
    thread::scope(|scope| {
        scope.spawn(|| copy(client, &server, tape));
        scope.spawn(|| copy(&server, client, tape));
    });
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, tape: &Tape) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        tape.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
