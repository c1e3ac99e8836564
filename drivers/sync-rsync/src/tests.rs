//! Copies on a node in memory, whose programs answer what the test says.

use hostler_sdk::fake::{Case, Host, given};
use hostler_sdk::process::Output;

use super::*;

const COMMAND: &str = "/usr/bin/rsync -HAXpogDtrls --force --stats --itemize-changes --no-human-readable";
const REST: &str = "--delete -- /srv/web/ /backup/web";

fn rsync() -> DirectorySync {
    DirectorySync {
        src: vec!["/srv/web/".to_owned()],
        dst: "/backup/web".to_owned(),
        target: vec!["local".to_owned()],
        srcfs: Vec::new(),
        dstfs: None,
        options: Vec::new(),
        keep_extra: false,
        snap: false,
        bwlimit: None,
        timeout: Duration::from_secs(60),
    }
}

fn copy(host: &Host) -> Case<DirectorySync> {
    given(rsync()).on(host)
}

/// The output of rsync for a source of one directory with this many files.
fn said(files: u64, transferred: u64, deleted: u64) -> String {
    let items = ">f+++++++++ a\n".repeat(transferred as usize) + &"*deleting   b\n".repeat(deleted as usize);
    format!(
        "{items}\nNumber of files: {} (reg: {files}, dir: 1)\nNumber of deleted files: {deleted}\n\
         Number of regular files transferred: {transferred}\nTotal transferred file size: 4000\nTotal bytes sent: 4711\n",
        files + 1
    )
}

fn answers(files: u64, transferred: u64, deleted: u64) -> Host {
    Host::new().program("/usr/bin/rsync", 0, &said(files, transferred, deleted))
}

fn ended(status: i32, stderr: &str) -> Output {
    Output { status, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec(), truncated: false }
}

/// The programs that were run, without their first word's directory.
fn runs(host: &Host) -> Vec<String> {
    host.calls().iter().filter_map(|call| call.strip_prefix("process.run ").map(str::to_owned)).collect()
}

#[test]
fn a_copy_is_rehearsed_and_then_done() {
    let host = answers(10, 2, 1);
    copy(&host).sync("update", &["local"]).reports(&[TargetReport::copied("local", 4711)]);
    assert_eq!(runs(&host), [format!("{COMMAND} --dry-run {REST}"), format!("{COMMAND} {REST}")]);
}

#[test]
fn another_node_is_reached_over_ssh() {
    let host = answers(10, 2, 0);
    copy(&host).sync("full", &["n2"]).reports(&[TargetReport::copied("n2", 4711)]);
    assert_eq!(runs(&host)[1], format!("{COMMAND} --ignore-times --delete -e {SSH} -- /srv/web/ n2:/backup/web"));
}

#[test]
fn a_node_that_is_down_is_one_line_and_the_others_are_served() {
    let host = Host::new().program_with("/usr/bin/rsync", |run| match run.args.last().map(String::as_str) {
        Some("n2:/backup/web") => ended(255, "ssh: connect to host n2 port 22: No route to host\nrsync error\n"),
        _ => Output { stdout: said(10, 1, 0).into_bytes(), ..ended(0, "") },
    });
    copy(&host).sync("update", &["n2", "n3", "local"]).reports(&[
        TargetReport::failed("n2", "cannot be reached: ssh: connect to host n2 port 22: No route to host"),
        TargetReport::copied("n3", 4711),
        TargetReport::copied("local", 4711),
    ]);
}

#[test]
fn a_target_that_is_the_same_is_left_alone() {
    let host = answers(10, 0, 0);
    copy(&host).sync("update", &["local"]).reports(&[TargetReport::unchanged("local")]);
    assert_eq!(runs(&host).len(), 1);
}

#[test]
fn an_empty_source_never_empties_a_target() {
    let refused = "/srv/web/ holds no file, and 12 would be deleted from /backup/web: mount it, or delete them there \
                   if it is to be empty";
    // Who forces a copy while the service is down has nothing mounted.
    for context in [Context::fake("sync#1"), Context::fake("sync#1").with("force", "true")] {
        let host = answers(0, 0, 12);
        given(rsync())
            .with(context)
            .on(&host)
            .sync("update", &["local", "n2"])
            .reports(&[TargetReport::failed("local", refused), TargetReport::failed("n2", refused)]);
        assert_eq!(runs(&host).len(), 2);
    }
}

