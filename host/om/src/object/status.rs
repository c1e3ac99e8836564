//! `print status`, `print devs`, `resource ls`.

use std::time::{SystemTime, UNIX_EPOCH};

use model::{NodeName, ObjectPath};
use protocol::daemon::StatusDocument;
use protocol::{AbsentInstance, ExposedValue, FailureKind, InstanceDocument};

use crate::command::StatusArgs;
use crate::each::each;
use crate::exit::{Failure, Outcome};
use crate::render::moment::since;
use crate::render::status::{published, tree};
use crate::render::structured::{one_or_all, structured};
use crate::session::Session;
use crate::terminal::{print, print_styled};
use crate::words::Target;

/// The part of a status that is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StatusView {
    /// The tree of an object, which need not have an instance here.
    Tree,
    /// The tree of its instance.
    Instance,
    Devices,
    Resources,
}

pub(crate) fn run(session: &Session, target: &Target, args: &StatusArgs, view: StatusView) -> Outcome {
    let mut values = Vec::new();
    let paths = session.select_some(target)?;
    let statuses = session.backend.statuses(&paths, args.refresh);
    let elsewhere = elsewhere(session, &paths, args, view);
    let others = |path: &ObjectPath| elsewhere.as_ref().map(|status| others(status, path)).unwrap_or_default();
    let code = each(paths.iter().zip(statuses), |(path, status)| {
        let mut instance = match status {
            Err(Failure { kind: FailureKind::NotHere, error }) if matches!(view, StatusView::Tree) => {
                // An object that runs elsewhere has a status all the same: n/a here.
                let absent = AbsentInstance::new(path.clone(), error.to_string());
                values.push(serde_json::to_value(absent).unwrap_or_default());
                if !args.output.is_structured() {
                    // On standard output, and the exit code is 0: this is the answer, not a failure.
                    print(&format!("{error}\n{}", others(path)));
                }
                return Ok(());
            }
            other => other?,
        };
        narrow(&mut instance, args)?;
        match view {
            // Programs get the whole document in every view, and choose from it themselves.
            _ if args.output.is_structured() => values.push(published(instance)),
            StatusView::Tree | StatusView::Instance => {
                print_styled(&(tree(&instance) + &others(path)));
                say_age(session, &instance, args.refresh);
            }
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

/// A younger status is that of a command just before. In seconds.
const AGED: f64 = 30.0;

/// Says how old a status is. A daemon keeps it up to date; without one, nothing does.
fn say_age(session: &Session, instance: &InstanceDocument, refreshed: bool) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let age = now - instance.updated_at as f64;
    if refreshed || age < AGED || !matches!(session.running_daemon(), Ok(None)) {
        return;
    }
    let text = format!("seen {} ago, and no daemon runs to look again: --refresh does", since(age));
    session.note(&format!("{}: {text}", instance.path));
}

/// What the daemon knows of other nodes, for people who ask about an object that has instances there. None: it is not asked, or does
/// not answer.
fn elsewhere(session: &Session, paths: &[ObjectPath], args: &StatusArgs, view: StatusView) -> Option<StatusDocument> {
    // Where each node is asked for its own status, none shows those of the others, too.
    let asks = matches!(view, StatusView::Tree) && !args.output.is_structured() && !session.is_forwarded;
    // An error says that the object has no instance here: what there is of it is elsewhere.
    let is_elsewhere = |path: &ObjectPath| session.backend.peers(path).map_or(true, |peers| !peers.is_empty());
    if !asks {
        return None;
    }
    // First, as it takes less time than to look at the configuration of each object.
    let daemon = session.running_daemon().ok()??;
    if !paths.iter().any(is_elsewhere) {
        return None;
    }
    daemon.ask(async |client| client.status().await).ok()
}

/// The instances of other nodes, a line each.
fn others(status: &StatusDocument, path: &ObjectPath) -> String {
    let here = &status.daemon.nodename;
    let scope = status.cluster.object.get(path).map(|object| &object.scope[..]).unwrap_or_default();
    let nodes: Vec<&NodeName> = scope.iter().filter(|node| *node != here).collect();
    let Some(last) = nodes.last() else { return String::new() };
    let line = |node: &&NodeName| {
        let branch = if node == last { "'-" } else { "|-" };
        format!("{branch} {:<17} {}\n", node.as_str(), words_of(status, node, path))
    };
    format!("instances\n{}", nodes.iter().map(line).collect::<String>())
}

fn words_of(status: &StatusDocument, node: &NodeName, path: &ObjectPath) -> String {
    let known = status.cluster.node.get(node).and_then(|node| node.instance.get(path));
    let Some(instance) = known.and_then(|known| known.status.as_ref()) else { return "unknown".to_owned() };
    let frozen = if instance.frozen { " frozen" } else { "" };
    let warn = if instance.overall == instance.avail { String::new() } else { format!(" {}", instance.overall) };
    format!("{}{warn}{frozen}", instance.avail)
}

/// Keeps only the resources that the options select.
fn narrow(instance: &mut InstanceDocument, args: &StatusArgs) -> Result<(), Failure> {
    let selection = args.resources.selection();
    if !selection.is_all() {
        let filter = selection.filter().map_err(anyhow::Error::from)?;
        let kept = filter.select(&instance.resources).map_err(anyhow::Error::from)?;
        // Only the rows: the states of the instance still count all of its resources.
        instance.resources = kept.into_iter().cloned().collect();
    }
    Ok(())
}

/// `|- disk#1 (disk.loop)`, and below it the devices that it exposes and uses.
fn devices(instance: &InstanceDocument) -> String {
    let mut text = format!("{}\n", instance.path);
    for resource in &instance.resources {
        let of = |list: &[ExposedValue]| -> Vec<String> {
            // Resources also expose values that are not devices, such as a pid or a port.
            list.iter().filter(|one| one.name == "device").map(|one| one.value.clone()).collect()
        };
        let (exposed, used) = (of(&resource.exposes), of(&resource.uses));
        if exposed.is_empty() && used.is_empty() {
            continue;
        }
        text += &format!("|- {} ({})\n", resource.rid, resource.driver);
        exposed.iter().for_each(|device| text += &format!("|  |- exposes {device}\n"));
        used.iter().for_each(|device| text += &format!("|  |- uses {device}\n"));
    }
    text
}

fn resources(instance: &InstanceDocument) -> String {
    let mut text = format!("{:<20} {:<20} {:<8} {:<10} LABEL\n", "RID", "TYPE", "FLAGS", "STATUS");
    for resource in &instance.resources {
        let (rid, driver, state) = (resource.rid.to_string(), resource.driver.to_string(), resource.status);
        let flags = resource.flags().to_string();
        let line = format!("{rid:<20} {driver:<20} {flags:<8} {state:<10} {}", resource.label);
        text += line.trim_end();
        text.push('\n');
    }
    text
}
