//! The requests of a driver, and the parts that the policies allow, in words.

use crate::grants::{Grants, UnboundRequest};
use crate::guard::SocketGuard;
use crate::line::known_names::KnownNames;
use crate::line::linux_capabilities::ALL_CAPS;
use crate::line::rule::GrantRule;
use crate::permit::Refuser;
use crate::request::GrantRequest;

/// One thing that a driver may do, or requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantSentence {
    /// The verb: `attach a loop device to`.
    pub verb: &'static str,
    /// The object of the verb: `/srv/web.img`.
    pub object: String,
    /// The grant line that says so.
    pub grant: String,
    /// Why a driver that may do this is as good as root, if it is.
    pub root_equivalent: Option<&'static str>,
}

/// A sentence about one resource, and what the policies leave of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveGrant {
    pub sentence: GrantSentence,
    /// The guard that judges each request, if there is one.
    pub guard: Option<SocketGuard>,
    pub standing: GrantStatus,
}

/// The part of a request that the policies allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantStatus {
    /// All of it.
    Allowed,
    /// A part: each operation must also match one of the `allow` lines, or none of the `deny` lines.
    Narrowed(Vec<String>),
    /// Nothing.
    Refused(Refuser),
}

/// The verb of a line whose requests a guard judges.
const GUARDED: &str = "reach, each request guarded,";

impl GrantRequest {
    /// The request in words.
    pub fn sentence(&self) -> GrantSentence {
        let line = &self.0;
        // The line as its author wrote it, with its templates: nothing is bound yet.
        let (_, object) = line.as_str().split_once(" = ").or_else(|| line.as_str().split_once('=')).unwrap_or_default();
        let attributes = &line.attributes;
        let guarded = attributes.guard.is_some();
        let root = line_is_root(attributes.root_equivalent, attributes.set_id, attributes.caps.iter());
        GrantSentence {
            verb: match guarded {
                true => GUARDED,
                false => (line.capability.verb)(attributes.read, line.template.is_tree()),
            },
            object: object.trim().to_owned(),
            grant: line.as_str().to_owned(),
            root_equivalent: root.or_else(|| line.template.root_equivalent(guarded)),
        }
    }
}

impl Grants {
    /// The permissions of the driver for this resource, in words, in the order of the manifest.
    pub fn lines(&self) -> Vec<EffectiveGrant> {
        let line = |rule: &GrantRule| EffectiveGrant {
            sentence: rule_sentence(rule),
            guard: rule.attributes.guard,
            standing: self.standing(rule),
        };
        let unbound = self.unbound.iter().map(|UnboundRequest { keyword, request }| EffectiveGrant {
            sentence: request.sentence(),
            guard: request.0.attributes.guard,
            standing: GrantStatus::Refused(Refuser::ForeignDefault {
                keyword: keyword.clone(),
                request: request.0.as_str().to_owned(),
            }),
        });
        self.requests.iter().map(line).chain(unbound).collect()
    }

    fn standing(&self, rule: &GrantRule) -> GrantStatus {
        // No policy can help: the value itself is not trusted.
        if let Some(device) = &rule.unowned {
            return GrantStatus::Refused(device.refuser());
        }
        let mut narrowing = Vec::new();
        let example = rule.pattern.example();
        for (policy, refuser) in [(&self.site, self.site_refuser()), (&self.namespace, Refuser::Namespace)] {
            // A line about one thing alone is allowed or not: an operation on it shows which.
            let decided = example.as_ref().map(|op| policy.allows(&**op, rule, &KnownNames::default()));
            match (decided, policy.lines_about(rule)) {
                (Some(true), _) => {}
                (Some(false), _) | (None, None) => return GrantStatus::Refused(refuser),
                (None, Some(lines)) => narrowing.extend(lines),
            }
        }
        if narrowing.is_empty() { GrantStatus::Allowed } else { GrantStatus::Narrowed(narrowing) }
    }
}

fn rule_sentence(rule: &GrantRule) -> GrantSentence {
    let attributes = &rule.attributes;
    let guarded = attributes.guard.is_some();
    let root = line_is_root(attributes.root_equivalent, attributes.set_id, attributes.caps.iter());
    GrantSentence {
        verb: match guarded {
            true => GUARDED,
            false => (rule.capability.verb)(attributes.read, rule.pattern.is_tree()),
        },
        object: rule.pattern.to_string(),
        grant: rule.to_string(),
        root_equivalent: root.or_else(|| rule.pattern.root_equivalent(guarded)),
    }
}

/// Why the attributes alone make the driver as good as root.
fn line_is_root<'a>(declared: bool, set_id: bool, mut caps: impl Iterator<Item = &'a String>) -> Option<&'static str> {
    const ROOT: [&str; 15] = [
        ALL_CAPS,
        "cap_bpf",
        "cap_chown",
        "cap_dac_override",
        "cap_dac_read_search",
        "cap_fowner",
        "cap_mac_admin",
        "cap_mknod",
        "cap_setfcap",
        "cap_setgid",
        "cap_setuid",
        "cap_sys_admin",
        "cap_sys_module",
        "cap_sys_ptrace",
        "cap_sys_rawio",
    ];
    if declared {
        return Some("the line declares it");
    }
    if set_id {
        return Some("whoever runs a set-user-id file becomes its owner");
    }
    caps.any(|cap| ROOT.contains(&cap.as_str())).then_some("the program keeps a capability that amounts to root")
}
