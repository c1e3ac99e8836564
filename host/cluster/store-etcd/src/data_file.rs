//! What a member of etcd has in its file, read without etcd: a member that has lost its majority answers nothing, and one that
//! only followed cannot be made to go on alone.
//!
//! The file is one of bbolt: pages of a B+tree for each bucket. Of the bucket `key`, each row is one change: its revision, and the
//! key with its new value. The last change of each key is how the store is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::Bytes;
use prost::Message;
use store::copy::{CopyError, EntryPage, EntrySource};
use thiserror::Error;

use crate::rpc::etcdserverpb::KeyValue;

/// Where the file stands in the data directory of a member.
const FILE: &str = "member/snap/db";

const MAGIC: u32 = 0xED0C_DAED;
const PAGE_HEADER: usize = 16;
const BUCKET_HEADER: usize = 16;
const META_BYTES: usize = 64;
/// The flag of a page of branches, and of one of leaves.
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// The flag of a leaf that is a bucket of its own.
const BUCKET: u32 = 0x01;

/// A tree of pages of 4 KiB is not deeper than this: what is deeper leads in a circle.
const DEPTH: usize = 32;
/// The largest page, with its overflow, that is read.
const LARGEST_PAGE: u64 = 64 << 20;

/// So many entries make a page of a copy.
const PAGE_ENTRIES: usize = 100;

/// Why the file of a member cannot be read.
#[derive(Debug, Error)]
pub enum DataFileFault {
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error("{} is damaged: {}", .0.display(), .1)]
    Damaged(PathBuf, &'static str),
}

/// What a member has.
#[derive(Debug)]
pub struct EtcdDataFile {
    /// The revision of the last change that it has applied.
    pub revision: u64,
    /// How far it has applied what the members agreed on, in their log.
    pub applied: u64,
    /// The members as it knows them, each a document of JSON.
    pub members: Vec<Bytes>,
    entries: BTreeMap<Bytes, Bytes>,
}

impl EtcdDataFile {
    /// Reads the file below a data directory. No process may be writing to it.
    pub fn read(data: &Path) -> Result<EtcdDataFile, DataFileFault> {
        let path = data.join(FILE);
        let file = File::open(&path).map_err(|error| DataFileFault::Read(path.clone(), error))?;
        PageReader::open(file).and_then(|reader| reader.contents()).map_err(|fault| match fault {
            PageFault::Read(error) => DataFileFault::Read(path, error),
            PageFault::Damaged(what) => DataFileFault::Damaged(path, what),
        })
    }

    pub fn get(&self, key: &[u8]) -> Option<&Bytes> {
        self.entries.get(key)
    }

    /// Its entries, as the source of a copy.
    pub fn into_source(self) -> DataFileSource {
        DataFileSource { revision: self.revision, entries: self.entries.into_iter() }
    }
}

/// The entries of a file, page by page.
#[derive(Debug)]
pub struct DataFileSource {
    revision: u64,
    entries: std::collections::btree_map::IntoIter<Bytes, Bytes>,
}

impl EntrySource for DataFileSource {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn next_page(&mut self) -> Pin<Box<dyn Future<Output = Result<EntryPage, CopyError>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(self.entries.by_ref().take(PAGE_ENTRIES).collect())))
    }
}

