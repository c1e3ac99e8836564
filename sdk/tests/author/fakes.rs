//! The in-memory host holds a driver to the contract.

use std::time::Duration;

use hostler_sdk::fake::{Host, given, stop_leaves_nothing_of_any_failed_start, stop_undoes_any_failed_start};
use hostler_sdk::{
    Attachment, CapabilityError, Command, Context, Error, State, TargetReport, clock, errno, files, process,
};

use crate::samples::{Asker, Changer, Leaver, Liar, Probe, RunAs, Taker};

/// The message with which an expression panics.
fn panic_of<T>(case: impl FnOnce() -> T + std::panic::UnwindSafe) -> String {
    let payload = std::panic::catch_unwind(case).err().expect("a panic");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn liar(how: &str) -> hostler_sdk::fake::Case<Liar> {
    given(Liar { how: how.to_owned() }).on(&Host::new().directory("/srv"))
}

#[test]
fn a_status_that_changes_something_is_caught() {
    let message = panic_of(|| liar("").status());
    assert_eq!(message, "status called files.write /srv/x: it must not change anything");
}

#[test]
fn a_call_that_no_line_of_grants_covers_is_caught_with_the_line_that_is_missing() {
    let host = Host::new().directory("/srv").program("/bin/tar", 0, "");
    let start = |what: &str| given(Taker { what: what.to_owned() }).on(&host).start();
    start("program").is_changed("took");
    for (what, line) in [
        ("memory", "files.write = {statedir}/x"),
        ("tree", "files.write = /srv/x/**"),
        ("option", "exec = /bin/tar -cf a"),
        ("bind", "mount = bind /srv/a on /srv/b"),
    ] {
        let message = panic_of(std::panic::AssertUnwindSafe(|| start(what)));
        assert!(message.contains(&format!("{line:?} is missing")), "{what}: {message}");
        assert!(message.starts_with("no line of GRANTS covers "), "{message}");
    }
    // With their attributes.
    let host = host.program("/bin/job", 0, "").directory("/srv/data").file("/srv/plain", 0);
    let needy = host.clone().program("/bin/mtr", 0, "").program_needs("/bin/mtr", "cap_net_raw");
    given(Taker { what: "raw".to_owned() }).on(&needy).start().is_changed("took");
    let needier = needy.program_needs("/bin/job", "cap_net_raw");
    let message =
        panic_of(std::panic::AssertUnwindSafe(|| given(Taker { what: "named".to_owned() }).on(&needier).start()));
    assert!(message.contains("caps=cap_net_raw is missing"), "{message}");
    let host =
        Host::new().directory("/srv/data").file("/srv/plain", 0).program("/bin/tar", 0, "").program("/bin/job", 0, "");
    let start = |what: &str| given(Taker { what: what.to_owned() }).on(&host).start();
    for what in ["directory", "named", "tool", "owner"] {
        start(what).is_changed("took");
    }
    for (what, line) in [
        ("root", "exec = /bin/tar -xf a"),
        ("group", "exec(user=www, group=adm) = /bin/tar -xf a"),
        ("elsewhere", "exec(user=www, cwd=/srv) = /bin/tar -xf a"),
        ("variable", "env=HOME"),
        ("setid", "files.write(setid) = /srv/plain"),
        ("chmod", "files.write(setid) = /srv/plain"),
    ] {
        let message = panic_of(std::panic::AssertUnwindSafe(|| start(what)));
        assert!(message.contains(line) && message.contains("is missing"), "{what}: {message}");
    }
    // In another namespace than root, a group is asked for as well.
    let mut elsewhere = Context::fake("app#1");
    elsewhere.object = "ns1/svc/web".to_owned();
    let message = panic_of(std::panic::AssertUnwindSafe(|| {
        given(Taker { what: "owner".to_owned() }).with(elsewhere).on(&host).start()
    }));
    assert!(message.contains("files.write(group=adm) = /srv/plain"), "{message}");
    // What drivers share is tested without a driver.
    assert_eq!(host.enter(|| files::exists("/srv/x")), Ok(false));
}

#[test]
fn a_wrong_word_about_changes_is_caught() {
    let denies = panic_of(|| liar("denies").start());
    assert!(denies.starts_with("start says that nothing was changed, after 1 changes"), "{denies}");
    let claims = panic_of(|| liar("claims").start());
    assert!(claims.starts_with("start says that something was changed, but nothing was"), "{claims}");
}

#[test]
fn verbs_that_a_driver_does_not_have_do_nothing() {
    liar("").stop().is_unchanged("").provision().is_unchanged("").unprovision().is_unchanged("").validate().finds(&[]);
}

#[test]
fn status_may_run_the_programs_that_read() {
    let host = Host::new().program("/sbin/lvs", 0, "  active\n");
    given(Asker).on(&host).status().is(State::Up);
    given(Asker).on(&Host::new()).status().fails_with("/sbin/lvs: not found");
    let message = panic_of(|| given(Changer).on(&Host::new()).status());
    assert_eq!(message, "status called process.run /sbin/lvchange -ay: it must not change anything");
}

#[test]
fn a_program_that_fails_is_named_with_its_last_words() {
    let host = Host::new().program_with("/sbin/lvchange", |_| process::Output {
        status: 5,
        stdout: b"working\n".to_vec(),
        stderr: b"warning\nno such volume\n\n".to_vec(),
        truncated: false,
    });
    given(Asker).on(&host).start().fails_with("/sbin/lvchange exited with 5: no such volume");
    given(Asker).on(&Host::new()).start().fails_with("/sbin/lvchange: not found");
}

fn probe() -> Probe {
    Probe {
        file: "/srv/x".into(),
        size: hostler_sdk::Size::mib(1),
        password: None,
        of: Vec::new(),
        lazy: false,
        timeout: None,
        mode: None,
        port: None,
        secrets: Vec::new(),
        token: None,
        run: RunAs { command: Command::new("/bin/job"), user: "root".to_owned() },
    }
}

#[test]
fn a_console_is_described() {
    let host = Host::new().answers("POST", "unix:/run/engine.sock/prepare", 200, "7");
    let upgrade = Attachment::upgrade("/run/engine.sock", "POST", "/start/7", "");
    let case = given(probe()).on(&host).enter().attaches(&Attachment::process(["/bin/sh", "-i"]));
    case.exec(&["id"]).attaches(&upgrade);
    let message = panic_of(|| given(probe()).on(&Host::new()).logs(false));
    assert!(message.starts_with("logs called http.send"), "{message}");
}

#[test]
fn a_task_returns_the_status_of_its_command() {
    let host = Host::new().program("/bin/job", 3, "half done\n");
    given(probe()).on(&host).run().exits_with(3);
    assert_eq!(host.calls(), ["process.run /bin/job"]);
}

#[test]
fn a_target_that_fails_does_not_keep_the_others_from_being_tried() {
    let reports = [TargetReport::failed("n1", "unreachable"), TargetReport::copied("n2", 10)];
    given(probe()).on(&Host::new()).sync("update", &["n1", "n2"]).reports(&reports);
}

#[test]
fn an_unknown_verb_is_refused_for_all_targets() {
    given(probe()).on(&Host::new()).sync("split", &["n1"]).fails(&Error::Unsupported);
}

#[test]
fn a_migration_is_an_action_to_a_node() {
    let host = Host::new().program("/bin/job", 0, "");
    given(probe()).on(&host).migrate("n2").is_changed("runs on n2");
    assert_eq!(host.calls(), ["process.run /bin/job n2"]);
}

#[test]
fn failures_last_until_the_host_is_healed() {
    let full = CapabilityError::Os { errno: errno::ENOSPC, doing: "write /srv/x".to_owned() };
    let host = Host::new().directory("/srv").failing("files.write", full);
    let case = given(Liar { how: String::new() }).on(&host);
    case.start().fails_with("no space left on device").then(Host::heal);
    host.enter(|| assert_eq!(files::write("/srv/x", "ok", hostler_sdk::Mode(0o600)), Ok(())));
}

#[test]
fn a_stop_that_forgets_something_is_caught() {
    let leaver = |forgets| move || given(Leaver { forgets }).on(&Host::new().directory("/srv"));
    assert_eq!(stop_undoes_any_failed_start(leaver(false)), 2);
    let message = panic_of(|| stop_undoes_any_failed_start(leaver(true)));
    assert!(message.starts_with("not down after start failed after 1 changes"), "{message}");
}

#[test]
fn what_the_closing_check_finds_after_a_stop_is_named() {
    let leaver = || given(Leaver { forgets: false }).on(&Host::new().directory("/srv"));
    assert_eq!(stop_leaves_nothing_of_any_failed_start(leaver, |_| None), 2);
    // A ticket that is taken with the first file, and that the stop does not give back.
    let ticket = |host: &Host| {
        let is_taken = host.calls().iter().filter(|call| call.starts_with("files.write")).count() > 1;
        is_taken.then(|| "ticket 7".to_owned())
    };
    let message = panic_of(|| stop_leaves_nothing_of_any_failed_start(leaver, ticket));
    assert!(message.starts_with("ticket 7 is left after start failed after 1 changes"), "{message}");
}

#[test]
fn a_start_that_fails_for_a_reason_of_its_own_is_reported_with_it() {
    let homeless = || given(Leaver { forgets: false }).on(&Host::new());
    let message = panic_of(|| stop_undoes_any_failed_start(homeless));
    assert!(message.starts_with("start still fails when its first 1000 changes succeed: "), "{message}");
    assert!(message.contains("/srv"), "{message}");
}

#[test]
fn waiting_takes_no_time_and_ends() {
    let host = Host::new();
    host.enter(|| {
        let mut asked = 0;
        let third = |asked: &mut u32| {
            *asked += 1;
            Ok(*asked == 3)
        };
        let (timeout, interval) = (Duration::from_secs(60), Duration::from_secs(1));
        assert_eq!(clock::wait_until(timeout, interval, || third(&mut asked)), Ok(true));
        assert_eq!(clock::wait_until(timeout, interval, || Ok(false)), Ok(false));
    });
    assert_eq!(host.calls().len(), 2 + 60);
}

#[test]
fn the_context_names_the_directories_and_what_a_test_adds() {
    let context = Context::fake("disk#1").with("force", "true").with("rundir", "/elsewhere");
    assert_eq!((context.force(), context.leader()), (true, false));
    assert_eq!(context.rundir(), Ok("/elsewhere".into()));
    assert_eq!(context.statedir(), Ok("/var/lib/hostler/svc/web/driver/disk#1".into()));
}

#[test]
fn errno_is_described_as_the_kernel_does() {
    for errno in 1..134 {
        let described = errno::describe(errno);
        if described != format!("errno {errno}") {
            let kernels = std::io::Error::from_raw_os_error(errno).to_string();
            assert_eq!(format!("{described} (os error {errno})"), kernels.to_lowercase());
        }
    }
}
