//! Paths, trees and mounts.

use hostler_grant::op::*;
use hostler_grant::{Access, Grants};

use crate::case::{Case, NOT_ASKED, SITE, exec, mount, read, write};

#[test]
fn a_path_is_granted_as_its_keyword_says_and_no_other() {
    let case = Case {
        requests: &["files.write = {kw:file}", "files.read = {kw:dir}/**", "files.write = {rundir}/{rid}.flag"],
        keywords: &[("file", &["/srv/a.img"]), ("dir", &["/srv/data"])],
        ..Case::default()
    };
    case.check(write("/srv/a.img"), "files.write = /srv/a.img");
    case.check(read("/srv/a.img"), "files.write = /srv/a.img");
    case.check(read("/srv/data"), "files.read = /srv/data/**");
    case.check(read("/srv/data/x/y"), "files.read = /srv/data/**");
    case.check(write("/var/lib/hostler/run/web/fs#1.flag"), "files.write = /var/lib/hostler/run/web/fs#1.flag");
    for other in ["/srv/b.img", "/srv/a.img/x", "/srv", "/", "/srv/a.img/", "/srv/./a.img", "/srv/data2", "srv/a.img"] {
        case.check(write(other), &format!("no: files.write = {other}: {NOT_ASKED}"));
    }
    for other in ["/srv/data/../../etc/shadow", "/srv/data//x", "/srv/data/x/", "/srv/data/."] {
        case.check(read(other), &format!("no: files.read = {other}: {NOT_ASKED}"));
    }
    case.check(write("/srv/data/x"), &format!("no: files.write = /srv/data/x: {NOT_ASKED}"));
}

#[test]
fn a_tree_is_removed_only_where_the_whole_tree_may_be_written() {
    let tree = |path: &str| WriteTree { path: path.into() };
    let case = Case { requests: &["files.write = /srv/a/**", "files.write = /srv/b"], ..Case::default() };
    case.check(tree("/srv/a/x"), "files.write = /srv/a/**");
    case.check(tree("/srv/b"), &format!("no: files.write = /srv/b/**: {NOT_ASKED}"));
    let site = Case { site: Some("deny files.write = /srv/a/x/keep"), ..case };
    site.check(tree("/srv/a/x"), &format!("no: files.write = /srv/a/x/**: {SITE}"));
    site.check(tree("/srv/a/y"), "files.write = /srv/a/**");
}

#[test]
fn absent_keywords_grant_nothing_and_lists_grant_each_value() {
    let case = Case {
        requests: &["block.read = {kw:devs}", "files.write = {kw:missing}", "net.link = {kw:none}"],
        keywords: &[("devs", &["/dev/sdb", "LABEL=data"]), ("none", &[])],
        ..Case::default()
    };
    let device = |path: &str| ReadDevice { path: path.to_owned() };
    case.check(device("/dev/sdb"), "block.read = /dev/sdb");
    case.check(device("LABEL=data"), "block.read = LABEL=data");
    case.check(device("/dev/sda"), &format!("no: block.read = /dev/sda: {NOT_ASKED}"));
    case.check(write("/srv"), &format!("no: files.write = /srv: {NOT_ASKED}"));
}

#[test]
fn values_that_no_grant_can_be_made_of_are_refused_by_name() {
    let rejected: &[(&str, &str)] = &[
        ("files.write = {kw:v}", ""),
        ("files.write = {kw:v}", "/"),
        ("files.write = {kw:v}", "relative"),
        ("files.write = {kw:v}", "/srv/../etc"),
        ("files.write = {kw:v}", "/srv/."),
        ("files.write = {kw:v}", "/srv/"),
        ("files.write = {kw:v}", "/srv//x"),
        ("files.write = {kw:v}/**", "/srv/x\0y"),
        ("files.write = /srv/{kw:v}/data", "a/b"),
        ("files.write = /srv/{kw:v}/data", ".."),
        ("files.write = /srv/{kw:v}/data", ""),
        ("mount = ext4 {kw:v} on /srv", "/dev/../etc"),
        ("net.link = {kw:v}", "../eth0"),
        ("net.addr = {kw:v} on eth0", "not an address"),
        ("net.addr = {kw:v} on eth0", "10.0.0.999"),
        ("net.route = {kw:v}", "everywhere"),
        ("exec = /bin/x {kw:v}", "--evil"),
        ("exec = /bin/x [-- a] {kw:v}", "--evil"),
        ("http = GET {kw:v}", "ftp://host/x"),
        ("http = GET {kw:v}", "https://user@host/x"),
        ("http = GET https://{kw:v}/x", "host:99"),
        ("http = GET {kw:v}/x", "https://host/a?b"),
        ("http = GET {kw:v}/x", "https://host/a/"),
        ("http = GET {kw:v}/x", "https://host/%2e%2e/"),
        ("http = GET {kw:v}/x", "host"),
        ("http = GET https://{kw:v}/x", "user@host"),
    ];
    for (line, value) in rejected {
        let case = Case { requests: &[line], keywords: &[("v", &[value])], ..Case::default() };
        let error = case.bind().expect_err(&format!("{line} with {value:?}"));
        assert!(error.starts_with(&format!("v = {value:?} cannot be granted as {line:?}: ")), "{error}");
    }
}

