//! The ioctls that take down devices of device-mapper and arrays, see linux/dm-ioctl.h and linux/raid/md_u.h.
#![expect(unsafe_code, reason = "ioctls pass pointers")]

use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

/// `struct dm_ioctl` of linux/dm-ioctl.h.
#[repr(C)]
struct MapperRequest {
    version: [u32; 3],
    data_size: u32,
    data_start: u32,
    target_count: u32,
    open_count: i32,
    flags: u32,
    event_number: u32,
    padding: u32,
    device: u64,
    name: [u8; 128],
    uuid: [u8; 129],
    data: [u8; 7],
}

const REQUEST_SIZE: usize = size_of::<MapperRequest>();

nix::ioctl_readwrite!(dm_dev_remove, 0xFD, 0x04, MapperRequest);
nix::ioctl_none!(stop_array_of, 0x09, 0x32);

/// Removes the device of that UUID, whatever its name is. Fails with ENXIO if there is none, and with EBUSY if it is in use.
pub(crate) fn remove_mapped(control: impl AsFd, uuid: &str) -> Result<(), Errno> {
    let mut request = MapperRequest {
        version: [4, 0, 0],
        data_size: u32::try_from(REQUEST_SIZE).unwrap_or_default(),
        data_start: 0,
        target_count: 0,
        open_count: 0,
        flags: 0,
        event_number: 0,
        padding: 0,
        device: 0,
        name: [0; 128],
        uuid: [0; 129],
        data: [0; 7],
    };
    // The kernel wants a zero at the end.
    if uuid.is_empty() || uuid.len() >= request.uuid.len() {
        return Err(Errno::INVAL);
    }
    request.uuid[..uuid.len()].copy_from_slice(uuid.as_bytes());
    // SAFETY: the kernel reads and writes one `dm_ioctl`, which has its layout, and `data_size` is its size.
    unsafe { dm_dev_remove(control.as_fd().as_raw_fd(), &raw mut request) }.map(drop).map_err(errno)
}

/// Stops the array behind the descriptor. Fails with EBUSY if it is in use.
pub(crate) fn stop_array(device: impl AsFd) -> Result<(), Errno> {
    // SAFETY: the ioctl takes no argument.
    unsafe { stop_array_of(device.as_fd().as_raw_fd()) }.map(drop).map_err(errno)
}

fn errno(errno: nix::errno::Errno) -> Errno {
    Errno::from_raw_os_error(errno as i32)
}

const _: () = assert!(REQUEST_SIZE == 312, "the layout of linux/dm-ioctl.h");
