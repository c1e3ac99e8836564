//! What a node must remember of its life: of this boot below the run directory, and beyond it on disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use agent::Directories;
use agent::file::durable::{self, FileError};
use model::NodeName;
use orchestrate::StoreRevision;
use ownership::{BootMemory, Generation, NodeMemory, SentEvict};
use serde::{Deserialize, Serialize};

/// The files.
#[derive(Debug)]
pub(super) struct MemoryFiles {
    /// On disk: the generation.
    lasting: PathBuf,
    /// In the run directory: this boot.
    boot: PathBuf,
    /// The boot's id. A file of another boot says nothing.
    boot_id: String,
    written: NodeMemory,
}

#[derive(Serialize, Deserialize)]
struct LastingFile {
    number: u64,
    nonce: u64,
    settled: bool,
}

#[derive(Serialize, Deserialize)]
struct BootFile {
    boot: String,
    life: Option<u64>,
    known: BTreeMap<String, u64>,
    /// Life and beat.
    evicts: BTreeMap<String, (u64, u64)>,
}

impl MemoryFiles {
    /// Reads them. What is not there is forgotten, which costs time and no safety.
    pub(super) fn read(home: &Directories, boot_id: &str) -> (MemoryFiles, NodeMemory) {
        let lasting = home.var.join("daemon").join("generation");
        let boot = home.run.join("life");
        let mut memory = NodeMemory::default();
        if let Some(file) = parse::<LastingFile>(&lasting) {
            memory.generation = Some(Generation { number: file.number, nonce: file.nonce });
            memory.settled = file.settled;
        }
        if let Some(file) = parse::<BootFile>(&boot).filter(|file| file.boot == boot_id) {
            memory.boot = file.memory();
        }
        let files = MemoryFiles { lasting, boot, boot_id: boot_id.to_owned(), written: memory.clone() };
        (files, memory)
    }

    /// Writes down what has changed. Only a new generation needs the disk.
    pub(super) fn keep(&mut self, memory: &NodeMemory) -> Result<(), FileError> {
        if memory.boot != self.written.boot {
            durable::note(&self.boot, &bytes(&BootFile::of(&self.boot_id, &memory.boot)))?;
            self.written.boot = memory.boot.clone();
        }
        if (memory.generation, memory.settled) != (self.written.generation, self.written.settled)
            && let Some(Generation { number, nonce }) = memory.generation
        {
            durable::write(&self.lasting, &bytes(&LastingFile { number, nonce, settled: memory.settled }))?;
            (self.written.generation, self.written.settled) = (memory.generation, memory.settled);
        }
        Ok(())
    }
}

impl BootFile {
    fn of(boot: &str, memory: &BootMemory) -> BootFile {
        let known = memory.known.iter().map(|(node, life)| (node.to_string(), life.0));
        let evicts = memory.evicts.iter().map(|(node, evict)| (node.to_string(), (evict.life.0, evict.beat.0)));
        BootFile {
            boot: boot.to_owned(),
            life: memory.life.map(|life| life.0),
            known: known.collect(),
            evicts: evicts.collect(),
        }
    }

    fn memory(self) -> BootMemory {
        let name = |node: String| node.parse::<NodeName>().ok();
        let known = self.known.into_iter().filter_map(|(node, life)| Some((name(node)?, StoreRevision(life))));
        let evict = |(life, beat)| SentEvict { life: StoreRevision(life), beat: StoreRevision(beat) };
        let evicts = self.evicts.into_iter().filter_map(|(node, sent)| Some((name(node)?, evict(sent))));
        BootMemory { life: self.life.map(StoreRevision), known: known.collect(), evicts: evicts.collect() }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(file: &std::path::Path) -> Option<T> {
    serde_json::from_slice(&durable::read(file).ok()??).ok()
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("a memory is plain data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_read_in_the_same_boot_and_the_generation_in_every_one() {
        let root = tempfile::tempdir().unwrap();
        let home = Directories::under(root.path());
        let (mut files, empty) = MemoryFiles::read(&home, "b1");
        assert_eq!(empty, NodeMemory::default());
        let mut memory =
            NodeMemory { generation: Some(Generation { number: 2, nonce: 7 }), settled: true, ..NodeMemory::default() };
        memory.boot.life = Some(StoreRevision(11));
        memory.boot.known.insert("n2".parse().unwrap(), StoreRevision(5));
        memory.boot.evicts.insert("n3".parse().unwrap(), SentEvict { life: StoreRevision(6), beat: StoreRevision(9) });
        files.keep(&memory).unwrap();
        assert_eq!(MemoryFiles::read(&home, "b1").1, memory);
        let after = MemoryFiles::read(&home, "b2").1;
        assert_eq!(after, NodeMemory { boot: BootMemory::default(), ..memory });
    }
}
