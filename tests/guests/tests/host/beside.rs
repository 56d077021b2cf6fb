//! A good plugin of the same host, called all the time while another one does harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use symbolon_guests::Guest;
use symbolon_plugin::{Keystore, Plugin, PluginHost, Verdict};

use crate::support::{host, keystore, load, sign, verdict};

/// Does harm in `sign-message`, is judged, and answers other calls as before; the good plugin beside it notices nothing.
pub async fn judged(guest: &Guest) -> Verdict {
    let host = host();
    judged_plugin(&host, load(&host, guest).await).await
}

/// As [`judged`], of a plugin that is loaded.
pub async fn judged_plugin(host: &PluginHost, plugin: Plugin) -> Verdict {
    let beside = Beside::start(&load(host, &Guest::good()).await);
    let store = keystore(&plugin);
    store.describe().await.unwrap();
    let first = verdict(sign(&store, b"message").await);
    store.describe().await.expect("the next call works");
    assert_eq!(verdict(sign(&store, b"message").await), first, "the same again");
    store.describe().await.expect("the next call works");
    let tally = plugin.tally();
    assert_eq!((tally.calls, tally.errors, tally.verdicts), (5, 0, 2));
    assert_eq!(tally.instances, 3, "an instance is thrown away with its call, and only then");
    beside.end().await;
    first
}

/// Calls of a good plugin, one after the other, until it is over.
pub struct Beside {
    over: Arc<AtomicBool>,
    calls: tokio::task::JoinHandle<u32>,
}

impl Beside {
    pub fn start(plugin: &Plugin) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let calls = tokio::spawn(call_until(keystore(plugin), Arc::clone(&over)));
        Self { over, calls }
    }

    pub async fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        let calls = self.calls.await.expect("all calls of the other plugin succeed");
        assert!(calls > 0);
    }
}

async fn call_until(store: Keystore, over: Arc<AtomicBool>) -> u32 {
    let mut calls = 0;
    loop {
        assert_eq!(sign(&store, b"beside").await.unwrap(), b"beside");
        calls += 1;
        if over.load(Ordering::Relaxed) {
            return calls;
        }
        tokio::task::yield_now().await;
    }
}
