//! `print status`, `print devs`, `resource ls`.

use std::os::unix::fs::MetadataExt;

use agent::state::{FreezeState, InstanceState};
use agent::status::InstanceStatus;
use model::ObjectPath;

use crate::command::StatusArgs;
use crate::each::each;
use crate::exit::{self, Failure, Outcome};
use crate::object::life::block_on;
use crate::render::{
    status as render,
    structured::{one_or_all, structured},
};
use crate::session::{Session, print};
use crate::words::Target;

/// What is shown of a status.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StatusView {
    /// The tree of an object, which need have no instance here.
    Tree,
    /// The tree of its instance.
    Instance,
    Devices,
    Resources,
}

/// An object that cannot be looked at keeps nobody from seeing the others.
pub(crate) fn run(session: &Session, target: &Target, args: &StatusArgs, view: StatusView) -> Outcome {
    let mut values = Vec::new();
    let paths = session.select_some(target)?;
    let code = each(&paths, |path| {
        let mut instance = match instance(session, path, args.refresh) {
            Err(Failure { code: exit::NOT_HERE, error }) if matches!(view, StatusView::Tree) => {
                values.push(render::absent(path, &error.to_string()));
                if !args.output.is_structured() {
                    print(&format!("{error}\n"));
                }
                return Ok(());
            }
            other => other?,
        };
        narrow(&mut instance, args)?;
        match view {
            _ if args.output.is_structured() => values.push(render::value(&instance)),
            StatusView::Tree | StatusView::Instance => print(&render::tree(&instance)),
            StatusView::Devices => print(&devices(&instance)),
            StatusView::Resources => print(&resources(&instance)),
        }
        Ok(())
    });
    if let Some(text) = structured(args.output.format, &one_or_all(paths.len(), values)) {
        print(&text);
    }
    Ok(code.into())
}

/// As it was last seen, or as it is: where nobody looked yet, or when asked to.
pub(crate) fn instance(session: &Session, path: &ObjectPath, refresh: bool) -> Result<InstanceStatus, Failure> {
    let memory = InstanceState::of(session.agent.home(), path);
    let seen = memory.last_status().ok().flatten().filter(|seen| !refresh && !is_outdated(session, seen));
    if let Some(seen) = seen {
        // To freeze is no look at the resources: what was seen of them stays.
        let frozen = memory.frozen().map_or(seen.frozen, |frozen| frozen != FreezeState::No);
        return Ok(InstanceStatus { frozen, ..seen });
    }
    Ok(block_on(session.agent.status(path))??)
}

/// Whether the configuration is another one than when the instance was looked at. A change in the very second counts.
fn is_outdated(session: &Session, seen: &InstanceStatus) -> bool {
    let file = std::fs::metadata(session.agent.home().config(&seen.path));
    file.is_ok_and(|file| file.mtime() >= seen.seen_at)
}

/// Only the resources that were asked for.
fn narrow(instance: &mut InstanceStatus, args: &StatusArgs) -> Result<(), Failure> {
    let filter = args.resources.filter()?;
    if !filter.is_empty() {
        let kept: Vec<_> =
            filter.select(&instance.resources).map_err(anyhow::Error::from)?.into_iter().cloned().collect();
        instance.resources = kept;
    }
    Ok(())
}

/// `|- disk#1 (disk.loop)` and below it what it exposes and uses.
fn devices(instance: &InstanceStatus) -> String {
    let mut text = format!("{}\n", instance.path);
    for seen in &instance.resources {
        let of = |list: &[(String, String)]| -> Vec<String> {
            list.iter().filter(|(name, _)| name == "device").map(|(_, device)| device.clone()).collect()
        };
        let (exposed, used) = (of(&seen.exposes), of(&seen.uses));
        if exposed.is_empty() && used.is_empty() {
            continue;
        }
        text += &format!("|- {} ({})\n", seen.rid, seen.driver);
        exposed.iter().for_each(|device| text += &format!("|  |- exposes {device}\n"));
        used.iter().for_each(|device| text += &format!("|  |- uses {device}\n"));
    }
    text
}

fn resources(instance: &InstanceStatus) -> String {
    let mut text = format!("{:<20} {:<20} {:<8} {:<10} LABEL\n", "RID", "TYPE", "FLAGS", "STATUS");
    for seen in &instance.resources {
        let (rid, driver, state) = (seen.rid.to_string(), seen.driver.to_string(), seen.state);
        let line = format!("{rid:<20} {driver:<20} {:<8} {state:<10} {}", seen.flags.to_string(), seen.label);
        text += line.trim_end();
        text.push('\n');
    }
    text
}
