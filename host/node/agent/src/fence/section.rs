//! One section of `cluster.conf` that ends nodes.

use std::time::Duration;

use driver::DriverCall;
use model::{NodeName, Rid};
use sha2::{Digest, Sha256};

/// A fence.
#[derive(Debug, Clone)]
pub struct FenceSection {
    pub rid: Rid,
    /// The nodes that it ends.
    pub nodes: Vec<NodeName>,
    /// Those of a lower level are tried before.
    pub level: u32,
    pub(crate) retries: u32,
    pub(crate) delay: Duration,
    pub(crate) timeout: Duration,
    /// Of its driver and its keywords: a test counts for what was tested.
    pub(crate) digest: String,
    pub(crate) call: DriverCall,
    /// A keyword that names something which does not exist now.
    pub(crate) unresolved: Option<String>,
}

impl FenceSection {
    pub(super) fn of(call: DriverCall, unresolved: Option<String>) -> FenceSection {
        let values = |name: &str| call.keywords.iter().find(|keyword| keyword.name == name).map(|found| &found.values);
        let number = |name: &str| values(name).and_then(|values| values.first()?.parse::<u64>().ok());
        let small = |name: &str, or: u32| number(name).and_then(|value| value.try_into().ok()).unwrap_or(or);
        let time = |name: &str, or: u64| Duration::from_millis(number(name).unwrap_or(or));
        let nodes = values("nodes").into_iter().flatten().filter_map(|node| node.parse().ok()).collect();
        FenceSection {
            rid: call.rid.clone(),
            nodes,
            level: small("level", 1),
            // A driver that fails at once would be asked for ever otherwise.
            retries: small("retries", 0).min(100),
            delay: time("delay", 0),
            timeout: time("timeout", 30_000),
            digest: digest_of(&call),
            unresolved,
            call,
        }
    }
}

fn digest_of(call: &DriverCall) -> String {
    let mut digest = Sha256::new();
    digest.update(call.driver.to_string());
    for keyword in call.keywords.iter() {
        // With their lengths, so that no two lists of values are the same bytes.
        digest.update(format!("\n{} {:?}", keyword.name, keyword.values));
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
