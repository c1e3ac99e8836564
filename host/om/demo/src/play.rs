//! The demo itself: a service is created, looked at, broken, denied, repaired, kept up and taken down. Each scene checks its result, and
//! the demo fails if anything is not as expected.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::ladder::describe;
use super::service;
use super::stage::DemoStage;
use super::upkeep;
use crate::DemoRung;

const PAGE: &str = "<h1>Served by Hostler</h1>\n";

pub(super) fn play(rung: DemoRung, directory: &Path, shell: bool) -> Result<()> {
    let stage = DemoStage::new(directory)?;
    let address = service::address(rung);
    let scenes = scenes(&stage, rung, &address, shell);
    if scenes.is_err() {
        // Nothing may stay behind, and nothing may start it anew. The driver may just be denied, and must be allowed to stop its process. If either of
        // these commands fails, the check below fails too.
        upkeep::end_the_daemon(&stage);
        let _ = stage.ask(&["driver", "allow", "app.simple", "--yes"]);
        let _ = stage.ask(&["web", "unprovision", "--force", "--confirm", "--local"]);
    }
    let ended = scenes.and_then(|()| nothing_is_left(directory, &address));
    leave_the_control_group(directory);
    ended
}

fn scenes(stage: &DemoStage, rung: DemoRung, address: &str, shell: bool) -> Result<()> {
    introduction(stage, rung, address)?;
    birth(stage, rung, address)?;
    failure(stage, rung, address)?;
    denial(stage, address)?;
    trail(stage)?;
    upkeep::upkeep(stage, address)?;
    if shell {
        stage.say("Look around: exit ends the demo")?;
        stage.shell()?;
    }
    end(stage)
}

fn introduction(stage: &DemoStage, rung: DemoRung, address: &str) -> Result<()> {
    stage.say(&format!("Shown {}. Nothing of the machine is touched.", describe(rung)))?;
    if let Some(left_out) = service::left_out(rung) {
        stage.say(&format!("Left out: {left_out}"))?;
    }
    stage.say(&format!("A service: a page on http://{address}/, and all that it stands on"))?;
    let text = service::configuration(rung, &stage.om, &stage.directory);
    fs::write(stage.directory.join("web.conf"), &text).context("cannot write web.conf")?;
    crate::print(&format!("$ cat web.conf\n{text}"));
    stage.om(&["web", "create", "--config", "web.conf"])
}

fn birth(stage: &DemoStage, rung: DemoRung, address: &str) -> Result<()> {
    stage.say("What a provision would do, and in which order")?;
    stage.om(&["web", "provision", "--dry-run"])?;
    stage.say("Do it: create what the service needs, then start it")?;
    stage.om(&["web", "provision"])?;
    // Not earlier: the file system that the page belongs to is mounted only by now.
    let site = stage.directory.join("site");
    fs::write(site.join("index.html"), PAGE).with_context(|| format!("cannot write below {}", site.display()))?;
    stage.say("The status, and the page itself")?;
    stage.om(&["web", "print", "status"])?;
    expect_avail(stage, "up")?;
    for rid in service::rids(rung) {
        // A directory exists whether the service runs or not.
        ensure!(matches!(state_of(&stage.status()?, rid), "up" | "n/a"), "{rid} is not up");
    }
    fetch(stage, address)?;
    stage.say("A start of a service that is up does nothing, and says so")?;
    stage.om(&["web", "start"])
}

fn failure(stage: &DemoStage, rung: DemoRung, address: &str) -> Result<()> {
    stage.say("A start that fails is undone: here the application exits at once")?;
    stage.om(&["web", "stop"])?;
    expect_avail(stage, "down")?;
    stage.om(&["web", "set", "--kw", "app#1.start=/bin/false"])?;
    stage.om_exits(&["web", "start"], 1)?;
    let status = stage.status()?;
    for rid in service::rids(rung).iter().filter(|rid| !service::stays(rung, rid)) {
        ensure!(state_of(&status, rid) == "down", "{rid} was not rolled back");
    }
    stage.say("Repaired, it starts; and the page is still there")?;
    let serve =
        format!("app#1.start={} demo --serve {address} {}", stage.om.display(), stage.directory.join("site").display());
    stage.om(&["web", "set", "--kw", &serve])?;
    stage.om(&["web", "start"])?;
    fetch(stage, address)
}

