//! Values that must never be shown, and texts without them.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

/// What stands where a secret stood.
const REDACTED: &str = "***";
/// Shorter lines of a secret of many lines are too common to be cut out by themselves: `-----`, `}`.
const TELLING_LINE: usize = 8;

/// The values that must never be shown. Shared by everything that logs for an action; grows while references resolve.
#[derive(Debug, Default)]
pub struct SecretValues {
    /// The longest first, so that no part of one is left when another one is cut out of it.
    values: RwLock<Vec<String>>,
}

impl SecretValues {
    /// Never shows this value again. Of one with many lines, none of the lines either, for output comes line by line.
    pub fn add(&self, secret: &str) {
        let lines = secret.lines().map(str::trim).filter(|line| line.len() >= TELLING_LINE);
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        for value in lines.chain([secret.trim()]) {
            if !value.is_empty() && !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    }

    /// The text with `***` where a secret stood.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        values.iter().fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(secret) { Cow::Owned(text.replace(secret, REDACTED)) } else { text }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(secrets: &[&str], text: &str, expected: &str) {
        let all = SecretValues::default();
        secrets.iter().for_each(|secret| all.add(secret));
        assert_eq!(all.redact(text), expected);
    }

    #[test]
    fn secrets_are_replaced_wherever_they_stand() {
        check(&["hunter2"], "run: login -p hunter2 --retry hunter2", "run: login -p *** --retry ***");
        check(&["pass", "password"], "password=pass", "***=***");
        check(&["password", "pass"], "password=pass", "***=***");
        check(&[], "nothing to hide", "nothing to hide");
        check(&["", " "], "nothing to hide", "nothing to hide");
        check(&["hunter2\n"], "say hunter2", "say ***");
    }

    #[test]
    fn no_line_of_a_key_is_shown() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADAN\nab\n-----END KEY-----\n";
        check(&[key], "| MIIEvQIBADAN", "| ***");
        check(&[key], "absent", "absent");
    }

    proptest! {
        #[test]
        fn no_secret_survives(
            secrets in prop::collection::vec("[a-c]{3,6}", 1..4),
            noise in prop::collection::vec("[a-c ]{0,4}", 4),
        ) {
            let all = SecretValues::default();
            secrets.iter().for_each(|secret| all.add(secret));
            let text = secrets.iter().zip(&noise).map(|(secret, noise)| format!("{noise} {secret} ")).collect::<String>();
            let shown = all.redact(&text);
            prop_assert!(secrets.iter().all(|secret| !shown.contains(secret.as_str())), "{}", shown);
        }
    }
}
