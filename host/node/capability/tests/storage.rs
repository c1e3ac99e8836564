//! Files, mounts and block devices through the grants, on the running kernel: as root, in a mount namespace of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use driver::{CallBounds, DriverCall, KeywordValue, SilentLog, Verb};
use grant::{GrantContext, GrantKeyword, Grants, NoDeviceLedger, Policy};
use holding::{Holding, HoldingRecord, MountHolding, encode_header};
use hostler_capability::holdings::{
    self, HoldingPresence, Ledger, LedgerPlaces, Ledgers, ProofVerdict, ReleaseOptions,
};
use hostler_capability::mount::MountRequest;
use hostler_capability::{
    CallContext, CallInputs, CapabilityError, CgroupSlice, ContextSetup, DeviceOwners, GrantTemplates, HostServices,
    InstancePaths, NoAudit, RecordPlace, ResourcePaths, ResourceQueues, Subject, block, files, mount, state,
};
use kernel::mount::{MountSignature, mountinfo};
use model::{NodeName, ObjectPath, Rid};

/// The requests of a driver for ext4 on a loop device.
const GRANTS: &[&str] = &[
    "block.loop = {kw:file}",
    "block.read = {kw:dev}",
    "files.write = {kw:file}",
    "files.write = {kw:mnt}",
    "mount = ext4 {kw:dev} on {kw:mnt}",
    "mount = tmpfs none on {kw:mnt}",
    "mount = overlay overlay on {kw:mnt}",
    "mount = bind {kw:source} on {kw:mnt}",
    "files.read = {kw:source}",
];

/// A directory, and a resource that may use what is in it.
struct Resource {
    directory: tempfile::TempDir,
    owners: Arc<DeviceOwners>,
}

impl Resource {
    fn new() -> Resource {
        Resource { directory: tempfile::tempdir().unwrap(), owners: Arc::default() }
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.directory.path().canonicalize().unwrap().join(name);
        path.to_str().unwrap().to_owned()
    }

    /// A call of its driver, with `dev` as the device that its section names.
    fn context(&self, verb: Verb, dev: &str) -> CallContext {
        let rid: Rid = "fs#1".parse().unwrap();
        let (object, node): (ObjectPath, NodeName) = ("web".parse().unwrap(), "n1".parse().unwrap());
        let paths = ResourcePaths {
            instance: Arc::new(InstancePaths {
                rundir: self.path("run").into(),
                config: self.path("web.conf").into(),
                logdir: self.path("log").into(),
                slice: Arc::new(CgroupSlice::at(None)),
                keeper: "/nowhere".into(),
                holdings: LedgerPlaces::below(self.directory.path()),
            }),
            statedir: self.path("state").into(),
            record: RecordPlace::new(self.path("record").into(), Path::new(&self.path("state"))),
        };
        let keywords = [
            ("file", self.path("image")),
            ("dev", dev.to_owned()),
            ("mnt", self.path("mnt")),
            ("source", self.path("source")),
        ];
        let call = DriverCall {
            object: object.clone(),
            rid: rid.clone(),
            driver: "fs.test".parse().unwrap(),
            node: node.clone(),
            peers: Vec::new(),
            sid: "test".to_owned(),
            keywords: Arc::new(
                keywords.iter().map(|(name, value)| KeywordValue::new(*name, vec![value.clone()])).collect(),
            ),
            secrets: Vec::new(),
            vars: Arc::default(),
            limits: Arc::default(),
        };
        let (rundir, statedir, config) =
            (paths.instance.rundir.clone(), paths.statedir.clone(), paths.instance.config.clone());
        let context = GrantContext { object, rid, node, rundir, statedir, config, peers: Vec::new() };
        let evaluated: Vec<GrantKeyword<'_>> =
            call.keywords.iter().map(|keyword| GrantKeyword::written(&keyword.name, &keyword.values)).collect();
        let requests: Vec<_> = GRANTS.iter().map(|line| line.parse().unwrap()).collect();
        let everything = Policy::everything();
        let grants = Grants::bind(&requests, &context, &evaluated, &NoDeviceLedger, &everything, &everything).unwrap();
        let host = Arc::new(HostServices {
            audit: Arc::new(NoAudit),
            audit_reads: Arc::default(),
            owners: self.owners.clone(),
            ledgers: Ledgers::default(),
            started: Arc::default(),
            volumes: Arc::new(hostler_capability::volume::NoVolumes),
            queues: ResourceQueues::default(),
        });
        CallContext::new(ContextSetup {
            subject: Arc::new(Subject::from(&call)),
            sid: call.sid.clone(),
            inputs: CallInputs::from(&call),
            bounds: CallBounds::within(Duration::from_secs(60)),
            verb,
            digest: "".into(),
            grants,
            templates: Some(GrantTemplates { requests: requests.into(), trust: grant::DriverTrust::BuiltIn, context }),
            paths,
            output_budget: hostler_capability::OUTPUT_BUDGET,
            log: Arc::new(SilentLog),
            services: host,
        })
    }

