//! The keeper as a process, against the real kernel: in a network and a mount namespace of its own, with control groups of its own.
//!
//! This program is the keeper too, when it is run as one.

#![expect(clippy::print_stdout, reason = "a test that cannot run says why")]

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use deadline::{
    CUT_BUDGET, CUT_TIME, CutItem, CutOutcome, CutRecord, GuardPage, HALF, KeeperReport, NO_DEADLINE, PAGE_FILE,
    SlotGuard, SlotToken, WatchdogState, WatchdogUse, hard_deadline,
};
use keeper::TwinFile;
use keeper::process::{self, KeeperProcess};
use libtest_mimic::{Arguments, Trial};
use nix::sched::{CloneFlags, unshare};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, daemon, keeper, directory] = words.as_slice()
        && (daemon.as_str(), keeper.as_str()) == ("daemon", "keeper")
    {
        return match keeper::run(Path::new(directory)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => {
                eprint(&fault.to_string());
                ExitCode::from(5)
            }
        };
    }
    let arguments = Arguments::from_args();
    if !rustix::process::geteuid().is_root() || unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).is_err() {
        println!("skipped: no namespaces of its own without root");
        return ExitCode::SUCCESS;
    }
    run("mount", &["--make-rprivate", "/"]);
    let trials = [
        trial("all_that_is_held_is_gone_by_the_deadline", all_that_is_held_is_gone_by_the_deadline),
        trial("an_extension_postpones_the_cut", an_extension_postpones_the_cut),
        trial("a_damaged_page_is_not_believed", a_damaged_page_is_not_believed),
        trial("what_has_no_deadline_is_left_alone", what_has_no_deadline_is_left_alone),
        trial("a_second_keeper_is_refused", a_second_keeper_is_refused),
        trial("it_ends_only_when_nothing_is_held", it_ends_only_when_nothing_is_held),
        trial("the_next_keeper_goes_on_where_one_was_killed", the_next_keeper_goes_on_where_one_was_killed),
        trial("a_cut_that_fails_names_what_is_left_and_goes_on", a_cut_that_fails_names_what_is_left_and_goes_on),
        trial("a_watchdog_that_is_not_there_is_reported", a_watchdog_that_is_not_there_is_reported),
        trial("processes_that_fork_are_cut_too", processes_that_fork_are_cut_too),
    ];
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

#[expect(clippy::print_stderr, reason = "the words of a keeper that does not start")]
fn eprint(text: &str) {
    eprintln!("{text}");
}

fn run(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "{what}: not after 20 s");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn now() -> Duration {
    kernel::clock::boot()
}

/// A keeper, and what it guards.
struct Place {
    directory: TempDir,
    keeper: Option<Child>,
    page: TwinFile,
}

impl Place {
    fn new() -> Place {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("keeper")).unwrap();
        let page = TwinFile::open(&directory.path().join("keeper").join(PAGE_FILE)).unwrap();
        let mut place = Place { directory, keeper: None, page };
        place.start();
        place
    }

    fn home(&self) -> PathBuf {
        self.directory.path().join("keeper")
    }

    fn start(&mut self) {
        let child = process::command(&std::env::current_exe().unwrap(), &self.home()).unwrap().spawn().unwrap();
        let pid = child.id();
        self.keeper = Some(child);
        until("the keeper guards", || self.report().is_some_and(|report| report.pid == pid));
    }

    fn report(&self) -> Option<KeeperReport> {
        process::report(&self.home())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.keeper.as_ref().unwrap())
    }

    fn write(&mut self, page: &GuardPage) -> u64 {
        self.page.write(&mut vec![0; HALF], |body| page.write(body)).unwrap()
    }

    fn guard(&mut self, until: Duration, items: &[CutItem]) -> u64 {
        let slot = SlotGuard { object: "web".to_owned(), token: token(), until, items: items.to_vec() };
        self.write(&GuardPage { slots: vec![slot], ..GuardPage::default() })
    }

    fn cut(&self) -> Option<CutRecord> {
        self.report()?.cuts.into_iter().next()
    }

    fn cut_within(&self, limit: Duration) -> CutRecord {
        until("the cut", || self.cut().is_some());
        let cut = self.cut().unwrap();
        assert!(now() < limit, "the report came late");
        cut
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            let _ = keeper.kill();
            let _ = keeper.wait();
        }
    }
}

