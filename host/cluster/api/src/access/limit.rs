//! How much one user and one address may ask: a bucket each, which fills at a steady rate and holds a burst.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// So many buckets are remembered. Those that are full again are forgotten first, which loses nothing.
const BUCKETS: usize = 4096;

/// A handshake that fails, or a proof that is wrong, counts as so many requests: guessing is slow.
pub(crate) const FAILURE: f64 = 5.0;

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum BucketKey {
    User(String),
    /// Requests of an address; of IPv6 its network, as one machine has all addresses of it.
    Address(IpAddr),
    Connections(IpAddr),
}

impl BucketKey {
    /// How much more may come than of one user. An address may be that of several users, and connections come twice as fast as
    /// requests, so that a client that asks too much gets an answer that says so, and not a closed connection.
    fn factor(&self) -> f64 {
        match self {
            BucketKey::User(_) => 1.0,
            BucketKey::Address(_) => 2.0,
            BucketKey::Connections(_) => 4.0,
        }
    }
}

/// Refused. It may be tried again after that time.
#[derive(Debug, PartialEq)]
pub(crate) struct BucketEmpty {
    pub(crate) retry_after: Duration,
    /// Whether it is the first refusal since something was allowed.
    pub(crate) is_first: bool,
}

#[derive(Debug)]
struct RateBucket {
    left: f64,
    at: Instant,
    refused: bool,
}

/// The buckets of all users and addresses.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    rate: f64,
    burst: f64,
    buckets: HashMap<BucketKey, RateBucket>,
}

impl RateLimiter {
    /// So many a second, and so many at once. A rate of 0 limits nothing.
    pub(crate) fn new(rate: u32, burst: u32) -> RateLimiter {
        RateLimiter { rate: rate.into(), burst: burst.max(1).into(), buckets: HashMap::new() }
    }

    /// Changes the limits.
    pub(crate) fn set(&mut self, rate: u32, burst: u32) {
        (self.rate, self.burst) = (rate.into(), burst.max(1).into());
    }

    /// Takes `count` out of a bucket.
    pub(crate) fn take(&mut self, key: BucketKey, count: f64, now: Instant) -> Result<(), BucketEmpty> {
        if self.rate <= 0.0 {
            return Ok(());
        }
        let factor = key.factor();
        let (rate, burst) = (self.rate * factor, self.burst * factor);
        self.make_room(now);
        let bucket = self.buckets.entry(key).or_insert(RateBucket { left: burst, at: now, refused: false });
        bucket.left = (bucket.left + now.duration_since(bucket.at).as_secs_f64() * rate).min(burst);
        bucket.at = now;
        if bucket.left >= 1.0 {
            // It may go below nothing, so that failures cost what they count for.
            (bucket.left, bucket.refused) = (bucket.left - count, false);
            return Ok(());
        }
        let is_first = !std::mem::replace(&mut bucket.refused, true);
        Err(BucketEmpty { retry_after: Duration::from_secs_f64((1.0 - bucket.left) / rate), is_first })
    }

    fn make_room(&mut self, now: Instant) {
        if self.buckets.len() < BUCKETS {
            return;
        }
        let (rate, burst) = (self.rate, self.burst);
        let full = |key: &BucketKey, bucket: &RateBucket| {
            let gained = now.duration_since(bucket.at).as_secs_f64() * rate * key.factor();
            bucket.left + gained >= burst * key.factor()
        };
        self.buckets.retain(|key, bucket| !full(key, bucket));
        if self.buckets.len() >= BUCKETS {
            // So many clients at once that none of them has had its share for long.
            self.buckets.clear();
        }
    }
}

/// The part of an address that stands for a machine.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> BucketKey {
        BucketKey::User(name.to_owned())
    }

    #[test]
    fn a_burst_is_taken_at_once_and_comes_back_at_the_rate() {
        let (mut limiter, now) = (RateLimiter::new(10, 3), Instant::now());
        (0..3).for_each(|_| limiter.take(user("a"), 1.0, now).unwrap());
        let refused = limiter.take(user("a"), 1.0, now).unwrap_err();
        assert_eq!(refused, BucketEmpty { retry_after: Duration::from_millis(100), is_first: true });
        assert!(!limiter.take(user("a"), 1.0, now).unwrap_err().is_first);
        // Another user's bucket is another.
        limiter.take(user("b"), 1.0, now).unwrap();
        limiter.take(user("a"), 1.0, now + Duration::from_millis(100)).unwrap();
        assert!(limiter.take(user("a"), 1.0, now + Duration::from_millis(100)).unwrap_err().is_first);
    }

    #[test]
    fn failures_cost_more_and_a_rate_of_zero_limits_nothing() {
        let (mut limiter, now) = (RateLimiter::new(1, 2), Instant::now());
        limiter.take(user("a"), FAILURE, now).unwrap();
        assert_eq!(limiter.take(user("a"), 1.0, now).unwrap_err().retry_after, Duration::from_secs(4));
        limiter.set(0, 0);
        (0..1000).for_each(|_| limiter.take(user("a"), 1.0, now).unwrap());
    }

    #[test]
    fn the_memory_of_many_addresses_is_bounded() {
        let (mut limiter, now) = (RateLimiter::new(1, 2), Instant::now());
        for number in 0..100_000_u32 {
            limiter.take(BucketKey::Address(IpAddr::from(number.to_be_bytes())), 1.0, now).unwrap();
        }
        assert!(limiter.buckets.len() <= BUCKETS);
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:10.0.0.1"), "10.0.0.1");
    }
}
