//! The engine that several nodes share, and the highest mark that this node has seen of it, which outlives the daemon.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::file::durable;
use agent::node::{EngineAddress, EngineFiles};
use bytes::Bytes;
use replica::{GenerationRow, generation_key};
use store_etcd::{EngineMark, EtcdSettings, EtcdStore, EtcdTls, GenerationReader};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// How often the mark is written down. One that is older refuses a little less.
const PERIOD: Duration = Duration::from_secs(60);

/// The task that writes the mark down.
#[derive(Debug)]
pub(crate) struct MarkKeeper {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl MarkKeeper {
    /// Writes the last mark down, and ends.
    pub(crate) async fn end(self) {
        let _ = self.end.send(());
        let _ = self.task.await;
    }
}

pub(super) fn open(directory: &Path, address: &EngineAddress) -> (Arc<EtcdStore>, MarkKeeper) {
    let file = directory.join("mark");
    let files = |files: &EngineFiles| EtcdTls {
        authority: files.authority.clone(),
        certificate: files.certificate.clone(),
        key: files.key.clone(),
    };
    let read = |value: &[u8]| GenerationRow::read(b"generation", value).ok().map(|row| row.number);
    let settings = EtcdSettings {
        tls: address.files.as_ref().map(files),
        generation: Some(GenerationReader { key: Bytes::from(generation_key()), read }),
        mark: read_mark(&file),
        ..EtcdSettings::new(address.members.iter().cloned())
    };
    let store = Arc::new(EtcdStore::new(settings));
    let (end, ended) = oneshot::channel();
    let task = tokio::spawn(keep_mark(store.marks(), file, ended));
    (store, MarkKeeper { end, task })
}

async fn keep_mark(mut marks: watch::Receiver<EngineMark>, file: PathBuf, mut ended: oneshot::Receiver<()>) {
    loop {
        let over = tokio::select! {
            _ = &mut ended => true,
            () = tokio::time::sleep(PERIOD) => false,
        };
        let mark = *marks.borrow_and_update();
        let place = file.clone();
        // What cannot be written down now is written down in a minute.
        let _ = tokio::task::spawn_blocking(move || durable::write(&place, words(mark).as_bytes())).await;
        if over {
            return;
        }
    }
}

fn words(mark: EngineMark) -> String {
    format!("{} {} {}\n", mark.cluster, mark.generation, mark.revision)
}

/// What cannot be read refuses nothing.
fn read_mark(file: &Path) -> EngineMark {
    let text = durable::read(file).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    match (next(), next(), next()) {
        (Some(cluster), Some(generation), Some(revision)) => EngineMark { cluster, generation, revision },
        _ => EngineMark::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("mark");
        assert_eq!(read_mark(&file), EngineMark::default());
        let mark = EngineMark { cluster: 7, generation: 2, revision: 99 };
        durable::write(&file, words(mark).as_bytes()).unwrap();
        assert_eq!(read_mark(&file), mark);
        durable::write(&file, b"7 2").unwrap();
        assert_eq!(read_mark(&file), EngineMark::default());
    }
}