    fn owns(&self, device: &str) -> bool {
        self.owners.gave(&"web".parse().unwrap(), &"fs#1".parse().unwrap(), device)
    }

    fn request(&self, fstype: &str, source: &str, options: &[&str]) -> MountRequest {
        MountRequest {
            source: source.to_owned(),
            target: self.path("mnt"),
            fstype: fstype.to_owned(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}

/// True in the process that may mount. The test calls itself there and waits: blocking calls run on threads of their own,
/// which must all see the same mounts, and no other process may.
fn in_private_namespace(test: &str) -> bool {
    const INSIDE: &str = "HOSTLER_TEST_PRIVATE_MOUNTS";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let may = Command::new("unshare").args(["--mount", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        skipped("no mount namespace to be had");
        return false;
    }
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status();
    assert!(status.unwrap().success(), "{test} failed in its namespace");
    false
}

fn is_denied<T: std::fmt::Debug>(answer: &Result<T, CapabilityError>) -> bool {
    matches!(answer, Err(CapabilityError::Denied(_)))
}

#[tokio::test]
async fn a_file_becomes_a_device_and_a_file_system_and_goes_again() {
    if !in_private_namespace("a_file_becomes_a_device_and_a_file_system_and_goes_again") {
        return;
    }
    let resource = Resource::new();
    let image = resource.path("image");
    let context = resource.context(Verb::Provision, "/dev/null");
    files::allocate(&context, &image, 16 << 20).await.unwrap();
    let device = match block::attach_loop(&context, &image, false).await {
        Ok(device) => device,
        Err(error) => return skipped(&error.to_string()),
    };
    assert!(resource.owns(&device.path));
    let formatted = Command::new("mkfs.ext4").args(["-q", "-F", &device.path]).status();
    if !formatted.is_ok_and(|status| status.success()) {
        block::detach_loop(&context, &image).await.unwrap();
        return skipped("mkfs.ext4");
    }

    let context = resource.context(Verb::Start, &device.path);
    let mutations = context.mutations();
    assert_eq!(block::find(&context, &device.path).await.unwrap().as_ref(), Some(&device));
    assert_eq!(block::probe(&context, &device.path).await.unwrap().unwrap().kind, "ext4");
    assert!(files::make_directory(&context, &resource.path("mnt"), 0o755).await.unwrap());
    mount::mount(&context, resource.request("ext4", &device.path, &["noatime"])).await.unwrap();
    assert_eq!(mutations.load(Ordering::Acquire), 2, "looking is not a change");
    let entry = mount::mounts_at(&context, &resource.path("mnt")).await.unwrap().pop().unwrap();
    assert_eq!((entry.source.as_str(), entry.fstype.as_str()), (device.path.as_str(), "ext4"));
    assert!(mount::statfs(&context, &resource.path("mnt"), Duration::from_secs(5)).await.unwrap().total > 0);
    let user = block::user_of(&context, &device.path).await.unwrap().unwrap();
    assert_eq!(user, format!("it is mounted on {}", resource.path("mnt")));
    let busy = block::detach_loop(&context, &image).await.unwrap_err();
    assert!(matches!(&busy, CapabilityError::Os { text, .. } if text.contains(&resource.path("mnt"))), "{busy}");

    let context = resource.context(Verb::Stop, &device.path);
    mount::unmount(&context, &resource.path("mnt")).await.unwrap();
    assert_eq!(block::user_of(&context, &device.path).await.unwrap(), None);
    assert!(block::detach_loop(&context, &image).await.unwrap());
    assert!(!block::detach_loop(&context, &image).await.unwrap());
    assert_eq!(context.mutations().load(Ordering::Acquire), 2, "a removal of nothing is not a change");
    assert!(!resource.owns(&device.path));
}

/// What is held, with whether it is there.
async fn held(context: &CallContext) -> Vec<(String, bool)> {
    let held = holdings::list(context).await.unwrap();
    held.into_iter().map(|held| (held.label, held.present)).collect()
}

#[tokio::test]
async fn what_is_mounted_is_held_and_undone_wherever_it_is_by_now() {
    if !in_private_namespace("what_is_mounted_is_held_and_undone_wherever_it_is_by_now") {
        return;
    }
    let resource = Resource::new();
    let (start, other) = (resource.context(Verb::Start, "/dev/null"), resource.path("other"));
    files::make_directory(&start, &resource.path("mnt"), 0o755).await.unwrap();
    mount::mount(&start, resource.request("tmpfs", "none", &[])).await.unwrap();
    let label = format!("tmpfs on {}", resource.path("mnt"));
    // Another process that looks, in a verb that may only look.
    let status = resource.context(Verb::Status, "/dev/null");
    assert_eq!(held(&status).await, [(label.clone(), true)]);
    std::fs::create_dir(&other).unwrap();
    assert!(Command::new("mount").args(["--move", &resource.path("mnt"), &other]).status().unwrap().success());
    let moved = holdings::list(&status).await.unwrap().pop().unwrap();
    assert!(moved.attributes.contains(&("target-now".to_owned(), other.clone())), "{moved:?}");
    // A stranger in its old place, which must stay.
    let stranger = ["-t", "tmpfs", "stranger", &resource.path("mnt")];
    assert!(Command::new("mount").args(stranger).status().unwrap().success());
    let stop = resource.context(Verb::Stop, "/dev/null");
    let none = || ReleaseOptions::parse(&[]).unwrap();
    assert!(is_denied(&holdings::release(&status, &moved.id, none()).await));
    assert!(holdings::release(&stop, &moved.id, none()).await.unwrap());
    assert!(!holdings::release(&stop, &moved.id, none()).await.unwrap(), "gone already");
    assert_eq!(stop.mutations().load(Ordering::Acquire), 1);
    assert_eq!(held(&stop).await, []);
    let left = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(left.contains("stranger") && !left.contains(&other), "{left}");
    // Taken on only if the operator says so.
    let adopted = holdings::adopt(&start, "mount", &resource.path("mnt")).await;
    assert!(matches!(adopted, Err(CapabilityError::Other(text)) if text.contains("--adopt")));
    assert!(Command::new("umount").arg(resource.path("mnt")).status().unwrap().success());
}

#[tokio::test]
async fn a_file_system_that_got_the_numbers_of_another_is_not_taken_for_it() {
    if !in_private_namespace("a_file_system_that_got_the_numbers_of_another_is_not_taken_for_it") {
        return;
    }
    let (resource, run) = (Resource::new(), |line: &[&str]| {
        assert!(Command::new(line[0]).args(&line[1..]).status().unwrap().success(), "{line:?}");
    });
    let (mnt, other) = (resource.path("mnt"), resource.path("other"));
    [&mnt, &other].into_iter().for_each(|path| std::fs::create_dir(path).unwrap());
    mount::mount(&resource.context(Verb::Start, "/dev/null"), resource.request("tmpfs", "none", &[])).await.unwrap();
    let ledger = Ledger::open(&LedgerPlaces::below(&resource.directory.path().canonicalize().unwrap()));
    let own = ledger.records(|_| true).pop().unwrap();
    let presence =
        async |record: &HoldingRecord| holdings::look("web", std::slice::from_ref(record), Vec::new).await.remove(0);
    let proof = async |record: HoldingRecord| holdings::prove("web", vec![record], Vec::new).await.remove(0).verdict;
    assert!(matches!(presence(&own).await, HoldingPresence::Present(_)));
    // It is in use elsewhere after the unmount, wherever that is.
    run(&["mount", "--bind", &mnt, &other]);
    run(&["umount", &mnt]);
    assert_eq!(proof(own.clone()).await, ProofVerdict::Still(format!("mounted on {other}")));
    run(&["umount", &other]);
    assert_eq!(proof(own.clone()).await, ProofVerdict::Gone);
    // The kernel gives both numbers to the next one. So that no other program can get them first, they are written into the record.
    for place in [&mnt, &other] {
        run(&["mount", "-t", "tmpfs", "none", place]);
        let next = mountinfo::mounts_at(Path::new(place)).unwrap().pop().unwrap();
        let mut record = own.clone();
        let Holding::Mount(MountHolding { made: Some(made), target, .. }) = &mut record.holding else { panic!() };
        (made.id, made.device, *target) = (next.id, next.device, place.clone());
        let Some(superblock) = made.superblock.clone() else { return skipped("a tmpfs without an f_fsid") };
        assert_eq!(presence(&record).await, HoldingPresence::Gone);
        assert_eq!(proof(record.clone()).await, ProofVerdict::Gone);
        // Where the kernel knows no numbers that are never used again, the file system's own tells.
        let Holding::Mount(MountHolding { made: Some(made), .. }) = &mut record.holding else { panic!() };
        made.unique = None;
        assert_eq!((presence(&record).await, proof(record.clone()).await), (HoldingPresence::Gone, ProofVerdict::Gone));
        assert_ne!(MountSignature::of(&next, None).superblock, Some(superblock));
    }
}

#[tokio::test]
async fn a_mount_that_fails_is_not_held() {
    let resource = Resource::new();
    let context = resource.context(Verb::Start, "/dev/loop99-not-there");
    let request = resource.request("ext4", "/dev/loop99-not-there", &[]);
    assert!(mount::mount(&context, request).await.is_err());
    assert_eq!(held(&context).await, []);
}

#[tokio::test]
async fn what_a_driver_declares_is_held_with_its_memory_until_it_is_withdrawn() {
    let resource = Resource::new();
    let (start, status) = (resource.context(Verb::Start, "/dev/null"), resource.context(Verb::Status, "/dev/null"));
    let memory = vec![("ticket".to_owned(), "7".to_owned())];
    holdings::declare(&start, "persistent", ("ticket", "7", "a ticket of example.net"), memory).await.unwrap();
    assert_eq!(held(&status).await, [("a ticket of example.net".to_owned(), true)]);
    assert_eq!(state::get(&status, "persistent", "ticket").await.unwrap().as_deref(), Some("7"));
    assert!(is_denied(&holdings::declare(&status, "boot", ("ticket", "8", ""), Vec::new()).await));
    let own_kind = holdings::declare(&start, "boot", ("mount", "7", ""), Vec::new()).await;
    assert!(matches!(own_kind, Err(CapabilityError::Invalid(_))));
    assert!(holdings::withdraw(&start, "ticket", "7").await.unwrap());
    assert!(!holdings::withdraw(&start, "ticket", "7").await.unwrap());
    assert_eq!(held(&status).await, []);
    assert_eq!(start.mutations().load(Ordering::Acquire), 0);
}

#[tokio::test]
async fn who_took_a_thing_may_give_it_back_whatever_the_keywords_say_by_then() {
    let resource = Resource::new();
    let then = resource.context(Verb::Start, "/dev/loop-then");
    holdings::declare(&then, "boot", ("lock", "1", "a lock"), Vec::new()).await.unwrap();
    let now = resource.context(Verb::Stop, "/dev/loop-now");
    assert!(is_denied(&block::find(&now, "/dev/loop-then").await));
    assert!(block::find(&now, "/dev/loop-now").await.is_ok());
    held(&now).await;
    assert!(block::find(&now, "/dev/loop-then").await.is_ok());
    assert!(is_denied(&block::find(&now, "/dev/loop-other").await));
    holdings::withdraw(&now, "lock", "1").await.unwrap();
    let later = resource.context(Verb::Stop, "/dev/loop-now");
    held(&later).await;
    assert!(is_denied(&block::find(&later, "/dev/loop-then").await), "nothing is held from then");
}

#[tokio::test]
async fn a_declared_device_is_there_only_while_the_kernel_shows_its_uuid() {
    let resource = Resource::new();
    let context = resource.context(Verb::Start, "/dev/null");
    holdings::declare(&context, "boot", ("device", "dm:CRYPT-LUKS2-no-such-*", "x"), Vec::new()).await.unwrap();
    assert_eq!(held(&context).await, [("x".to_owned(), false)]);
    for id in ["dm:*", "md:12", "vault"] {
        let declared = holdings::declare(&context, "boot", ("device", id, "x"), Vec::new()).await;
        assert!(matches!(declared, Err(CapabilityError::Invalid(_))), "{id}");
    }
}

#[tokio::test]
async fn two_processes_write_one_ledger_and_neither_loses_a_line_of_the_other() {
    if !in_private_namespace("two_processes_write_one_ledger_and_neither_loses_a_line_of_the_other") {
        return;
    }
    let resource = Resource::new();
    // Each context has its own ledger in memory, as another process would.
    let (one, two) = (resource.context(Verb::Start, "/dev/null"), resource.context(Verb::Start, "/dev/null"));
    files::make_directory(&one, &resource.path("mnt"), 0o755).await.unwrap();
    for context in [&one, &two, &one] {
        mount::mount(context, resource.request("tmpfs", "none", &[])).await.unwrap();
    }
    let ledger = Ledger::open(&LedgerPlaces::below(resource.directory.path()));
    let numbers = |ledger: &Ledger| ledger.records(|_| true).iter().map(|record| record.number).collect::<Vec<_>>();
    assert_eq!(numbers(&ledger), [1, 2, 3]);
    ledger.compact().unwrap();
    mount::mount(&two, resource.request("tmpfs", "none", &[])).await.unwrap();
    assert_eq!(numbers(&ledger), [1, 2, 3, 4]);
    for _ in 0..4 {
        mount::unmount(&one, &resource.path("mnt")).await.unwrap();
    }
    // Undone, and kept until the host has looked whether they are gone.
    assert_eq!((numbers(&ledger), held(&two).await), (vec![1, 2, 3, 4], Vec::new()));
    let proofs = holdings::prove("web", ledger.records(|_| true), Vec::new).await;
    assert!(proofs.iter().all(|proof| proof.verdict == ProofVerdict::Gone), "{proofs:?}");
    ledger.forget(&proofs.into_iter().map(|proof| proof.record).collect::<Vec<_>>());
    ledger.compact().unwrap();
    assert!(!LedgerPlaces::below(resource.directory.path()).boot.exists(), "an empty ledger is left");
}

#[tokio::test]
async fn a_ledger_of_an_earlier_boot_is_void_and_a_damaged_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let places = LedgerPlaces::below(directory.path());
    let header = |boot: &str| {
        encode_header(&holding::LedgerHeader {
            ledger: holding::VERSION,
            boot: Some(boot.to_owned()),
            next: 1,
            ..Default::default()
        })
    };
    std::fs::create_dir_all(places.boot.parent().unwrap()).unwrap();
    std::fs::write(&places.boot, header("another boot") + "no line").unwrap();
    assert_eq!(Ledger::open(&places).unverified(), None);
    std::fs::write(&places.boot, header(&kernel::clock::boot_id().unwrap()) + "no line\n").unwrap();
    let unverified = Ledger::open(&places).unverified().unwrap();
    assert_eq!((unverified.path, unverified.why.as_str()), (places.boot.clone(), "line 2: its checksum is wrong"));
    Ledger::open(&places).compact().unwrap();
    assert!(places.boot.exists(), "damage is given up without being asked");
    Ledger::open(&places).give_up(|_| false).unwrap();
    assert!(!places.boot.exists());
}

#[tokio::test]
async fn a_call_without_a_grant_is_denied_before_the_kernel_is_asked() {
    let resource = Resource::new();
    let context = resource.context(Verb::Start, "/dev/loop99");
    let elsewhere = MountRequest { target: "/etc".to_owned(), ..resource.request("tmpfs", "none", &[]) };
    assert!(is_denied(&mount::mount(&context, elsewhere).await));
    assert!(is_denied(&mount::mount(&context, resource.request("ext4", "/dev/sda", &[])).await));
    assert!(is_denied(&mount::mount(&context, resource.request("xfs", "/dev/loop99", &[])).await));
    assert!(is_denied(&mount::unmount(&context, "/proc").await));
    assert!(is_denied(&block::attach_loop(&context, "/etc/passwd", false).await));
    assert!(is_denied(&block::probe(&context, "/dev/sda").await));
    assert!(is_denied(&files::write(&context, "/etc/passwd", Vec::new(), 0o644).await));
    assert!(is_denied(&files::read(&context, "/etc/shadow").await));
    assert!(is_denied(&files::write(&context, &resource.path("source"), Vec::new(), 0o644).await));
    assert_eq!(context.mutations().load(Ordering::Acquire), 0);
}

#[tokio::test]
async fn the_paths_in_mount_options_need_grants_too_however_they_are_written() {
    let resource = Resource::new();
    let context = resource.context(Verb::Start, "/dev/loop99");
    let own = format!("lowerdir={}", resource.path("source"));
    for options in [
        &["lowerdir=/etc"][..],
        &[&own, "upperdir=/etc", "workdir=/etc"],
        &[&format!("{own},upperdir=/etc")],
        &["index=off,lowerdir=/etc"],
    ] {
        let request = resource.request("overlay", "overlay", options);
        assert!(is_denied(&mount::mount(&context, request).await), "{options:?}");
    }
}

#[tokio::test]
async fn status_may_look_and_change_nothing() {
    let resource = Resource::new();
    let context = resource.context(Verb::Status, "/dev/loop99");
    assert_eq!(mount::mounts_at(&context, &resource.path("mnt")).await.unwrap(), []);
    assert_eq!(files::stat(&context, &resource.path("mnt")).await.unwrap(), None);
    assert_eq!(block::loop_of(&context, &resource.path("image")).await.unwrap(), None);
    assert!(is_denied(&files::make_directory(&context, &resource.path("mnt"), 0o755).await));
    assert!(is_denied(&files::allocate(&context, &resource.path("image"), 1 << 20).await));
    assert!(is_denied(&mount::mount(&context, resource.request("tmpfs", "none", &[])).await));
    assert!(is_denied(&block::attach_loop(&context, &resource.path("image"), false).await));
    assert!(!Path::new(&resource.path("mnt")).exists());
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_invalid_whatever_is_granted() {
    let resource = Resource::new();
    let context = resource.context(Verb::Start, "/dev/loop99");
    let invalid =
        |answer: Result<(), CapabilityError>| assert!(matches!(answer, Err(CapabilityError::Invalid(_))), "{answer:?}");
    invalid(files::write(&context, "image", Vec::new(), 0o644).await);
    invalid(files::write(&context, &format!("{}/../image", resource.path("mnt")), Vec::new(), 0o644).await);
    invalid(files::set_mode(&context, &resource.path("mnt"), 0o10000).await);
    invalid(files::allocate(&context, &resource.path("image"), u64::MAX).await);
    invalid(mount::mount(&context, resource.request("no/such", "none", &[])).await);
    invalid(mount::mount(&context, resource.request("tmpfs", "", &[])).await);
    invalid(block::find(&context, "dev/loop0").await.map(drop));
}

#[tokio::test]
async fn a_device_is_waited_for_until_it_is_there_or_the_time_is_over() {
    let resource = Resource::new();
    let context = resource.context(Verb::Start, "/dev/loop99-not-there");
    let answer = block::wait_for(&context, "/dev/loop99-not-there", Duration::from_millis(1)).await;
    assert_eq!(answer, Err(CapabilityError::TimedOut));
}

#[tokio::test]
async fn owners_and_modes_that_are_right_already_are_not_a_change() {
    let resource = Resource::new();
    let context = resource.context(Verb::Start, "/dev/loop99");
    let mnt = resource.path("mnt");
    files::make_directory(&context, &mnt, 0o2750).await.unwrap();
    let stat = files::stat(&context, &mnt).await.unwrap().unwrap();
    assert_eq!((stat.kind, stat.mode), ("directory", 0o2750));
    let before = context.mutations().load(Ordering::Acquire);
    files::set_mode(&context, &mnt, 0o2750).await.unwrap();
    files::set_owner(&context, &mnt, Some(stat.uid.to_string()), None).await.unwrap();
    files::set_owner(&context, &mnt, stat.user, stat.group).await.unwrap();
    assert_eq!(context.mutations().load(Ordering::Acquire), before);
    files::set_mode(&context, &mnt, 0o700).await.unwrap();
    assert_eq!(context.mutations().load(Ordering::Acquire), before + 1);
    assert!(files::set_owner(&context, &mnt, Some("no such user".to_owned()), None).await.is_err());
}
