//! A default that a third party's manifest has for a keyword grants nothing, wherever the keyword stands.

use hostler_grant::op::*;
use hostler_grant::{
    Access, GrantContext, GrantKeyword, GrantRequest, GrantStatus, Grants, NoDeviceLedger, Policy, Refuser,
};
use model::object::Provenance;

fn context() -> GrantContext {
    GrantContext {
        object: "web".parse().unwrap(),
        rid: "app#1".parse().unwrap(),
        node: "n1".parse().unwrap(),
        rundir: "/run/web".into(),
        statedir: "/state/web".into(),
        config: "/etc/web.conf".into(),
        peers: Vec::new(),
    }
}

fn bind(requests: &[&str], values: &[&str], provenance: &Provenance) -> Grants {
    let requests: Vec<GrantRequest> = requests.iter().map(|line| line.parse().unwrap()).collect();
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let keywords = [GrantKeyword { name: "own", values: &values, provenance }];
    let everything = Policy::everything();
    Grants::bind(&requests, &context(), &keywords, &NoDeviceLedger, &everything, &everything).unwrap()
}

#[test]
fn a_default_of_a_third_party_binds_no_line() {
    let write = || WritePath { path: "/srv/own/x".into() };
    let written =
        [Provenance::Written { line: 3 }, Provenance::BuiltInDefault, Provenance::Store(model::ObjectKind::Cfg)];
    for provenance in written {
        assert!(
            bind(&["files.write = {kw:own}/**"], &["/srv/own"], &provenance).permit(write(), Access::Mutate).is_ok()
        );
    }
    let grants = bind(&["files.write = {kw:own}/**"], &["/srv/own"], &Provenance::ThirdPartyDefault);
    let denied = grants.permit(write(), Access::Mutate).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "files.write = /srv/own/x: own is not set, and its default, which the driver's author wrote, does not bind \
         \"files.write = {kw:own}/**\""
    );
    assert!(
        matches!(&grants.lines()[..], [line] if matches!(line.standing, GrantStatus::Refused(Refuser::ForeignDefault { .. })))
    );
}

#[test]
fn neither_a_command_nor_an_option_nor_a_mount_point_comes_from_a_default() {
    let run = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        RunProgram { program: words.next().unwrap().into(), args: words.collect(), ..RunProgram::default() }
    };
    let grants = bind(
        &[
            "exec(caps=all) = {command:own}",
            "exec = /bin/x [ {kw:own} ] -- end",
            "exec = /bin/y /srv/{kw:own}/in",
            "mount = tmpfs tmpfs on {kw:own}",
        ],
        &["/bin/evil"],
        &Provenance::ThirdPartyDefault,
    );
    for line in ["/bin/evil", "/bin/x /bin/evil -- end", "/bin/y /srv//bin/evil/in"] {
        assert!(grants.permit(run(line), Access::Mutate).is_err(), "{line}");
    }
    assert!(grants.permit(run("/bin/x -- end"), Access::Mutate).is_ok());
    // A stop may unmount without a source, but not what a default aims it at.
    assert!(grants.permit(UnmountTarget { target: "/bin/evil".into() }, Access::Mutate).is_err());
}
