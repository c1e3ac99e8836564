//! What is counted of each client, and what it gets when it asks too much.

use std::net::IpAddr;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use protocol::FailureKind;

use crate::access::control::{AccessControl, failure};
use crate::access::limit::{BucketKey, FAILURE, RateLimiter, network};
use crate::access::{Caller, ClientLink};
use crate::reply::ReplyRefusal;

impl AccessControl {
    /// Changes the limits.
    pub(crate) fn set_limits(&self, rate: u32, burst: u32) {
        self.limiter().set(rate, burst);
    }

    /// Whether one more connection of this link may be greeted.
    pub(crate) fn admits(&self, link: IpAddr) -> bool {
        self.limiter().take(BucketKey::Connections(network(link)), 1.0, Instant::now()).is_ok()
    }

    /// Counts a handshake that failed, or a proof that was wrong.
    pub(crate) fn count_failure(&self, link: IpAddr) {
        let key = network(link);
        let mut limiter = self.limiter();
        // Nothing is refused here: what is taken is missed by the next request or connection.
        let _ = limiter.take(BucketKey::Connections(key), FAILURE, Instant::now());
        let _ = limiter.take(BucketKey::Address(key), FAILURE, Instant::now());
    }

    /// Counts a request of an address, before it is known who asks.
    pub(crate) fn count_address(&self, link: &ClientLink) -> Result<(), ReplyRefusal> {
        // A daemon of the cluster has proven that it is one, and must not suffer from others at its address.
        let Some(address) = link.address().filter(|_| !matches!(link, ClientLink::Peer { .. })) else { return Ok(()) };
        let key = BucketKey::Address(network(address));
        self.count(key, format!("requests from {address} come too fast"))
    }

    /// Counts a request of a user. Root on this node can do all of it without the daemon, and is not limited.
    pub(crate) fn count_user(&self, caller: &Caller) -> Result<(), ReplyRefusal> {
        if caller.is_local_root() || caller.peer().is_some() {
            return Ok(());
        }
        self.count(BucketKey::User(caller.user.clone()), format!("requests of user {caller} come too fast"))
    }

    fn count(&self, key: BucketKey, what: String) -> Result<(), ReplyRefusal> {
        self.limiter().take(key, 1.0, Instant::now()).map_err(|empty| {
            let seconds = whole_seconds(empty.retry_after);
            let message = format!("{what} (listener.rate_limiter_rate): try again in {seconds} s");
            ReplyRefusal {
                status: StatusCode::TOO_MANY_REQUESTS,
                retry_after: Some(seconds),
                is_told: empty.is_first,
                failure: failure(FailureKind::Busy, message),
            }
        })
    }

    fn limiter(&self) -> MutexGuard<'_, RateLimiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
