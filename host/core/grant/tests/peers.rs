//! Lines about the other nodes of an object, and arguments that are a path with something before or behind it.

use hostler_grant::op::RunProgram;
use hostler_grant::{Access, GrantContext, GrantKeyword, GrantRequest, Grants, NoDeviceLedger, Policy};

fn context(peers: &[&str]) -> GrantContext {
    GrantContext {
        object: "web".parse().unwrap(),
        rid: "sync#1".parse().unwrap(),
        node: "n1".parse().unwrap(),
        rundir: "/run/web".into(),
        statedir: "/state/web".into(),
        config: "/etc/web.conf".into(),
        peers: peers.iter().map(|peer| peer.parse().unwrap()).collect(),
    }
}

/// Whether the line, bound to these keywords, allows the command.
fn allows(line: &str, keywords: &[(&str, &[&str])], peers: &[&str], command: &str) -> bool {
    let values: Vec<(&str, Vec<String>)> =
        keywords.iter().map(|(name, values)| (*name, values.iter().map(ToString::to_string).collect())).collect();
    let keywords: Vec<GrantKeyword<'_>> =
        values.iter().map(|(name, values)| GrantKeyword::written(name, values)).collect();
    let requests = [line.parse::<GrantRequest>().unwrap()];
    let (site, namespace) = (Policy::everything(), Policy::everything());
    let grants = Grants::bind(&requests, &context(peers), &keywords, &NoDeviceLedger, &site, &namespace).unwrap();
    let mut words = command.split(' ').map(str::to_owned);
    let program = words.next().unwrap().into();
    grants.permit(RunProgram { program, args: words.collect(), ..RunProgram::default() }, Access::Mutate).is_ok()
}

#[test]
fn a_line_about_peers_stands_for_one_line_a_node() {
    let check = |command: &str, peers: &[&str], expected: bool| {
        let line = "exec = /usr/bin/rsync -- {config} {peer}:{config}";
        assert_eq!(allows(line, &[], peers, command), expected, "{command} {peers:?}");
    };
    check("/usr/bin/rsync -- /etc/web.conf n2:/etc/web.conf", &["n2", "n3"], true);
    check("/usr/bin/rsync -- /etc/web.conf n3:/etc/web.conf", &["n2", "n3"], true);
    check("/usr/bin/rsync -- /etc/web.conf n2:/etc/web.conf n3:/etc/web.conf", &["n2", "n3"], false);
    check("/usr/bin/rsync -- /etc/web.conf n4:/etc/web.conf", &["n2", "n3"], false);
    check("/usr/bin/rsync -- /etc/web.conf n2:/etc/shadow", &["n2"], false);
    check("/usr/bin/rsync -- /etc/web.conf :/etc/web.conf", &[], false);
}

#[test]
fn a_path_may_have_a_peer_before_it_and_a_place_behind_it() {
    let check = |line: &str, values: &[&str], command: &str, expected: bool| {
        assert_eq!(allows(line, &[("p", values)], &["n2"], command), expected, "{line} {values:?}: {command}");
    };
    let behind = "exec = /x {kw:p}/.snap/";
    check(behind, &["/srv/web"], "/x /srv/web/.snap/", true);
    check(behind, &["/srv/web/"], "/x /srv/web/.snap/", true);
    check(behind, &["/srv/a", "/srv/b/"], "/x /srv/a/.snap/ /srv/b/.snap/", true);
    check(behind, &["/srv/web"], "/x /srv/web", false);
    for no_path in ["-e", "web", "n3:/srv/web", "/srv/../etc", "/"] {
        check(behind, &[no_path], &format!("/x {no_path}/.snap/"), false);
    }
    check("exec = /x {kw:p}/.sent-{peer}", &["/srv/web"], "/x /srv/web/.sent-n2", true);
    check("exec = /x {kw:p}/.sent-{peer}", &["/srv/web"], "/x /srv/web/.sent-n3", false);
    let before = "exec = /x {peer}:{kw:p}";
    check(before, &["/srv/web"], "/x n2:/srv/web", true);
    check(before, &["/srv/web/"], "/x n2:/srv/web/", true);
    check(before, &["/srv/web"], "/x n3:/srv/web", false);
    check(before, &["web"], "/x n2:web", false);
    let scheme = "exec = /x -H unix://{kw:p}";
    check(scheme, &["/run/a.sock"], "/x -H unix:///run/a.sock", true);
    check(scheme, &["/run/a.sock"], "/x -H unix:///run/b.sock", false);
    check(scheme, &["a.sock"], "/x -H unix://a.sock", false);
}

#[test]
fn a_list_alone_in_brackets_is_any_of_its_values_in_their_order() {
    let check = |line: &str, command: &str, expected: bool| {
        assert_eq!(allows(line, &[("l", &["a", "b", "c"])], &[], command), expected, "{line}: {command}");
    };
    let any = "exec = /x -- [ {kw:l} ]";
    for some in ["/x --", "/x -- a", "/x -- c", "/x -- a c", "/x -- a b c"] {
        check(any, some, true);
    }
    for other in ["/x -- c a", "/x -- a a", "/x -- d", "/x -- -a", "/x a"] {
        check(any, other, false);
    }
    check("exec = /x [ -l {kw:l} ]", "/x -l a b c", true);
    check("exec = /x [ -l {kw:l} ]", "/x -l a", false);
}

#[test]
fn a_keyword_is_a_part_of_no_other_argument() {
    for line in ["exec = /x -o{kw:p}", "exec = /x {kw:p}x", "exec = /x {node}:{kw:p}", "exec = /x {peer}{kw:p}"] {
        let error = line.parse::<GrantRequest>().unwrap_err().to_string();
        assert!(error.contains("a whole argument"), "{error}");
    }
}
