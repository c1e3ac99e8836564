//! From a section to typed fields.

use std::time::Duration;

use hostler_sdk::schema::Section;
use hostler_sdk::{Command, Error, Keywords, Mode, Secret, Size};

use crate::samples::{Probe, RunAs};

const MINIMAL: [(&str, &str); 4] = [("file", "/srv/x"), ("size", "1024"), ("command", "/bin/true"), ("user", "root")];

fn read(more: &[(&str, &str)]) -> Result<Probe, Error> {
    Probe::read(&Section::from_pairs(&[&MINIMAL, more].concat()))
}

#[test]
fn canonical_values_become_typed_fields() {
    let more = [
        ("password", "x"),
        ("type", "n1"),
        ("type", "n2"),
        ("lazy", "true"),
        ("timeout", "1500"),
        ("mode", "493"),
        ("port", "80"),
        ("secrets", "PASSWORD=x y"),
        ("token", "TOKEN=a=b c"),
        ("command", "-v"),
    ];
    let expected = Probe {
        file: "/srv/x".into(),
        size: Size::bytes(1024),
        password: Some("x".to_owned()),
        of: vec!["n1".to_owned(), "n2".to_owned()],
        lazy: true,
        timeout: Some(Duration::from_millis(1500)),
        mode: Some(Mode(0o755)),
        port: Some(80),
        secrets: vec!["PASSWORD=x y".to_owned()],
        token: Some(Secret::new("a=b c")),
        run: RunAs { command: Command::new("/bin/true").arg("-v"), user: "root".to_owned() },
    };
    assert_eq!(read(&more), Ok(expected));
}

#[test]
fn an_absent_keyword_is_none_empty_or_false() {
    let probe = read(&[]).expect("a minimal section reads");
    assert_eq!((probe.password, probe.of, probe.lazy, probe.timeout), (None, Vec::new(), false, None));
}

#[test]
fn a_value_that_does_not_fit_is_an_error_that_names_the_keyword() {
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("port", "70000")], "port does not fit u16"),
        (&[("lazy", "maybe")], "lazy is neither true nor false"),
        (&[("password", "a"), ("password", "b")], "password must have one value"),
        (&[("timeout", "1s")], "timeout is not a number of milliseconds"),
        (&[("mode", "rwx")], "mode does not hold permission bits"),
        (&[("size", "1g")], "size must have one value"),
    ];
    for (more, expected) in cases {
        assert_eq!(read(more), Err(Error::invalid_config(expected)), "{more:?}");
    }
}

#[test]
fn a_required_keyword_that_is_absent_is_named() {
    let missing = Probe::read(&Section::from_pairs(&MINIMAL[1..]));
    assert_eq!(missing, Err(Error::invalid_config("file is not set")));
}

#[test]
fn sizes_and_modes_are_shown_as_one_writes_them() {
    let sizes =
        [(0, "0"), (1000, "1000"), (1024, "1k"), (3 << 20, "3m"), ((1 << 30) + 1, "1073741825"), (5 << 40, "5t")];
    for (bytes, shown) in sizes {
        assert_eq!(Size::bytes(bytes).to_string(), shown);
    }
    assert_eq!(Mode(0o755).to_string(), "0755");
}
