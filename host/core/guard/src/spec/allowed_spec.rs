//! The container that the resource's keywords allow.
//!
//! The keyword `run_args` contains options of `docker run`. The guard reads them with the very code that the driver uses, so
//! that both understand the same.

use std::path::PathBuf;

use hostler_run_args::{DeviceMapping, NamedValue, RunArgs, VolumeMount};
use model::Rid;

use crate::refusal::GuardRefusal;
use crate::spec::container_mount::ContainerMount;
use crate::spec::image_reference::ImageReference;
use crate::spec::namespace_mode::{NamespaceKind, NamespaceMode};
use crate::spec::resource::{ContainerResource, NamespaceRights};

/// The container that the keywords allow.
pub(crate) struct AllowedSpec<'a> {
    pub(crate) resource: &'a ContainerResource<'a>,
    pub(crate) args: RunArgs,
    pub(crate) image: Option<ImageReference>,
    pub(crate) mounts: Vec<ContainerMount>,
    pub(crate) devices: Vec<DeviceMapping>,
    pub(crate) sysctls: Vec<NamedValue>,
}

/// The kinds of namespaces: the keyword of each, its member in the API, and how its words are read.
pub(crate) const MODES: [(&str, &str, NamespaceKind); 6] = [
    ("netns", "NetworkMode", NamespaceKind::Network),
    ("pidns", "PidMode", NamespaceKind::Plain),
    ("ipcns", "IpcMode", NamespaceKind::Plain),
    ("utsns", "UTSMode", NamespaceKind::Plain),
    ("userns", "UsernsMode", NamespaceKind::Plain),
    ("run_args", "CgroupnsMode", NamespaceKind::Plain),
];

