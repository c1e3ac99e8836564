//! The policies of the site and of the namespace, and which of them decides.

use hostler_grant as grant;
use hostler_grant::op::*;
use hostler_grant::{
    Access, ComponentDigest, DriverTrust, GrantContext, GrantKeyword, GrantRequest, Grants, Policy, SitePolicy,
};
use model::Rid;
use model::object::{Provenance, WordsBeside};

use crate::case::{Case, NAMESPACE, SITE, address, context, exec, get, mount, read, write};

#[test]
fn a_match_is_required_in_each() {
    let base = Case {
        requests: &["files.write = {kw:file}", "exec(caps=cap_net_admin) = /bin/x {kw:file}", "exec(read) = /bin/look"],
        keywords: &[("file", &["/srv/a/b.img"])],
        ..Case::default()
    };
    let asked = || write("/srv/a/b.img");
    let granted = "files.write = /srv/a/b.img";
    let by_site = format!("no: {granted}: {SITE}");
    let by_namespace = format!("no: {granted}: {NAMESPACE}");
    for (site, namespace, expected) in [
        (None, None, granted),
        (Some("allow files.write = /srv/**"), None, granted),
        (Some("allow files.write = /srv/*/*.img"), None, granted),
        (Some("allow files.write = /srv/*"), None, &by_site),
        (Some("allow files.read = /srv/**"), None, &by_site),
        (Some("deny files.write = /srv/a/**"), None, &by_site),
        (Some("deny files.read = /srv/a/**"), None, &by_site),
        (Some("deny exec = /bin/x **"), None, granted),
        (Some("allow files.write = /srv/**\ndeny files.write = /srv/*/b*"), None, &by_site),
        (None, Some(""), &by_namespace),
        (None, Some("allow files.write = /srv/{name}/**"), &by_namespace),
        (None, Some("allow files.write = /srv/a/**"), granted),
        (Some(""), Some("allow files.write = /srv/a/**"), granted),
        (Some("deny files.write = /**"), Some("allow files.write = /srv/a/**"), &by_site),
    ] {
        Case { site, namespace, ..base }.check(asked(), expected);
    }
    // All capabilities(7) that a program asked for must be allowed, and options that only the site lists do not count.
    let run = || exec("/bin/x /srv/a/b.img");
    for (site, allowed) in [
        ("allow exec(caps=cap_net_admin+cap_net_raw) = /bin/x *", true),
        ("allow exec(caps=all) = /bin/x *", true),
        ("allow exec = /bin/x *", false),
        ("allow exec(read, caps=cap_net_admin) = /bin/x *", false),
        ("allow exec(user=www, caps=cap_net_admin) = /bin/x *", false),
        ("allow exec(caps=cap_net_admin) = /bin/* **", true),
    ] {
        let verdict = Case { site: Some(site), ..base }.judge(run());
        assert_eq!(!verdict.starts_with("no: "), allowed, "{site}: {verdict}");
    }
    Case { site: Some("allow exec = /bin/x *"), ..base }
        .check(run(), &format!("no: exec(caps=cap_net_admin) = /bin/x /srv/a/b.img: {SITE}"));
    Case { site: Some("allow exec = /bin/look"), ..base }.check(exec("/bin/look"), "exec(read) = /bin/look");
}

#[test]
fn policies_restrict_networks_and_hosts_by_pattern() {
    let case = Case {
        requests: &[
            "net.addr = 10.1.2.3/24 on eth0",
            "net.addr = 10.9.2.3 on br-web",
            "http = GET https://a.b.example.com/x",
        ],
        site: Some(
            "allow net.addr = 10.1.0.0/16 on eth*\nallow net.addr = 10.0.0.0/8 on br-*\n\
             deny net.addr = 10.9.9.0/24 on *\nallow http = * https://*.example.com/**",
        ),
        ..Case::default()
    };
    case.check(address("10.1.2.3/24", "eth0"), "net.addr = 10.1.2.3/24 on eth0");
    case.check(address("10.9.2.3/9", "br-web"), "net.addr = 10.9.2.3 on br-web");
    case.check(address("10.9.2.3/4", "br-web"), &format!("no: net.addr = 10.9.2.3/4 on br-web: {SITE}"));
    case.check(get("https://a.b.example.com/x"), &format!("no: http = GET https://a.b.example.com/x: {SITE}"));
}

#[test]
fn a_namespace_without_a_policy_keeps_to_its_own_paths() {
    let context = GrantContext { object: "ns1/svc/web".parse().unwrap(), ..context() };
    let requests: Vec<GrantRequest> = [
        "files.write = /srv/ns1/a",
        "files.write = /srv/ns2/a",
        "files.write = {statedir}/x",
        "exec = /bin/true",
        "mount = tmpfs tmpfs on /srv/ns1/a",
        "net.addr = 10.0.0.1/24 on eth0",
        "block.read = *",
    ]
    .map(|line| line.parse().unwrap())
    .into();
    let grants =
        Grants::bind(&requests, &context, &[], &grant::NoDeviceLedger, &Policy::everything(), &Policy::own_paths())
            .unwrap();
    assert!(grants.permit(write("/srv/ns1/a"), Access::Mutate).is_ok());
    assert!(grants.permit(write("/var/lib/hostler/state/web/x"), Access::Mutate).is_ok());
    let refused =
        |result: Result<(), grant::PermitDenial>| assert_eq!(result.unwrap_err().by, grant::Refuser::Namespace);
    refused(grants.permit(write("/srv/ns2/a"), Access::Mutate).map(drop));
    refused(grants.permit(exec("/bin/true"), Access::Mutate).map(drop));
    refused(grants.permit(mount("tmpfs", "tmpfs", "/srv/ns1/a", &[]), Access::Mutate).map(drop));
    refused(grants.permit(address("10.0.0.1/24", "eth0"), Access::Mutate).map(drop));
    refused(grants.permit(ReadDevice { path: "/dev/sda".to_owned() }, Access::Read).map(drop));
}