#[test]
fn a_source_of_directories_alone_is_as_empty_as_can_be_seen() {
    let directories = said(0, 0, 12).replace("1 (reg: 0, dir: 1)", "3 (dir: 3)");
    let host = Host::new().program("/usr/bin/rsync", 0, &directories);
    let refused = "/srv/web/ holds no file, and 12 would be deleted from /backup/web: mount it, or delete them there \
                   if it is to be empty";
    copy(&host).sync("update", &["local"]).reports(&[TargetReport::failed("local", refused)]);
    assert_eq!(runs(&host).len(), 1);
}

/// Copies `/srv/a` and `/srv/b`. Of the former alone rsync says this.
fn two_sources(of_a: &str) -> (Host, Case<DirectorySync>) {
    let of_a = of_a.to_owned();
    let host = Host::new().program_with("/usr/bin/rsync", move |run| {
        let words = run.args.join(" ");
        let said = match words.split_once(" -- ").unwrap().1 {
            "/srv/a /backup/web" => of_a.clone(),
            "/srv/b /backup/web" => said(3, 3, 0),
            _ => said(3, 3, 2),
        };
        Output { stdout: said.into_bytes(), ..ended(0, "") }
    });
    let src = ["/srv/a", "/srv/b"].map(str::to_owned).into();
    let case = given(DirectorySync { src, ..rsync() }).on(&host);
    (host, case)
}

#[test]
fn an_empty_source_does_not_hide_behind_what_another_one_holds() {
    let (host, case) = two_sources(&said(0, 0, 2));
    let refused = "/srv/a holds no file, and 2 would be deleted from /backup/web: mount it, or delete them there \
                   if it is to be empty";
    case.sync("update", &["local"]).reports(&[TargetReport::failed("local", refused)]);
    let rehearsals =
        ["/srv/a /srv/b", "/srv/a"].map(|src| format!("{COMMAND} --dry-run --delete -- {src} /backup/web"));
    assert_eq!(runs(&host), rehearsals);
}

#[test]
fn an_empty_source_that_deletes_nothing_does_not_prevent_the_copy() {
    let (host, case) = two_sources(&said(0, 0, 0));
    case.sync("update", &["local"]).reports(&[TargetReport::copied("local", 4711)]);
    assert_eq!(runs(&host).last().unwrap(), &format!("{COMMAND} --delete -- /srv/a /srv/b /backup/web"));
}

#[test]
fn nothing_is_copied_from_where_a_file_system_is_not_mounted() {
    let host = answers(10, 1, 3).program_with("/usr/bin/mountpoint", |run| {
        ended(if run.args.last().unwrap() == "/srv/web/data" { 32 } else { 0 }, "")
    });
    let mounted = DirectorySync { srcfs: vec!["/srv/web".to_owned()], ..rsync() };
    given(mounted).on(&host).sync("update", &["local"]).reports(&[TargetReport::copied("local", 4711)]);
    let before = runs(&host).len();
    let one_is_not = DirectorySync { srcfs: ["/srv/web", "/srv/web/data"].map(str::to_owned).into(), ..rsync() };
    given(one_is_not).on(&host).sync("update", &["local"]).fails_with(
        "nothing is mounted on /srv/web/data: not copied, because its files would be deleted from the targets",
    );
    assert_eq!(runs(&host).len(), before + 2, "rsync was run");
}

#[test]
fn nothing_is_copied_to_where_the_file_system_is_not_mounted() {
    let asked = |run: &hostler_sdk::fake::ProgramRun<'_>| {
        assert_eq!(run.stdin, b"/backup\0");
        ended(if run.args.iter().any(|arg| arg == "n2") { 123 } else { 0 }, "")
    };
    let host = answers(10, 1, 0).program("/usr/bin/mountpoint", 32, "").program_with("/usr/bin/ssh", asked);
    let refused = "nothing is mounted on /backup there: not copied, because the file system below would fill up";
    given(DirectorySync { dstfs: Some("/backup".to_owned()), ..rsync() })
        .on(&host)
        .sync("update", &["n2", "n3", "local"])
        .reports(&[
            TargetReport::failed("n2", refused),
            TargetReport::copied("n3", 4711),
            TargetReport::failed("local", refused),
        ]);
}

#[test]
fn patterns_are_read_from_the_standard_input() {
    let host = Host::new().program_with("/usr/bin/rsync", |run| {
        assert_eq!(run.stdin, b"- *.log\n");
        Output { stdout: said(10, 1, 0).into_bytes(), ..ended(0, "") }
    });
    let options = ["--exclude=*.log", "--sparse"].map(str::to_owned).into();
    given(DirectorySync { options, bwlimit: Some(500), ..rsync() }).on(&host).sync("update", &["local"]);
    let expected = format!("{COMMAND} --sparse --delete --bwlimit 500 --exclude-from - -- /srv/web/ /backup/web");
    assert_eq!(runs(&host)[1], expected);
}

