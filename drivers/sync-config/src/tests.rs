//! A node in memory, and other nodes that rsync speaks for.

use hostler_sdk::fake::{Case, Host, given};
use hostler_sdk::process::Output;

use super::*;

const CONFIG: &str = "/etc/hostler/web.conf";
const AGREEMENT: &str = "/var/lib/hostler/svc/web/driver/sync#i0/agreement";

fn config(host: &Host, nodes: &str, drpnodes: &str) -> Case<ConfigSync> {
    let target = ["nodes", "drpnodes"].map(str::to_owned).into();
    let context = Context::fake("sync#i0").with("nodes", nodes).with("drpnodes", drpnodes);
    given(ConfigSync { target }).with(context).on(host)
}

/// The answers of rsync for each node: to the comparison, and to the copy.
fn rsync(answer: impl Fn(&str, bool) -> Output + 'static) -> Host {
    let host = Host::new().text_file(CONFIG, "[DEFAULT]\nnodes = n1 n2\n");
    host.program_with("/usr/bin/rsync", move |run| {
        let (node, path) = run.args.last().and_then(|there| there.split_once(':')).unwrap();
        let rehearsal = run.args.iter().any(|arg| arg == "--dry-run");
        if path == AGREEMENT { said("<f+++++++++ agreement\n") } else { answer(node, rehearsal) }
    })
}

fn said(line: &str) -> Output {
    let stdout = format!("{line}\nNumber of files: 1\nTotal bytes sent: 123\n").into_bytes();
    Output { status: 0, stdout, stderr: Vec::new(), truncated: false }
}

fn down() -> Output {
    let stderr = b"ssh: connect to host n3 port 22: No route to host\nrsync: connection unexpectedly closed\n".to_vec();
    Output { status: 255, stdout: Vec::new(), stderr, truncated: false }
}

#[test]
fn all_agree_once_it_was_sent_and_no_more_when_it_changes() {
    let host = rsync(|_, _| said("<fc.t...... web.conf"));
    config(&host, "n1 n2", "n3")
        .status()
        .is(State::Down)
        .labelled("rsync svc config to drpnodes, nodes")
        .mentions("n2 never got the configuration: need update")
        .sync("update", &["n2"])
        .reports(&[TargetReport::copied("n2", 123)])
        .status()
        .is(State::Warn)
        .mentions("n3 never got the configuration")
        .sync("update", &["n2", "n3"])
        .status()
        .is(State::Up)
        .is_silent()
        .then(|host| drop(host.clone().text_file(CONFIG, "[DEFAULT]\nnodes = n1 n2\napp = new\n")))
        .status()
        .is(State::Down)
        .mentions("n2 has another configuration, as far as is known");
}

#[test]
fn the_known_state_is_sent_to_the_nodes_that_were_reached() {
    let host = rsync(|node, _| if node == "n3" { down() } else { said("") });
    config(&host, "n1 n2 n3", "").sync("update", &["n2", "n3"]).reports(&[
        TargetReport::unchanged("n2"),
        TargetReport::failed("n3", "cannot be reached: ssh: connect to host n3 port 22: No route to host"),
    ]);
    let known = host.content(AGREEMENT).unwrap();
    assert_eq!(known.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(), ["n1", "n2"]);
    let copies: Vec<String> =
        host.calls().into_iter().filter(|call| call.contains(AGREEMENT) && call.contains("rsync")).collect();
    assert!(copies.len() == 1 && copies[0].ends_with(&format!("-- {AGREEMENT} n2:{AGREEMENT}")), "{copies:#?}");
}

#[test]
fn a_newer_configuration_is_not_overwritten_unless_forced() {
    let answer = |_: &str, rehearsal: bool| said(if rehearsal { "<fcst...... web.conf" } else { "" });
    let host = rsync(answer);
    let newer = "its configuration is another one, and newer: not overwritten; copy it from there, or send this one with --force";
    config(&host, "n1 n2", "")
        .sync("update", &["n2"])
        .reports(&[TargetReport::failed("n2", newer)])
        .status()
        .is(State::Down);
    let updates = |host: &Host| host.calls().iter().filter(|call| call.contains(" --update ")).count();
    assert_eq!(updates(&host), 1);
    let host = rsync(|_, _| said("<fcst...... web.conf"));
    let forced = Context::fake("sync#i0").with("nodes", "n1 n2").with("force", "true");
    given(ConfigSync { target: vec!["nodes".to_owned()] })
        .with(forced)
        .on(&host)
        .sync("full", &["n2"])
        .reports(&[TargetReport::copied("n2", 123)]);
    assert_eq!(updates(&host), 0);
}

#[test]
fn other_verbs_are_not_its_own() {
    config(&rsync(|_, _| said("")), "n1 n2", "").sync("split", &["n2"]).fails(&Error::Unsupported);
}
