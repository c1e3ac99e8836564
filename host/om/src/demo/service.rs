//! The demo's service, as far as each rung allows it.

use std::fmt::Write;
use std::path::Path;

use crate::command::Rung;

/// Where the page is served.
pub(super) fn address(rung: Rung) -> String {
    match rung {
        Rung::Root | Rung::User => "10.77.0.9:80".to_owned(),
        // Without a namespace all of 127.0.0.0/8 is this machine's, and shared: the pid keeps two demos apart.
        Rung::Plain => {
            let [_, _, high, low] = std::process::id().to_be_bytes();
            format!("127.{}.{low}.77:{}", high.max(1), 8080)
        }
    }
}

/// Which resources the rung has.
pub(super) fn rids(rung: Rung) -> &'static [&'static str] {
    match rung {
        Rung::Root => &["ip#1", "disk#1", "fs#1", "app#1"],
        Rung::User => &["ip#1", "fs#1", "fs#2", "app#1"],
        Rung::Plain => &["fs#1", "fs#2", "app#1"],
    }
}

/// Whether a stop leaves the resource as it is: a directory is data.
pub(super) fn stays(rung: Rung, rid: &str) -> bool {
    rung != Rung::Root && rid == "fs#1"
}

/// What is missing in comparison with the first rung.
pub(super) fn left_out(rung: Rung) -> Option<&'static str> {
    match rung {
        Rung::Root => None,
        Rung::User => {
            Some("no loop device, no file system on a disk: these need root. A folder and a tmpfs stand in for them.")
        }
        Rung::Plain => Some("no address, no disk, no mount: these need a namespace. A folder stands in for them."),
    }
}

/// The configuration. The paths are written out: it can be read as it is.
pub(super) fn configuration(rung: Rung, om: &Path, folder: &Path) -> String {
    let folder = folder.display();
    let site = format!("{folder}/site");
    let address = address(rung);
    let mut text = String::from("[DEFAULT]\nnodes = demo\n");
    if rung != Rung::Plain {
        let ip = address.split(':').next().unwrap_or_default();
        let _ = write!(text, "\n[ip#1]\nname = {ip}\nnetmask = 24\ndev = lo\n");
    }
    text += &match rung {
        Rung::Root => format!(
            "\n[disk#1]\ntype = loop\nfile = {folder}/web.img\nsize = 32m\n\
             \n[fs#1]\ntype = ext4\ndev = {{disk#1.exposed_devs[0]}}\nmnt = {site}\n"
        ),
        Rung::User => format!(
            "\n[fs#1]\ntype = directory\npath = {site}\n\n[fs#2]\ntype = tmpfs\nmnt = {folder}/scratch\nsize = 8m\n"
        ),
        Rung::Plain => format!("\n[fs#1]\ntype = directory\npath = {site}\n\n[fs#2]\ntype = flag\n"),
    };
    let _ = write!(text, "\n[app#1]\ntype = simple\nstart = {} demo --serve {address} {site}\n", om.display());
    text
}
