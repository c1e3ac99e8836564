//! Programs on the real kernel.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hostler_kernel::cgroup::{self, Cgroup};
use hostler_kernel::process::{
    CapabilityBounds, CheckedProgram, ProcessMarkers, ProgramLaunch, ProgramOutput, ResourceLimit, ResourceProcesses,
    RunError, Signal, UserAccount,
};
use hostler_kernel::process::{kill_abandoned, open_output, run, start};

const LONG: Duration = Duration::from_secs(30);

fn launch(program: &str, args: &[&str]) -> ProgramLaunch {
    ProgramLaunch {
        program: CheckedProgram::open(Path::new(program), None).unwrap(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".into())],
        cwd: PathBuf::from("/"),
        account: None,
        umask: 0o022,
        limits: Vec::new(),
        bounds: CapabilityBounds::NONE,
        cgroup: None,
        files: None,
    }
}

fn shell(script: &str) -> ProgramLaunch {
    launch("/bin/sh", &["-c", script])
}

async fn output(launch: ProgramLaunch) -> ProgramOutput {
    run(launch, b"", LONG, &mut |_| {}).await.unwrap()
}

async fn said(launch: ProgramLaunch) -> String {
    String::from_utf8(output(launch).await.stdout).unwrap()
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}

/// Whether this process can change its user and drop capabilities: as root, outside of a user namespace.
fn is_root() -> bool {
    let maps = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let is_root = rustix::process::geteuid().is_root() && maps.split_whitespace().nth(2) == Some("4294967295");
    if !is_root {
        skipped("needs root");
    }
    is_root
}

/// Waits until a file has content. The programs of the tests report their progress in this way.
async fn content_of(path: &Path) -> String {
    let deadline = Instant::now() + LONG;
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(Instant::now() < deadline, "{} stays empty", path.display()),
        }
        tokio::task::yield_now().await;
    }
}

fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

