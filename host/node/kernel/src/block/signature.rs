//! Identifies the content of a device: signatures of file systems, volumes and partition tables, as blkid(8) names them.
//!
//! A wrong "empty" would let a driver format a disk in use. So a device whose first blocks are not all zero and match no
//! signature is [`UNKNOWN`], never empty.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rustix::fs::OFlags;

use crate::KernelError;
use crate::files::io_error;
use crate::path::{LastLink, PinnedPath, resolve};

/// The kind of content that is neither recognised nor empty.
pub const UNKNOWN: &str = "unknown";

/// How much is read from the start: enough for btrfs (64 KiB), ISO 9660 (32 KiB) and the labels of ZFS (256 KiB).
const HEAD: u64 = 256 * 1024;

/// How much is read from the end: old Linux RAID keeps its superblock in the last 128 KiB.
const TAIL: u64 = 128 * 1024;

/// The content of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSignature {
    /// `ext4`, `xfs`, `LVM2_member`…, in the words of blkid(8).
    pub kind: String,
    /// Empty if it has none.
    pub label: String,
    /// Empty if it has none.
    pub uuid: String,
    /// Which device it is of a file system that may stand on several: all of them have its `uuid`.
    pub member: Option<PoolMember>,
}

/// One of the devices of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolMember {
    /// The UUID of the device itself.
    pub id: String,
    /// How many devices the file system has.
    pub of: u64,
}

/// Identifies the content of a device or an image file. None if its first blocks are empty.
pub fn probe(path: &Path) -> Result<Option<DeviceSignature>, KernelError> {
    probe_pinned(&resolve(path, LastLink::Follow)?)
}

/// The same of what is pinned.
pub(super) fn probe_pinned(place: &PinnedPath) -> Result<Option<DeviceSignature>, KernelError> {
    let path = place.path();
    // NONBLOCK: opening a tape, a floppy or a FIFO must not wait.
    let mut file = File::from(place.open(OFlags::RDONLY | OFlags::NONBLOCK)?);
    let (head, tail) = read_ends(&mut file).map_err(|source| io_error(format!("read {}", path.display()), &source))?;
    Ok(identify(&head, &tail))
}

fn read_ends(file: &mut File) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut read = |from: u64, length: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.take(length).read_to_end(&mut bytes).map(|_| bytes)
    };
    // A whole number of sectors before the end, so that a superblock at a fixed distance from the end stays aligned.
    let tail_start = (size / 512 * 512).saturating_sub(TAIL);
    Ok((read(0, HEAD)?, read(tail_start, TAIL)?))
}

fn identify(head: &[u8], tail: &[u8]) -> Option<DeviceSignature> {
    let known = [luks, lvm, raid, ext, xfs, btrfs, swap, iso9660, partition_table, fat];
    // In this order: a LUKS, LVM or RAID header comes first, as a file system's signature further in may be left from
    // before.
    let found = known.iter().find_map(|probe| probe(head)).or_else(|| raid_at_end(tail));
    // Only the head decides: a new disk may hold anything further in, and mkfs leaves most of it untouched.
    let empty = head.iter().all(|&byte| byte == 0);
    found.or_else(|| (!empty).then(|| signature(UNKNOWN, String::new(), String::new())))
}

fn luks(head: &[u8]) -> Option<DeviceSignature> {
    // Both versions of the header have the UUID at the same place. Only LUKS 2 has a label.
    let version = u16::from_be_bytes(bytes(head, 6)?);
    has(head, 0, b"LUKS\xba\xbe").then(|| {
        signature("crypto_LUKS", if version == 2 { text(head, 24, 48) } else { String::new() }, text(head, 168, 40))
    })
}

fn lvm(head: &[u8]) -> Option<DeviceSignature> {
    let label =
        (0..4).map(|sector| sector * 512).find(|&at| has(head, at, b"LABELONE") && has(head, at + 24, b"LVM2 001"))?;
    // The label is in one of the first four sectors, and says at offset 20 where the header of the volume is.
    let header = label + usize::try_from(u32::from_le_bytes(bytes(head, label + 20)?)).ok()?;
    let id = text(head, header, 32);
    let uuid = match id.len() {
        // LVM writes a UUID in groups of 6, 4, 4, 4, 4, 4 and 6 characters.
        32 if id.is_ascii() => {
            [0..6, 6..10, 10..14, 14..18, 18..22, 22..26, 26..32].map(|range| id[range].to_owned()).join("-")
        }
        _ => String::new(),
    };
    Some(signature("LVM2_member", String::new(), uuid))
}

const RAID_MAGIC: u32 = 0xa92b_4efc;

/// Linux RAID, metadata 1.1 (at the start) and 1.2 (at 4 KiB).
fn raid(head: &[u8]) -> Option<DeviceSignature> {
    [0, 4096].into_iter().find_map(|at| raid_at(head, at))
}

/// Metadata 1.0 (8 KiB to 12 KiB before the end) and 0.90 (64 KiB to 128 KiB before it).
fn raid_at_end(tail: &[u8]) -> Option<DeviceSignature> {
    (0..tail.len()).step_by(4096).find_map(|at| raid_at(tail, at))
}

