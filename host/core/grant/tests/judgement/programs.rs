//! Programs and their arguments, and programs that only read.

use hostler_grant::Access;
use hostler_grant::op::*;

use crate::case::{Case, NOT_ASKED, exec, get, read, spawn, write};

#[test]
fn a_program_runs_with_the_arguments_of_its_line_only() {
    let case = Case {
        requests: &["exec = /sbin/mkfs.ext4 -F [-L {kw:label}] [-m {kw:reserved}] {kw:opts} -- {kw:dev}"],
        keywords: &[("label", &["data"]), ("dev", &["/dev/loop0"]), ("opts", &["a", "b"])],
        ..Case::default()
    };
    let line = "exec = /sbin/mkfs.ext4 -F [-L data] a b -- /dev/loop0";
    case.check(exec("/sbin/mkfs.ext4 -F -L data a b -- /dev/loop0"), line);
    case.check(exec("/sbin/mkfs.ext4 -F a b -- /dev/loop0"), line);
    for other in [
        "/sbin/mkfs.ext4",
        "/sbin/mkfs.ext4 -F -L other a b -- /dev/loop0",
        "/sbin/mkfs.ext4 -F -L a b -- /dev/loop0",
        "/sbin/mkfs.ext4 -F a b -- /dev/loop0 -d /etc",
        "/sbin/mkfs.ext4 -F a b -- /dev/sda",
        "/sbin/mkfs.xfs -F a b -- /dev/loop0",
        "/usr/bin/curl -sS",
    ] {
        case.check(exec(other), &format!("no: exec = {other}: {NOT_ASKED}"));
    }
    case.check(
        spawn("/sbin/mkfs.ext4 -F a b -- /dev/loop0"),
        &format!("no: spawn = /sbin/mkfs.ext4 -F a b -- /dev/loop0: {NOT_ASKED}"),
    );
}

#[test]
fn a_star_is_one_argument_and_not_an_option_before_a_double_dash() {
    let case =
        Case { requests: &["exec = /bin/x a * -- *", "exec = /bin/y **", "exec = /bin/z [*]"], ..Case::default() };
    for (line, allowed) in [
        ("/bin/x a b/c -- d", true),
        ("/bin/x a b -- --any", true),
        ("/bin/x a -b -- d", false),
        ("/bin/x a -- -- d", false),
        ("/bin/x a b c -- d", false),
        ("/bin/x a b --", false),
        ("/bin/y", true),
        ("/bin/y --anything -at all", true),
        ("/bin/z", true),
        ("/bin/z one", true),
        ("/bin/z -o", false),
        ("/bin/z one two", false),
    ] {
        assert_eq!(case.bind().unwrap().permit(exec(line), Access::Mutate).is_ok(), allowed, "{line}");
    }
}

#[test]
fn an_argument_may_be_a_path_of_keywords_or_one_behind_a_host() {
    let keywords: &[(&str, &[&str])] = &[("vg", &["data"]), ("name", &["web"]), ("path", &["/srv/web"])];
    let requests: &[&str] = &[
        "exec = /sbin/lvchange -ay -- /dev/{kw:vg}/{kw:name}",
        "exec = /sbin/exportfs -u -- *:{kw:path}",
        "exec = /sbin/exportfs -u -- */*:{kw:path}",
    ];
    let case = Case { requests, keywords, ..Case::default() };
    case.check(exec("/sbin/lvchange -ay -- /dev/data/web"), "exec = /sbin/lvchange -ay -- /dev/data/web");
    case.check(exec("/sbin/exportfs -u -- n2:/srv/web"), "exec = /sbin/exportfs -u -- *:/srv/web");
    case.check(exec("/sbin/exportfs -u -- 10.0.0.0/24:/srv/web"), "exec = /sbin/exportfs -u -- */*:/srv/web");
    for other in ["/sbin/lvchange -ay -- /dev/data/db", "/sbin/exportfs -u -- n2:/srv"] {
        case.check(exec(other), &format!("no: exec = {other}: {NOT_ASKED}"));
    }
    // A value cannot reach out of its component.
    for (name, value) in [("vg", "../sda"), ("name", "a/b")] {
        let values: &[&str] = &[value];
        let keywords: Vec<(&str, &[&str])> =
            keywords.iter().map(|&(known, old)| (known, if known == name { values } else { old })).collect();
        assert!(Case { requests, keywords: &keywords, ..Case::default() }.bind().is_err(), "{name} = {value}");
    }
}

