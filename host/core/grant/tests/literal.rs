//! Properties: no value of a keyword widens a grant beyond itself, no text makes the parser panic, lines read back.

use hostler_grant::op::*;
use hostler_grant::{
    Access, GrantContext, GrantKeyword, GrantRequest, Grants, NoDeviceLedger, Operation, Policy, SitePolicy,
};
use proptest::prelude::*;

fn context() -> GrantContext {
    GrantContext {
        object: "web".parse().unwrap(),
        rid: "fs#1".parse().unwrap(),
        node: "n1".parse().unwrap(),
        rundir: "/run/web".into(),
        statedir: "/state/web".into(),
        config: "/etc/web.conf".into(),
        peers: Vec::new(),
    }
}

fn bind(request: &str, value: &str) -> Option<Grants> {
    let values = [value.to_owned()];
    let keywords = [GrantKeyword::written("v", &values)];
    let requests = [GrantRequest::parse(request).unwrap()];
    Grants::bind(&requests, &context(), &keywords, &NoDeviceLedger, &Policy::everything(), &Policy::everything()).ok()
}

fn allows(grants: &Grants, op: impl Operation) -> bool {
    grants.permit(op, Access::Mutate).is_ok()
}

fn write(path: &str) -> WritePath {
    WritePath { path: path.into() }
}

fn device(path: &str) -> ReadDevice {
    ReadDevice { path: path.to_owned() }
}

/// Text with many characters that have a meaning in the grammar.
fn hostile() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("/"),
            Just("*"),
            Just("**"),
            Just(".."),
            Just("."),
            Just("{kw:v}"),
            Just("{rundir}"),
            Just("["),
            Just("]"),
            Just("\""),
            Just("\\"),
            Just(" "),
            Just("-"),
            Just("--"),
            Just("\0"),
            Just("#"),
            Just("a"),
            Just("srv"),
            Just("="),
            Just(","),
            Just("%2e"),
            Just("on"),
            Just("\n"),
            Just("é"),
        ],
        0..6,
    )
    .prop_map(|parts| parts.concat())
}

/// As [`hostile`], and often the shape of a path.
fn paths() -> impl Strategy<Value = String> {
    prop_oneof![
        hostile(),
        hostile().prop_map(|tail| format!("/{tail}")),
        hostile().prop_map(|tail| format!("/srv/{tail}"))
    ]
}

proptest! {
    #[test]
    fn a_value_grants_no_path_but_itself(value in paths(), asked in paths()) {
        if let Some(grants) = bind("files.write = {kw:v}", &value) {
            prop_assert!(!allows(&grants, write(&asked)) || asked == value);
        }
        if let Some(grants) = bind("files.write = {kw:v}/**", &value) {
            let below = asked == value || asked.starts_with(&format!("{value}/"));
            prop_assert!(!allows(&grants, write(&asked)) || below);
        }
        if let Some(grants) = bind("files.write = /srv/{kw:v}/x", &value) {
            let itself = asked == format!("/srv/{value}/x") && !value.contains('/') && value != "..";
            prop_assert!(!allows(&grants, write(&asked)) || itself);
        }
    }

    #[test]
    fn a_value_grants_itself_where_it_is_legal(value in paths()) {
        if let Some(grants) = bind("files.write = {kw:v}", &value) {
            let granted = allows(&grants, write(&value));
            prop_assert!(granted);
        }
    }

    #[test]
    fn a_value_is_one_argument_and_not_an_option(value in hostile(), args in proptest::collection::vec(hostile(), 0..4)) {
        if let Some(grants) = bind("exec = /bin/x a {kw:v} b", &value) {
            prop_assert!(!value.starts_with('-'));
            let exec = RunProgram { program: "/bin/x".into(), args: args.clone(), ..RunProgram::default() };
            prop_assert!(!allows(&grants, exec) || args == ["a", &value, "b"]);
            let own = RunProgram { program: "/bin/x".into(), args: vec!["a".into(), value.clone(), "b".into()], ..RunProgram::default() };
            prop_assert!(allows(&grants, own));
        }
    }

    #[test]
    fn a_value_is_one_source_of_a_mount(value in paths(), asked in paths()) {
        if let Some(grants) = bind("mount = ext4 {kw:v} on /srv", &value) {
            let mount = MountFilesystem { fstype: "ext4".into(), source: asked.clone(), target: "/srv".into(), options: vec![], freedom: MountFreedom::Full, binds_file: false };
            prop_assert!(!allows(&grants, mount) || asked == value);
        }
        if let Some(grants) = bind("block.read = {kw:v}", &value) {
            prop_assert!(!allows(&grants, device(&asked)) || asked == value);
        }
    }

    #[test]
    fn the_refusal_is_the_line_that_would_allow(path in paths(), args in proptest::collection::vec(hostile(), 0..4)) {
        let nothing = Policy::nothing();
        let none = Grants::bind(&[], &context(), &[], &NoDeviceLedger, &nothing, &nothing).unwrap();
        if let Some(clean) = bind("files.write = {kw:v}", &path).map(|_| path) {
            let exec = RunProgram { program: clean.clone().into(), args, ..RunProgram::default() };
            let write = WritePath { path: clean.into() };
            let lines = [
                none.permit(exec.clone(), Access::Mutate).unwrap_err().line,
                none.permit(write.clone(), Access::Mutate).unwrap_err().line,
            ];
            let requests: Vec<GrantRequest> = lines.iter().map(|line| GrantRequest::parse(line).unwrap()).collect();
            let all = Policy::everything();
            let grants = Grants::bind(&requests, &context(), &[], &NoDeviceLedger, &all, &all).unwrap();
            prop_assert!(allows(&grants, write), "{}", lines[1]);
            let zero = exec.args.iter().any(|arg| arg.contains('\0'));
            prop_assert!(zero || allows(&grants, exec), "{}", lines[0]);
            for line in &lines {
                let policy = Policy::parse(&format!("allow {line}"));
                prop_assert!(policy.is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in ".*", hostile in hostile()) {
        let _ = GrantRequest::parse(&text);
        for head in ["files.read =", "exec(", "exec =", "mount =", "http = GET", "net.route =", "http.unix = GET /s", "exec(user="] {
            let _ = GrantRequest::parse(&format!("{head} {hostile}"));
            let _ = GrantRequest::parse(&format!("{head}{text}"));
        }
        let _ = SitePolicy::parse(&text);
        let _ = Policy::parse(&format!("allow {hostile}\n{text}"));
    }

    #[test]
    fn no_operation_panics(value in hostile(), url in ".*") {
        if let Some(grants) = bind("http = * https://h/**", &value) {
            let _ = allows(&grants, FetchUrl { method: value.clone(), url: url.clone() });
            let _ = allows(&grants, FetchUrl { method: "GET".into(), url: format!("https://h/{value}{url}") });
        }
    }
}