fn denial(stage: &DemoStage, address: &str) -> Result<()> {
    stage.say("A driver may do what it asked for, for its own resource, as far as the site allows it")?;
    stage.om(&["driver", "inspect", "app.simple", "--effective", "web", "app#1"])?;
    stage.say("The site takes that back: the start is denied and undone, and the refusal says how to allow it")?;
    stage.om(&["web", "stop"])?;
    stage.om(&["driver", "deny", "app.simple"])?;
    stage.om_exits(&["web", "start"], 1)?;
    let denied = stage.ask(&["driver", "audit", "--denied", "--format", "json"])?;
    ensure!(denied.contains("spawn"), "the denial is not in the audit trail");
    stage.om(&["driver", "allow", "app.simple", "--yes"])?;
    stage.om(&["web", "start"])?;
    fetch(stage, address)
}

fn trail(stage: &DemoStage) -> Result<()> {
    stage.say("What drivers did on the node for that start, call by call")?;
    let records: Value =
        serde_json::from_str(&stage.ask(&["driver", "audit", "--object", "web", "--format", "json"])?)?;
    let last = records.as_array().and_then(|records| records.last()).context("the audit trail is empty")?;
    let sid = last["sid"].as_str().context("the last record has no session")?.chars().take(8).collect::<String>();
    stage.om(&["driver", "audit", "--sid", &sid])
}

fn end(stage: &DemoStage) -> Result<()> {
    stage.say("The end: stop, unprovision, delete")?;
    stage.om(&["web", "stop"])?;
    stage.om(&["web", "unprovision", "--confirm"])?;
    stage.om(&["web", "delete", "--confirm"])?;
    let left = stage.ask(&["**", "ls"])?;
    ensure!(left.is_empty(), "an object is left: {left}");
    Ok(())
}

fn fetch(stage: &DemoStage, address: &str) -> Result<()> {
    // Fetched twice: once for the audience, and once to compare the page.
    stage.om(&["demo", "--fetch", address])?;
    let page = stage.ask(&["demo", "--fetch", address])?;
    ensure!(page == PAGE, "http://{address}/ serves something else: {page:?}");
    Ok(())
}

fn expect_avail(stage: &DemoStage, expected: &str) -> Result<()> {
    let status = stage.status()?;
    let avail = status["avail"].as_str().unwrap_or_default();
    ensure!(avail == expected, "the service is {avail}, expected {expected}");
    Ok(())
}

fn state_of<'v>(status: &'v Value, rid: &str) -> &'v str {
    status["resources"][rid]["status"].as_str().unwrap_or_default()
}

/// No daemon, no mount, no loop device, no listener.
fn nothing_is_left(directory: &Path, address: &str) -> Result<()> {
    ensure!(!upkeep::is_running(directory), "the daemon still runs");
    let site = directory.join("site").display().to_string();
    let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
    ensure!(!mounts.contains(&site), "{site} is still mounted");
    let image = directory.join("web.img").display().to_string();
    for entry in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        let backing = fs::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default();
        // Not compared as a whole: the kernel appends ` (deleted)` to the name of a removed file.
        ensure!(!backing.starts_with(&image), "{} still loops to {image}", entry.path().display());
    }
    ensure!(std::net::TcpStream::connect(address).is_err(), "something still listens on {address}");
    crate::print("\nNothing is left: no process, no mount, no device, no address.\n");
    Ok(())
}

/// Removes the demo's control group, which nothing else uses.
fn leave_the_control_group(directory: &Path) {
    let home = agent::Directories::under(directory);
    if let Some(slice) = agent::node::paths::control_group(&home) {
        let _ = fs::remove_dir(slice);
    }
}
