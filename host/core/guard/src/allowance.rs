//! What the resource's keywords say that its container may be.
//!
//! `run_args` holds options of `docker run`; it is read by the very code that the driver reads it with.

use hostler_run_args::{DeviceMapping, NamedValue, RunArgs, VolumeMount};
use model::Rid;

use crate::image::Image;
use crate::mode::{Kind, Mode};
use crate::mount::Mount;
use crate::{ContainerResource, GuardRefusal, NamespaceRights};

/// What the keywords say.
pub(crate) struct Allowance<'a> {
    pub(crate) resource: &'a ContainerResource<'a>,
    pub(crate) args: RunArgs,
    pub(crate) image: Option<Image>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) devices: Vec<DeviceMapping>,
    pub(crate) sysctls: Vec<NamedValue>,
}

/// The kinds of namespaces: the keyword of each, and the one of the API.
pub(crate) const MODES: [(&str, &str, Kind); 6] = [
    ("netns", "NetworkMode", Kind::Network),
    ("pidns", "PidMode", Kind::Plain),
    ("ipcns", "IpcMode", Kind::Plain),
    ("utsns", "UTSMode", Kind::Plain),
    ("userns", "UsernsMode", Kind::Plain),
    ("run_args", "CgroupnsMode", Kind::Plain),
];

impl<'a> Allowance<'a> {
    pub(crate) fn of(resource: &'a ContainerResource<'a>) -> Result<Allowance<'a>, GuardRefusal> {
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
        let image =
            image.map(|text| Image::parse(text).ok_or_else(|| wrong("image", "it is no reference of an image")));
        Ok(Allowance {
            resource,
            image: image.transpose()?,
            mounts: volumes.iter().chain(&args.volumes).map(Mount::of).collect(),
            devices: devices.into_iter().chain(args.devices.iter().cloned()).collect(),
            sysctls: sysctls.into_iter().chain(args.sysctls.iter().cloned()).collect(),
            args,
        })
    }

    /// The values of the keyword, and of the option of `run_args` that says the same.
    pub(crate) fn either<'b>(&'b self, keyword: &str, option: Option<&'b String>) -> Vec<&'b str> {
        self.resource.value(keyword).into_iter().chain(option.map(String::as_str)).collect()
    }

    /// The modes of one kind that the keywords say; the default if they say nothing.
    pub(crate) fn modes(&self, member: &str, keyword: &str, kind: Kind) -> Vec<Mode> {
        let option = match member {
            "NetworkMode" => &self.args.network,
            "PidMode" => &self.args.pid,
            "IpcMode" => &self.args.ipc,
            "UTSMode" => &self.args.uts,
            "UsernsMode" => &self.args.userns,
            _ => &self.args.cgroupns,
        };
        let keyword = if keyword == "run_args" { "" } else { keyword };
        let said: Vec<Mode> =
            self.either(keyword, option.as_ref()).iter().map(|text| Mode::parse(kind, text)).collect();
        if said.is_empty() { vec![Mode::Default] } else { said }
    }

    /// The resources whose containers this one may look at: itself, and those whose namespaces it shares.
    pub(crate) fn visible(&self) -> Vec<Rid> {
        let shared = MODES.iter().flat_map(|(keyword, member, kind)| self.modes(member, keyword, *kind));
        let rid = |mode| match mode {
            Mode::Resource(rid) => Some(rid),
            _ => None,
        };
        std::iter::once(self.resource.rid.clone()).chain(shared.filter_map(rid)).collect()
    }

    /// The names that its container may have.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        let said = self.either("name", self.args.name.as_ref());
        if !said.is_empty() {
            return said.contains(&name);
        }
        let ContainerResource { object, rid, .. } = self.resource;
        let own = format!("{}.{}", object.name(), rid.to_string().replace('#', "."));
        let is_root = object.namespace() == "root";
        name == format!("{}..{own}", object.namespace()) || (is_root && name == own)
    }

    /// For what only the namespace `root` may ask for, whatever the keywords say.
    pub(crate) fn only_root(&self, member: String, value: String) -> Result<(), GuardRefusal> {
        match self.resource.is_root() {
            true => Ok(()),
            false => Err(GuardRefusal::Namespace { member, value }),
        }
    }

    /// For a path of the node.
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