#[test]
fn a_snapshot_is_copied_and_removed_also_when_a_copy_fails() {
    for status in [0, 23] {
        let host = Host::new().program("/usr/bin/stat", 1, "").program("/usr/bin/btrfs", 0, "").program_with(
            "/usr/bin/rsync",
            move |_| Output { stdout: said(10, 1, 0).into_bytes(), ..ended(status, "x") },
        );
        given(DirectorySync { snap: true, ..rsync() }).on(&host).sync("update", &["n2", "n3"]);
        let runs = runs(&host);
        let btrfs: Vec<&String> = runs.iter().filter(|run| run.starts_with("/usr/bin/btrfs")).collect();
        assert_eq!(btrfs[0], "/usr/bin/btrfs subvolume snapshot -r -- /srv/web/ /srv/web/.hostler-snapshot");
        assert_eq!(btrfs[1], "/usr/bin/btrfs subvolume delete -- /srv/web/.hostler-snapshot");
        assert_eq!((btrfs.len(), runs.last()), (2, Some(btrfs[1])), "one for both nodes, gone at the end");
        assert!(runs.iter().any(|run| run.ends_with("-- /srv/web/.hostler-snapshot/ n2:/backup/web")), "{runs:#?}");
    }
}

#[test]
fn a_snapshot_that_was_left_is_removed_and_anything_else_is_left_alone() {
    let with = |number: &str| answers(10, 1, 0).program("/usr/bin/stat", 0, number).program("/usr/bin/btrfs", 0, "");
    let host = with("256\n");
    given(DirectorySync { snap: true, ..rsync() }).on(&host).sync("update", &["local"]);
    assert_eq!(runs(&host)[1], "/usr/bin/btrfs subvolume delete -- /srv/web/.hostler-snapshot");
    let host = with("1234\n");
    given(DirectorySync { snap: true, ..rsync() })
        .on(&host)
        .sync("update", &["local"])
        .fails_with("is in the way of the snapshot");
    assert_eq!(runs(&host).len(), 1);
}

#[test]
fn impossible_settings_are_reported_beforehand() {
    let options = |word: &str| DirectorySync { options: vec![word.to_owned()], ..rsync() };
    let host = answers(10, 2, 0);
    copy(&host).sync("split", &["local"]).fails(&Error::Unsupported);
    given(options("--rsh=sh")).on(&host).sync("update", &["local"]).fails_with("options: --rsh=sh is not allowed");
    given(DirectorySync { src: vec!["/srv/web".to_owned()], snap: true, ..rsync() })
        .on(&host)
        .validate()
        .finds(&[("snap", "src must be one subvolume, with a slash at its end")]);
    given(DirectorySync { dst: "n3:/srv".to_owned(), ..rsync() })
        .on(&host)
        .validate()
        .finds(&[("dst", "\"n3:/srv\" is not an absolute path")]);
    given(DirectorySync { srcfs: vec!["data".to_owned()], ..rsync() })
        .on(&host)
        .validate()
        .finds(&[("srcfs", "\"data\" is not an absolute path")]);
    assert_eq!(runs(&host), [""; 0]);
}

#[test]
fn the_label_says_what_goes_where() {
    copy(&Host::new()).status().is(State::NotApplicable).labelled("rsync of /srv/web/ to local");
}

#[test]
fn files_that_vanish_during_the_copy_do_not_fail_it() {
    let vanished = "file has vanished: \"/srv/web/a\"\nfile has vanished: \"/srv/web/b\"\n\
                    rsync warning: some files vanished before they could be transferred (code 24)\n";
    let host = Host::new().program_with("/usr/bin/rsync", move |run| {
        // The first program is the dry run.
        let stdout = said(10, 2, 0).into_bytes();
        if run.args.iter().any(|arg| arg == "--dry-run") {
            return Output { stdout, ..ended(0, "") };
        }
        Output { stdout, ..ended(24, vanished) }
    });
    copy(&host).sync("update", &["local"]).reports(&[TargetReport::copied("local", 4711)]);
    let log = format!("{:?}", host.log());
    assert!(log.contains("2 files vanished during the copy"), "{log}");
    let host = Host::new().program_with("/usr/bin/rsync", |_| ended(23, "rsync: a: Permission denied (13)\n"));
    let refused = "rsync exited with 23: rsync: a: Permission denied (13)";
    copy(&host).sync("update", &["local"]).reports(&[TargetReport::failed("local", refused)]);
}
