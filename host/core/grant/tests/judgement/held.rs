//! What drivers and namespaces asked for beyond their lines, by kind, and did not get: each stays refused. The tables are counted, so that
//! no row of them gets lost.

use hostler_grant::op::*;
use hostler_grant::{Access, Operation};

use crate::case::{Case, address, exec, get, mount, spawn};

/// So many were refused.
const HELD: usize = 131;

/// Options of mounts that no object of a namespace may have, or that name what it may not use.
const OPTIONS: [(&str, &[&str]); 9] = [
    ("ext4", &["journal_path=/dev/sdb", "journal_path=dev/sdb", "journal_dev=0x801", "errors=panic", "no_such=1"]),
    ("xfs", &["logdev=/dev/sdb", "rtdev=/dev/sdb", "logdev=\"/dev/sdb\"", "logdev=/dev/a,rtdev=/dev/b"]),
    ("btrfs", &["device=/dev/sdb", "device=/dev/loop0,subvol=a", "fatal_errors=panic"]),
    (
        "overlay",
        &[
            "lowerdir=/etc",
            "lowerdir=/srv/own/low:/etc",
            "lowerdir=/srv/own/low::/etc",
            "lowerdir+=/root",
            "datadir+=/etc",
            "upperdir=/etc",
            "workdir=/var/spool/cron",
            "lowerdir=etc",
            "lowerdir=/srv/own\\:/etc",
            "upperdir=/srv/own/../etc",
        ],
    ),
    ("fuse", &["fd=3", "user_id=0", "fd=3,rootmode=40000"]),
    ("9p", &["trans=fd,rfdno=3,wfdno=3", "trans=unix", "aname=/etc"]),
    ("cifs", &["credentials=/etc/shadow", "username=x,password=y,uid=0,dir_mode=04777"]),
    ("tmpfs", &["context=x", "fscontext=x", "rootcontext=x", "defcontext=x"]),
    ("erofs", &["device=/dev/sdb", "domain_id=x"]),
];

const URLS: [&str; 30] = [
    "http://api.example.net/v1/x",
    "https://api.example.net/v2/x",
    "https://api.example.net/v1/../x",
    "https://api.example.net/v1/%2e%2e/x",
    "https://api.example.net/v1/%2E%2E%2Fx",
    "https://api.example.net/v1/..%2fx",
    "https://api.example.net:444/v1/x",
    "https://user@api.example.net/v1/x",
    "https://api.example.net@evil.example/v1/x",
    "https://api.example.net:443@evil.example/v1/x",
    "https://api.example.net.evil.example/v1/x",
    "https://evil.example/https://api.example.net/v1/x",
    "https://xapi.example.net/v1/x",
    "https://example.net/v1/x",
    "https://api.example.net\\@evil.example/v1/x",
    "https://api.example.net#@evil.example/v1/x",
    "https://[::1]/v1/x",
    "https://127.0.0.1/v1/x",
    "https://2130706433/v1/x",
    "https://0x7f000001/v1/x",
    "https://[::ffff:10.0.0.1]/v1/x",
    "//api.example.net/v1/x",
    "file:///etc/passwd",
    "ftp://api.example.net/v1/x",
    "unix:///run/docker.sock",
    "gopher://api.example.net/v1/x",
    "https://api.example.net/V1/x",
    "https://api.example.net/v1/a%2fb",
    "https://api.example.net/v1//x",
    "",
];

/// Command lines beside `/usr/bin/rsync -a [ --delete ] -- /srv/own/a n2:/srv/own/a`.
const COMMANDS: [&str; 18] = [
    "/usr/bin/rsync -a -e sh -- /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync -a --rsh=sh -- /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync -a --delete --delete -- /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync -a -- --delete /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync -a -- /srv/own/a n3:/srv/own/a",
    "/usr/bin/rsync -a -- /srv/own/a n2:/etc",
    "/usr/bin/rsync -a -- /etc n2:/srv/own/a",
    "/usr/bin/rsync -a -- n2:/srv/own/a /srv/own/a",
    "/usr/bin/rsync -a -- /srv/own/a n2:/srv/own/a /etc",
    "/usr/bin/rsync -a -- /srv/own/a",
    "/usr/bin/rsync -a /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync -a -- -- /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync -aX -- /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync  -a -- /srv/own/a n2:/srv/own/a",
    "/usr/bin/rsync -a -- /srv/own/a n2:/srv/own/a ",
    "/usr/bin/rsync -a -- /srv/own/a\0/etc n2:/srv/own/a",
    "/usr/bin/rsync",
    "/bin/rsync -a -- /srv/own/a n2:/srv/own/a",
];

const ADDRESSES: [(&str, &str); 12] = [
    ("10.0.1.1/24", "eth0"),
    ("10.0.0.1/16", "eth1"),
    ("10.0.0.1/24", "eth1"),
    ("10.0.0.1/24", "eth0:1"),
    ("10.0.0.1/24", "eth0 "),
    ("10.0.0.1/24", "ETH0"),
    ("10.0.0.1/24", "*"),
    ("0.0.0.0/0", "eth0"),
    ("127.0.0.1/8", "eth0"),
    ("::ffff:10.0.0.1/120", "eth0"),
    ("fe80::1/64", "eth0"),
    ("::/0", "eth0"),
];

