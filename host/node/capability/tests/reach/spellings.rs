//! Paths that lead out of a directory that another user can write in: links, magic links of /proc, and other spellings. Whatever is done
//! with one of them changes nothing outside, and shows nothing of it. The table is counted, so that no row of it gets lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use driver::Verb;
use hostler_capability::{CapabilityError, files};

use crate::harness::Resource;

/// So many of them were tried, and held.
const HELD: usize = 132;

const SECRET: &str = "the secret";

/// Names below the directory, as a user prepares them, and spellings of paths out of it.
fn names(own: &Path, outside: &Path) -> Vec<String> {
    let link = |name: &str, to: &Path| {
        symlink(to, own.join(name)).unwrap();
        own.join(name).display().to_string()
    };
    let at = |name: &str| format!("{}/{name}", own.display());
    let mut names = vec![
        link("file", &outside.join("key")),
        format!("{}/key", link("directory", outside)),
        format!("{}/deep/key", link("up", outside.parent().unwrap())).replace("deep", "outside"),
        link("relative", Path::new("../outside/key")),
        link("twice", &own.join("file")),
        link("loop", &own.join("loop")),
        format!("{}{}", link("root", Path::new("/proc/self/root")), outside.join("key").display()),
        format!("{}/../outside/key", link("cwd", Path::new("/proc/self/cwd"))),
        link("descriptor", Path::new("/proc/self/fd/0")),
        at("../outside/key"),
        at("./../outside/key"),
        at("x/../../outside/key"),
        at("/file"),
        at("file/"),
        at("file/."),
        at("\u{0}file"),
        at(&"x/".repeat(3000)),
        at("directory/../key"),
    ];
    let fifo = own.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::from_bits_truncate(0o666)).unwrap();
    let _socket = UnixListener::bind(own.join("socket")).unwrap();
    names.extend([format!("{}/x", fifo.display()), at("socket/x")]);
    names
}

async fn attempt(context: &hostler_capability::CallContext, what: &str, path: &str) -> Result<String, CapabilityError> {
    Ok(match what {
        "read" => String::from_utf8_lossy(&files::read(context, path).await?).into_owned(),
        "write" => format!("{:?}", files::write(context, path, b"overwritten".to_vec(), 0o644).await?),
        "remove" => format!("{:?}", files::remove(context, path).await?),
        "remove-tree" => format!("{:?}", files::remove_tree(context, path).await?),
        "list" => files::list_directory(context, path).await?.join(" "),
        "allocate" => format!("{:?}", files::allocate(context, path, 4096).await?),
        "make-directory" => format!("{:?}", files::make_directory(context, path, 0o777).await?),
        "set-mode" => format!("{:?}", files::set_mode(context, path, 0o777).await?),
        "set-owner" => format!("{:?}", files::set_owner(context, path, Some("65534".to_owned()), None).await?),
        what => panic!("{what}"),
    })
}

#[tokio::test]
async fn no_path_of_the_table_leads_out_of_its_directory() {
    const DOINGS: [&str; 9] =
        ["read", "write", "remove", "remove-tree", "list", "allocate", "make-directory", "set-mode", "set-owner"];
    let resource = Resource::new(&["files.write = {kw:own}/**"]);
    let (own, outside) = (resource.path("own"), resource.path("outside"));
    fs::create_dir(&own).unwrap();
    fs::create_dir(&outside).unwrap();
    // Links where only root can write are root's own, and are followed.
    fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(format!("{outside}/key"), SECRET).unwrap();
    fs::set_permissions(format!("{outside}/key"), fs::Permissions::from_mode(0o600)).unwrap();
    let resource = resource.keyword("own", &[&own]);
    let mut tried = 0;
    for what in DOINGS {
        for path in names(Path::new(&own), Path::new(&outside)) {
            let context = resource.context(Verb::Start);
            let answer = attempt(&context, what, &path).await;
            assert!(!format!("{answer:?}").contains("secret"), "{what} {path:?}: {answer:?}");
            assert_eq!(fs::read_to_string(format!("{outside}/key")).unwrap(), SECRET, "{what} {path:?}: {answer:?}");
            let mode = fs::metadata(format!("{outside}/key")).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, 0o600, "{what} {path:?}");
            let left: Vec<_> = fs::read_dir(&outside).unwrap().flatten().map(|entry| entry.file_name()).collect();
            assert_eq!(left, ["key"], "{what} {path:?}: {answer:?}");
            tried += 1;
        }
        fs::remove_dir_all(&own).unwrap();
        fs::create_dir(&own).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
    }
    assert!(tried >= HELD, "{tried} of {HELD}");
}
