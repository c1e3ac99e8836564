//! OpenSVC's own tables of keys, and the cases that they leave out.

use super::*;

fn check(text: &str, section: &str, option: &str, scope: Option<&str>, shown: &str) {
    let key: ConfigKey = text.parse().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((key.section.as_str(), key.option.as_str(), key.scope.as_deref()), (section, option, scope), "{text}");
    assert_eq!(key.to_string(), shown);
}

#[test]
fn keys_are_split_as_opensvc_splits_them() {
    check("topology", "DEFAULT", "topology", None, "topology");
    check("DEFAULT.topology", "DEFAULT", "topology", None, "topology");
    check("topology@nodes", "DEFAULT", "topology", Some("nodes"), "topology@nodes");
    check("DEFAULT.topology@nodes", "DEFAULT", "topology", Some("nodes"), "topology@nodes");
    check("DEFAULT.topology@n1.acme.com", "DEFAULT", "topology", Some("n1.acme.com"), "topology@n1.acme.com");
    check("fs#1.dev", "fs#1", "dev", None, "fs#1.dev");
    check("array#bay.acme.com.", "array#bay.acme.com", "", None, "array#bay.acme.com.");
    check("array#bay.acme.com.api", "array#bay.acme.com", "api", None, "array#bay.acme.com.api");
    let scoped = "array#bay.acme.com.api@n1.acme.com";
    check(scoped, "array#bay.acme.com", "api", Some("n1.acme.com"), scoped);
    check("data.a.b/C.D", "data", "a.b/C.D", None, "data.a.b/C.D");
    check("data.me@acme.com", "data", "me@acme.com", None, "data.me@acme.com");
    check("env.a.b@n1", "env", "a.b", Some("n1"), "env.a.b@n1");
    check("container#1", "container#1", "", None, "container#1.");
    check(".foo", "", "foo", None, ".foo");
}

#[test]
fn an_invalid_key_is_refused() {
    for text in ["", ".", " ", "a ", " b", " .foo", " foo.bar", "foo.bar ", "\tfoo.bar", "a@", "fs#1.@n1", "a=b"] {
        assert!(text.parse::<ConfigKey>().is_err(), "{text:?}");
    }
}

fn check_op(text: &str, key: ConfigKey, op: KeyOperator, value: &str) {
    assert_eq!(text.parse(), Ok(KeyOperation { key, op, value: value.to_owned() }), "{text}");
}

#[test]
fn the_first_operator_is_the_operator() {
    let default = |option: &str| ConfigKey::new(DEFAULT, option);
    check_op("a=b", default("a"), KeyOperator::Set, "b");
    check_op("foo=bar", default("foo"), KeyOperator::Set, "bar");
    check_op("foo=bar+=666", default("foo"), KeyOperator::Set, "bar+=666");
    check_op("a+=b", default("a"), KeyOperator::Append, "b");
    check_op("a-=b", default("a"), KeyOperator::Remove, "b");
    check_op("a|=b", default("a"), KeyOperator::Merge, "b");
    check_op("a^=b", default("a"), KeyOperator::Toggle, "b");
    check_op("env.abc[0]=bb8", ConfigKey::new("env", "abc"), KeyOperator::Insert(0), "bb8");
    check_op("env.a[2]=b", ConfigKey::new("env", "a"), KeyOperator::Insert(2), "b");
    check_op("fs.optional=false", ConfigKey::new("fs", "optional"), KeyOperator::Set, "false");
    let vdev = "mirror {volume#1.exposed_devs[0]} {volume#2.exposed_devs[0]}";
    check_op(&format!("disk#0.vdev={vdev}"), ConfigKey::new("disk#0", "vdev"), KeyOperator::Set, vdev);
}

#[test]
fn a_text_without_an_operator_says_what_was_expected() {
    let error = |text: &str| text.parse::<KeyOperation>().unwrap_err().to_string();
    assert_eq!(error("ab"), "\"ab\" sets nothing: expected <key>=<value>, or += -= |= ^= or [i]= in place of =");
    assert_eq!(error("a[x]=1"), "\"x\" is not an index: expected a number counted from 0");
    assert_eq!(error("fs#1=1"), "fs#1 is a section: expected one of its keywords, such as fs#1.comment");
    assert!(error("=1").contains("is not a key"));
}

#[test]
fn changes_edit_words() {
    let check = |change: &str, expected: &str| {
        let mut document = Document::parse("[DEFAULT]\nnodes = n1 n2\n");
        let change: KeyOperation = change.parse().unwrap_or_else(|error| panic!("{error}"));
        document.apply(&change).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(document.text(), format!("[DEFAULT]\nnodes = {expected}\n"), "{change:?}");
    };
    check("nodes=n9", "n9");
    check("nodes+=n2", "n1 n2 n2");
    check("nodes-=n1", "n2");
    check("nodes-=n7", "n1 n2");
    check("nodes|=n2", "n1 n2");
    check("nodes|=n3", "n1 n2 n3");
    check("nodes^=n2", "n1");
    check("nodes^=n3", "n1 n2 n3");
    check("nodes[0]=n0", "n0 n1 n2");
    check("nodes[9]=n3", "n1 n2 n3");
}
