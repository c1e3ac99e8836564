//! Keywords that every section of a fence has. The host reads them, too: they say whom the section ends, and when it is tried.

use std::time::Duration;

use hostler_sdk::{Keywords, Problem};

/// Whom a section ends, and when it is tried.
#[derive(Debug, Clone, PartialEq, Eq, Keywords)]
pub struct FenceKeywords {
    /// The nodes that it ends. The default is the node that the section is named after.
    #[keyword(kind = "nodes", default = "{rindex}", example = "n2 n3")]
    pub nodes: Vec<String>,
    /// Sections for the same node are tried in the order of their levels, until one proves that the node has ended.
    #[keyword(default = "1", example = "2")]
    pub level: u32,
    /// How often it is tried again after a failure, before the next level is.
    #[keyword(default = "0", example = "2")]
    pub retries: u32,
    /// How long is waited before it is tried for the first time: so a node that has crashed may write its dump.
    #[keyword(default = "0s", example = "10s")]
    pub delay: Duration,
    /// How long one try may take.
    #[keyword(default = "30s", example = "1m")]
    pub timeout: Duration,
}

impl FenceKeywords {
    /// The problem with the keywords, if there is one.
    pub fn problem(&self) -> Option<Problem> {
        let never = self.timeout.is_zero();
        never.then(|| Problem::new("timeout", "0 is no time for a try: expected a duration such as 30s"))
    }
}

impl Default for FenceKeywords {
    /// The defaults of a section, for tests of drivers.
    fn default() -> FenceKeywords {
        let (delay, timeout) = (Duration::ZERO, Duration::from_secs(30));
        FenceKeywords { nodes: Vec::new(), level: 1, retries: 0, delay, timeout }
    }
}
