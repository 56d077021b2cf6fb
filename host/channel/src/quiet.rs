//! How long a server keeps an HTTP connection on which nobody asks anything.
//!
//! hyper bounds the time for a request's head once it knows which version of HTTP is spoken. It waits for ever for the
//! first byte, and for a request on a connection of HTTP/2; so whoever completes a handshake could hold a place for good.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How many requests are under way on one connection.
#[derive(Clone, Debug, Default)]
pub struct UnderWay(Arc<watch::Sender<usize>>);

/// A request that is under way until this is dropped.
struct Begun(UnderWay);

impl UnderWay {
    /// Counts a request from now on until it is answered, or given up.
    pub fn during<F: Future>(&self, answer: F) -> impl Future<Output = F::Output> + use<F> {
        let begun = self.begin();
        async move {
            let answered = answer.await;
            drop(begun);
            answered
        }
    }

    fn begin(&self) -> Begun {
        self.0.send_modify(|requests| *requests += 1);
        Begun(self.clone())
    }

    /// Returns once no request has been under way for so long.
    pub async fn none_for(&self, long: Duration) {
        let mut requests = self.0.subscribe();
        loop {
            let none = *requests.borrow_and_update() == 0;
            let changed = requests.changed();
            // The sender is in `self`: a change is all that can come.
            let quiet = if none { timeout(long, changed).await.is_err() } else { changed.await.is_err() };
            if quiet {
                return;
            }
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.send_modify(|requests| *requests -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, advance};

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn quiet_begins_anew_with_each_request() {
        let (under_way, start) = (UnderWay::default(), Instant::now());
        let quiet = tokio::spawn({
            let under_way = under_way.clone();
            async move {
                under_way.none_for(LONG).await;
                Instant::now()
            }
        });
        advance(Duration::from_secs(20)).await;
        let (one, other) = (under_way.begin(), under_way.begin());
        tokio::task::yield_now().await;
        advance(Duration::from_secs(100)).await;
        drop(one);
        tokio::task::yield_now().await;
        advance(Duration::from_secs(100)).await;
        drop(other);
        assert_eq!(quiet.await.unwrap() - start, Duration::from_secs(250));
    }
}