impl<'a> AllowedSpec<'a> {
    pub(crate) fn of(resource: &'a ContainerResource<'a>) -> Result<AllowedSpec<'a>, GuardRefusal> {
        let wrong = |keyword, reason: &str| GuardRefusal::Configuration { keyword, reason: reason.to_owned() };
        let args = hostler_run_args::parse(resource.values("run_args"))
            .map_err(|error| wrong("run_args", &error.to_string()))?;
        let volume = |text: &String| text.parse::<VolumeMount>().map_err(|expected| wrong("volume_mounts", expected));
        let volumes = resource.values("volume_mounts").iter().map(volume).collect::<Result<Vec<_>, _>>()?;
        let device = |text: &String| text.parse::<DeviceMapping>().map_err(|expected| wrong("devices", expected));
        let devices = resource.values("devices").iter().map(device).collect::<Result<Vec<_>, _>>()?;
        let variable = |text: &String| text.parse::<NamedValue>().map_err(|expected| wrong("sysctl", expected));
        let sysctls = resource.values("sysctl").iter().map(variable).collect::<Result<Vec<_>, _>>()?;
        let image = resource.value("image");
        let image = image
            .map(|text| ImageReference::parse(text).ok_or_else(|| wrong("image", "it is not a reference of an image")));
        Ok(AllowedSpec {
            resource,
            image: image.transpose()?,
            mounts: volumes.iter().chain(&args.volumes).map(ContainerMount::of).collect(),
            devices: devices.into_iter().chain(args.devices.iter().cloned()).collect(),
            sysctls: sysctls.into_iter().chain(args.sysctls.iter().cloned()).collect(),
            args,
        })
    }

    /// The value of the keyword, and that of the option of `run_args` for the same. Either may be meant, so both are allowed.
    pub(crate) fn either<'b>(&'b self, keyword: &str, option: Option<&'b String>) -> Vec<&'b str> {
        self.resource.value(keyword).into_iter().chain(option.map(String::as_str)).collect()
    }

    /// The modes of one kind that the keywords allow; the default if they name none.
    pub(crate) fn modes(&self, member: &str, keyword: &str, kind: NamespaceKind) -> Vec<NamespaceMode> {
        let option = match member {
            "NetworkMode" => &self.args.network,
            "PidMode" => &self.args.pid,
            "IpcMode" => &self.args.ipc,
            "UTSMode" => &self.args.uts,
            "UsernsMode" => &self.args.userns,
            _ => &self.args.cgroupns,
        };
        // `cgroupns` has no keyword of its own: only the option sets it.
        let keyword = if keyword == "run_args" { "" } else { keyword };
        let said: Vec<NamespaceMode> =
            self.either(keyword, option.as_ref()).iter().map(|text| NamespaceMode::parse(kind, text)).collect();
        if said.is_empty() { vec![NamespaceMode::Default] } else { said }
    }

    /// The resources whose containers this one may look at: itself, and those whose namespaces it shares.
    pub(crate) fn visible(&self) -> Vec<Rid> {
        let shared = MODES.iter().flat_map(|(keyword, member, kind)| self.modes(member, keyword, *kind));
        let rid = |mode| match mode {
            NamespaceMode::Resource(rid) => Some(rid),
            _ => None,
        };
        std::iter::once(self.resource.rid.clone()).chain(shared.filter_map(rid)).collect()
    }

    /// The paths of the node that its container sees, as far as the namespace may know whether they exist.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        let known = |mount: &&ContainerMount| match (self.resource.namespace, mount.path()) {
            (NamespaceRights::Root, path) => path.is_some(),
            (NamespaceRights::Other(allows), Some(path)) => allows(path.as_ref(), !mount.read_only),
            (NamespaceRights::Other(_), None) => false,
        };
        self.mounts.iter().filter(known).filter_map(|mount| mount.path().map(PathBuf::from)).collect()
    }

    /// Accepts a name of the container. Engines have one set of names for all, so those outside `root` begin with the namespace,
    /// by which no object of another one can be kept from starting.
    pub(crate) fn may_be_named(&self, name: &str) -> Result<(), GuardRefusal> {
        let ContainerResource { object, rid, .. } = self.resource;
        let namespace = object.namespace();
        let said = self.either("name", self.args.name.as_ref());
        let is_own = match said.is_empty() {
            false => said.contains(&name),
            // The default name as the drivers build it.
            true => {
                let own = format!("{}.{}", object.name(), rid.to_string().replace('#', "."));
                name == format!("{namespace}..{own}") || (self.resource.is_root() && name == own)
            }
        };
        if !is_own {
            return Err(not_said("name", name, "name"));
        }
        // Two dots: the object `ns1` of the namespace `root` has containers whose names begin with `ns1.`.
        match self.resource.is_root() || name.starts_with(&format!("{namespace}..")) {
            true => Ok(()),
            false => Err(GuardRefusal::Name { name: name.to_owned(), namespace: namespace.to_owned() }),
        }
    }

    /// Accepts this user of the container or of a command in it: only one that the keywords name, and above all not root where
    /// they name another user.
    pub(crate) fn may_be_user(&self, user: Option<&str>) -> Result<(), GuardRefusal> {
        let said = self.either("user", self.args.user.as_ref());
        match user {
            // No user: the image decides, and it may choose root.
            None if said.is_empty() => Ok(()),
            Some(user) if said.contains(&user) => Ok(()),
            user => Err(not_said("User", user.unwrap_or("the image's"), "user")),
        }
    }

    /// Accepts a privileged container or command, if the keywords say so in the namespace `root`.
    pub(crate) fn may_be_privileged(&self, member: &str) -> Result<(), GuardRefusal> {
        if !self.resource.flag("privileged") && !self.args.privileged {
            return Err(not_said(member, "true", "privileged"));
        }
        self.only_root(member.to_owned(), "true".to_owned())
    }

    /// Accepts what only objects of the namespace `root` may have, whatever the keywords say.
    pub(crate) fn only_root(&self, member: String, value: String) -> Result<(), GuardRefusal> {
        match self.resource.is_root() {
            true => Ok(()),
            false => Err(GuardRefusal::Namespace { member, value }),
        }
    }

    /// Accepts a path of the node, if the policy of the namespace does.
    pub(crate) fn path(&self, member: String, path: &str, write: bool) -> Result<(), GuardRefusal> {
        match self.resource.namespace {
            NamespaceRights::Other(allows) if !allows(path.as_ref(), write) => {
                let access = if write { "write" } else { "read" };
                Err(GuardRefusal::Policy { member, path: path.to_owned(), access })
            }
            _ => Ok(()),
        }
    }
}

/// The refusal of a member that the keywords do not say.
pub(crate) fn not_said(member: &str, value: impl Into<String>, keyword: &'static str) -> GuardRefusal {
    GuardRefusal::Keyword { member: member.to_owned(), value: value.into(), keyword }
}
