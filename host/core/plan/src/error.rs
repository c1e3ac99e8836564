//! Why a request is refused. Everything here is found before any resource is touched.

use model::{Group, Rid};

use crate::{Action, KeptReason, UnmetRequirement};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The request names a resource that the object does not have.
    #[error("no resource {0}")]
    NoResource(Rid),
    /// The request names resources, and the action concerns none of them.
    #[error("{action} acts on {group}#… alone, and the selection (--rid, --tags, --subsets) holds none: {}", list(.selected))]
    NotConcerned {
        /// The action.
        action: Action,
        /// The group that it concerns.
        group: Group,
        /// The selected resources.
        selected: Vec<Rid>,
    },
    /// Two resources have the same id.
    #[error("{0} is there twice")]
    Twice(Rid),
    /// A `netns` names a resource that the object does not have.
    #[error("{rid}: netns names {container}, which does not exist")]
    NoContainer {
        /// The resource with the keyword.
        rid: Rid,
        /// The resource that it names.
        container: Rid,
    },
    /// A `netns` names a resource that is not a container.
    #[error("{rid}: netns names {container}, which is not a container")]
    NotAContainer {
        /// The resource with the keyword.
        rid: Rid,
        /// The resource that it names.
        container: Rid,
    },
    /// A `<verb>_requires` names a resource that the object does not have.
    #[error("{rid}: {keyword} names {required}, which does not exist")]
    NoRequired {
        /// The resource with the keyword.
        rid: Rid,
        /// The keyword.
        keyword: String,
        /// The resource that it names.
        required: Rid,
    },
    /// Steps that wait for each other. The first one is repeated at the end.
    #[error("these wait for each other: {}", chain(.0))]
    Cycle(Vec<Rid>),
    /// A required resource is not in a wanted state, and this action does not bring it there.
    #[error("{0}")]
    Unmet(UnmetRequirement),
    /// A migration without a node to go to.
    #[error("a migration needs the node to move to (--to)")]
    NoDestination,
    /// Resources are up that cannot move and may not stay behind, each with the reason.
    #[error(
        "nothing is moved: {} (stop what does not migrate first, or say standby = true of what is up on every node, \
         shared = true of what both nodes have)",
        reasons(.0)
    )]
    KeptHere(Vec<(Rid, KeptReason)>),
    /// Resources that are to be started are not provisioned.
    #[error("not provisioned: {} (provision first, or --force to start anyway)", list(.0))]
    NotProvisioned(Vec<Rid>),
}

fn chain(rids: &[Rid]) -> String {
    rids.iter().map(Rid::to_string).collect::<Vec<_>>().join(" → ")
}

fn list(rids: &[Rid]) -> String {
    rids.iter().map(Rid::to_string).collect::<Vec<_>>().join(", ")
}

fn reasons(kept: &[(Rid, KeptReason)]) -> String {
    kept.iter().map(|(rid, why)| format!("{rid} is {why}")).collect::<Vec<_>>().join("; ")
}