enum PageFault {
    Read(io::Error),
    Damaged(&'static str),
}

/// A row of a bucket: its flags, key and value.
type Row = (u32, Bytes, Bytes);

struct PageReader {
    file: File,
    page_size: u64,
    /// The page at the root of the tree of buckets.
    root: u64,
}

impl PageReader {
    /// Finds the newest of the two pages that say where the tree begins.
    fn open(file: File) -> Result<PageReader, PageFault> {
        let first = read(&file, 0, PAGE_HEADER + META_BYTES)?;
        let size = u64::from(u32_at(&first, PAGE_HEADER + 8));
        // The first one may be the damaged one: then pages are of the usual size.
        let size = if size.is_power_of_two() && (1 << 10..=1 << 16).contains(&size) { size } else { 4096 };
        // bbolt writes the two in turn, so a crash spoils one of them at most, and the other is a whole state of
        // the file.
        let metas = [0, size].map(|at| read(&file, at, PAGE_HEADER + META_BYTES).ok().and_then(|page| meta(&page)));
        let newest = metas.into_iter().flatten().max_by_key(|(transaction, ..)| *transaction);
        let (_, page_size, root) = newest.ok_or(PageFault::Damaged("it has no valid first page"))?;
        Ok(PageReader { file, page_size, root })
    }

    fn contents(&self) -> Result<EtcdDataFile, PageFault> {
        let mut contents = EtcdDataFile { revision: 0, applied: 0, members: Vec::new(), entries: BTreeMap::new() };
        let mut buckets = Vec::new();
        self.walk(self.root, DEPTH, &mut |row| {
            buckets.push(row);
            Ok(())
        })?;
        if !buckets.iter().any(|(flags, name, _)| flags & BUCKET != 0 && name == "key") {
            return Err(PageFault::Damaged("it has no bucket of keys"));
        }
        for (flags, name, header) in buckets {
            if flags & BUCKET == 0 {
                continue;
            }
            match &name[..] {
                b"key" => self.rows(&header, &mut |row| contents.change(&row))?,
                b"meta" => self.rows(&header, &mut |(_, key, value)| {
                    // As etcd writes it (its package `cindex`): eight bytes, the highest first.
                    if key == "consistent_index" {
                        let bytes = value[..].try_into();
                        contents.applied =
                            bytes.map(u64::from_be_bytes).map_err(|_| PageFault::Damaged("its index"))?;
                    }
                    Ok(())
                })?,
                b"members" => self.rows(&header, &mut |(_, _, value)| {
                    contents.members.push(value);
                    Ok(())
                })?,
                _ => {}
            }
        }
        Ok(contents)
    }

    /// The rows of a bucket. A small one stands whole behind its header.
    fn rows(&self, header: &Bytes, take: &mut dyn FnMut(Row) -> Result<(), PageFault>) -> Result<(), PageFault> {
        if header.len() < BUCKET_HEADER {
            return Err(PageFault::Damaged("a bucket has no header"));
        }
        match u64_at(header, 0) {
            0 => leaves(&header.slice(BUCKET_HEADER..), take),
            root => self.walk(root, DEPTH, take),
        }
    }

    fn walk(
        &self,
        page: u64,
        depth: usize,
        take: &mut dyn FnMut(Row) -> Result<(), PageFault>,
    ) -> Result<(), PageFault> {
        let depth = depth.checked_sub(1).ok_or(PageFault::Damaged("its pages lead in a circle"))?;
        let page = self.page(page)?;
        // The header of a page is number u64, flags u16, count u16, and u32 for how many pages it runs over into.
        match u16_at(&page, 8) {
            LEAF => leaves(&page, take),
            BRANCH => {
                for element in elements(&page) {
                    // A branch is position u32, size of the key u32, and the page below u64. The keys are not
                    // needed to visit all.
                    let below = checked(&page, element, 16).map(|element| u64_at(&element, 8))?;
                    self.walk(below, depth, take)?;
                }
                Ok(())
            }
            _ => Err(PageFault::Damaged("a page is neither of leaves nor of branches")),
        }
    }

