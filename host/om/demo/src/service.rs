//! The configuration of the demo's service, as far as each rung allows it.

use std::fmt::Write;
use std::path::Path;

use crate::DemoRung;

/// The address where the page is served.
pub(super) fn address(rung: DemoRung) -> String {
    match rung {
        DemoRung::Root | DemoRung::User => "10.77.0.9:80".to_owned(),
        // Without a namespace all of 127.0.0.0/8 is this machine's, and shared: the pid keeps two demos apart.
        DemoRung::Plain => {
            let [_, _, high, low] = std::process::id().to_be_bytes();
            format!("127.{}.{low}.77:{}", high.max(1), 8080)
        }
    }
}

/// The resources of the rung.
pub(super) fn rids(rung: DemoRung) -> &'static [&'static str] {
    match rung {
        DemoRung::Root => &["ip#1", "disk#1", "fs#1", "app#1"],
        DemoRung::User => &["ip#1", "fs#1", "fs#2", "app#1"],
        DemoRung::Plain => &["fs#1", "fs#2", "app#1"],
    }
}

/// Whether a stop leaves the resource as it is: a directory is data.
pub(super) fn stays(rung: DemoRung, rid: &str) -> bool {
    rung != DemoRung::Root && rid == "fs#1"
}

/// The parts of the first rung that this one leaves out.
pub(super) fn left_out(rung: DemoRung) -> Option<&'static str> {
    match rung {
        DemoRung::Root => None,
        DemoRung::User => Some(
            "no loop device, no file system on a disk: these need root. A directory and a tmpfs stand in for them.",
        ),
        DemoRung::Plain => {
            Some("no address, no disk, no mount: these need a namespace. A directory stands in for them.")
        }
    }
}

/// The configuration. The paths are written out: it can be read as it is.
pub(super) fn configuration(rung: DemoRung, om: &Path, directory: &Path) -> String {
    let directory = directory.display();
    let site = format!("{directory}/site");
    let address = address(rung);
    let mut text = String::from("[DEFAULT]\nnodes = demo\n");
    if rung != DemoRung::Plain {
        let ip = address.split(':').next().unwrap_or_default();
        // The network namespace of the demo contains no other link than lo.
        let _ = write!(text, "\n[ip#1]\nname = {ip}\nnetmask = 24\ndev = lo\n");
    }
    text += &match rung {
        DemoRung::Root => format!(
            "\n[disk#1]\ntype = loop\nfile = {directory}/web.img\nsize = 32m\n\
             \n[fs#1]\ntype = ext4\ndev = {{disk#1.exposed_devs[0]}}\nmnt = {site}\n"
        ),
        DemoRung::User => format!(
            "\n[fs#1]\ntype = directory\npath = {site}\n\n[fs#2]\ntype = tmpfs\nmnt = {directory}/scratch\nsize = 8m\n"
        ),
        DemoRung::Plain => format!("\n[fs#1]\ntype = directory\npath = {site}\n\n[fs#2]\ntype = flag\n"),
    };
    let _ = write!(text, "\n[app#1]\ntype = simple\nstart = {} demo --serve {address} {site}\n", om.display());
    text
}
