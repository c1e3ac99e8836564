//! Addresses of the web, and guarded sockets.

use hostler_grant::op::*;

use crate::case::{Case, NOT_ASKED, get};

#[test]
fn web_addresses_have_one_spelling() {
    let case = Case {
        requests: &[
            "http = GET https://api.example.com/v1/**",
            "http = GET http://{kw:host}:8080/health",
            "http = GET {kw:url}",
            "http = GET {kw:base}/projects/**",
            "http = GET {kw:root}/{name}",
            "http.unix = GET,POST /run/docker.sock /containers/{name}/start",
        ],
        keywords: &[
            ("host", &["10.0.0.9"]),
            ("url", &["https://probe.example.com/a%2Bb?x=1"]),
            ("base", &["http://127.0.0.1:8480/compute/v1"]),
            ("root", &["https://root.example.com"]),
        ],
        ..Case::default()
    };
    let api = "http = GET https://api.example.com/v1/**";
    case.check(get("https://api.example.com/v1/x?q=1"), api);
    case.check(get("https://API.example.com:443/v1"), api);
    case.check(get("https://api.example.com./v1/x"), api);
    case.check(get("http://10.0.0.9:8080/health"), "http = GET http://10.0.0.9:8080/health");
    case.check(get("https://probe.example.com/a+b"), "http = GET https://probe.example.com/a+b");
    let below = "http = GET http://127.0.0.1:8480/compute/v1/projects/**";
    case.check(get("http://127.0.0.1:8480/compute/v1/projects/p/zones?x=1"), below);
    case.check(get("https://root.example.com/web"), "http = GET https://root.example.com/web");
    for other in [
        "http://api.example.com/v1/x",
        "https://api.example.com:8443/v1/x",
        "https://api.example.com/v2/x",
        "https://api.example.com/v1/../v2",
        "https://api.example.com/v1/%2e%2e/v2",
        "https://api.example.com/v1/a%2fb",
        "https://api.example.com/v1//x",
        "https://api.example.com/v1/%zz",
        "https://api.example.com@evil/v1/x",
        "https://evil/v1/x",
        "http://10.0.0.9/health",
        "http://127.0.0.1:8480/compute/v1/other",
        "http://127.0.0.1:8480/projects/p",
        "http://127.0.0.1:8481/compute/v1/projects/p",
        "https://root.example.com/web/x",
        "no address",
    ] {
        assert!(case.judge(get(other)).starts_with("no: "), "{other}");
    }
    let docker = |method: &str, path: &str| FetchUnix {
        socket: "/run/docker.sock".into(),
        method: method.to_owned(),
        path: path.to_owned(),
    };
    let start = "http.unix = GET,POST /run/docker.sock /containers/web/start";
    case.check(docker("POST", "/containers/web/start?t=1"), start);
    case.check(
        docker("DELETE", "/containers/web/start"),
        &format!("no: http.unix = DELETE /run/docker.sock /containers/web/start: {NOT_ASKED}"),
    );
    for other in
        ["/containers/other/start", "/containers/web/../web/start", "/containers//web/start", "/containers/web/start/"]
    {
        assert!(case.judge(docker("POST", other)).starts_with("no: "), "{other}");
    }
}

#[test]
fn an_allow_with_a_guard_lets_nothing_through_without_it() {
    let ask = || FetchUnix { socket: "/s".into(), method: "POST".to_owned(), path: "/x".to_owned() };
    let (plain, guarded) = ("http.unix = POST /s /**", "http.unix(guard=container) = POST /s /**");
    for (request, allow, expected) in [
        (guarded, "allow http.unix(guard=container) = * /** /**", true),
        (guarded, "allow http.unix = POST /s /**", true),
        (plain, "allow http.unix(guard=container) = * /** /**", false),
        (plain, "allow http.unix = POST /s /**", true),
    ] {
        let requests = [request];
        let case = Case { requests: &requests, namespace: Some(allow), ..Case::default() };
        assert_eq!(!case.judge(ask()).starts_with("no: "), expected, "{request} / {allow}");
    }
}

#[test]
fn a_star_in_a_host_is_a_name_and_never_an_address() {
    let addresses = [
        "http://127.0.0.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::]/",
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
    ];
    for (line, names) in [
        ("allow http = * http://*/**", &["http://intranet/"][..]),
        ("allow http = * http://**/**", &["http://intranet/", "http://a.b.example.net/x"]),
        ("allow http = * http://*.*.*.*/**", &["http://a.b.c.d/"]),
        ("allow http = * http://[*]/**", &[]),
    ] {
        for url in addresses.iter().chain(names) {
            let case = Case {
                requests: &["http = GET {kw:url}"],
                keywords: &[("url", &[url])],
                site: Some(line),
                ..Case::default()
            };
            let allowed = !case.judge(get(url)).starts_with("no: ");
            assert_eq!(allowed, names.contains(url), "{url} under {line}");
        }
    }
    let case = |site| Case {
        requests: &["http = GET {kw:url}"],
        keywords: &[("url", &["http://127.0.0.1:8080/"])],
        site: Some(site),
        ..Case::default()
    };
    case("allow http = GET http://127.0.0.1:8080/**")
        .check(get("http://127.0.0.1:8080/"), "http = GET http://127.0.0.1:8080/");
    for other in ["allow http = GET http://**:8080/**", "allow http = GET http://127.0.0.*:8080/**"] {
        assert!(case(other).judge(get("http://127.0.0.1:8080/")).starts_with("no: "), "{other}");
    }
}
