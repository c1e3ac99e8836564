//! A virtual machine: QEMU without KVM, so that it runs wherever the tests do.
//!
//! Commands reach it through a serial line, one number each; their text and their output are files of a directory that both sides
//! see. A machine that is dropped is killed: none outlives the test.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::here;
use crate::image::Image;

/// The limits for a boot and for a command. Both are emulated, perhaps on a busy machine.
const BOOT: Duration = Duration::from_secs(240);
const COMMAND: Duration = Duration::from_secs(240);

/// The kernel's command line. A guest that trusts the emulated time stamp counter may run eight times too fast; one that tests
/// its timer while the host is busy may conclude that it has none.
const KERNEL: &str = "console=ttyS0 quiet loglevel=4 panic=-1 net.ifnames=0 mitigations=off tsc=unstable clocksource=hpet no_timer_check";

/// The drivers as the machines have compiled them, for their processor.
const COMPILED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/lab-cache");

pub(crate) struct Machine {
    name: String,
    process: Process,
    /// The directory that both sides see, removed with the machine.
    share: TempDir,
    /// The directory of the network's sockets.
    _network: Rc<TempDir>,
    line: BufReader<UnixStream>,
    typed: u32,
}

/// The result of a command.
pub(crate) struct Ran {
    pub(crate) code: i32,
    /// The interleaved output of both streams.
    pub(crate) output: String,
}

impl Machine {
    /// Boots machines with a private network between them, if there are several.
    pub(crate) fn boot_all(image: &Image, nodes: &[&str]) -> Result<Vec<Machine>> {
        let network = Rc::new(tempfile::Builder::new().prefix("hostler-lab-net-").tempdir()?);
        let starting: Vec<_> = nodes
            .iter()
            .enumerate()
            .map(|(at, node)| start(image, node, &network, (nodes.len() > 1).then_some(at)))
            .collect::<Result<_>>()?;
        // Output of a machine is lost while no client is connected, so this connects to all before it waits for any.
        let mut machines: Vec<Machine> = starting.into_iter().map(Starting::call).collect::<Result<_>>()?;
        machines.iter_mut().try_for_each(Machine::must_be_ready)?;
        Ok(machines)
    }