#[test]
fn a_mount_is_granted_whole_and_can_be_unmounted_by_its_target() {
    let case = Case {
        requests: &["mount = ext4 {kw:dev} on {kw:mnt}"],
        keywords: &[("dev", &["/dev/loop0"]), ("mnt", &["/srv/web"])],
        ..Case::default()
    };
    let line = "mount = ext4 /dev/loop0 on /srv/web";
    case.check(mount("ext4", "/dev/loop0", "/srv/web", &["noatime"]), line);
    case.check(SeeMount { target: "/srv/web".into() }, line);
    case.check(UnmountTarget { target: "/srv/web".into() }, line);
    let unsourced =
        |fstype: &str, target: &str| AdoptWithoutSource { fstype: fstype.to_owned(), target: target.into() };
    case.check(unsourced("ext4", "/srv/web"), line);
    case.check(unsourced("tmpfs", "/srv/web"), &format!("no: mount = tmpfs * on /srv/web: {NOT_ASKED}"));
    case.check(unsourced("ext4", "/srv"), &format!("no: mount = ext4 * on /srv: {NOT_ASKED}"));
    case.check(
        mount("ext4", "/dev/sda", "/srv/web", &[]),
        &format!("no: mount = ext4 /dev/sda on /srv/web: {NOT_ASKED}"),
    );
    case.check(UnmountTarget { target: "/srv".into() }, &format!("no: mount = * * on /srv: {NOT_ASKED}"));
}

#[test]
fn paths_in_mount_options_need_grants_of_their_own() {
    let case = Case {
        requests: &["mount = overlay overlay on /srv/m", "files.read = /srv/low/**", "files.write = /srv/up/**"],
        ..Case::default()
    };
    let overlay = |options: &[&str]| mount("overlay", "overlay", "/srv/m", options);
    let line = "mount = overlay overlay on /srv/m";
    case.check(overlay(&["ro", "lowerdir=/srv/low/a:/srv/up", "upperdir=/srv/up/u", "workdir=/srv/up/w"]), line);
    case.check(overlay(&["size=64m", "mode=0755", "uuid=on"]), line);
    case.check(overlay(&["lowerdir=/srv/low:/etc"]), &format!("no: files.read = /etc: {NOT_ASKED}"));
    case.check(overlay(&["upperdir=/srv/low/a"]), &format!("no: files.write = /srv/low/a: {NOT_ASKED}"));
    for unclear in ["lowerdir=etc", "lowerdir=/srv/low\\:/etc", "upperdir=/srv/up,lowerdir=/etc"] {
        assert!(case.judge(overlay(&[unclear])).contains("must name absolute paths"), "{unclear}");
    }
}

#[test]
fn a_device_may_be_used_under_the_name_that_the_host_found_for_it() {
    let case = Case {
        requests: &["block.read = {kw:dev}", "mount = ext4 {kw:dev} on /srv", "exec = /sbin/e2fsck -p -- {kw:dev}"],
        keywords: &[("dev", &["LABEL=web"])],
        ..Case::default()
    };
    let grants = case.bind().unwrap();
    let line = |grants: &Grants| {
        let mounted = grants.permit(mount("ext4", "/dev/sdb1", "/srv", &[]), Access::Mutate);
        let checked = grants.permit(exec("/sbin/e2fsck -p -- /dev/sdb1"), Access::Mutate);
        [mounted.map(|permit| permit.line()), checked.map(|permit| permit.line())]
    };
    assert!(line(&grants).iter().all(Result::is_err), "not looked up yet");
    let looked_up = grants.permit(ReadDevice { path: "LABEL=web".to_owned() }, Access::Read).unwrap();
    grants.learn_device(&looked_up, "/dev/sdb1");
    let expected = ["mount = ext4 LABEL=web on /srv", "exec = /sbin/e2fsck -p -- LABEL=web"];
    assert_eq!(line(&grants).map(Result::unwrap), expected);
    let other = grants.permit(mount("ext4", "/dev/sdb2", "/srv", &[]), Access::Mutate);
    assert!(other.is_err(), "another device has another name");
    // A line that denies the device counts, whatever the name by which it was found.
    for denied in ["deny exec = /sbin/e2fsck -p -- /dev/sdb1", "deny exec = /sbin/e2fsck -p -- LABEL=web"] {
        let site = Case { site: Some(denied), requests: case.requests, keywords: case.keywords, ..Case::default() };
        let grants = site.bind().unwrap();
        let looked_up = grants.permit(ReadDevice { path: "LABEL=web".to_owned() }, Access::Read).unwrap();
        grants.learn_device(&looked_up, "/dev/sdb1");
        let [mounted, checked] = line(&grants);
        assert!(mounted.is_ok() && checked.is_err(), "{denied}");
    }
}