#[test]
fn a_command_keyword_grants_the_very_command() {
    let case = Case {
        requests: &["exec = {command:check}", "spawn = {command:start}", "exec = {command:stop}"],
        keywords: &[
            ("start", &["/bin/sh", "-c", "exec web > log"]),
            ("check", &["/opt/check", "-v", "*"]),
            ("stop", &["true"]),
        ],
        ..Case::default()
    };
    case.check(exec("/opt/check -v *"), "exec = /opt/check -v \"*\"");
    case.check(exec("/opt/check -v x"), &format!("no: exec = /opt/check -v x: {NOT_ASKED}"));
    let start = StartProgram {
        program: "/bin/sh".into(),
        args: vec!["-c".to_owned(), "exec web > log".to_owned()],
        terms: ProgramTerms { user: Some("www".to_owned()), ..ProgramTerms::default() },
    };
    case.check(start, "spawn = /bin/sh -c \"exec web > log\"");
    case.check(exec("true"), &format!("no: exec = true: {NOT_ASKED}"));
    case.check(SeeProcesses, "exec = /opt/check -v \"*\"");
}

#[test]
fn status_only_looks() {
    let case = Case {
        requests: &["files.write = /srv/f", "exec(read) = /bin/look *", "exec = /bin/touch", "http = * https://h/**"],
        limit: Access::Read,
        ..Case::default()
    };
    const LOOK: &str = "status and validate may only look";
    case.check(read("/srv/f"), "files.write = /srv/f");
    case.check(write("/srv/f"), &format!("no: files.write = /srv/f: {LOOK}"));
    case.check(exec("/bin/look x"), "exec(read) = /bin/look *");
    case.check(exec("/bin/touch"), &format!("no: exec(read) = /bin/touch: {LOOK}"));
    case.check(get("https://h/x"), "http = * https://h/**");
    case.check(
        FetchUrl { method: "POST".to_owned(), url: "https://h/x".to_owned() },
        &format!("no: http = POST https://h/x: {LOOK}"),
    );
    case.check(KeepState, &format!("no: state: {LOOK}"));
    case.check(KillProcesses, &format!("no: spawn = <program>: {LOOK}"));
    assert_eq!(Case { limit: Access::Mutate, ..case }.judge(KeepState), "");
}

#[test]
fn a_program_that_only_reads_is_not_a_change() {
    let case = Case { requests: &["exec = /bin/x", "exec(read) = /bin/look"], ..Case::default() };
    let grants = case.bind().unwrap();
    assert_eq!(grants.permit(exec("/bin/look"), Access::Mutate).unwrap().access(), Access::Read);
    assert_eq!(grants.permit(exec("/bin/x"), Access::Mutate).unwrap().access(), Access::Mutate);
}

#[test]
fn a_denied_argument_is_denied_under_each_spelling_of_what_it_leads_to() {
    let deny = |line: &str| Case {
        requests: &["exec = /bin/dd **"],
        site: Some(Box::leak(format!("deny exec = {line}\n").into_boxed_str())),
        ..Case::default()
    };
    let spelled = |arg: &str, other: &str| (arg.to_owned(), vec![other.to_owned()]);
    for (line, op, spellings, forbidden) in [
        ("/bin/dd of=/dev/loop0", "/bin/dd of=/srv/x", vec![spelled("of=/srv/x", "of=/dev/loop0")], true),
        ("/bin/dd of=/dev/loop*", "/bin/dd of=/srv/x", vec![spelled("of=/srv/x", "of=/dev/loop0")], true),
        ("/bin/dd of=/dev/loop0", "/bin/dd of=/srv/x", vec![spelled("of=/srv/x", "of=/dev/loop1")], false),
        (
            "/bin/dd [if=/a] of=/b",
            "/bin/dd if=/1 of=/2",
            vec![spelled("if=/1", "if=/a"), spelled("of=/2", "of=/b")],
            true,
        ),
        ("/bin/dd [if=/a] of=/b", "/bin/dd if=/1 of=/2", vec![spelled("if=/1", "if=/a")], false),
        ("/bin/dd of=/dev/loop0", "/bin/dd of=/dev/loop0", vec![], true),
    ] {
        let grants = deny(line).bind().unwrap();
        assert_eq!(grants.forbids_spelled(&exec(op), &spellings).is_some(), forbidden, "{line}: {op}");
        // A spelling denies, and allows nothing.
        assert!(grants.forbids_spelled(&exec("/bin/dd if=/other"), &[]).is_none());
    }
    // The links in the arguments of the line itself lead to places, too.
    let follow =
        |path: &std::path::Path| path.strip_prefix("/var").ok().map(|rest| std::path::Path::new("/").join(rest));
    for line in ["/bin/dd of=/var/run/x", "/bin/dd of=/var/run/*", "/bin/dd [of=/var/run/x]"] {
        let mut grants = deny(line).bind().unwrap();
        assert!(grants.forbids_spelled(&exec("/bin/dd of=/run/x"), &[]).is_none());
        grants.follow_denials(&follow);
        for op in ["/bin/dd of=/run/x", "/bin/dd of=/var/run/x"] {
            assert!(grants.forbids_spelled(&exec(op), &[]).is_some(), "{line}: {op}");
        }
        assert!(grants.forbids_spelled(&exec("/bin/dd of=/run/y/z"), &[]).is_none());
    }
}

