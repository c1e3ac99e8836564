//! The syntax of lines and files, and the positions of their errors.

use std::time::Duration;

use hostler_grant::{GrantRequest, Policy, SitePolicy};

#[track_caller]
fn check_request(line: &str, expected: &str) {
    let error = GrantRequest::parse(line).expect_err(line);
    assert_eq!(format!("{}: {}", error.column, error.reason), expected, "{line}");
}

#[test]
fn a_wrong_request_says_where_and_what_was_expected() {
    check_request(
        "file.read = /x",
        "1: unknown capability \"file.read\": expected files.read, files.write, mount, block.read, block.loop, block.undo, net.link, net.addr, net.route, netns, netns.link, netns.addr, netns.route, exec, spawn, http, http.unix, volume",
    );
    check_request("files.read /x", "12: expected =");
    check_request("files.read =", "13: expected an absolute path");
    check_request("files.read = x", "14: expected an absolute path");
    check_request("files.read = /x /y", "17: expected an absolute path and nothing after it");
    check_request(
        "files.read = /srv/{kw:x}-y",
        "14: {kw:NAME} is a whole path or a whole component, never a part of one",
    );
    check_request("files.read = /srv/**/x", "14: ** is the last component of a path");
    check_request("files.read = /srv/*", "14: a request may not contain a *: only a policy may");
    check_request("files.read = \"/srv", "14: the quote is not closed");
    check_request("files.read(read) = /x", "12: files.read has no attribute \"read\"");
    check_request("exec(read, nice) = /x", "12: exec has no attribute \"nice\"");
    check_request(
        "exec(caps=cap_all) = /x",
        "6: unknown capability \"cap_all\": expected all, or a name of capabilities(7) such as cap_net_admin",
    );
    check_request("exec = /x [ -a", "11: the [ is not closed");
    check_request("exec = /x a ]", "13: a ] without a [");
    check_request("exec = /x ** b", "11: ** stands for all the rest: nothing may follow it");
    check_request(
        "exec = /x -o{kw:a}",
        "11: {kw:NAME} is a whole argument, except in /…/{kw:NAME}, {kw:NAME}/…, unix://{kw:NAME} and HOST:{kw:NAME}, such as {peer}:{kw:NAME}",
    );
    check_request(
        "exec = /x /dev/{kw:a}-{kw:b}",
        "11: {kw:NAME} is a whole path or a whole component, never a part of one",
    );
    check_request("exec = /x *:{kw:a}", "11: an argument that begins with a * could be an option: write -- before it");
    check_request("exec = {command:start} x", "24: {command:NAME} is the whole command: nothing may follow it");
    check_request("exec = *", "8: expected an absolute path");
    check_request("mount = ext4 /dev/x at /srv", "21: expected on");
    check_request("net.addr = 10.0.0.1", "12: expected ADDRESS on INTERFACE");
    check_request(
        "http = get https://h/",
        "8: expected methods in upper case with commas between them, such as GET,POST",
    );
    check_request("http = GET https://x-{kw:h}/", "12: {kw:NAME} is a whole host, never a part of one");
    check_request("http.unix(guard=door) = GET /s /**", "11: unknown guard \"door\": expected container");
    check_request("http(guard=container) = GET https://h/", "6: http has no attribute \"guard=container\"");
    check_request("files.read = /srv/../etc", "14: it contains . or ..");
    check_request("net.addr = 10.0.0.300/24 on eth0", "12: expected an address or a host name");
    check_request("netns = /run/../proc/1/ns/net", "9: it contains . or ..");
    check_request(
        "netns = a#b",
        "9: expected a path, the name of a network namespace, or a resource such as container#1",
    );
    check_request("netns.link = bridge br0 blue", "14: expected MODE INTERFACE in NETNS");
    check_request("netns.link = br0 in blue", "14: expected MODE INTERFACE in NETNS");
    check_request("netns.addr = 10.0.0.9 on blue", "14: expected ADDRESS in NETNS");
    check_request("netns.route = default via in blue", "23: expected [via GATEWAY] [dev INTERFACE]");
    check_request("net.route = nowhere", "13: expected a network or default");
    check_request("http = GET https://two words/", "8: expected METHODS https://HOST/PATH");
    check_request("http = GET https://a_b:x/", "8: expected the name or the address of a host");
    let error = GrantRequest::parse("files.read = {kw}").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("column 14 of the grant \"files.read = {kw}\": unknown template {kw}: expected {kw:NAME}")
    );
}

#[test]
fn quotes_make_words_literal() {
    for line in
        ["files.read = \"/srv/two words\"", "exec = /bin/x \"*\" \"\" \"a\\\"b\"", "exec = /bin/x \"[\" [-a \"]\"]"]
    {
        assert!(GrantRequest::parse(line).is_ok(), "{line}");
    }
}

#[test]
fn a_request_names_its_keywords() {
    let names = |line: &str| GrantRequest::parse(line).unwrap().keywords().into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(names("exec(user={kw:user}) = /sbin/mkfs [-L {kw:label}] -- {kw:dev}"), "dev label user");
    assert_eq!(names("spawn = {command:start}"), "start");
    assert_eq!(names("http = GET https://{kw:host}/{kw:path}"), "host path");
}

#[test]
fn a_site_file_says_whose_and_how_much() {
    let text = format!(
        "# trusted since spring\ndigest sha256:{}\n\nallow files.read = /srv/** # data\nlimit memory 64m\nlimit cpu 2s\n\
         limit wall 10m # slow array\nlimit output 1m\n",
        "0123456789abcdef".repeat(4)
    );
    let site = SitePolicy::parse(&text).unwrap();
    assert!(site.digest.is_some());
    assert_eq!(site.limits.memory, Some(64 << 20));
    assert_eq!(site.limits.cpu, Some(Duration::from_secs(2)));
    assert_eq!(site.limits.wall, Some(Duration::from_secs(600)));
    assert_eq!(site.limits.output, Some(1 << 20));
}

#[test]
fn a_policy_file_reports_all_its_mistakes_with_their_places() {
    let text = "allow files.read = srv\n\n  forbid exec = /x\ndeny exec(read) = /bin/x\nallow files.read = {kw:dev}\n";
    let errors: Vec<String> = Policy::parse(text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "line 1, column 20: expected an absolute path",
            "line 3, column 3: unknown word \"forbid\": expected allow or deny",
            "line 4, column 6: deny takes no attributes: it forbids in every case",
            "line 5, column 20: the policy of a namespace cannot name keywords: {kw:NAME} belongs in that of a driver",
        ]
    );
}

#[test]
fn a_setting_that_would_not_be_enforced_is_an_error() {
    for (text, expected) in [
        ("limit disk 1g", "unknown limit \"disk\": expected memory, cpu, wall or output"),
        ("limit memory lots", "\"lots\" is not a size: expected a number with k, m or g, such as 64m"),
        ("limit memory 0", "\"0\" is not a size: expected a number with k, m or g, such as 64m"),
        ("limit cpu 2", "\"2\" is not a duration: expected a number with ms, s, m or h, such as 2s"),
        ("digest md5:00", "\"md5:00\" is not a digest: expected sha256: and 64 hexadecimal digits in lower case"),
        ("audit all", "unknown word \"audit\": expected digest, allow, deny or limit"),
    ] {
        assert_eq!(SitePolicy::parse(text).unwrap_err()[0].reason, expected, "{text}");
    }
    assert!(Policy::parse("limit memory 1m").is_err(), "a namespace limits no driver");
    assert!(Policy::parse("digest sha256:00").is_err());
}
