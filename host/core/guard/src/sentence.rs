//! The requests that the guard lets through for a resource, in words for `om driver inspect --effective`.

use crate::refusal::GuardRefusal;
use crate::spec::allowed_spec::{AllowedSpec, MODES};
use crate::spec::container_mount::ContainerMount;
use crate::spec::namespace_mode::NamespaceMode;
use crate::spec::resource::{ContainerLabels, ContainerResource};

/// Lists what the guard lets through for this resource, one sentence each.
pub fn sentences(resource: &ContainerResource<'_>) -> Result<Vec<String>, GuardRefusal> {
    let spec = AllowedSpec::of(resource)?;
    let mut lines = vec![format!(
        "its own containers only: those with the labels {}={}, {}={}, {}={}",
        ContainerLabels::OBJECT,
        resource.object,
        ContainerLabels::RID,
        resource.rid,
        ContainerLabels::NODE,
        resource.node
    )];
    lines.push("of other containers, only whether they exist".to_owned());
    match &spec.image {
        Some(image) => lines.push(format!("of the image {image}, which it may also pull")),
        None => lines.push("without an image: it cannot create any".to_owned()),
    }
    let mounts: Vec<String> = spec.mounts.iter().map(ContainerMount::bind).collect();
    lines.push(said("that see these paths of the node", &mounts, "that see no path of the node"));
    let devices: Vec<String> = spec.devices.iter().map(|device| device.host.clone()).collect();
    lines.push(said("with the devices", &devices, "without devices of the node"));
    lines.extend(MODES.iter().flat_map(|(keyword, member, kind)| {
        let modes = spec.modes(member, keyword, *kind).into_iter();
        modes.filter(|mode| *mode != NamespaceMode::Default).map(move |mode| format!("with the {member} {mode}"))
    }));
    let privileged = resource.flag("privileged") || spec.args.privileged;
    lines.push(
        if privileged { "privileged: they can become root on the node" } else { "without privileges" }.to_owned(),
    );
    lines.push(said("with the capabilities", &spec.args.cap_add, "with the engine's default capabilities"));
    if !resource.is_root() {
        lines.push(
            "with paths of the node as far as the namespace's files.* lines allow, and nothing else of the node".into(),
        );
    }
    Ok(lines)
}

fn said(what: &str, list: &[String], none: &str) -> String {
    if list.is_empty() { none.to_owned() } else { format!("{what}: {}", list.join(", ")) }
}