fn raid_at(area: &[u8], at: usize) -> Option<DeviceSignature> {
    if u32::from_le_bytes(bytes(area, at)?) != RAID_MAGIC {
        return None;
    }
    // Metadata 0.90 has no name, and its UUID is not stored in one piece.
    let (label, id) = match u32::from_le_bytes(bytes(area, at + 4)?) {
        1 => (text(area, at + 32, 32), uuid(area, at + 16)),
        _ => (String::new(), String::new()),
    };
    Some(signature("linux_raid_member", label, id))
}

fn ext(head: &[u8]) -> Option<DeviceSignature> {
    const SUPER: usize = 1024;
    if !has(head, SUPER + 0x38, b"\x53\xef") {
        return None;
    }
    // The feature sets of the superblock: compatible, incompatible, and compatible for reading only.
    let feature = |at: usize| bytes(head, SUPER + at).map(u32::from_le_bytes);
    let (compatible, incompatible, read_only) = (feature(0x5c)?, feature(0x60)?, feature(0x64)?);
    // A feature that ext3 does not have makes it ext4: see ext4(5). libblkid decides in the same way.
    let kind = if incompatible & 0x8 != 0 {
        "jbd"
    } else if incompatible & !0x16 != 0 || read_only & !0x7 != 0 {
        "ext4"
    } else if compatible & 0x4 != 0 {
        "ext3"
    } else {
        "ext2"
    };
    Some(signature(kind, text(head, SUPER + 0x78, 16), uuid(head, SUPER + 0x68)))
}

fn xfs(head: &[u8]) -> Option<DeviceSignature> {
    has(head, 0, b"XFSB").then(|| signature("xfs", text(head, 108, 12), uuid(head, 32)))
}

fn btrfs(head: &[u8]) -> Option<DeviceSignature> {
    const SUPER: usize = 64 * 1024;
    if !has(head, SUPER + 64, b"_BHRfS_M") {
        return None;
    }
    // `num_devices` and `dev_item.uuid` of struct btrfs_super_block.
    let member =
        PoolMember { id: uuid(head, SUPER + 0x10b), of: bytes(head, SUPER + 0x88).map_or(1, u64::from_le_bytes) };
    let plain = signature("btrfs", text(head, SUPER + 299, 256), uuid(head, SUPER + 32));
    Some(DeviceSignature { member: Some(member), ..plain })
}

fn swap(head: &[u8]) -> Option<DeviceSignature> {
    // The signature is at the end of the first page, whose size depends on the machine that made it.
    let page = [4096, 8192, 16384, 65536].into_iter().find(|page| has(head, page - 10, b"SWAPSPACE2"));
    page.map(|_| signature("swap", text(head, 1052, 16), uuid(head, 1036)))
}

fn iso9660(head: &[u8]) -> Option<DeviceSignature> {
    const VOLUME: usize = 32 * 1024;
    has(head, VOLUME + 1, b"CD001").then(|| signature("iso9660", text(head, VOLUME + 40, 32), String::new()))
}

fn fat(head: &[u8]) -> Option<DeviceSignature> {
    // NTFS and exFAT have a boot sector like FAT's, with another name at offset 3.
    if has(head, 3, b"NTFS    ") {
        return Some(signature("ntfs", String::new(), String::new()));
    }
    if has(head, 3, b"EXFAT   ") {
        return Some(signature("exfat", String::new(), String::new()));
    }
    let (label, serial) = match () {
        () if has(head, 82, b"FAT32   ") => (71, 67),
        () if has(head, 54, b"FAT16   ") || has(head, 54, b"FAT12   ") => (43, 39),
        () => return None,
    };
    // A little-endian serial number, which is shown in two halves.
    let [a, b, c, d] = bytes(head, serial)?;
    let label = Some(text(head, label, 11)).filter(|label| label != "NO NAME").unwrap_or_default();
    Some(signature("vfat", label, format!("{d:02X}{c:02X}-{b:02X}{a:02X}")))
}

/// A GPT or DOS partition table. A boot sector of FAT ends with the same two bytes as a DOS table, so FAT is ruled out
/// first.
fn partition_table(head: &[u8]) -> Option<DeviceSignature> {
    // The header is in the second sector, of 512 or of 4096 bytes.
    if has(head, 512, b"EFI PART") || has(head, 4096, b"EFI PART") {
        return Some(signature("gpt", String::new(), String::new()));
    }
    let table = head.get(446..510)?;
    // A plausible table: each of the four entries starts with a boot flag, and at least one has a type.
    let plausible =
        table.chunks(16).all(|entry| matches!(entry[0], 0 | 0x80)) && table.chunks(16).any(|entry| entry[4] != 0);
    (has(head, 510, b"\x55\xaa") && plausible && fat(head).is_none())
        .then(|| signature("dos", String::new(), String::new()))
}

fn signature(kind: &str, label: String, uuid: String) -> DeviceSignature {
    DeviceSignature { kind: kind.to_owned(), label, uuid, member: None }
}

fn has(area: &[u8], at: usize, magic: &[u8]) -> bool {
    area.get(at..).is_some_and(|area| area.starts_with(magic))
}