async fn until_gone(pid: &str) {
    let deadline = Instant::now() + LONG;
    while is_running(pid) {
        assert!(Instant::now() < deadline, "{pid} is still there");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn output_status_and_signals_are_reported() {
    let both = output(shell("cat; echo err >&2; exit 3")).await;
    assert_eq!((both.status, both.stdout.as_slice(), both.stderr.as_slice()), (3, &b""[..], &b"err\n"[..]));
    assert_eq!(output(shell("kill -TERM $$")).await.status, 143);
    let echoed = run(launch("/bin/cat", &[]), &vec![b'x'; 200_000], LONG, &mut |_| {}).await.unwrap();
    assert_eq!((echoed.stdout.len(), echoed.truncated), (200_000, false));
    let flood = output(shell("head -c 3000000 /dev/zero; echo end")).await;
    assert!(flood.truncated && flood.stdout.len() == 1 << 20 && flood.stdout.ends_with(b"end\n"));
}

#[tokio::test]
async fn lines_are_handed_on_as_they_come() {
    let mut lines = Vec::new();
    run(shell("echo one; echo two >&2; printf three"), b"", LONG, &mut |line| lines.push(line.to_owned()))
        .await
        .unwrap();
    lines.sort();
    assert_eq!(lines, ["one", "three", "two"]);
}

#[tokio::test]
async fn nothing_is_inherited_but_what_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let open = std::fs::File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    let mut given = launch("/usr/bin/env", &[]);
    given.env = vec![("ONLY".to_owned(), OsString::from("this"))];
    assert_eq!(said(given).await, "ONLY=this\n");
    assert_eq!(said(launch("/bin/ls", &["/proc/self/fd"])).await, "0\n1\n2\n3\n");
    let mut placed = shell("pwd; umask; ulimit -n");
    placed.cwd = dir.path().to_owned();
    placed.umask = 0o027;
    placed.limits = vec![ResourceLimit::parse("nofile", "99").unwrap()];
    assert_eq!(said(placed).await, format!("{}\n0027\n99\n", dir.path().display()));
}

#[tokio::test]
async fn no_capability_is_left_but_the_granted_ones() {
    if !is_root() {
        return;
    }
    let status = |bounds: &str| {
        let mut launch = launch("/bin/grep", &["-E", "^(CapPrm|CapBnd|NoNewPrivs)", "/proc/self/status"]);
        launch.bounds = bounds.parse().unwrap();
        said(launch)
    };
    let none = "0000000000000000";
    assert_eq!(status("").await, format!("CapPrm:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\n"));
    let net_admin = "0000000000001000";
    assert_eq!(status("cap_net_admin").await, format!("CapPrm:\t{net_admin}\nCapBnd:\t{net_admin}\nNoNewPrivs:\t1\n"));
    assert!(status("all").await.ends_with("NoNewPrivs:\t0\n"));
}

#[tokio::test]
async fn a_program_runs_as_the_user_it_is_given() {
    if !is_root() {
        return;
    }
    for bounds in [CapabilityBounds::NONE, CapabilityBounds::Unbounded] {
        let mut launch = shell("id -u; id -g; id -G; cat /etc/shadow >/dev/null 2>&1 || echo kept out");
        launch.account = Some(UserAccount::find("nobody", None).unwrap());
        launch.bounds = bounds;
        let account = UserAccount::find("nobody", None).unwrap();
        let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
        assert_eq!(said(launch).await, format!("{uid}\n{gid}\n{gid}\nkept out\n"));
    }
}

#[tokio::test]
async fn scripts_run_by_name_and_failures_name_the_step() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    assert_eq!(
        said(launch(&script("good", "#!/bin/sh\necho $0 $1\n"), &["x"])).await,
        format!("{}/good x\n", dir.path().display())
    );
    let check = async |launch: ProgramLaunch, expected: &str| {
        let error = run(launch, b"", LONG, &mut |_| {}).await.unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    };
    check(launch(&script("bad", "#!/no/such\n"), &[]), "bad: the program of its #! line, /no/such, does not exist")
        .await;
    check(
        launch(&script("text", "no program"), &[]),
        "text: it is not a program: it has no #! line, such as #!/bin/sh",
    )
    .await;
    let mut lost = shell("true");
    lost.cwd = PathBuf::from("/no/such/directory");
    check(lost, "enter the working directory").await;
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_its_children() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; wait", pid.display());
    let result = run(shell(&script), b"", Duration::from_millis(500), &mut |_| {}).await;
    assert!(matches!(result, Err(RunError::TimedOut(_))), "{result:?}");
    until_gone(&content_of(&pid).await).await;
}

#[tokio::test]
async fn a_caller_that_stops_waiting_kills_the_program_with_its_children() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let launch = shell(&format!("sleep 1000 & echo $! > {}; wait", pid.display()));
    let waiting = tokio::spawn(async move { run(launch, b"", LONG, &mut |_| {}).await.map(|output| output.status) });
    let child = content_of(&pid).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    until_gone(&child).await;
}

