//! Names and paths, as in OpenSVC's own tables unless ours differ.

use super::*;

/// Text, and the canonical path that it means. None: refused.
#[test]
fn a_text_means_one_path_or_none() {
    let long = "a".repeat(63);
    let check = |text: &str, canonical: Option<&str>| {
        let parsed = text.parse::<ObjectPath>().ok();
        assert_eq!(parsed.as_ref().map(ObjectPath::to_string).as_deref(), canonical, "{text}");
        if let Some(path) = parsed {
            assert_eq!(path.to_string().parse(), Ok(path.clone()), "{text}: canonical form");
            assert_eq!(path.fqn().parse(), Ok(path), "{text}: full form");
        }
    };
    check("svc1", Some("svc1"));
    check("svc/svc1", Some("svc1"));
    check("root/svc/svc1", Some("svc1"));
    check("ns1/svc/svc1", Some("ns1/svc/svc1"));
    check("sec/ca", Some("sec/ca"));
    check("root/sec/ca", Some("sec/ca"));
    check("system/sec/ca", Some("system/sec/ca"));
    check("osvprdcollector.opensvc.com", Some("osvprdcollector.opensvc.com"));
    check("1.web.shop", Some("1.web.shop"));
    check("a", Some("a"));
    check(&long, Some(&long));
    check("cluster", Some("cluster"));
    check("ccfg/cluster", Some("cluster"));
    check("/", Some("/"));
    check("root/", Some("/"));
    check("ns1/", Some("ns1/"));
    check("ns1/nscfg/", Some("ns1/"));
    check("ns1/nscfg/namespace", Some("ns1/"));
    check("ns1/svc/namespace", Some("ns1/svc/namespace"));
    check("", None);
    check("ns1/foo/name", None);
    check("ns1/svc/name#", None);
    check("ns1#/svc/name", None);
    check("ns1/svc/", None);
    check("a/b/c/d", None);
    check("SVC1", None);
    check("namespace", None);
    check("svc", None);
    check("ns1/svc/vol", None);
    check("node", None);
    check("vol/svc/web", None);
    check(&format!("{long}a"), None);
    check("a..b", None);
    check("..", None);
    check("../etc/passwd", None);
    check("-a", None);
    check("a-", None);
    check("web_1", None);
    check("ns1/ccfg/cluster", None);
    check("nscfg/other", None);
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let check = |text: &str, message: &str| assert_eq!(text.parse::<ObjectPath>().unwrap_err().to_string(), message);
    check(
        "ns1/foo/x",
        r#""ns1/foo/x" is not an object path: "foo" is not a kind of object: expected svc, vol, cfg, sec, usr, nscfg or ccfg"#,
    );
    check("sec", r#""sec" is not an object path: the name sec is reserved"#);
    check("a..b", r#""a..b" is not an object path: the name is empty or has an empty part"#);
}

#[test]
fn a_dot_and_slash_means_the_namespace_at_hand() {
    let check = |text: &str, canonical: &str| {
        assert_eq!(ObjectPath::parse_in("ns2", text).unwrap().to_string(), canonical);
    };
    check("./sec/ca", "ns2/sec/ca");
    check("./ca", "ns2/svc/ca");
    check("sec/ca", "sec/ca");
    check("system/sec/ca", "system/sec/ca");
    assert!(ObjectPath::parse_in("ns2", "./ns3/sec/ca").is_err());
}