    /// Waits until the system is up.
    fn must_be_ready(&mut self) -> Result<()> {
        let said = self.answer(BOOT).with_context(|| format!("the machine does not boot: {}", self.last_words()))?;
        ensure!(said == "ready", "the machine said {said:?}: {}", self.last_words());
        Ok(())
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Types a command in and waits until it finishes.
    pub(crate) fn run(&mut self, command: &str) -> Result<Ran> {
        let number = self.type_in(command)?;
        let answer =
            self.answer(COMMAND).with_context(|| format!("{}$ {command}: {}", self.name, self.last_words()))?;
        let code = answer.strip_prefix(&number).and_then(|rest| rest.trim().parse().ok());
        let code = code.with_context(|| format!("{command}: the machine said {answer:?}"))?;
        let output = fs::read(self.share.path().join(format!("{number}.out")))?;
        Ok(Ran { code, output: String::from_utf8_lossy(&output).into_owned() })
    }

    fn type_in(&mut self, command: &str) -> Result<String> {
        self.typed += 1;
        let number = self.typed.to_string();
        fs::write(self.share.path().join(format!("{number}.sh")), command)?;
        writeln!(self.line.get_mut(), "{number}")?;
        Ok(number)
    }

    /// Types a command in that does not return, because the machine resets itself. QEMU ends then. What the machine has compiled is
    /// kept as far as the command itself has.
    pub(crate) fn must_reset(&mut self, command: &str) -> Result<()> {
        self.type_in(command)?;
        self.line.get_ref().set_read_timeout(Some(COMMAND))?;
        let mut answer = String::new();
        let read = self.line.read_line(&mut answer).with_context(|| format!("{command}: no reset"))?;
        ensure!(read == 0, "{command}: the machine lives, and answered {answer:?}: {}", self.last_words());
        self.process.0.wait()?;
        fs::create_dir_all(COMPILED)?;
        copy_files(&self.share.path().join("cache"), Path::new(COMPILED))
    }

    fn answer(&mut self, patience: Duration) -> Result<String> {
        self.line.get_ref().set_read_timeout(Some(patience))?;
        let mut answer = String::new();
        ensure!(self.line.read_line(&mut answer).context("no answer")? > 0, "the machine is gone");
        Ok(answer.trim().to_owned())
    }

    /// The last lines of the console.
    fn last_words(&self) -> String {
        let text = fs::read(self.share.path().join("console")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// Shuts it down, and keeps what it has compiled for the next time.
    pub(crate) fn power_off(mut self) -> Result<()> {
        writeln!(self.line.get_mut(), "off")?;
        let deadline = Instant::now() + COMMAND;
        // It closes its end of the line as its last act.
        let mut rest = String::new();
        while Instant::now() < deadline && self.line.read_line(&mut rest)? > 0 {}
        self.process.0.wait()?;
        fs::create_dir_all(COMPILED)?;
        copy_files(&self.share.path().join("cache"), Path::new(COMPILED))
    }
}

/// A process that is killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A machine whose system is not up yet.
struct Starting {
    name: String,
    process: Process,
    share: TempDir,
    network: Rc<TempDir>,
}

fn start(image: &Image, node: &str, network: &Rc<TempDir>, place: Option<usize>) -> Result<Starting> {
    let share = tempfile::Builder::new().prefix("hostler-lab-").tempdir()?;
    fill(share.path()).context("what the machine needs of this one")?;
    // It dies with the test, even if the test is killed.
    let mut qemu = Command::new("setpriv");
    qemu.args(["--pdeathsig", "KILL", "qemu-system-x86_64"]);
    let directory = share.path().display();
    qemu.args([
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max",
        "-M",
        "q35",
        "-display",
        "none",
        "-no-reboot",
        "-nodefaults",
    ])
    .args(["-m", if place.is_some() { "900" } else { "1500" }, "-smp", if place.is_some() { "1" } else { "2" }])
    .arg("-kernel")
    .arg(image.kernel())
    .arg("-initrd")
    .arg(image.initrd())
    .arg("-append")
    .arg(format!("{KERNEL} lab.node={node}"))
    .arg("-drive")
    .arg(format!("file={},format=raw,if=virtio,snapshot=on", image.disk().display()))
    .arg("-virtfs")
    .arg(format!("local,path={directory},mount_tag=hostshare,security_model=none,multidevs=remap"))
    .args(["-chardev", &format!("file,id=console,path={directory}/console"), "-serial", "chardev:console"])
    .args(["-chardev", &format!("socket,id=line,path={directory}/line,server=on,wait=off"), "-serial", "chardev:line"])
    .args(place.map_or_else(Vec::new, |place| network_card(network.path(), place)));
    let log = File::create(share.path().join("qemu.log"))?;
    let process =
        qemu.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn().context("qemu-system-x86_64")?;
    Ok(Starting { name: node.to_owned(), process: Process(process), share, network: network.clone() })
}

/// Frames go from one machine to the other through a socket in a directory of the test's own.
fn network_card(directory: &Path, place: usize) -> Vec<String> {
    let (own, other) = (directory.join(place.to_string()), directory.join((1 - place).to_string()));
    vec![
        "-netdev".to_owned(),
        format!(
            "dgram,id=lan,local.type=unix,local.path={},remote.type=unix,remote.path={}",
            own.display(),
            other.display()
        ),
        "-device".to_owned(),
        format!("virtio-net-pci,netdev=lan,mac=52:54:00:00:00:0{}", place + 1),
    ]
}

/// Copies `om` without its debug information, the files of the scenarios, and the first program that the machine runs.
fn fill(share: &Path) -> Result<()> {
    let om = share.join("om");
    let stripped = Command::new("strip").args(["-o"]).arg(&om).arg(env!("CARGO_BIN_EXE_om")).status();
    if !stripped.is_ok_and(|status| status.success()) {
        fs::copy(env!("CARGO_BIN_EXE_om"), &om)?;
    }
    fs::copy(here().join("guest/session"), share.join("session"))?;
    for (from, to) in [(here().join("files"), share.join("files")), (PathBuf::from(COMPILED), share.join("cache"))] {
        fs::create_dir(&to)?;
        if from.exists() {
            copy_files(&from, &to)?;
        }
    }
    Ok(())
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

impl Starting {
    /// Waits until QEMU answers the line.
    fn call(self) -> Result<Machine> {
        let Starting { name, mut process, share, network } = self;
        let deadline = Instant::now() + BOOT;
        let line = loop {
            match UnixStream::connect(share.path().join("line")) {
                Ok(line) => break line,
                Err(error) => {
                    let ended = process.0.try_wait()?;
                    let log = fs::read_to_string(share.path().join("qemu.log")).unwrap_or_default();
                    if ended.is_some() || Instant::now() > deadline {
                        bail!("QEMU does not start: {error}; {log}");
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        };
        Ok(Machine { name, process, share, _network: network, line: BufReader::new(line), typed: 0 })
    }
}
