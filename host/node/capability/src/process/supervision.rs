//! The names of control groups and of output files: where the long-lived processes of a resource are kept together, and
//! where their output goes.

use std::fs::File;
use std::path::{Path, PathBuf};

use holding::{Holding, ProcessHolding};
use kernel::cgroup::Cgroup;
use kernel::process::{ResourceProcesses, open_output};
use model::{ObjectPath, Rid, SubsetName};

use super::environment;
use crate::holdings::processes;
use crate::{CallContext, CapabilityError};

/// The control group of a resource. `slice` is the directory of all groups of this agent, see
/// [`CgroupSlice`](super::CgroupSlice). Another agent, such as a trial in a directory of its own, needs another slice,
/// so that the two do not stop each other's processes.
pub fn control_group(slice: &Path, object: &ObjectPath, rid: &Rid) -> PathBuf {
    slice.join(slice_name(object, None, rid))
}

/// The same within the group of a subset that has limits of its own.
pub(crate) fn control_group_in(slice: &Path, object: &ObjectPath, subset: Option<&SubsetName>, rid: &Rid) -> PathBuf {
    slice.join(slice_name(object, subset, rid))
}

/// The control group of all of an object's resources.
pub fn control_group_of_object(slice: &Path, object: &ObjectPath) -> PathBuf {
    slice.join(format!("hostler-{}.slice", owner(object)))
}

/// The groups of an object that belong to no call of a driver.
#[derive(Debug, Clone, Copy)]
pub(super) enum Neighbour<'a> {
    /// What serves the whole object.
    Shared,
    /// What the triggers of a resource leave running.
    TriggersOf(&'a Rid),
}

/// The control group of one of those: beside the groups of resources, none of which can have its name.
pub(super) fn neighbour_group(slice: &Path, object: &ObjectPath, neighbour: Neighbour<'_>) -> PathBuf {
    let level = match neighbour {
        Neighbour::Shared => "shared".to_owned(),
        Neighbour::TriggersOf(rid) => format!("trigger.{}.{}", rid.group(), escape(rid.index())),
    };
    control_group_of_object(slice, object).join(format!("hostler-{}-{level}.slice", owner(object)))
}

/// The control group of what serves the whole object of this call.
pub(super) fn shared_group(context: &CallContext) -> Option<PathBuf> {
    let slice = context.paths().instance.slice.directory()?;
    Some(neighbour_group(slice, &context.subject().object, Neighbour::Shared))
}

/// `hostler-svc.web.slice/hostler-svc.web-app.1.slice`, as systemd nests slices. The namespace comes first, except for
/// the root namespace: a kind is never the name of a namespace. A hyphen means a level to systemd, so hyphens in names
/// are escaped as systemd-escape(1) does.
fn slice_name(object: &ObjectPath, subset: Option<&SubsetName>, rid: &Rid) -> PathBuf {
    let mut name = format!("hostler-{}", owner(object));
    let mut path = PathBuf::from(format!("{name}.slice"));
    let subset = subset.map(|subset| format!("subset.{}.{}", rid.group(), escape(subset.as_str())));
    for level in subset.into_iter().chain([format!("{}.{}", rid.group(), escape(rid.index()))]) {
        name = format!("{name}-{level}");
        path.push(format!("{name}.slice"));
    }
    path
}

/// The short name of a group, which starts at the slice of all services: `om exec --pg` takes it.
pub(crate) fn name_of(group: &Path) -> String {
    let names = group.components().map(|part| part.as_os_str().to_string_lossy());
    names.skip_while(|name| name != ALL).collect::<Vec<_>>().join("/")
}

/// The slice of all services.
const ALL: &str = "hostler.slice";

fn owner(object: &ObjectPath) -> String {
    let mut owner = vec![object.kind().to_string(), object.name().to_owned()];
    if object.namespace() != ROOT_NAMESPACE {
        owner.insert(0, object.namespace().to_owned());
    }
    owner.iter().map(|part| escape(part)).collect::<Vec<_>>().join(".")
}

const ROOT_NAMESPACE: &str = "root";

fn escape(part: &str) -> String {
    let escaped = part.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' => char::from(byte).to_string(),
        // As systemd-escape(1) writes any byte that a unit name may not hold.
        other => format!("\\x{other:02x}"),
    });
    escaped.collect()
}

/// The processes of the resource of this call.
pub(crate) fn members(context: &CallContext) -> ResourceProcesses {
    match (context.cgroup(), held_group(context)) {
        // By the record first: the keywords, and with them the group, may have changed since the start.
        (_, Some(held)) => processes(&held),
        (Some(path), None) => ResourceProcesses::Cgroup(Cgroup::at(path)),
        (None, None) => ResourceProcesses::Environ(environment::markers(context)),
    }
}

/// The group that the resource holds, which may be another one than that of today's keywords.
pub(crate) fn held_group(context: &CallContext) -> Option<ProcessHolding> {
    context.ledger().records().into_iter().find_map(|record| match record.holding {
        Holding::ProcessGroup(held) if !record.is_undone() && !held.of_trigger => Some(held),
        _ => None,
    })
}

/// The file that a long-lived program's output is appended to.
pub(crate) fn output_path(context: &CallContext) -> PathBuf {
    let subject = context.subject();
    context.paths().instance.logdir.join(format!(
        "{}{}.out",
        output_prefix(&subject.object),
        subject.rid.to_string().replace('#', ".")
    ))
}

/// The beginning of the names of all output files of an object. They end in `.out`.
pub fn output_prefix(object: &ObjectPath) -> String {
    format!("{}.", object.to_string().replace('/', "."))
}

/// Opens an output file to append to.
pub(crate) fn output_file(path: &Path) -> Result<File, CapabilityError> {
    Ok(open_output(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_named_as_systemd_nests_them_and_never_clash() {
        let in_subset = |object: &str, subset: Option<&str>, rid: &str, expected: &str| {
            let subset = subset.map(|name| name.parse().unwrap());
            let path = slice_name(&object.parse().unwrap(), subset.as_ref(), &rid.parse().unwrap());
            assert_eq!(path, Path::new(expected), "{object} {rid}");
        };
        let check = |object: &str, rid: &str, expected: &str| in_subset(object, None, rid, expected);
        check("web", "app#1", "hostler-svc.web.slice/hostler-svc.web-app.1.slice");
        check("web-1", "app#a-b", r"hostler-svc.web\x2d1.slice/hostler-svc.web\x2d1-app.a\x2db.slice");
        let nested = "hostler-svc.web.slice/hostler-svc.web-subset.app.g1.slice/\
                      hostler-svc.web-subset.app.g1-app.1.slice";
        in_subset("web", Some("g1"), "app#1", nested);
        check("ns1/vol/data", "fs#1", "hostler-ns1.vol.data.slice/hostler-ns1.vol.data-fs.1.slice");
    }
}