#[tokio::test]
async fn a_process_left_in_the_background_is_not_waited_for() {
    let begun = Instant::now();
    let left = said(shell("echo before; sleep 1000 & echo $!")).await;
    assert!(begun.elapsed() < LONG);
    let pid = left.lines().nth(1).unwrap();
    assert!(is_running(pid));
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_program_without_its_agent_is_killed_but_not_a_process_in_a_session_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (near, far) = (dir.path().join("near"), dir.path().join("far"));
    let script = format!(
        "setsid sh -c 'echo $$ > {}; exec sleep 1000' & sleep 1000 & echo $! > {}; wait",
        far.display(),
        near.display()
    );
    let sid = format!("test-{}", std::process::id());
    let mut launch = shell(&script);
    launch.env.push(("HOSTLER_SID".to_owned(), sid.clone().into()));
    let running = tokio::spawn(async move { run(launch, b"", LONG, &mut |_| {}).await.map(|output| output.status) });
    let (near, far) = (content_of(&near).await, content_of(&far).await);
    let ended = kill_abandoned(&ProcessMarkers::new([("HOSTLER_SID", &*sid)])).await.unwrap();
    assert_eq!(ended.iter().map(|member| &*member.argv[0]).collect::<Vec<_>>(), ["/bin/sh"]);
    assert_eq!(running.await.unwrap().unwrap(), 128 + 9);
    until_gone(&near).await;
    assert!(is_running(&far));
    rustix::process::kill_process(rustix::process::Pid::from_raw(far.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
}

/// Starts a program with a child that has left its session, and one that ignores SIGTERM on request.
async fn family(mut launch: ProgramLaunch, dir: &Path, stubborn: bool) -> Vec<String> {
    let (first, second) = (dir.join("first"), dir.join("second"));
    let trap = if stubborn { "trap '' TERM;" } else { "" };
    launch.args = vec![
        "-c".to_owned(),
        format!(
            "{trap} setsid sh -c 'echo $$ > {}; while :; do sleep 1000; done' & echo $$ > {}; while :; do sleep 1000; done",
            second.display(),
            first.display()
        ),
    ];
    let pid = start(launch, open_output(&dir.join("out")).unwrap()).await.unwrap().pid;
    let pids = vec![content_of(&first).await, content_of(&second).await];
    assert_eq!(pids[0], pid.to_string());
    pids
}

async fn ends_together(launch: impl Fn() -> ProgramLaunch, members: &ResourceProcesses) {
    for (stubborn, grace) in [(false, LONG), (true, Duration::from_millis(200))] {
        let dir = tempfile::tempdir().unwrap();
        let pids = family(launch(), dir.path(), stubborn).await;
        let found: Vec<_> =
            members.list().unwrap().iter().map(|member| member.pid.as_raw_nonzero().to_string()).collect();
        assert!(pids.iter().all(|pid| found.contains(pid)), "{pids:?} in {found:?}");
        assert!(members.stop(Signal::TERM, grace).await.unwrap() >= 2);
        assert_eq!(members.list().unwrap(), []);
        assert!(pids.iter().all(|pid| !is_running(pid)));
    }
    assert_eq!(members.stop(Signal::TERM, LONG).await.unwrap(), 0);
}

#[tokio::test]
async fn a_control_group_holds_and_kills_all_descendants() {
    let slice = format!("hostler-test-{}.slice", std::process::id());
    let Some(slice) = cgroup::available(&slice) else {
        skipped("no control groups of version 2, or no right to make any");
        return;
    };
    let group = Cgroup::at(slice.join("web.slice/web-app.slice"));
    let launch = || ProgramLaunch { cgroup: Some(group.clone()), ..shell("") };
    ends_together(launch, &ResourceProcesses::Cgroup(group.clone())).await;
    group.remove();
    Cgroup::at(&slice).remove();
    assert!(!slice.exists());
}

#[tokio::test]
async fn marks_in_the_environment_will_do_where_there_are_no_control_groups() {
    let id = format!("test-{}", std::process::id());
    let members = ResourceProcesses::Environ(ProcessMarkers::new([("HOSTLER_ID", &*id), ("HOSTLER_RID", "app#1")]));
    let launch = || {
        let mut launch = shell("");
        launch.env.extend([("HOSTLER_ID".to_owned(), id.clone().into()), ("HOSTLER_RID".to_owned(), "app#1".into())]);
        launch
    };
    ends_together(launch, &members).await;
}

#[tokio::test]
async fn output_of_a_long_lived_program_goes_to_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    start(shell("echo hello; echo world >&2"), open_output(&out).unwrap()).await.unwrap();
    let deadline = Instant::now() + LONG;
    while std::fs::read_to_string(&out).unwrap() != "hello\nworld\n" {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
}