#[test]
fn what_an_argument_leads_to_is_denied_like_the_use_of_it() {
    for (line, thing, reads, writes) in [
        ("files.read = /srv/a", ArgumentThing::File("/srv/a".into()), true, true),
        ("files.write = /srv/a", ArgumentThing::File("/srv/a".into()), false, true),
        ("block.loop = /srv/a", ArgumentThing::File("/srv/a".into()), false, true),
        ("block.read = /srv/a", ArgumentThing::File("/srv/a".into()), true, true),
        ("files.read = /srv/a/**", ArgumentThing::Tree("/srv".into()), true, true),
        ("files.write = /srv/a/**", ArgumentThing::Tree("/srv".into()), false, true),
        ("files.read = /srv/a/**", ArgumentThing::Tree("/srv/b".into()), false, false),
        ("block.read = /dev/loop0", ArgumentThing::Device("/dev/loop0".into()), true, true),
        ("files.write = /dev/loop0", ArgumentThing::Device("/dev/loop0".into()), false, true),
        ("block.read = /dev/loop0", ArgumentThing::Device("/dev/loop1".into()), false, false),
    ] {
        let site = format!("deny {line}\n");
        let grants = Case { site: Some(&site), ..Case::default() }.bind().unwrap();
        let denied = |access| grants.forbids_thing(&thing, access).is_some();
        assert_eq!((denied(Access::Read), denied(Access::Mutate)), (reads, writes), "{line}: {thing:?}");
    }
}

#[test]
fn a_variable_is_named_by_the_line_that_allows_the_program() {
    let named = |namespace: &str, name: &str, any: bool| {
        let case = Case {
            requests: &["exec = {command:run}"],
            keywords: &[("run", &["/bin/x", "a"])],
            namespace: Some(namespace),
            ..Case::default()
        };
        let grants = case.bind().unwrap();
        let permit = grants.permit(exec("/bin/x a"), Access::Mutate).unwrap();
        // The site's policy is open, and has no line: only where it is asked, it must have one.
        assert!(grants.name_variable(&permit, name, (true, false), any).is_err());
        assert!(grants.name_variable(&permit, name, (false, false), any).is_ok());
        grants.name_variable(&permit, name, (false, true), any).is_ok()
    };
    assert!(named("allow exec(env=PORT+MODE) = /bin/x a", "MODE", true));
    assert!(!named("allow exec(env=PORT+MODE) = /bin/x a", "SHELL", true));
    assert!(!named("allow exec = /bin/x a\nallow exec(env=SHELL) = /bin/y a", "SHELL", true));
    assert!(named("allow exec = /bin/x a\nallow exec(env=SHELL) = /bin/x *", "SHELL", true));
    assert!(named("allow exec(env=*) = /bin/x a", "PORT", true));
    assert!(!named("allow exec(env=*) = /bin/x a", "HOME", false));
    assert!(named("allow exec(env=*+HOME) = /bin/x a", "HOME", false));
    for bad in ["exec(env=) = /bin/x", "exec(env=A=B) = /bin/x", "exec(env=1) = /bin/x", "files.read(env=A) = /x"] {
        assert!(hostler_grant::Policy::parse(&format!("allow {bad}\n")).is_err(), "{bad}");
    }
}

#[test]
fn an_argument_is_allowed_with_the_place_to_which_it_leads() {
    let allowed = |namespace: &str, place: &str| {
        let case = Case {
            requests: &["exec = {command:run}"],
            keywords: &[("run", &["/bin/cat", "--", "/srv/a/link"])],
            namespace: Some(namespace),
            ..Case::default()
        };
        let led = [(place, "/srv/a/link")];
        let (op, there) = (exec("/bin/cat -- /srv/a/link"), exec(&format!("/bin/cat -- {place}")));
        case.bind().unwrap().permit_arguments(&op, &there, &led, &|_| None).is_ok()
    };
    for (namespace, place, expected) in [
        ("allow exec = /bin/cat -- /srv/a/*", "/srv/a/file", true),
        ("allow exec = /bin/cat -- /srv/a/*", "/etc/shadow", false),
        ("allow exec = /bin/cat -- /srv/a/*\nallow exec = /bin/cat -- /etc/*", "/etc/shadow", true),
        ("allow exec = /bin/cat **", "/etc/shadow", true),
        ("allow exec = /bin/cat **\ndeny exec = /bin/cat -- /etc/shadow", "/etc/shadow", false),
        // Who writes the link means what it leads to.
        ("allow exec = /bin/cat -- /srv/a/link", "/etc/shadow", true),
        ("allow exec = /bin/cat -- /srv/a/other", "/etc/shadow", false),
    ] {
        assert_eq!(allowed(namespace, place), expected, "{namespace}: {place}");
    }
}
