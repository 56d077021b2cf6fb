//! One slow or dead manager isn't seen in the 99th percentile, nor is a manager's restart: the client, on real processes and a real network.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use symbolon_client::{Client, Context, Error, NoUnlock};
use symbolon_e2e::{Deployment, Site};
use tokio::runtime::Runtime;

/// Operations that percentiles are taken of.
const OPERATIONS: usize = 600;
/// How slow the slow manager is: many times what an operation takes.
const DELAY: Duration = Duration::from_millis(400);

/// Carries bytes to a manager, and each piece of its answers later than it came.
struct Proxy {
    delay: Arc<AtomicU64>,
}

impl Proxy {
    /// Listens where the manager would, and forwards to where it does.
    fn start(listener: TcpListener, manager: SocketAddr) -> Self {
        let delay = Arc::new(AtomicU64::new(0));
        let shared = delay.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(manager) else { continue };
                let (delay, back) =
                    (shared.clone(), (server.try_clone().unwrap(), client.try_clone().unwrap()));
                thread::spawn(move || carry(back.0, back.1, &delay));
                thread::spawn(move || carry(client, server, &AtomicU64::new(0)));
            }
        });
        Self { delay }
    }

    fn delay(&self, by: Duration) {
        self.delay.store(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, delay: &AtomicU64) {
    let mut buffer = [0; 16 * 1024];
    let _ = to.set_nodelay(true);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        thread::sleep(Duration::from_millis(delay.load(Ordering::Relaxed)));
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn client(deployment: &Deployment) -> Client {
    let profile = deployment.cli().profile().to_owned();
    Client::open_file(&profile, &mut NoUnlock).unwrap()
}

/// The 99th percentile of operations, one after the other.
fn percentile(runtime: &Runtime, client: &Client, sealed: &[u8]) -> Duration {
    let mut took: Vec<Duration> = (0..OPERATIONS)
        .map(|_| {
            let begun = Instant::now();
            let opened = runtime.block_on(client.decrypt(sealed, &Context::new())).unwrap();
            assert_eq!(*opened, b"message");
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[OPERATIONS * 99 / 100]
}

fn seal(runtime: &Runtime, client: &Client) -> Vec<u8> {
    let key = "notes".parse().unwrap();
    runtime.block_on(client.encrypt(&key, b"message", &Context::new())).unwrap()
}

#[test]
fn a_slow_manager_is_not_seen_in_the_99th_percentile() {
    let site = Site::prepare();
    let text = std::fs::read_to_string(site.config("kfm-1")).unwrap();
    let address = text.lines().find_map(|line| line.strip_prefix("listen = ")).unwrap().trim_matches('"');
    let listener = TcpListener::bind(address).unwrap();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    site.reconfigure("kfm-1", address, &elsewhere.to_string());
    let proxy = Proxy::start(listener, elsewhere);
    let deployment = site.start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();

    let (runtime, client) = (Runtime::new().unwrap(), client(&deployment));
    let sealed = seal(&runtime, &client);
    let usual = percentile(&runtime, &client, &sealed);
    proxy.delay(DELAY);
    let with_a_slow_one = percentile(&runtime, &client, &sealed);
    println!("99th percentile: usual {usual:?}, with a slow manager {with_a_slow_one:?}");
    assert!(with_a_slow_one < DELAY / 2, "usual {usual:?}, with a slow manager {with_a_slow_one:?}");
    proxy.delay(Duration::ZERO);
    assert!(percentile(&runtime, &client, &sealed) < DELAY / 2);
}

#[test]
fn a_manager_that_hangs_is_not_seen_in_the_99th_percentile() {
    let deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let (runtime, client) = (Runtime::new().unwrap(), client(&deployment));
    let sealed = seal(&runtime, &client);
    for manager in &deployment.managers {
        manager.freeze();
        let hanging = percentile(&runtime, &client, &sealed);
        manager.thaw();
        assert!(hanging < DELAY / 2, "{hanging:?}");
    }
}

#[test]
fn a_new_client_is_not_held_up_by_a_manager_that_hangs() {
    let deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let runtime = Runtime::new().unwrap();
    let sealed = seal(&runtime, &client(&deployment));
    deployment.managers[0].freeze();
    let begun = Instant::now();
    runtime.block_on(client(&deployment).decrypt(&sealed, &Context::new())).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    deployment.managers[0].thaw();
}

#[test]
fn managers_that_restart_one_after_the_other_are_not_noticed() {
    let mut deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let (runtime, client) = (Runtime::new().unwrap(), client(&deployment));
    let sealed = seal(&runtime, &client);
    let (stop, ended) = std::sync::mpsc::channel::<()>();
    let operations = thread::spawn(move || -> Result<usize, Error> {
        let mut done = 0;
        while ended.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            runtime.block_on(client.decrypt(&sealed, &Context::new()))?;
            done += 1;
        }
        Ok(done)
    });
    for manager in &mut deployment.managers {
        manager.stop();
        manager.restart();
    }
    drop(stop);
    let done = operations.join().unwrap().expect("a restart is invisible");
    assert!(done > 0);
}
