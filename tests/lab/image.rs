//! The image that the machines boot: Debian's kernel and a small Debian, made once and kept outside of the build.
//!
//! The cache is keyed by everything that goes in: packages, the kernel's version, the programs in `guest/`. All of it comes from
//! the archive that this machine's own apt uses.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hostler_tests::kernel::{self, Kernel, install, run};

use crate::here;

/// The packages that the scenarios use.
const PACKAGES: [&str; 13] = [
    "kmod",
    "iproute2",
    "lvm2",
    "mdadm",
    "drbd-utils",
    "cryptsetup-bin",
    "nfs-kernel-server",
    "nfs-common",
    "e2fsprogs",
    "udev",
    "dmsetup",
    "procps",
    "util-linux",
];

/// The modules that lead to the disk and to the shared directory, before there is any disk to load them from.
const EARLY: [&str; 5] = ["virtio_pci", "virtio_blk", "ext4", "9pnet_virtio", "9p"];

/// The size of the disk, sparse.
const DISK: u64 = 1500 << 20;

pub(crate) struct Image(PathBuf);

impl Image {
    /// From the cache, or made now.
    pub(crate) fn get() -> Result<Image> {
        let kernel = kernel::package("linux-image-amd64")?;
        let suite = suite()?;
        let mut recipe = format!("{suite} {kernel} {} {DISK}\n", PACKAGES.join(" "));
        for program in ["initrd", "labinit"] {
            recipe.push_str(&fs::read_to_string(here().join("guest").join(program))?);
        }
        let mut key = DefaultHasher::new();
        recipe.hash(&mut key);
        let cache = kernel::cache("HOSTLER_LAB_CACHE", "hostler-lab")?;
        let directory = cache.join(format!("{:016x}", key.finish()));
        // A second process waits for the first.
        let lock = File::create(cache.join("lock"))?;
        lock.lock()?;
        if fs::read_to_string(directory.join("recipe")).is_ok_and(|made| made == recipe) {
            return Ok(Image(directory));
        }
        forget_others(&cache)?;
        fs::create_dir_all(&directory)?;
        let image = Image(directory);
        image.make(&suite, &kernel)?;
        // Written last, so that an incomplete image is rebuilt.
        fs::write(image.0.join("recipe"), recipe)?;
        Ok(image)
    }

    pub(crate) fn kernel(&self) -> PathBuf {
        self.0.join("vmlinuz")
    }

    pub(crate) fn initrd(&self) -> PathBuf {
        self.0.join("initrd")
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.0.join("disk")
    }

    fn make(&self, suite: &str, kernel: &str) -> Result<()> {
        let work = tempfile::Builder::new().prefix("hostler-lab-image-").tempdir_in(&self.0)?;
        let root = work.path().join("root");
        let include = format!("--include={}", PACKAGES.join(","));
        let mut debian = Command::new("mmdebstrap");
        debian.args(["--variant=minbase", "--mode=root", &include, suite]).arg(&root).args(sources(suite)?);
        run(&mut debian)?;
        // Not the kernel for clouds, which lacks 9p.
        let kernel = Kernel::unpack(kernel, work.path())?;
        fs::copy(&kernel.image, self.kernel())?;
        run(Command::new("cp").arg("-a").arg(kernel.root.join("lib/modules")).arg(root.join("lib")))?;
        install(&here().join("guest/labinit"), &root.join("sbin/labinit"))?;
        kernel.initrd(&here().join("guest/initrd"), &EARLY, work.path(), &self.initrd())?;
        File::create(self.disk())?.set_len(DISK)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-d"]).arg(&root).arg(self.disk()))
    }
}

/// `bookworm`.
fn suite() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release")?;
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_matches('"'));
    ensure!(value("ID=") == Some("debian"), "the image is made of the archive of Debian, and this is not Debian");
    Ok(value("VERSION_CODENAME=").context("/etc/os-release has no VERSION_CODENAME")?.to_owned())
}

/// The files from which this machine's apt knows the archive of Debian.
fn sources(suite: &str) -> Result<Vec<PathBuf>> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    files.extend(fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path()));
    files.sort();
    let is_debian = |file: &PathBuf| {
        let read_by_apt = file.extension().is_some_and(|ending| ending == "list" || ending == "sources");
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        read_by_apt && words.contains(&suite) && words.contains(&"main")
    };
    let files: Vec<PathBuf> = files.into_iter().filter(is_debian).collect();
    ensure!(!files.is_empty(), "no file of /etc/apt names {suite} main");
    Ok(files)
}

/// Removes all other images: they contain old packages.
fn forget_others(cache: &Path) -> Result<()> {
    for entry in fs::read_dir(cache)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
