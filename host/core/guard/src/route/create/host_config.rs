//! `HostConfig`: what a container sees of the node and may do to it.
//!
//! Members that could widen what it may do must be what the keywords say, and no more; members that narrow it (`User`,
//! `ReadonlyRootfs`, `CapDrop`, `SecurityOpt`) must not be left out where the keywords say them. The files beside this one
//! judge one group of members each.

use std::path::PathBuf;

use hostler_run_args::{NamedValue, RunArgs};
use serde_json::{Map, Value};

use crate::case::RequestCase;
use crate::refusal::GuardRefusal;
use crate::request::members::{MemberReader, MemberShape};
use crate::spec::allowed_spec::{AllowedSpec, not_said};
use crate::spec::namespace_mode::NamespaceMode;
use crate::verdict::NotForwarded;

/// Members that narrow what a container may use, or that matter inside it alone.
const HARMLESS: [(&str, MemberShape); 20] = [
    ("AutoRemove", MemberShape::Flag),
    ("Init", MemberShape::Flag),
    ("Dns", MemberShape::Texts),
    ("DnsOptions", MemberShape::Texts),
    ("DnsSearch", MemberShape::Texts),
    ("ExtraHosts", MemberShape::Texts),
    ("Memory", MemberShape::Number),
    ("MemoryReservation", MemberShape::Number),
    ("MemorySwap", MemberShape::Number),
    ("MemorySwappiness", MemberShape::Number),
    ("KernelMemory", MemberShape::Number),
    ("NanoCpus", MemberShape::Number),
    ("NanoCPUs", MemberShape::Number),
    ("CpuShares", MemberShape::Number),
    ("CpuPeriod", MemberShape::Number),
    ("CpuQuota", MemberShape::Number),
    ("CpusetCpus", MemberShape::Text),
    ("CpusetMems", MemberShape::Text),
    ("PidsLimit", MemberShape::Number),
    ("BlkioWeight", MemberShape::Number),
];

/// The members that passed, and what was learned of them.
pub(super) struct JudgedHostConfig {
    pub(super) members: Map<String, Value>,
    pub(super) network: NamespaceMode,
    /// See [`crate::ForwardedRequest::paths`].
    pub(super) paths: Vec<(PathBuf, bool)>,
}

/// Judges one member after the other: each judgement takes its members out of `fields` and writes what passes to `out`.
pub(super) struct HostConfigJudge<'a> {
    pub(super) spec: &'a AllowedSpec<'a>,
    pub(super) fields: MemberReader,
    out: Map<String, Value>,
    pub(super) paths: Vec<(PathBuf, bool)>,
}

pub(super) fn host_config(case: &RequestCase<'_>, fields: MemberReader) -> Result<JudgedHostConfig, NotForwarded> {
    let mut judge = HostConfigJudge { spec: case.spec, fields, out: Map::new(), paths: Vec::new() };
    judge.fields.keep(&mut judge.out, &HARMLESS)?;
    judge.mounts()?;
    judge.shared_memory()?;
    judge.devices()?;
    judge.powers()?;
    judge.limits()?;
    judge.ports()?;
    judge.restart()?;
    judge.log()?;
    judge.surroundings()?;
    let network = judge.modes(case)?;
    // What nothing above has taken is a member that the guard does not know.
    judge.fields.finish()?;
    Ok(JudgedHostConfig { members: judge.out, network, paths: judge.paths })
}

impl HostConfigJudge<'_> {
    /// The refusal of a member that the keywords do not say.
    pub(super) fn not_said(&self, member: &str, value: impl Into<String>, keyword: &'static str) -> GuardRefusal {
        not_said(&self.fields.name(member), value, keyword)
    }

    /// Accepts what only objects of the namespace `root` may have.
    pub(super) fn only_root(&self, member: &str, value: impl Into<String>) -> Result<(), GuardRefusal> {
        self.spec.only_root(self.fields.name(member), value.into())
    }

    /// Writes a member to the body that is sent.
    pub(super) fn put(&mut self, member: &str, value: impl Into<Value>) {
        self.out.insert(member.to_owned(), value.into());
    }

    /// Judges a list of texts, all of which must be values of an option of `run_args`.
    pub(super) fn listed(
        &mut self,
        member: &str,
        said: fn(&RunArgs) -> &Vec<String>,
        root: bool,
    ) -> Result<(), GuardRefusal> {
        let asked = self.fields.texts(member)?;
        if let Some(text) = asked.iter().find(|text| !said(&self.spec.args).contains(text)) {
            return Err(self.not_said(member, text, "run_args"));
        }
        if !asked.is_empty() {
            if root {
                self.only_root(member, asked.join(" "))?;
            }
            self.put(member, asked);
        }
        Ok(())
    }

    /// Judges an object of texts, all of which the keywords must say.
    pub(super) fn named(
        &mut self,
        member: &str,
        keyword: &'static str,
        said: &[NamedValue],
    ) -> Result<(), GuardRefusal> {
        let asked = self.fields.pairs(member)?;
        for (name, value) in &asked {
            if !said.iter().any(|said| said.name == *name && said.value == *value) {
                return Err(self.not_said(member, format!("{name}={value}"), keyword));
            }
        }
        if !asked.is_empty() {
            self.put(member, pairs(asked));
        }
        Ok(())
    }
}

pub(super) fn pairs(pairs: Vec<(String, String)>) -> Value {
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>().into()
}
