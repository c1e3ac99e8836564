//! What is cut: the things in the kernel that an instance holds.

use std::ffi::CStr;
use std::fmt;
use std::net::IpAddr;

use crate::bytes::{ByteReader, ByteWriter};

/// A thing that a cut removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CutItem {
    /// The directory of a control group: all processes in it and below are killed.
    Group(String),
    /// An address, on the link of this number. `netns` is the namespace, if it is not the node's.
    Address { netns: Option<(String, u64, u64)>, index: u32, address: IpAddr, prefix: u8 },
    /// A mount, by its number and the device of its file system. Number 0: whatever is mounted at the target.
    Mount { id: u64, device: (u32, u32), target: String, owns_filesystem: bool },
    /// A loop device, with the device and the inode of the file behind it.
    Loop { device: String, backing: ((u32, u32), u64) },
}

/// The same, as the keeper reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemEntry<'a> {
    Group(&'a CStr),
    Address { netns: Option<NamespaceEntry<'a>>, index: u32, address: IpAddr, prefix: u8 },
    Mount { id: u64, device: (u32, u32), target: &'a CStr, owns_filesystem: bool },
    Loop { device: &'a CStr, backing: ((u32, u32), u64) },
}

/// A network namespace: where it was found, and the device and inode that identify it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamespaceEntry<'a> {
    pub path: &'a CStr,
    pub device: u64,
    pub inode: u64,
}

impl fmt::Display for ItemEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &CStr, f: &mut fmt::Formatter<'_>| f.write_str(text.to_str().unwrap_or("?"));
        match self {
            ItemEntry::Group(path) => {
                f.write_str("processes in ")?;
                text(path, f)
            }
            ItemEntry::Address { address, prefix, .. } => write!(f, "the address {address}/{prefix}"),
            ItemEntry::Mount { target, .. } => {
                f.write_str("the mount on ")?;
                text(target, f)
            }
            ItemEntry::Loop { device, .. } => text(device, f),
        }
    }
}

const GROUP: u8 = 1;
const ADDRESS: u8 = 2;
const MOUNT: u8 = 3;
const LOOP: u8 = 4;

pub(crate) fn write(item: &CutItem, to: &mut ByteWriter<'_>) {
    match item {
        CutItem::Group(path) => {
            to.u8(GROUP);
            to.text(path);
        }
        CutItem::Address { netns, index, address, prefix } => {
            to.u8(ADDRESS);
            // No path stands for the namespace of the node itself.
            let (path, device, inode) = netns.as_ref().map_or(("", 0, 0), |netns| (netns.0.as_str(), netns.1, netns.2));
            to.text(path);
            to.u64(device);
            to.u64(inode);
            to.u32(*index);
            to.u8(*prefix);
            match address {
                IpAddr::V4(address) => {
                    to.u8(4);
                    to.put(&address.octets());
                }
                IpAddr::V6(address) => {
                    to.u8(6);
                    to.put(&address.octets());
                }
            }
        }
        CutItem::Mount { id, device, target, owns_filesystem } => {
            to.u8(MOUNT);
            to.u64(*id);
            to.u32(device.0);
            to.u32(device.1);
            to.u8(u8::from(*owns_filesystem));
            to.text(target);
        }
        CutItem::Loop { device, backing } => {
            to.u8(LOOP);
            to.u32(backing.0.0);
            to.u32(backing.0.1);
            to.u64(backing.1);
            to.text(device);
        }
    }
}

pub(crate) fn read<'a>(from: &mut ByteReader<'a>) -> Option<ItemEntry<'a>> {
    match from.u8()? {
        GROUP => from.text().map(ItemEntry::Group),
        ADDRESS => {
            let (path, device, inode) = (from.text()?, from.u64()?, from.u64()?);
            let netns = (!path.is_empty()).then_some(NamespaceEntry { path, device, inode });
            let (index, prefix) = (from.u32()?, from.u8()?);
            let address = match from.u8()? {
                4 => IpAddr::from(<[u8; 4]>::try_from(from.take(4)?).ok()?),
                6 => IpAddr::from(<[u8; 16]>::try_from(from.take(16)?).ok()?),
                _ => return None,
            };
            Some(ItemEntry::Address { netns, index, address, prefix })
        }
        MOUNT => {
            let (id, device, owns) = (from.u64()?, (from.u32()?, from.u32()?), from.u8()?);
            Some(ItemEntry::Mount { id, device, target: from.text()?, owns_filesystem: owns != 0 })
        }
        LOOP => {
            let backing = ((from.u32()?, from.u32()?), from.u64()?);
            Some(ItemEntry::Loop { device: from.text()?, backing })
        }
        _ => None,
    }
}