/// Devices beside `/dev/vg/own` and `LABEL=own`.
const DEVICES: [&str; 14] = [
    "/dev/vg/other",
    "/dev/vg",
    "/dev/vg/own/x",
    "/dev/vg/../sda",
    "/dev//vg/own",
    "dev/vg/own",
    "LABEL=Own",
    "LABEL=own2",
    "LABEL=",
    "LABEL=*",
    "UUID=own",
    "PARTLABEL=own",
    "label=own",
    "/dev/disk/by-label/own",
];

/// Requests beside `GET,POST /run/app.sock /v1/**`.
const SOCKETS: [(&str, &str, &str); 13] = [
    ("DELETE", "/run/app.sock", "/v1/x"),
    ("get", "/run/app.sock", "/v1/x"),
    ("GET", "/run/app.sock", "/v2/x"),
    ("GET", "/run/app.sock", "/v1/../v2"),
    ("GET", "/run/app.sock", "/v1/%2e%2e/v2"),
    ("GET", "/run/app.sock", "//v1/x"),
    ("GET", "/run/app.sock", "v1/x"),
    ("GET", "/run/app.sock", "/v1/a%2Fb"),
    ("GET", "/run/app.sock2", "/v1/x"),
    ("GET", "/run/docker.sock", "/v1/x"),
    ("GET", "/run/./app.sock", "/v1/x"),
    ("GET", "/run/x/../app.sock", "/v1/x"),
    ("CONNECT", "/run/app.sock", "/v1/x"),
];

/// Volumes beside `own`.
const VOLUMES: [&str; 7] = ["other", "Own", "own/", "../own", "vol/own", "ns1/vol/own", ""];

#[derive(Default)]
struct Tried(usize);

impl Tried {
    #[track_caller]
    fn refused(&mut self, case: &Case<'_>, what: &str, op: impl Operation) {
        let judged = case.judge(op);
        assert!(judged.starts_with("no: "), "{what:?}: {judged}");
        self.0 += 1;
    }
}

#[test]
fn what_was_refused_stays_refused() {
    let case = Case {
        requests: &[
            "mount = ext4 {kw:dev} on {kw:mnt}",
            "mount = xfs {kw:dev} on {kw:mnt}",
            "mount = btrfs {kw:dev} on {kw:mnt}",
            "mount = overlay overlay on {kw:mnt}",
            "mount = fuse {kw:dev} on {kw:mnt}",
            "mount = 9p {kw:dev} on {kw:mnt}",
            "mount = cifs {kw:dev} on {kw:mnt}",
            "mount = tmpfs {kw:dev} on {kw:mnt}",
            "mount = erofs {kw:dev} on {kw:mnt}",
            "files.write = /srv/own/**",
            "block.read = {kw:dev}",
            "block.read = LABEL=own",
            "http = GET https://api.example.net/v1/**",
            "http.unix = GET,POST /run/app.sock /v1/**",
            "exec = /usr/bin/rsync -a [ --delete ] -- {kw:src} n2:{kw:src}",
            "net.addr = {kw:network} on eth0",
            "volume = own",
        ],
        keywords: &[
            ("dev", &["/dev/vg/own"]),
            ("mnt", &["/srv/own/mnt"]),
            ("src", &["/srv/own/a"]),
            ("network", &["10.0.0.1/24"]),
        ],
        ..Case::default()
    };
    let mut tried = Tried::default();
    for (fstype, options) in OPTIONS {
        for option in options {
            let source = if fstype == "overlay" { "overlay" } else { "/dev/vg/own" };
            let split: Vec<&str> = option.split(',').collect();
            let op = mount(fstype, source, "/srv/own/mnt", &split);
            tried.refused(&case, option, MountFilesystem { freedom: MountFreedom::Namespace, ..op });
        }
    }
    URLS.iter().for_each(|url| tried.refused(&case, url, get(url)));
    for line in COMMANDS {
        tried.refused(&case, line, exec(line));
    }
    tried.refused(&case, "spawn", spawn("/usr/bin/rsync -a -- /srv/own/a n2:/srv/own/a"));
    for (cidr, dev) in ADDRESSES {
        tried.refused(&case, cidr, address(cidr, dev));
    }
    DEVICES.iter().for_each(|path| tried.refused(&case, path, ReadDevice { path: (*path).to_owned() }));
    for (method, socket, path) in SOCKETS {
        let op = FetchUnix { method: method.to_owned(), socket: socket.into(), path: path.to_owned() };
        tried.refused(&case, path, op);
    }
    VOLUMES.iter().for_each(|name| tried.refused(&case, name, ChangeVolume { name: (*name).to_owned() }));
    assert!(tried.0 >= HELD, "{} of {HELD}", tried.0);
    // What is asked for is allowed: the refusals are not for another reason.
    for allowed in [
        case.judge(get("https://api.example.net/v1/x")),
        case.judge(exec("/usr/bin/rsync -a -- /srv/own/a n2:/srv/own/a")),
        case.judge(address("10.0.0.1/24", "eth0")),
        case.judge(ReadDevice { path: "LABEL=own".to_owned() }),
        case.judge(ChangeVolume { name: "own".to_owned() }),
    ] {
        assert!(!allowed.starts_with("no: "), "{allowed}");
    }
    assert!(case.bind().unwrap().permit(get("https://api.example.net/v1/x"), Access::Read).is_ok());
}
