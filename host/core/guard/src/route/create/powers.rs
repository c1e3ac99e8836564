//! Members of `HostConfig` that say what the container may do, and what it may use up.

use hostler_run_args::Ulimit;
use serde_json::json;

use super::host_config::HostConfigJudge;
use crate::refusal::GuardRefusal;

/// The capability(7) to make device nodes.
const MAKE_DEVICES: &str = "MKNOD";

impl HostConfigJudge<'_> {
    /// Judges privileges, capabilities(7) and the options of the security modules.
    pub(super) fn powers(&mut self) -> Result<(), GuardRefusal> {
        if self.fields.flag("Privileged")? {
            self.spec.may_be_privileged(&self.fields.name("Privileged"))?;
            self.put("Privileged", true);
        }
        let args = &self.spec.args;
        let read_only = self.fields.flag("ReadonlyRootfs")?;
        // False is the default, so leaving it out must be refused as well.
        if !read_only && (args.read_only || self.spec.resource.flag("read_only")) {
            return Err(self.not_said("ReadonlyRootfs", "false", "read_only"));
        }
        self.put("ReadonlyRootfs", read_only);
        // Engines take names in any case, with or without CAP_.
        let upper = |name: &String| name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned();
        let add: Vec<String> = self.fields.texts("CapAdd")?.iter().map(upper).collect();
        if let Some(cap) = add.iter().find(|cap| !args.cap_add.contains(cap)) {
            return Err(self.not_said("CapAdd", cap, "run_args"));
        }
        if !add.is_empty() {
            self.only_root("CapAdd", add.join(" "))?;
            self.put("CapAdd", add);
        }
        let mut drop: Vec<String> = self.fields.texts("CapDrop")?.iter().map(upper).collect();
        if let Some(cap) = args.cap_drop.iter().find(|cap| !drop.contains(cap)) {
            return Err(self.not_said("CapDrop", format!("without {cap}"), "run_args"));
        }
        // A device that a container makes in its volume is one for every program of the node, and no engine mounts a volume `nodev` by
        // itself.
        if !self.spec.resource.is_root() && !drop.iter().any(|cap| cap == "ALL" || cap == MAKE_DEVICES) {
            drop.push(MAKE_DEVICES.to_owned());
        }
        if !drop.is_empty() {
            self.put("CapDrop", drop);
        }
        self.security()
    }

    fn security(&mut self) -> Result<(), GuardRefusal> {
        const NO_NEW: [&str; 2] = ["no-new-privileges", "no-new-privileges:true"];
        let said = &self.spec.args.security_opt;
        let asked = self.fields.texts("SecurityOpt")?;
        let harmless = |option: &String| NO_NEW.contains(&option.as_str());
        if let Some(option) = asked.iter().find(|option| !said.contains(option) && !harmless(option)) {
            return Err(self.not_said("SecurityOpt", option, "run_args"));
        }
        // An option that confines (`seccomp=…`) may not be left out.
        if let Some(option) = said.iter().find(|option| !asked.contains(option)) {
            return Err(self.not_said("SecurityOpt", format!("without {option}"), "run_args"));
        }
        if let Some(option) = asked.iter().find(|option| !harmless(option)) {
            self.only_root("SecurityOpt", option)?;
        }
        if !asked.is_empty() {
            self.put("SecurityOpt", asked);
        }
        Ok(())
    }

    /// Judges limits that could take memory or processes from others.
    pub(super) fn limits(&mut self) -> Result<(), GuardRefusal> {
        let limits = &self.spec.args.limits;
        if self.fields.flag("OomKillDisable")? {
            if !limits.oom_kill_disable {
                return Err(self.not_said("OomKillDisable", "true", "run_args"));
            }
            self.only_root("OomKillDisable", "true")?;
            self.put("OomKillDisable", true);
        }
        if let Some(score) = self.fields.number("OomScoreAdj")? {
            if limits.oom_score_adj != Some(score) {
                return Err(self.not_said("OomScoreAdj", score.to_string(), "run_args"));
            }
            self.only_root("OomScoreAdj", score.to_string())?;
            self.put("OomScoreAdj", score);
        }
        let mut written = Vec::new();
        for mut fields in self.fields.objects("Ulimits")? {
            let name = fields.text("Name")?.unwrap_or_default();
            let (soft, hard) = (fields.number("Soft")?.unwrap_or(0), fields.number("Hard")?.unwrap_or(0));
            fields.finish()?;
            let same = |said: &Ulimit| said.name == name && said.soft == soft && said.hard == hard;
            if !self.spec.args.ulimits.iter().any(same) {
                return Err(self.not_said("Ulimits", format!("{name}={soft}:{hard}"), "run_args"));
            }
            written.push(json!({ "Name": name, "Soft": soft, "Hard": hard }));
        }
        if !written.is_empty() {
            self.put("Ulimits", written);
        }
        Ok(())
    }
}
