//! OpenSVC's tables of conversions, without its decimal units, and the cases that they leave out.

use super::*;

#[track_caller]
fn check(kind: ValueKind, text: &str, expected: &[&str]) {
    match convert(kind, text) {
        Ok(values) => assert_eq!(values, expected, "{text:?}"),
        Err(error) => panic!("{text:?} is not {}: {error}", error.kind),
    }
}

#[track_caller]
fn refuse(kind: ValueKind, texts: &[&str], expected: &str) {
    for text in texts {
        let error = convert(kind, text).expect_err(text);
        assert!(error.to_string().contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn sizes_are_binary_however_the_unit_is_written() {
    for (text, bytes) in [
        ("0", "0"),
        ("1", "1"),
        ("1000", "1000"),
        ("100MiB", "104857600"),
        ("1KB", "1024"),
        ("1kb", "1024"),
        ("1,3KB", "1331"),
        ("1KiB", "1024"),
        ("2MiB", "2097152"),
        ("3GiB", "3221225472"),
        ("3gib", "3221225472"),
        ("4TiB", "4398046511104"),
        ("5PiB", "5629499534213120"),
        ("6EiB", "6917529027641081856"),
        ("6eib", "6917529027641081856"),
        ("20g", "21474836480"),
        ("512m", "536870912"),
        ("1.5g", "1610612736"),
        ("1.46mi", "1530920"),
        ("7b", "7"),
        ("20 g", "21474836480"),
    ] {
        check(ValueKind::Size, text, &[bytes]);
    }
    let bad =
        ["-1", "-1000", "-1KB", "8EiB", "8EB", "8.5EB", "badValue", "", "12parsecs", "1.2.3", ".5g", "g", "1bb", "1é"];
    refuse(ValueKind::Size, &bad, "a number with an optional unit, such as 512m or 20g");
    refuse(ValueKind::Size, &["99999999999999999999999999999999"], "512m");
}

#[test]
fn durations_are_sums_and_bare_numbers_are_seconds() {
    for (text, millis) in [
        ("0", "0"),
        ("1", "1000"),
        ("1s", "1000"),
        ("1m1s", "61000"),
        ("1h30m", "5400000"),
        ("1d", "86400000"),
        ("1w", "604800000"),
        ("1y", "31536000000"),
        ("500ms", "500"),
        ("1.5h", "5400000"),
        ("1h 30m", "5400000"),
    ] {
        check(ValueKind::Duration, text, &[millis]);
    }
    refuse(
        ValueKind::Duration,
        &["1p", "", "-1s", "s", "1h30", "1.5", "one", "99999999999999999999y"],
        "such as 30, 10s or 1h30m",
    );
}

#[test]
fn booleans_modes_and_integers() {
    for text in ["true", "True", "YES", "on", "1"] {
        check(ValueKind::Boolean, text, &["true"]);
    }
    for text in ["false", "No", "OFF", "0"] {
        check(ValueKind::Boolean, text, &["false"]);
    }
    refuse(ValueKind::Boolean, &["", "maybe", "2"], "true or false");
    check(ValueKind::Mode, "0755", &["493"]);
    check(ValueKind::Mode, "2770", &["1528"]);
    refuse(ValueKind::Mode, &["", "8", "10000", "rwx", "+755", "-1"], "permissions in octal");
    check(ValueKind::Integer, "-12", &["-12"]);
    check(ValueKind::Integer, "007", &["7"]);
    refuse(ValueKind::Integer, &["", "1.5", "x", "99999999999999999999"], "a decimal integer");
}

#[test]
fn paths_are_absolute_and_tidy() {
    check(ValueKind::Path, "/srv//web/./a/", &["/srv/web/a"]);
    check(ValueKind::Path, "/", &["/"]);
    refuse(ValueKind::Path, &["", "srv", "/srv/../etc", "./a"], "an absolute path without ..");
}

#[test]
fn lists_are_words() {
    check(ValueKind::List, " a  b\nc ", &["a", "b", "c"]);
    check(ValueKind::List, "", &[]);
    check(ValueKind::Words, r#"-e "A=b c" 'd "e"' f\ g ''"#, &["-e", "A=b c", "d \"e\"", "f g", ""]);
    check(ValueKind::Words, "--label #1 $HOME *", &["--label", "#1", "$HOME", "*"]);
    refuse(ValueKind::Words, &["a 'b"], "a closing '");
    refuse(ValueKind::Words, &["a \"b"], "a closing \"");
    refuse(ValueKind::Words, &["a\\"], "behind the last backslash");
}

#[test]
fn commands_run_in_a_shell_only_if_they_need_one() {
    let shell = |text: &str| check(ValueKind::Command, text, &["/bin/sh", "-c", text]);
    check(ValueKind::Command, "/bin/app --name 'a b' x=1", &["/bin/app", "--name", "a b", "x=1"]);
    check(ValueKind::Command, "echo 'a && b' \"c | d\" e\\;f", &["echo", "a && b", "c | d", "e;f"]);
    check(ValueKind::Command, "echo a#b {c}", &["echo", "a#b", "{c}"]);
    shell("mkdir -p /web/sm/init && chown 999:999 /web/*/*");
    shell("echo \"$HOME\"");
    shell("date > /tmp/x");
    shell("LANG=C date");
    shell("ls ~");
    shell("true # always");
    for text in ["true", "Yes", " on ", "1", "50", "01"] {
        check(ValueKind::Launcher, text, &["true"]);
    }
    check(ValueKind::Launcher, "off", &["false"]);
    check(ValueKind::Launcher, "/bin/true 1", &["/bin/true", "1"]);
    check(ValueKind::Launcher, "true --version", &["true", "--version"]);
    refuse(ValueKind::Command, &["", "  "], "a program and its arguments");
    refuse(ValueKind::Command, &["echo 'a"], "a closing '");
}

const KINDS: [ValueKind; 13] = [
    ValueKind::String,
    ValueKind::Boolean,
    ValueKind::Integer,
    ValueKind::Size,
    ValueKind::Duration,
    ValueKind::List,
    ValueKind::Words,
    ValueKind::Command,
    ValueKind::Launcher,
    ValueKind::Path,
    ValueKind::Mode,
    ValueKind::Nodes,
    ValueKind::Schedule,
];

proptest::proptest! {
    #[test]
    fn no_text_panics(text in r#"([0-9.,kmgsh'"\\ /-]|.)*"#, kind in proptest::sample::select(KINDS.to_vec())) {
        let _ = convert(kind, &text);
    }

    #[test]
    fn quoted_words_come_back(words in proptest::collection::vec("[^\0]*", 0..5)) {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        proptest::prop_assert_eq!(split_words(&quoted.join(" ")), Ok(words));
    }
}