    /// A page with those that it runs over into.
    fn page(&self, number: u64) -> Result<Bytes, PageFault> {
        let at = number.checked_mul(self.page_size).ok_or(PageFault::Damaged("a page is beyond its end"))?;
        let header = read(&self.file, at, PAGE_HEADER)?;
        if u64_at(&header, 0) != number {
            return Err(PageFault::Damaged("a page has the number of another one"));
        }
        let bytes = (u64::from(u32_at(&header, 12)) + 1) * self.page_size;
        if bytes > LARGEST_PAGE {
            return Err(PageFault::Damaged("a page is too large"));
        }
        read(&self.file, at, usize::try_from(bytes).unwrap_or(usize::MAX))
    }
}

impl EtcdDataFile {
    /// Takes in one change. They come in the order of their revisions.
    fn change(&mut self, (_, revision, value): &Row) -> Result<(), PageFault> {
        if revision.len() < 17 {
            return Err(PageFault::Damaged("a revision is too short"));
        }
        self.revision = self.revision.max(u64::from_be_bytes(revision[..8].try_into().unwrap_or_default()));
        let pair = KeyValue::decode(value.clone()).map_err(|_| PageFault::Damaged("a key cannot be read"))?;
        // A mark behind the revision says that the key was deleted.
        if revision.len() > 17 {
            self.entries.remove(&pair.key);
        } else {
            self.entries.insert(pair.key, pair.value);
        }
        Ok(())
    }
}

/// The transaction, the size of pages, and the page of the root, as a first page says them.
fn meta(page: &[u8]) -> Option<(u64, u64, u64)> {
    let meta = &page[PAGE_HEADER..];
    // Magic, version, page size, flags (u32 each), root (page and sequence), freelist, end and transaction (u64
    // each), and FNV-1a of these 56 bytes.
    let sum = meta[..56]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let valid = u32_at(meta, 0) == MAGIC && u32_at(meta, 4) == 2 && u64_at(meta, 56) == sum;
    valid.then(|| (u64_at(meta, 48), u64::from(u32_at(meta, 8)), u64_at(meta, 16)))
}

fn leaves(page: &Bytes, take: &mut dyn FnMut(Row) -> Result<(), PageFault>) -> Result<(), PageFault> {
    for at in elements(page) {
        let element = checked(page, at, 16)?;
        let [flags, pos, key, value] = [0, 4, 8, 12].map(|field| u32_at(&element, field));
        // bbolt counts the position from the element itself.
        let key_at = at.saturating_add(pos as usize);
        let row = checked(page, key_at, (key as usize).saturating_add(value as usize))?;
        take((flags, row.slice(..key as usize), row.slice(key as usize..)))?;
    }
    Ok(())
}

/// Where the elements of a page begin.
fn elements(page: &[u8]) -> impl Iterator<Item = usize> + use<> {
    let count = if page.len() < PAGE_HEADER { 0 } else { usize::from(u16_at(page, 10)) };
    (0..count).map(|index| PAGE_HEADER + index * 16)
}

fn checked(page: &Bytes, at: usize, length: usize) -> Result<Bytes, PageFault> {
    let end = at.checked_add(length).filter(|end| *end <= page.len());
    end.map(|end| page.slice(at..end)).ok_or(PageFault::Damaged("a row is beyond its page"))
}

fn read(file: &File, at: u64, length: usize) -> Result<Bytes, PageFault> {
    let mut bytes = vec![0; length];
    match file.read_exact_at(&mut bytes, at) {
        Ok(()) => Ok(bytes.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(PageFault::Damaged("it is cut short")),
        Err(error) => Err(PageFault::Read(error)),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|part| part.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_one_of_a_member_is_refused_and_says_why() {
        let directory = tempfile::tempdir().unwrap();
        let missing = EtcdDataFile::read(directory.path()).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read ") && missing.ends_with("member/snap/db"), "{missing}");
        std::fs::create_dir_all(directory.path().join("member/snap")).unwrap();
        for (text, why) in [(vec![], "it is cut short"), (vec![7; 9000], "it has no valid first page")] {
            std::fs::write(directory.path().join(FILE), text).unwrap();
            let damaged = EtcdDataFile::read(directory.path()).unwrap_err().to_string();
            assert!(damaged.ends_with(why), "{damaged}");
        }
    }
}
