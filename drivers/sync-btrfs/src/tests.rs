//! Copies on a node in memory, whose programs answer what the test says.

use hostler_sdk::fake::{Case, Host, given};
use hostler_sdk::process::Output;

use super::*;

fn btrfs() -> BtrfsSync {
    BtrfsSync {
        src: "/srv/web".into(),
        dst: "/backup/web".into(),
        target: vec!["nodes".to_owned()],
        timeout: Duration::from_secs(60),
    }
}

fn ended(status: i32, text: &str) -> Output {
    Output { status, stdout: text.as_bytes().to_vec(), stderr: text.as_bytes().to_vec(), truncated: false }
}

/// With the snapshots that exist already, and an ssh that answers.
fn host(snapshots: &'static [&'static str], ssh: impl Fn(&str) -> Output + 'static) -> Host {
    Host::new()
        .program("/usr/bin/btrfs", 0, "stream")
        .program("/usr/bin/mv", 0, "")
        .program("/usr/bin/find", 0, "/srv/web/.hostler-next-n2/index.html\n")
        .program_with("/usr/bin/stat", |run| {
            let exists = run.args.last().is_some_and(|path| snapshots.contains(&path.as_str()));
            if exists { ended(0, "256\n") } else { ended(1, "") }
        })
        .program_with("/usr/bin/ssh", move |run| ssh(&String::from_utf8_lossy(run.stdin)))
}

fn case(host: &Host) -> Case<BtrfsSync> {
    given(btrfs()).on(host)
}

/// The programs that were run, shortened.
fn runs(host: &Host) -> Vec<String> {
    let calls = host.calls();
    let runs = calls.iter().filter_map(|call| call.strip_prefix("process.run /usr/bin/"));
    runs.filter(|run| !run.starts_with("stat") && !run.starts_with("find"))
        .map(|run| run.split(" -T -o").next().unwrap_or(run).to_owned())
        .collect()
}

#[test]
fn the_first_copy_is_of_everything() {
    let host = host(&[], |input| {
        assert!(
            ["/backup/web\n.hostler-next-n2\nstream", "/backup/web\n.hostler-next-n2\n"].contains(&input),
            "{input}"
        );
        ended(0, "")
    });
    case(&host).sync("update", &["n2"]).reports(&[TargetReport::copied("n2", 6)]);
    let next = "/srv/web/.hostler-next-n2";
    assert_eq!(
        runs(&host),
        [
            &format!("btrfs subvolume snapshot -r -- /srv/web {next}"),
            &format!("btrfs send -q -- {next}"),
            "ssh",
            "ssh",
            &format!("mv -T -- {next} /srv/web/.hostler-sent-n2"),
        ]
    );
}

#[test]
fn later_ones_are_of_what_changed_unless_all_is_asked_for() {
    let sent = &["/srv/web/.hostler-sent-n2"];
    let sends = |verb: &str| {
        let host = host(sent, |_| ended(0, ""));
        case(&host).sync(verb, &["n2"]).reports(&[TargetReport::copied("n2", 6)]);
        runs(&host).into_iter().filter(|run| run.starts_with("btrfs send")).collect::<Vec<_>>()
    };
    let whole = "btrfs send -q -- /srv/web/.hostler-next-n2";
    let changes = "btrfs send -q -p /srv/web/.hostler-sent-n2 -- /srv/web/.hostler-next-n2";
    assert_eq!((sends("update"), sends("full")), (vec![changes.to_owned()], vec![whole.to_owned()]));
}

#[test]
fn a_target_that_lost_the_last_one_gets_everything() {
    let tries = std::cell::Cell::new(0);
    let host = host(&["/srv/web/.hostler-sent-n2"], move |_| {
        tries.set(tries.get() + 1);
        if tries.get() == 1 { ended(1, "ERROR: cannot find parent subvolume\n") } else { ended(0, "") }
    });
    case(&host).sync("update", &["n2"]).reports(&[TargetReport::copied("n2", 6)]);
    assert_eq!(runs(&host).iter().filter(|run| run.starts_with("btrfs send")).count(), 2);
}

#[test]
fn a_node_that_is_down_leaves_no_snapshot_and_the_base_of_the_next_copy() {
    let down = |_: &str| ended(255, "ssh: connect to host n2 port 22: No route to host\n");
    let host = host(&["/srv/web/.hostler-sent-n2"], down);
    let why = "cannot be reached: ssh: connect to host n2 port 22: No route to host";
    case(&host).sync("update", &["n2"]).reports(&[TargetReport::failed("n2", why)]);
    assert_eq!(runs(&host).last().unwrap(), "btrfs subvolume delete -- /srv/web/.hostler-next-n2");
}

#[test]
fn an_empty_source_replaces_no_copy_that_holds_files_unless_forced() {
    let sync = |copy: &'static str, force: &str| {
        let host = host(&[], move |_| ended(0, copy)).program("/usr/bin/find", 0, "");
        let case = given(btrfs()).with(Context::fake("sync#1").with("force", force)).on(&host);
        (host, case.sync("update", &["n2"]))
    };
    let why =
        "/srv/web holds no file, and the latest copy does: mount what belongs there, or replace that copy with --force";
    let (host, refused) = sync("latest/index.html\n", "false");
    refused.reports(&[TargetReport::failed("n2", why)]);
    let next = "/srv/web/.hostler-next-n2";
    let made = format!("btrfs subvolume snapshot -r -- /srv/web {next}");
    assert_eq!(runs(&host), [&made, "ssh", &format!("btrfs subvolume delete -- {next}")]);
    for (copy, force) in [("latest/index.html\n", "true"), ("", "false")] {
        sync(copy, force).1.reports(&[TargetReport::copied("n2", 6)]);
    }
}

#[test]
fn the_commands_of_the_grants_are_those_that_are_run() {
    for words in [receive!(), adopt!(), look!()] {
        let quoted = format!("-- {{peer}} \"{words}\"");
        assert!(BtrfsSync::GRANTS.iter().any(|line| line.ends_with(&quoted)), "{words}");
        assert!(!words.replace("\\\"", "").contains(['"', '\'', '`']), "{words}");
    }
}