fn token() -> SlotToken {
    SlotToken { generation: 1, revision: 7 }
}

/// A control group with processes in it, removed with it.
struct Group(PathBuf);

impl Group {
    fn new(name: &str) -> Group {
        let path = kernel::cgroup::root()
            .expect("control groups 2")
            .join(format!("hostler-keeper-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Group(path)
    }

    fn run(&self, script: &str) -> Child {
        let entered = format!("echo 0 >{}/cgroup.procs && {script}", self.0.display());
        let child = Command::new("sh").args(["-c", &entered]).stdout(Stdio::null()).spawn().unwrap();
        until("it is in its group", || !self.is_empty());
        child
    }

    fn is_empty(&self) -> bool {
        fs::read_to_string(self.0.join("cgroup.procs")).unwrap().is_empty()
    }

    fn item(&self) -> CutItem {
        CutItem::Group(self.0.to_str().unwrap().to_owned())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        for _ in 0..1000 {
            match fs::remove_dir(&self.0) {
                Ok(()) => return,
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

/// A mount of this mount namespace as an item.
fn mount_item(target: &Path, owns_filesystem: bool) -> CutItem {
    let mounts = kernel::mount::mountinfo::read().unwrap();
    let found = mounts.into_iter().rfind(|mount| mount.target == target).unwrap();
    let target = target.to_str().unwrap().to_owned();
    CutItem::Mount { id: found.id, device: found.device, target, owns_filesystem }
}

fn is_mounted(target: &Path) -> bool {
    kernel::mount::mountinfo::read().unwrap().iter().any(|mount| mount.target == target)
}

fn address_item(address: &str, prefix: u8) -> CutItem {
    CutItem::Address { netns: None, index: 1, address: address.parse().unwrap(), prefix }
}

fn all_that_is_held_is_gone_by_the_deadline() {
    let mut place = Place::new();
    let group = Group::new("all");
    let mut child = group.run("sleep 600");
    run("ip", &["address", "add", "10.77.0.1/32", "dev", "lo"]);
    run("ip", &["address", "add", "fd77::1/128", "dev", "lo"]);
    let image = place.directory.path().join("image");
    fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
    run("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]);
    let device = run("losetup", &["--find", "--show", image.to_str().unwrap()]);
    let (disk, memory) = (place.directory.path().join("a disk"), place.directory.path().join("memory"));
    [&disk, &memory].into_iter().for_each(|target| fs::create_dir(target).unwrap());
    run("mount", &[&device, disk.to_str().unwrap()]);
    run("mount", &["-t", "tmpfs", "none", memory.to_str().unwrap()]);
    let backing = kernel::block::loopdev::backing_of(Path::new(&device)).unwrap().unwrap();
    let items = [
        CutItem::Loop { device: device.clone(), backing: (backing.device, backing.inode) },
        mount_item(&disk, true),
        mount_item(&memory, true),
        address_item("10.77.0.1", 32),
        address_item("fd77::1", 128),
        group.item(),
    ];
    let limit = now() + CUT_BUDGET + Duration::from_secs(1);
    place.guard(limit, &items);
    let cut = place.cut_within(limit);
    assert_eq!((cut.outcome, cut.left.as_str(), cut.token), (CutOutcome::Proven, "", token()));
    assert!(cut.at >= hard_deadline(limit), "it came too early");
    assert!(cut.took < CUT_TIME);
    assert!(group.is_empty() && !is_mounted(&disk) && !is_mounted(&memory));
    assert_eq!(kernel::block::loopdev::backing_of(Path::new(&device)).unwrap(), None);
    let addresses = run("ip", &["address", "show", "dev", "lo"]);
    assert!(!addresses.contains("10.77.0.1") && !addresses.contains("fd77::1"), "{addresses}");
    child.wait().unwrap();
}

fn an_extension_postpones_the_cut() {
    let mut place = Place::new();
    let group = Group::new("extended");
    let mut child = group.run("sleep 600");
    let first = now() + CUT_BUDGET + Duration::from_millis(300);
    place.guard(first, &[group.item()]);
    let second = first + Duration::from_millis(400);
    let sequence = place.guard(second, &[group.item()]);
    until("the keeper has read it", || place.report().unwrap().page == sequence);
    let cut = place.cut_within(second);
    assert!(cut.at >= hard_deadline(second));
    child.wait().unwrap();
}

/// The newer half says something else than it was written with: what was believed before goes on to count.
fn a_damaged_page_is_not_believed() {
    let mut place = Place::new();
    let group = Group::new("damaged");
    let mut child = group.run("sleep 600");
    let limit = now() + CUT_BUDGET + Duration::from_millis(400);
    let sequence = place.guard(limit, &[group.item()]);
    until("the keeper has read it", || place.report().unwrap().page == sequence);
    let file = fs::OpenOptions::new().write(true).open(place.home().join(PAGE_FILE)).unwrap();
    for at in [0, HALF as u64] {
        file.write_all_at(&[0xff; 300], at).unwrap();
    }
    assert_eq!(place.cut_within(limit).outcome, CutOutcome::Proven);
    child.wait().unwrap();
}

fn what_has_no_deadline_is_left_alone() {
    let mut place = Place::new();
    let (pinned, cut) = (Group::new("pinned"), Group::new("other"));
    let mut children = [pinned.run("sleep 600"), cut.run("sleep 600")];
    let slot = |object: &str, until, group: &Group| SlotGuard {
        object: object.to_owned(),
        token: token(),
        until,
        items: vec![group.item()],
    };
    let soon = now() + CUT_BUDGET + Duration::from_millis(100);
    let slots = vec![slot("pinned", NO_DEADLINE, &pinned), slot("web", soon, &cut)];
    place.write(&GuardPage { slots, ..GuardPage::default() });
    assert_eq!(place.cut_within(soon).object, "web");
    assert!(cut.is_empty() && !pinned.is_empty());
    drop((pinned, cut));
    children.iter_mut().for_each(|child| drop(child.wait()));
}

fn a_second_keeper_is_refused() {
    let place = Place::new();
    let mut second = process::command(&std::env::current_exe().unwrap(), &place.home()).unwrap().spawn().unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(5));
    let said = fs::read_to_string(place.home().join("said")).unwrap();
    let pid = place.pid().as_raw_nonzero();
    assert_eq!(said, format!("a keeper runs already: process {pid}\n"));
    assert_eq!(KeeperProcess::find(&place.home()).unwrap().unwrap().pid, pid.get().unsigned_abs());
}

fn it_ends_only_when_nothing_is_held() {
    let mut place = Place::new();
    let group = Group::new("held");
    let mut child = group.run("sleep 600");
    let sequence = place.guard(NO_DEADLINE, &[group.item()]);
    until("the keeper has read it", || place.report().unwrap().page == sequence);
    let looked = place.report().unwrap().looked;
    KeeperProcess::find(&place.home()).unwrap().unwrap().ask_to_end().unwrap();
    until("it has looked, and goes on", || place.report().unwrap().looked > looked);
    assert!(!group.is_empty(), "it asked the keeper to end, not the service");
    fs::write(group.0.join("cgroup.kill"), "1").unwrap();
    child.wait().unwrap();
    until("the group is empty", || group.is_empty());
    KeeperProcess::find(&place.home()).unwrap().unwrap().ask_to_end().unwrap();
    assert!(place.keeper.take().unwrap().wait().unwrap().success());
    assert!(KeeperProcess::find(&place.home()).unwrap().is_none());
}

fn the_next_keeper_goes_on_where_one_was_killed() {
    let mut place = Place::new();
    let group = Group::new("killed");
    let mut child = group.run("sleep 600");
    let limit = now() + CUT_BUDGET + Duration::from_secs(2);
    place.guard(limit, &[group.item()]);
    kill_process(place.pid(), Signal::KILL).unwrap();
    place.keeper.take().unwrap().wait().unwrap();
    place.start();
    // One that hands over leaves everything as it is.
    KeeperProcess::find(&place.home()).unwrap().unwrap().ask_to_hand_over().unwrap();
    assert!(place.keeper.take().unwrap().wait().unwrap().success());
    assert!(!group.is_empty());
    place.start();
    assert_eq!(place.cut_within(limit).outcome, CutOutcome::Proven);
    child.wait().unwrap();
}

fn a_cut_that_fails_names_what_is_left_and_goes_on() {
    let mut place = Place::new();
    let image = place.directory.path().join("image");
    fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
    run("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]);
    let device = run("losetup", &["--find", "--show", image.to_str().unwrap()]);
    let target = place.directory.path().join("disk");
    fs::create_dir(&target).unwrap();
    run("mount", &[&device, target.to_str().unwrap()]);
    let item = mount_item(&target, true);
    // A copy of the mount in another mount namespace, which the keeper does not reach.
    let mut elsewhere = Command::new("unshare").args(["--mount", "sleep", "600"]).spawn().unwrap();
    let own = fs::read_link("/proc/self/ns/mnt").unwrap();
    let theirs = format!("/proc/{}/ns/mnt", elsewhere.id());
    until("it has its own namespace", || fs::read_link(&theirs).is_ok_and(|theirs| theirs != own));
    place.guard(now() + CUT_BUDGET + Duration::from_millis(100), &[item]);
    until("the cut fails", || place.cut().is_some_and(|cut| cut.took >= CUT_TIME));
    let cut = place.cut().unwrap();
    assert_eq!((cut.outcome, cut.left), (CutOutcome::Failed, format!("the mount on {}", target.display())));
    assert!(!is_mounted(&target));
    elsewhere.kill().unwrap();
    elsewhere.wait().unwrap();
    until("it is proven later", || place.cut().is_some_and(|cut| cut.outcome == CutOutcome::Proven));
    run("losetup", &["--detach", &device]);
}

fn a_watchdog_that_is_not_there_is_reported() {
    let mut place = Place::new();
    assert_eq!(place.report().unwrap().watchdog, WatchdogState::Off);
    let watchdog = |device: &str| Some(WatchdogUse { device: device.to_owned(), timeout: 3 });
    place.write(&GuardPage { watchdog: watchdog("/dev/nothing"), ..GuardPage::default() });
    until("it is missed", || place.report().unwrap().watchdog == WatchdogState::Missing);
    assert_eq!(place.report().unwrap().device, "there is no such device");
    place.write(&GuardPage { watchdog: None, ..GuardPage::default() });
    until("it is not wanted", || place.report().unwrap().watchdog == WatchdogState::Off);
    place.write(&GuardPage { watchdog: watchdog("/dev/null"), ..GuardPage::default() });
    until("it is none", || place.report().unwrap().device == "it is not a watchdog");
}

/// One that forks all the time is killed with all of its children.
fn processes_that_fork_are_cut_too() {
    let mut place = Place::new();
    let group = Group::new("forks");
    let mut child = group.run("while :; do (sleep 600 &) ; sleep 0.001; done");
    let limit = now() + CUT_BUDGET + Duration::from_millis(300);
    place.guard(limit, &[group.item()]);
    assert_eq!(place.cut_within(limit).outcome, CutOutcome::Proven);
    assert!(group.is_empty());
    child.wait().unwrap();
}
