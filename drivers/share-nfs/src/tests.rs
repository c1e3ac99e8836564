//! The life of an export on an exportfs in memory.

use hostler_sdk::fake::{Case, Host, ProgramRun, given, stop_undoes_any_failed_start};
use hostler_sdk::process::Output;

use super::*;

fn share(host: &Host) -> Case<NfsShare> {
    given(NfsShare { path: "/srv/web".into(), opts: "n2(rw,fsid=0) 10.0.0.0/24(ro)".to_owned() }).on(host)
}

/// Keeps etab as exportfs does.
fn exportfs(run: &ProgramRun<'_>) -> Output {
    let etab = run.host.content(ETAB).unwrap_or_default();
    let operand = run.args.last().cloned().unwrap_or_default();
    let (client, path) = operand.rsplit_once(':').unwrap_or_default();
    let begin = format!("{path}\t{client}(");
    let mut lines: Vec<String> = etab.lines().filter(|line| !line.starts_with(&begin)).map(str::to_owned).collect();
    if run.args[0] != "-u" {
        lines.push(format!("{begin}{},sync,sec=sys)", run.args[1]));
    }
    let _ = run.host.clone().text_file(ETAB, &(lines.join("\n") + "\n"));
    Output { status: 0, stdout: Vec::new(), stderr: Vec::new(), truncated: false }
}

fn server() -> Host {
    Host::new().directory("/srv/web").text_file(THREADS, "8\n").program_with("/usr/sbin/exportfs", exportfs)
}

#[test]
fn it_is_exported_and_withdrawn_once() {
    let host = server().text_file(ETAB, "/srv/other\tn2(rw)\n");
    share(&host)
        .status()
        .is(State::Down)
        .start()
        .is_changed("exported /srv/web to n2 10.0.0.0/24")
        .start()
        .is_unchanged("/srv/web is already exported")
        .status()
        .is(State::Up)
        .is_silent()
        .labelled("/srv/web")
        .stop()
        .is_changed("withdrew n2:/srv/web 10.0.0.0/24:/srv/web")
        .stop()
        .is_unchanged("/srv/web is not exported")
        .status()
        .is(State::Down);
    assert_eq!(host.content(ETAB).as_deref(), Some("/srv/other\tn2(rw)\n"), "what others export stays");
    let runs: Vec<String> = host.calls().into_iter().filter(|call| call.starts_with("process.run")).collect();
    assert_eq!(runs[0], "process.run /usr/sbin/exportfs -o rw,fsid=0 -- n2:/srv/web");
    assert_eq!(runs[3], "process.run /usr/sbin/exportfs -u -- 10.0.0.0/24:/srv/web");
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    assert!(stop_undoes_any_failed_start(|| share(&server())) >= 2);
}

#[test]
fn a_deviation_is_a_warning_and_start_corrects_it() {
    for (etab, said) in [
        ("/srv/web\tn2(rw,fsid=0)\n", "not exported to 10.0.0.0/24"),
        ("/srv/web\tn2(ro)\n/srv/web\t10.0.0.0/24(ro)\n", "exported to n2 without rw,fsid=0"),
        ("", "not exported to n2, 10.0.0.0/24"),
    ] {
        let host = server();
        share(&host).start();
        drop(host.clone().text_file(ETAB, etab));
        share(&host).status().is(State::Warn).mentions(said).start().status().is(State::Up);
    }
}

#[test]
fn an_export_of_another_is_a_stranger_until_it_is_adopted() {
    let etab = "/srv/web\tn2(rw,fsid=0)\n";
    let host = server().text_file(ETAB, etab);
    share(&host)
        .status()
        .is(State::Down)
        .mentions("n2 (another exports it there)")
        .start()
        .fails_with("/srv/web is exported to n2 already, and not by this resource: start --local --adopt takes it on")
        .stop()
        .is_unchanged("/srv/web is not exported");
    assert_eq!(host.content(ETAB).as_deref(), Some(etab));
    given(NfsShare { path: "/srv/web".into(), opts: "n2(rw,fsid=0)".to_owned() })
        .with(Context::fake("share#1").with("adopt", "true"))
        .on(&host)
        .start()
        .is_unchanged("took on the export of /srv/web to n2")
        .status()
        .is(State::Up)
        .stop()
        .is_changed("withdrew n2:/srv/web");
}

#[test]
fn without_a_server_nothing_is_served() {
    for threads in ["", "0\n"] {
        let host = server();
        share(&host).start();
        drop(host.clone().text_file(THREADS, threads));
        share(&host).status().is(State::Warn).mentions("no NFS server runs on this node");
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    share(&Host::new()).start().fails_with("/srv/web is not a directory: is its file system mounted?");
}

#[test]
fn a_link_on_the_way_is_followed_before_the_export() {
    let host = server().symlink("/ex", "/srv");
    given(NfsShare { path: "/ex/web".into(), opts: "n2(rw)".to_owned() })
        .on(&host)
        .start()
        .is_changed("exported /ex/web to n2")
        .then(|host| assert_eq!(host.content(ETAB).as_deref(), Some("/srv/web\tn2(rw,sync,sec=sys)\n")))
        .status()
        .is(State::Up)
        .stop()
        .is_changed("withdrew n2:/srv/web");
}

#[test]
fn a_client_that_exportfs_drops_fails_the_start() {
    let host = Host::new().directory("/srv/web").text_file(THREADS, "8\n").program("/usr/sbin/exportfs", 0, "");
    share(&host).start().fails_with("exportfs did not export /srv/web to n2: it must be a name that resolves");
}

#[test]
fn an_invalid_client_is_a_problem() {
    let wrong = NfsShare { path: "/srv/web".into(), opts: "n2(rw".to_owned() };
    given(wrong).on(&server()).validate().finds(&[("opts", "\"n2(rw\" does not end with )")]);
    share(&server()).validate().finds(&[]);
}

#[test]
fn the_client_of_an_export_ends_before_its_path() {
    for (id, client, path) in [
        ("n2:/srv/web", "n2", "/srv/web"),
        ("n2:/srv/a:/b", "n2", "/srv/a:/b"),
        ("10.0.0.0/24:/srv", "10.0.0.0/24", "/srv"),
        ("[fd00::/64]:/srv/a:/b", "[fd00::/64]", "/srv/a:/b"),
        ("[fd00::1]/64:/srv", "[fd00::1]/64", "/srv"),
    ] {
        assert_eq!(super::parts(id), Some((client, path)), "{id}");
    }
    assert_eq!(super::parts("n2"), None);
    assert_eq!(super::parts("[n2:/srv"), None);
}