#[test]
fn a_command_may_name_a_mount_point_that_this_host_made() {
    let values = ["/srv/web/app.sh", "--data=/srv/data", "/srv/data"].map(str::to_owned);
    let judge = |words: &[String], given: &'static str| {
        let beside = WordsBeside { words: words.to_vec(), places: vec!["/srv/data".to_owned()] };
        let exposed = Provenance::Resource { rid: "volume#0".parse().unwrap(), beside };
        let keywords = [GrantKeyword { name: "start", values: &values, provenance: &exposed }];
        let ledger = move |_: &Rid, place: &str| place == given;
        let requests = ["exec = {command:start}".parse::<GrantRequest>().unwrap()];
        let everything = Policy::everything();
        let grants = Grants::bind(&requests, &context(), &keywords, &ledger, &everything, &everything).unwrap();
        grants.permit(exec("/srv/web/app.sh --data=/srv/data /srv/data"), Access::Mutate).map(drop)
    };
    assert!(judge(&values, "/srv/data").is_ok());
    // The mount point is another's, or a device went into the words.
    assert!(judge(&values, "/srv/other").is_err());
    assert!(judge(&[], "/srv/data").is_err());
}

#[test]
fn a_device_from_another_resource_counts_only_if_this_host_gave_it() {
    let exposed = Provenance::exposed_by("disk#1".parse().unwrap());
    let requests: Vec<GrantRequest> = ["mount = ext4 {kw:dev} on /srv/web", "exec = /sbin/mkfs.ext4 -- {kw:dev}"]
        .map(|line| line.parse().unwrap())
        .into();
    let judge = |given: &'static str, device: &str| {
        let values = [device.to_owned()];
        let keywords = [GrantKeyword { name: "dev", values: &values, provenance: &exposed }];
        let ledger = move |rid: &Rid, device: &str| rid.to_string() == "disk#1" && device == given;
        Grants::bind(&requests, &context(), &keywords, &ledger, &Policy::everything(), &Policy::everything()).unwrap()
    };
    let own = judge("/dev/loop0", "/dev/loop0");
    assert!(own.permit(mount("ext4", "/dev/loop0", "/srv/web", &[]), Access::Mutate).is_ok());
    assert!(own.permit(exec("/sbin/mkfs.ext4 -- /dev/loop0"), Access::Mutate).is_ok());
    let strange = judge("/dev/loop0", "/dev/sda");
    let denied = strange.permit(exec("/sbin/mkfs.ext4 -- /dev/sda"), Access::Mutate).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "exec = /sbin/mkfs.ext4 -- /dev/sda: dev names a device that this host never gave to disk#1"
    );
    assert!(strange.permit(mount("ext4", "/dev/sda", "/srv/web", &[]), Access::Mutate).is_err());
    assert!(
        strange.permit(UnmountTarget { target: "/srv/web".into() }, Access::Mutate).is_ok(),
        "a stop must always work"
    );
}

#[test]
fn third_party_drivers_need_a_file_that_names_their_digest() {
    let ours: ComponentDigest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
    let requests = [GrantRequest::parse("files.read = /srv/x").unwrap()];
    let allow = "allow files.read = /srv/**\n";
    let named = format!("digest {ours}\n{allow}");
    let other = format!("digest sha256:{}\n{allow}", "b".repeat(64));
    for (file, trust, allowed) in [
        (None, DriverTrust::BuiltIn, true),
        (None, DriverTrust::ThirdParty, false),
        (Some(named.as_str()), DriverTrust::ThirdParty, true),
        (Some(allow), DriverTrust::ThirdParty, false),
        (Some(allow), DriverTrust::BuiltIn, true),
        (Some(other.as_str()), DriverTrust::ThirdParty, false),
        (Some(other.as_str()), DriverTrust::BuiltIn, false),
        (Some("limit memory 64m"), DriverTrust::BuiltIn, true),
        (Some("allow exec = /bin/x"), DriverTrust::BuiltIn, false),
    ] {
        let policy = SitePolicy::resolve(file.map(|text| SitePolicy::parse(text).unwrap()), trust, &ours);
        let grants =
            Grants::bind(&requests, &context(), &[], &grant::NoDeviceLedger, &policy, &Policy::everything()).unwrap();
        assert_eq!(grants.permit(read("/srv/x"), Access::Read).is_ok(), allowed, "{file:?} {trust:?}");
    }
}
