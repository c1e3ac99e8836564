//! A keyword that a driver does not accept, as commands report it.

use model::Rid;

/// A keyword of a resource that its driver rejects. Without a keyword, the driver rejects the resource as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedKeyword {
    pub rid: Rid,
    pub keyword: Option<String>,
    /// The reason.
    pub text: String,
}

impl std::fmt::Display for RejectedKeyword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.keyword {
            Some(keyword) => write!(f, "{}.{keyword}: {}", self.rid, self.text),
            None => write!(f, "{}: {}", self.rid, self.text),
        }
    }
}