fn bytes<const N: usize>(area: &[u8], at: usize) -> Option<[u8; N]> {
    area.get(at..)?.first_chunk().copied()
}

/// A name that is padded with zeros or spaces to the length of its field.
fn text(area: &[u8], at: usize, length: usize) -> String {
    let field = area.get(at..).map_or(&[][..], |area| &area[..length.min(area.len())]);
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).trim_end().to_owned()
}

fn uuid(area: &[u8], at: usize) -> String {
    let Some(id) = bytes::<16>(area, at).filter(|id| id.iter().any(|&byte| byte != 0)) else { return String::new() };
    let hex = |range: std::ops::Range<usize>| id[range].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device of zeros with some bytes written at their places.
    fn written(writes: &[(usize, &[u8])]) -> Vec<u8> {
        let mut device = vec![0; 256 * 1024];
        for (at, bytes) in writes {
            device[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        device
    }

    #[track_caller]
    fn check(writes: &[(usize, &[u8])], kind: &str, label: &str, uuid: &str) {
        let found = identify(&written(writes), &[]).unwrap();
        assert_eq!((found.kind.as_str(), found.label.as_str(), found.uuid.as_str()), (kind, label, uuid));
    }

    const ID: &[u8] = b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef";
    const ID_TEXT: &str = "01234567-89ab-cdef-0123-456789abcdef";

    #[test]
    fn the_ext_family_is_distinguished_by_features() {
        for (compatible, incompatible, kind) in
            [(0u32, 0x2u32, "ext2"), (4, 0x2, "ext3"), (4, 0x2c2, "ext4"), (4, 0x8, "jbd")]
        {
            check(
                &[
                    (1024 + 0x38, b"\x53\xef"),
                    (1024 + 0x5c, &compatible.to_le_bytes()),
                    (1024 + 0x60, &incompatible.to_le_bytes()),
                    (1024 + 0x68, ID),
                    (1024 + 0x78, b"data\0old"),
                ],
                kind,
                "data",
                ID_TEXT,
            );
        }
    }

    #[test]
    fn file_systems_and_volumes_are_known_by_their_magic() {
        check(&[(0, b"XFSB"), (32, ID), (108, b"data")], "xfs", "data", ID_TEXT);
        check(&[(65536 + 64, b"_BHRfS_M"), (65536 + 32, ID), (65536 + 299, b"data")], "btrfs", "data", ID_TEXT);
        check(&[(4086, b"SWAPSPACE2"), (1036, ID), (1052, b"sw")], "swap", "sw", ID_TEXT);
        check(&[(65526, b"SWAPSPACE2")], "swap", "", "");
        check(
            &[(0, b"LUKS\xba\xbe\0\x02"), (24, b"vault"), (168, ID_TEXT.as_bytes())],
            "crypto_LUKS",
            "vault",
            ID_TEXT,
        );
        check(&[(32769, b"CD001"), (32808, b"DEBIAN 12      ")], "iso9660", "DEBIAN 12", "");
        check(
            &[(82, b"FAT32   "), (71, b"BOOT       "), (67, b"\x78\x56\x34\x12"), (510, b"\x55\xaa")],
            "vfat",
            "BOOT",
            "1234-5678",
        );
        check(
            &[(4096, b"\xfc\x4e\x2b\xa9\x01\0\0\0"), (4096 + 16, ID), (4096 + 32, b"node:0")],
            "linux_raid_member",
            "node:0",
            ID_TEXT,
        );
        check(
            &[(512, b"LABELONE"), (532, b"\x20\0\0\0LVM2 001"), (544, b"abcdef1234567890abcd1234ABCDEFGH")],
            "LVM2_member",
            "",
            "abcdef-1234-5678-90ab-cd12-34AB-CDEFGH",
        );
        check(&[(512, b"EFI PART"), (510, b"\x55\xaa"), (450, b"\xee")], "gpt", "", "");
        check(&[(510, b"\x55\xaa"), (450, b"\x83")], "dos", "", "");
    }

    #[test]
    fn raid_at_the_end_of_a_device_is_found() {
        let mut tail = vec![0; 128 * 1024];
        tail[120 * 1024..][..8].copy_from_slice(b"\xfc\x4e\x2b\xa9\x01\0\0\0");
        assert_eq!(identify(&[0; 4096], &tail).unwrap().kind, "linux_raid_member");
    }

    #[test]
    fn only_zeros_are_empty() {
        assert_eq!(identify(&[0; 4096], &[0; 4096]), None);
        assert_eq!(identify(&[], &[]), None);
        for at in [0, 100, 4095, 200_000] {
            check(&[(at, b"x")], UNKNOWN, "", "");
        }
    }

    #[test]
    fn a_short_or_corrupt_device_causes_no_panic() {
        for length in [1, 3, 512, 1024, 1100, 4096, 70_000] {
            let mut device = written(&[
                (512, b"LABELONE"),
                (532, b"\xff\xff\xff\xffLVM2 001"),
                (1080, b"\x53\xef"),
                (65600, b"_BHRfS_M"),
            ]);
            device.truncate(length);
            identify(&device, &device);
        }
    }
}
