//! Exposures, judged: other resources' grants are bound to the devices, mount points and network namespaces that a driver exposes, so each is
//! accepted only from its owner.

use capability::{CallContext, Subject};
use driver::{LogSeverity, ReportMessage, StatusReport};

use super::sandboxed::SandboxedDriver;

impl SandboxedDriver {
    /// Drops from the report, with a warning, the devices and namespaces that are not the resource's own.
    pub(super) fn judge_exposures(&self, scope: &CallContext, report: &mut StatusReport) {
        report.exposes.retain(|(name, value)| {
            let own = match name.as_str() {
                "device" => self.owns_device(scope, value),
                "netns" => self.owns_netns(scope, value),
                "mnt" => self.environment.host.owners.gave_place(&scope.subject().object, &scope.subject().rid, value),
                _ => true,
            };
            if !own {
                let text = format!("exposes {value}, which is not its own: ignored");
                report.messages.push(ReportMessage { level: LogSeverity::Warn, text });
            }
            own
        });
    }

    /// The host gave it to this resource, or this resource's own grants match it.
    fn owns_device(&self, scope: &CallContext, device: &str) -> bool {
        let Subject { object, rid, .. } = scope.subject();
        let read = grant::op::ReadDevice { path: device.to_owned() };
        let own = self.environment.host.owners.gave(object, rid, device)
            || scope.grants().permit(read, grant::Access::Read).is_ok();
        if own {
            // Noted, so that a resource that refers to this device is granted it.
            scope.give_device(device);
        }
        own
    }

    /// The grants for this resource match it, or a process or a container of this resource is in it. In the namespace `root` a
    /// driver that comes with the agent is believed; elsewhere it repeats what an engine says.
    fn owns_netns(&self, scope: &CallContext, netns: &str) -> bool {
        // The cheap questions first: the last two look at processes.
        let see = grant::op::SeeNetns { netns: netns.to_owned() };
        (self.trust == grant::DriverTrust::BuiltIn && scope.subject().object.is_root())
            || scope.grants().permit(see, grant::Access::Read).is_ok()
            || capability::netns::is_of_own_process(scope, netns.as_ref())
            || (self.trust == grant::DriverTrust::BuiltIn
                && capability::netns::is_of_own_container(scope, netns.as_ref()))
    }
}
