//! The fingerprint of a plan: two plans with the same digest do the same to resources in the same states.

use std::fmt;

use sha2::{Digest, Sha256};

/// The SHA-256 of a plan's JSON, without the digest itself. Displays as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanDigest([u8; 32]);

impl PlanDigest {
    /// At least so many digits name a plan on the command line.
    pub const SHORTEST_PREFIX: usize = 4;

    /// The digest of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> PlanDigest {
        PlanDigest(Sha256::digest(bytes).into())
    }

    /// Whether `prefix`, as given to `--if-plan`, names this digest.
    pub fn matches(&self, prefix: &str) -> bool {
        // A shorter prefix would name some other plan by chance too easily.
        prefix.len() >= PlanDigest::SHORTEST_PREFIX && self.to_string().starts_with(&prefix.to_ascii_lowercase())
    }

    /// The first digits, as short as the command line accepts them.
    pub fn short(&self) -> String {
        // 64 ASCII digits, so the slice is always inside of them.
        self.to_string()[..PlanDigest::SHORTEST_PREFIX].to_owned()
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanDigest({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::PlanDigest;

    #[test]
    fn four_digits_name_a_plan_and_three_do_not() {
        let digest = PlanDigest::of(b"x");
        let text = digest.to_string();
        assert_eq!(text.len(), 64);
        assert!(digest.matches(&text) && digest.matches(&text[..4]) && digest.matches(&text[..4].to_uppercase()));
        assert!(!digest.matches(&text[..3]) && !digest.matches("") && !digest.matches("zzzz"));
        assert!(!digest.matches(&format!("{text}0")), "longer than a digest");
    }
}
