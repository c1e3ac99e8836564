//! Loop devices on the running kernel.

use std::fs;

use rustix::io::Errno;

use super::{LoopImage, Sandbox, run};
use crate::KernelError;
use crate::block::{self, loopdev, signature};
use crate::mount::{MountCall, mount, unmount_top};

fn is_busy(error: &KernelError) -> bool {
    error.errno() == Some(Errno::BUSY.raw_os_error())
}

#[test]
fn a_loop_device_is_found_after_its_file_was_renamed() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(mut image) = LoopImage::new(&sandbox, "image", 4) else { return };
    assert_eq!(image.device.size, 4 << 20);
    assert_eq!(loopdev::loop_of(&image.file).unwrap().as_ref(), Some(&image.device));
    assert_eq!(block::find(image.device()).unwrap().as_ref(), Some(&image.device));
    let renamed = sandbox.path("renamed");
    fs::rename(&image.file, &renamed).unwrap();
    fs::write(&image.file, "another").unwrap();
    assert_eq!(loopdev::loop_of(&image.file).unwrap(), None);
    assert_eq!(loopdev::loop_of(&renamed).unwrap().as_ref(), Some(&image.device));
    image.file = renamed;
    assert_eq!(loopdev::detach(&image.file).unwrap().as_ref(), Some(&image.device));
    assert_eq!(loopdev::loop_of(&image.file).unwrap(), None);
    assert_eq!(loopdev::detach(&image.file).unwrap(), None);
}

#[test]
fn a_device_whose_file_is_gone_is_still_found_and_detached() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(image) = LoopImage::new(&sandbox, "image", 4) else { return };
    fs::remove_file(&image.file).unwrap();
    assert_eq!(loopdev::loop_of(&image.file).unwrap().as_ref(), Some(&image.device));
    assert_eq!(loopdev::detach(&image.file).unwrap().as_ref(), Some(&image.device));
    assert_eq!(loopdev::loop_of(&image.file).unwrap(), None);
}

#[test]
fn a_device_that_is_open_stays_attached_even_after_it_is_closed() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(image) = LoopImage::new(&sandbox, "image", 4) else { return };
    let open = fs::File::open(image.device()).unwrap();
    let error = loopdev::detach(&image.file).unwrap_err();
    assert!(is_busy(&error), "{error}");
    assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
    drop(open);
    assert_eq!(loopdev::loop_of(&image.file).unwrap().as_ref(), Some(&image.device));
    assert!(loopdev::detach(&image.file).unwrap().is_some());
}

#[test]
fn a_mounted_device_is_not_detached_and_says_where_it_is_mounted() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(image) = LoopImage::new(&sandbox, "image", 8) else { return };
    if !run("mkfs.ext4", &["-q", "-F", image.device()]) {
        return;
    }
    let target = sandbox.make_directory("mnt");
    mount(MountCall {
        source: image.device(),
        target: &target,
        fstype: "ext4",
        options: &[],
        keeps_restrictions: false,
        may_find: &crate::block::any_device,
        judge: &|_| Ok(()),
        prepared: &|_| Ok(()),
    })
    .unwrap();
    let error = loopdev::detach(&image.file).unwrap_err();
    assert!(is_busy(&error) && error.to_string().contains(target.to_str().unwrap()), "{error}");
    assert!(loopdev::loop_of(&image.file).unwrap().is_some());
    let user = block::user_of(image.device()).unwrap();
    assert_eq!(user, Some(format!("it is mounted on {}", target.display())));
    unmount_top(&target).unwrap();
    assert_eq!(block::user_of(image.device()).unwrap(), None);
    let _open = fs::File::open(image.device()).unwrap();
    let user = block::user_of(image.device()).unwrap().unwrap();
    assert!(user.contains(&format!("pid {}", std::process::id())), "{user}");
}

#[test]
fn a_device_can_be_read_only() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(image) = LoopImage::new(&sandbox, "image", 4) else { return };
    loopdev::detach(&image.file).unwrap();
    let device = loopdev::attach(&image.file, true).unwrap();
    assert!(device.read_only);
    assert!(fs::write(&device.path, "something").is_err());
    assert!(!image.device.read_only);
}

#[test]
fn signatures_of_real_tools_are_known_and_found_by_label_and_uuid() {
    let Some(sandbox) = Sandbox::new() else { return };
    let cases: [(&str, &[&str], &str, u64); 7] = [
        ("mkfs.ext2", &["-q", "-F", "-L", "hostlertest"], "ext2", 8),
        ("mkfs.ext3", &["-q", "-F", "-L", "hostlertest"], "ext3", 16),
        ("mkfs.ext4", &["-q", "-F", "-L", "hostlertest"], "ext4", 16),
        ("mkfs.xfs", &["-q", "-f", "-L", "hostlertest"], "xfs", 320),
        ("mkfs.btrfs", &["-q", "-f", "-L", "hostlertest"], "btrfs", 128),
        ("mkswap", &["-q", "-L", "hostlertest"], "swap", 8),
        ("mkfs.vfat", &["-n", "HOSTLERTEST"], "vfat", 8),
    ];
    for (program, args, kind, size) in cases {
        let Some(image) = LoopImage::new(&sandbox, kind, size) else { return };
        assert_eq!(signature::probe(&image.file).unwrap(), None, "{kind}");
        if !run(program, &[args, &[image.device()]].concat()) {
            continue;
        }
        let found = signature::probe(&image.device.path).unwrap().unwrap();
        assert_eq!((found.kind.as_str(), found.label.to_lowercase().as_str()), (kind, "hostlertest"));
        let by_uuid = block::find(&format!("UUID={}", found.uuid)).unwrap();
        assert_eq!(by_uuid.as_ref(), Some(&image.device), "{kind} {}", found.uuid);
    }
}
