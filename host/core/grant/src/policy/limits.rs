//! The `limit` lines of a site's policy: what one call of a driver may use.

use std::time::Duration;

/// The limits of one call of a driver. `None` stands for the host's own limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SandboxLimits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processor time.
    pub cpu: Option<Duration>,
    /// Elapsed time.
    pub wall: Option<Duration>,
    /// Bytes of log and output.
    pub output: Option<u64>,
}

impl SandboxLimits {
    /// The most memory that a call can have, whatever a limit says: each has a slot of this size.
    pub const MOST_MEMORY: u64 = model::keyword::MOST_CALL_MEMORY;

    /// Accepts a limit of memory, in bytes. A higher one would have no effect.
    fn check_memory(bytes: u64) -> Result<u64, String> {
        match bytes <= SandboxLimits::MOST_MEMORY {
            true => Ok(bytes),
            false => Err(format!("a call has at most {}m of memory", SandboxLimits::MOST_MEMORY >> 20)),
        }
    }

    /// The lower limit of each kind.
    #[must_use]
    pub fn and(self, other: SandboxLimits) -> SandboxLimits {
        fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.into_iter().chain(other).min()
        }
        SandboxLimits {
            memory: lower(self.memory, other.memory),
            cpu: lower(self.cpu, other.cpu),
            wall: lower(self.wall, other.wall),
            output: lower(self.output, other.output),
        }
    }

    /// Reads what follows the word `limit`: `memory 64m`.
    pub(super) fn read(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let value = value.trim();
        let size = || {
            size(value).ok_or_else(|| format!("{value:?} is not a size: expected a number with k, m or g, such as 64m"))
        };
        // The unit is required: a bare `2` could mean seconds or milliseconds.
        let time = || {
            let expected = || format!("{value:?} is not a duration: expected a number with ms, s, m or h, such as 2s");
            time(value).ok_or_else(expected)
        };
        match name {
            "memory" => self.memory = Some(SandboxLimits::check_memory(size()?)?),
            "cpu" => self.cpu = Some(time()?),
            "wall" => self.wall = Some(time()?),
            "output" => self.output = Some(size()?),
            _ => return Err(format!("unknown limit {name:?}: expected memory, cpu, wall or output")),
        }
        Ok(())
    }
}

/// Splits a number from its unit. A limit of 0 would stop every call, so it counts as a mistake.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok().filter(|number| *number > 0)?, &text[end..]))
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = number(text)?;
    let shift = match unit {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn time(text: &str) -> Option<Duration> {
    let (number, unit) = number(text)?;
    Some(match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    })
}
