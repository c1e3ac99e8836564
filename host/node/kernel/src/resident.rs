//! A process that must act in time: its memory stays where it is, and it gets a processor before others do.
//!
//! The program is large, and the keeper uses little of it. mlockall(2) would read all of it into memory. So what was only needed to
//! start is dropped, what matters is done once as a rehearsal, and what is in memory then is locked: this and nothing else.
#![expect(unsafe_code, reason = "calls about addresses of this process, and a call that passes a structure")]

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;

use rustix::io::Errno;

const PAGE: usize = 4096;

/// Of an entry of pagemap: the page is in memory; it is a page of a file.
const PRESENT: u64 = 1 << 63;
const OF_FILE: u64 = 1 << 61;

/// A range of addresses of this process, from its list of mappings.
struct Mapping {
    start: usize,
    end: usize,
    permissions: String,
    name: String,
}

/// Gives back the pages of the program and its libraries that stand in their files: code and constants. Those that are used come
/// back as they are needed.
pub fn drop_code() -> Result<(), Errno> {
    let pagemap = File::open("/proc/self/pagemap").map_err(from_io)?;
    let is_of_file = |mapping: &Mapping| mapping.permissions.starts_with('r') && mapping.permissions.ends_with("p");
    for mapping in mappings().into_iter().filter(is_of_file) {
        if mapping.permissions.contains('w') || !mapping.name.starts_with('/') {
            continue;
        }
        // A page that was written to, as the linker does before it forbids that, is not the file's any more.
        let is_clean = |page: u64| page & PRESENT != 0 && page & OF_FILE != 0;
        for (start, end) in runs(&pagemap, &mapping, is_clean) {
            // SAFETY: pages that are as their file is are read again from it at their next use.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
        }
    }
    Ok(())
}

/// Locks all pages that are in memory now.
pub fn lock_resident() -> Result<(), Errno> {
    let pagemap = File::open("/proc/self/pagemap").map_err(from_io)?;
    // Of the kernel's own mappings none is ever away.
    for mapping in mappings().into_iter().filter(|mapping| !mapping.name.starts_with("[v")) {
        let present = runs(&pagemap, &mapping, |page| page & PRESENT != 0);
        present.into_iter().try_for_each(|(start, end)| lock_range(start, end))?;
    }
    Ok(())
}

/// The runs of pages of a mapping of which this is true.
fn runs(pagemap: &File, mapping: &Mapping, wanted: impl Fn(u64) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for page in (mapping.start..mapping.end).step_by(PAGE).filter(|page| wanted(entry(pagemap, *page))) {
        match runs.last_mut().filter(|(_, end)| *end == page) {
            Some((_, end)) => *end += PAGE,
            None => runs.push((page, page + PAGE)),
        }
    }
    runs
}

/// Locks the memory of a buffer, all of it.
pub fn lock_buffer(buffer: &mut [u8]) -> Result<(), Errno> {
    // Written, so that each page is the buffer's own and not the shared one of zeros.
    buffer.iter_mut().step_by(PAGE).for_each(|byte| *byte = 0);
    let start = buffer.as_ptr() as usize;
    lock_range(start & !(PAGE - 1), start + buffer.len())
}

fn lock_range(start: usize, end: usize) -> Result<(), Errno> {
    if start >= end {
        return Ok(());
    }
    // SAFETY: locking changes no memory; an address that is not mapped is an error.
    match unsafe { libc::mlock(start as *const libc::c_void, end - start) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// Keeps a part of a file in memory until this process ends, so that reading and writing it never waits for a disk. It begins and
/// ends with a page.
pub fn pin_file(file: impl AsFd, (start, length): (usize, usize)) -> Result<(), Errno> {
    let fd = file.as_fd().as_raw_fd();
    let start = libc::off_t::try_from(start).map_err(|_| Errno::INVAL)?;
    // SAFETY: a new mapping at an address that the kernel chooses; nothing reads through it.
    let mapped = unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_SHARED, fd, start) };
    if mapped == libc::MAP_FAILED {
        return Err(last_error());
    }
    lock_range(mapped as usize, mapped as usize + length)
}

/// Runs before all processes without a real-time priority.
pub fn set_realtime() -> Result<(), Errno> {
    // The lowest of the real-time priorities is above everything else.
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: the kernel reads one `sched_param`, which outlives the call.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// Is never chosen when memory is short.
pub fn set_unkillable_by_shortage() -> Result<(), Errno> {
    fs::write("/proc/self/oom_score_adj", "-1000").map_err(from_io)
}

/// What the kernel says of a page, see pagemap of its documentation. Nothing if it says nothing.
fn entry(pagemap: &File, address: usize) -> u64 {
    let mut entry = [0; 8];
    let read = pagemap.read_exact_at(&mut entry, (address / PAGE * 8) as u64);
    read.map_or(0, |()| u64::from_ne_bytes(entry))
}

/// The mappings of this process, see proc_pid_maps(5).
fn mappings() -> Vec<Mapping> {
    let text = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        let permissions = words.next()?.to_owned();
        let name = words.nth(3).unwrap_or_default().to_owned();
        Some(Mapping { start: address(start)?, end: address(end)?, permissions, name })
    };
    text.lines().filter_map(parse).collect()
}

fn last_error() -> Errno {
    from_io(std::io::Error::last_os_error())
}

fn from_io(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
