//! A guest for virtual machines: a kernel, and one program that prints its uptime on the serial line and heeds the power
//! button. Made once and kept outside of the build, as the image of the lab is.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use hostler_tests::kernel::{self, Kernel};
use nix::sched::{CloneFlags, setns};

use crate::world::World;

const INIT: &str = include_str!("guest/init");

/// The modules that the power button needs.
const MODULES: [&str; 2] = ["button", "evdev"];

/// A guest that trusts the emulated time stamp counter may run eight times too fast; one that tests its timer while the host is
/// busy may conclude that it has none.
const COMMAND_LINE: &str =
    "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off tsc=unstable clocksource=hpet no_timer_check";

pub(crate) struct Guest {
    directory: PathBuf,
}

/// A line of a guest: of which boot, and how many seconds after it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Beat {
    pub(crate) boot: String,
    pub(crate) up: f64,
}

/// The network that leads to the archive, which scenarios do without.
static NETWORK: OnceLock<File> = OnceLock::new();

/// Must be called before this process leaves the namespaces of the machine.
pub(crate) fn remember_network() {
    if let Ok(network) = File::open("/proc/self/ns/net") {
        let _ = NETWORK.set(network);
    }
}

impl Guest {
    /// The name of a program that is missing here and needed to make one.
    pub(crate) fn missing() -> Option<&'static str> {
        kernel::PROGRAMS.into_iter().find(|name| kernel::program(name).is_err())
    }

    /// From the cache, or made now.
    pub(crate) fn get() -> Result<Guest> {
        let mut key = DefaultHasher::new();
        (INIT, MODULES).hash(&mut key);
        let cache = kernel::cache("HOSTLER_GUEST_CACHE", "hostler-guest")?;
        let guest = Guest { directory: cache.join(format!("{:016x}", key.finish())) };
        // A second process waits for the first.
        let lock = File::create(cache.join("lock"))?;
        lock.lock()?;
        if !guest.directory.exists() {
            let made = tempfile::Builder::new().prefix("making-").tempdir_in(&cache)?;
            std::thread::scope(|scope| {
                let making = scope.spawn(|| {
                    setns(NETWORK.get().context("no way to the archive")?, CloneFlags::CLONE_NEWNET)?;
                    guest.make(made.path().join("guest"))
                });
                making.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })?;
        }
        Ok(guest)
    }

    /// Its directory appears when all is in it. Any kernel will do: that for clouds is the smallest.
    fn make(&self, directory: PathBuf) -> Result<()> {
        fs::create_dir(&directory)?;
        let work = tempfile::tempdir()?;
        let kernel = Kernel::unpack(&kernel::package("linux-image-cloud-amd64")?, work.path())?;
        fs::copy(&kernel.image, directory.join("vmlinuz"))?;
        let init = work.path().join("init");
        fs::write(&init, INIT)?;
        kernel.initrd(&init, &MODULES, work.path(), &directory.join("initrd"))?;
        Ok(fs::rename(directory, &self.directory)?)
    }

    /// A description of an emulated machine that boots it, and writes what it says into a file. Its serial number names the world,
    /// so that one which is left behind is found.
    pub(crate) fn domain(&self, world: &World, name: &str, console: &str) -> String {
        let directory = self.directory.display();
        world.fill(&format!(
            "<domain type='qemu'><name>{name}</name><memory unit='MiB'>128</memory>
               <sysinfo type='smbios'><system><entry name='serial'>{{w}}</entry></system></sysinfo>
               <os><type arch='x86_64' machine='q35'>hvm</type><smbios mode='sysinfo'/>
                 <kernel>{directory}/vmlinuz</kernel><initrd>{directory}/initrd</initrd><cmdline>{COMMAND_LINE}</cmdline></os>
               <features><acpi/></features>
               <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
                 <serial type='file'><source path='{{w}}/{console}' append='on'/></serial></devices>
             </domain>\n"
        ))
    }
}

/// The lines that a guest has printed so far.
pub(crate) fn beats(console: &str) -> Vec<Beat> {
    let beat = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["boot", boot, "up", up] => Some(Beat { boot: boot.to_owned(), up: up.parse().ok()? }),
        _ => None,
    };
    console.lines().filter_map(beat).collect()
}
