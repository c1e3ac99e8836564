//! That the engine which the nodes share does not answer, as the daemon notes it for the commands: until it does, no configuration is
//! changed, for none would reach the other nodes.

use std::path::PathBuf;

use crate::Directories;
use crate::file::durable::{self, FileError};

/// The engine does not answer the daemon of this node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the engine of the cluster has not answered for {seconds}s, and no other node would learn of this change: try it again when it \
     does (om mon)"
)]
pub struct EngineAway {
    /// For how long.
    pub seconds: u64,
}

fn file(home: &Directories) -> PathBuf {
    home.run.join("engine-away")
}

/// Notes since when the engine does not answer this process, in seconds since 1970, or that it does again.
pub fn note_engine_away(home: &Directories, since: Option<f64>) -> Result<(), FileError> {
    match since {
        Some(since) => {
            // Not flushed: the note is about a living daemon, so that no reboot needs it.
            durable::note(&file(home), format!("{} {}\n", std::process::id(), since.max(0.0) as u64).as_bytes())
        }
        None => durable::remove(&file(home)).map(drop),
    }
}

/// What a daemon that lives has noted. `now` is in seconds since 1970.
pub(crate) fn engine_away(home: &Directories, now: u64) -> Result<(), EngineAway> {
    let text = durable::read(&file(home)).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((pid, since)) = text.as_deref().and_then(|text| text.trim().split_once(' ')) else { return Ok(()) };
    // Left by a daemon that was killed, it says nothing.
    let lives = pid.parse::<u32>().is_ok_and(|pid| std::path::Path::new("/proc").join(pid.to_string()).exists());
    match since.parse::<u64>() {
        Ok(since) if lives => Err(EngineAway { seconds: now.saturating_sub(since) }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_known_for_as_long_as_the_daemon_that_noted_it_lives() {
        let (_root, home) = Directories::temporary();
        assert_eq!(engine_away(&home, 112), Ok(()));
        note_engine_away(&home, Some(100.7)).unwrap();
        let away = engine_away(&home, 112).unwrap_err();
        assert!(away.to_string().starts_with("the engine of the cluster has not answered for 12s"), "{away}");
        note_engine_away(&home, None).unwrap();
        note_engine_away(&home, None).unwrap();
        assert_eq!(engine_away(&home, 112), Ok(()));
        for left in ["4194305 100\n", "nonsense", "1 x"] {
            durable::note(&file(&home), left.as_bytes()).unwrap();
            assert_eq!(engine_away(&home, 112), Ok(()), "{left}");
        }
    }
}
