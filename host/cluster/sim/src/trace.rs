//! What happened in a run: a digest always, the lines themselves when they are asked for.

use std::fmt;
use std::time::Duration;

/// The trace of a run.
#[derive(Debug)]
pub struct Trace {
    digest: u64,
    events: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub fn new(verbose: bool) -> Trace {
        Trace { digest: 0xcbf2_9ce4_8422_2325, events: 0, lines: verbose.then(Vec::new) }
    }

    /// Whether lines are kept.
    pub fn is_verbose(&self) -> bool {
        self.lines.is_some()
    }

    /// Notes an event.
    pub fn note(&mut self, now: Duration, event: fmt::Arguments<'_>) {
        self.events += 1;
        self.digest = Digest(self.digest).add(now.as_nanos() as u64).text(event);
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:10.3} {event}", now.as_secs_f64()));
        }
    }

    /// Two runs with the same digest are the same.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}

/// FNV-1a, fed without an allocation.
struct Digest(u64);

impl Digest {
    fn add(mut self, number: u64) -> Digest {
        self.bytes(&number.to_le_bytes());
        self
    }

    fn text(mut self, text: fmt::Arguments<'_>) -> u64 {
        // Writing to a digest cannot fail.
        let _ = fmt::Write::write_fmt(&mut self, text);
        self.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    }
}

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}
