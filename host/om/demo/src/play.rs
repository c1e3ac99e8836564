//! The play: a service made, seen, broken, denied, repaired and taken down. It checks itself, and ends with an error if
//! anything is not as it should be.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::ladder::describe;
use super::service;
use super::stage::Stage;
use crate::DemoRung;

const PAGE: &str = "<h1>Served by Hostler</h1>\n";

pub(super) fn play(rung: DemoRung, folder: &Path, shell: bool) -> Result<()> {
    let stage = Stage::new(folder)?;
    let address = service::address(rung);
    let scenes = scenes(&stage, rung, &address, shell);
    if scenes.is_err() {
        // Whatever happened, nothing stays behind. What fails here fails below, too.
        let _ = stage.ask(&["driver", "allow", "app.simple", "--yes"]);
        let _ = stage.ask(&["web", "unprovision", "--force", "--confirm", "--local"]);
    }
    let ended = scenes.and_then(|()| nothing_is_left(folder, &address));
    leave_the_control_group(folder);
    ended
}

fn scenes(stage: &Stage, rung: DemoRung, address: &str, shell: bool) -> Result<()> {
    introduction(stage, rung, address)?;
    birth(stage, rung, address)?;
    failure(stage, rung, address)?;
    denial(stage, address)?;
    trail(stage)?;
    if shell {
        stage.say("Look around: exit ends the demo")?;
        stage.shell()?;
    }
    end(stage)
}

fn introduction(stage: &Stage, rung: DemoRung, address: &str) -> Result<()> {
    stage.say(&format!("Shown {}. Nothing of the machine is touched.", describe(rung)))?;
    if let Some(left_out) = service::left_out(rung) {
        stage.say(&format!("Left out: {left_out}"))?;
    }
    stage.say(&format!("A service: a page on http://{address}/, and all that it stands on"))?;
    let text = service::configuration(rung, &stage.om, &stage.folder);
    fs::write(stage.folder.join("web.conf"), &text).context("cannot write web.conf")?;
    crate::print(&format!("$ cat web.conf\n{text}"));
    stage.om(&["web", "create", "--config", "web.conf"])
}

fn birth(stage: &Stage, rung: DemoRung, address: &str) -> Result<()> {
    stage.say("What would happen, and in which order")?;
    stage.om(&["web", "provision", "--dry-run"])?;
    stage.say("Do it: make what it needs, then start it")?;
    stage.om(&["web", "provision"])?;
    let site = stage.folder.join("site");
    fs::write(site.join("index.html"), PAGE).with_context(|| format!("cannot write below {}", site.display()))?;
    stage.say("How it is, and the page itself")?;
    stage.om(&["web", "print", "status"])?;
    expect_avail(stage, "up")?;
    for rid in service::rids(rung) {
        // A folder is there whether the service runs or not.
        ensure!(matches!(state_of(&stage.status()?, rid), "up" | "n/a"), "{rid} is not up");
    }
    fetch(stage, address)?;
    stage.say("Starting what is up does nothing, and says so")?;
    stage.om(&["web", "start"])
}

fn failure(stage: &Stage, rung: DemoRung, address: &str) -> Result<()> {
    stage.say("A start that fails is undone: here the application ends at once")?;
    stage.om(&["web", "stop"])?;
    expect_avail(stage, "down")?;
    stage.om(&["web", "set", "--kw", "app#1.start=/bin/false"])?;
    stage.om_ends(&["web", "start"], 1)?;
    let status = stage.status()?;
    for rid in service::rids(rung).iter().filter(|rid| !service::stays(rung, rid)) {
        ensure!(state_of(&status, rid) == "down", "{rid} was not rolled back");
    }
    stage.say("Repaired, it starts; and the page is still there")?;
    let serve =
        format!("app#1.start={} demo --serve {address} {}", stage.om.display(), stage.folder.join("site").display());
    stage.om(&["web", "set", "--kw", &serve])?;
    stage.om(&["web", "start"])?;
    fetch(stage, address)
}

fn denial(stage: &Stage, address: &str) -> Result<()> {
    stage.say("A driver may do what it asked for, for its own resource, as far as the site allows it")?;
    stage.om(&["driver", "inspect", "app.simple", "--effective", "web", "app#1"])?;
    stage.say("The site takes that back: the start is denied, undone, and the refusal tells the way out")?;
    stage.om(&["web", "stop"])?;
    stage.om(&["driver", "deny", "app.simple"])?;
    stage.om_ends(&["web", "start"], 1)?;
    let denied = stage.ask(&["driver", "audit", "--denied", "--format", "json"])?;
    ensure!(denied.contains("spawn"), "the denial is not in the audit trail");
    stage.om(&["driver", "allow", "app.simple", "--yes"])?;
    stage.om(&["web", "start"])?;
    fetch(stage, address)
}

fn trail(stage: &Stage) -> Result<()> {
    stage.say("What drivers did to the node for that start, call by call")?;
    let records: Value =
        serde_json::from_str(&stage.ask(&["driver", "audit", "--object", "web", "--format", "json"])?)?;
    let last = records.as_array().and_then(|records| records.last()).context("the audit trail is empty")?;
    let sid = last["sid"].as_str().context("the last record has no session")?.chars().take(8).collect::<String>();
    stage.om(&["driver", "audit", "--sid", &sid])
}

fn end(stage: &Stage) -> Result<()> {
    stage.say("The end: down, destroyed, forgotten")?;
    stage.om(&["web", "stop"])?;
    stage.om(&["web", "unprovision", "--confirm"])?;
    stage.om(&["web", "delete", "--confirm"])?;
    let left = stage.ask(&["**", "ls"])?;
    ensure!(left.is_empty(), "an object is left: {left}");
    Ok(())
}

fn fetch(stage: &Stage, address: &str) -> Result<()> {
    stage.om(&["demo", "--fetch", address])?;
    let page = stage.ask(&["demo", "--fetch", address])?;
    ensure!(page == PAGE, "http://{address}/ serves something else: {page:?}");
    Ok(())
}

fn expect_avail(stage: &Stage, expected: &str) -> Result<()> {
    let status = stage.status()?;
    let avail = status["avail"].as_str().unwrap_or_default();
    ensure!(avail == expected, "the service is {avail}, expected {expected}");
    Ok(())
}

fn state_of<'v>(status: &'v Value, rid: &str) -> &'v str {
    status["resources"][rid]["status"].as_str().unwrap_or_default()
}

/// No mount, no loop device, no listener.
fn nothing_is_left(folder: &Path, address: &str) -> Result<()> {
    let site = folder.join("site").display().to_string();
    let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
    ensure!(!mounts.contains(&site), "{site} is still mounted");
    let image = folder.join("web.img").display().to_string();
    for entry in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        let backing = fs::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default();
        ensure!(!backing.starts_with(&image), "{} still loops to {image}", entry.path().display());
    }
    ensure!(std::net::TcpStream::connect(address).is_err(), "something still listens on {address}");
    crate::print("\nNothing is left: no process, no mount, no device, no address.\n");
    Ok(())
}

/// The demo's own slice was made for it alone.
fn leave_the_control_group(folder: &Path) {
    let home = agent::Directories::under(folder);
    if let Some(slice) = agent::node::paths::control_group(&home) {
        let _ = fs::remove_dir(slice);
    }
}
