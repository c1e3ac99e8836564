//! Secret values, and texts from which they are cut out.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

/// The replacement of a secret.
const REDACTED: &str = "***";
/// The least length of a line of a secret that is cut out by itself. Shorter lines are too common: `-----`, `}`.
const TELLING_LINE: usize = 8;

/// The values that must never be shown. Everything that logs for an action shares them; their number grows while references
/// are resolved.
#[derive(Debug, Default)]
pub struct SecretValues {
    /// The longest first. Otherwise a secret that contains another would be cut apart, and the rest of it be shown.
    values: RwLock<Vec<String>>,
}

impl SecretValues {
    /// Adds a secret. Each long line of it becomes a secret too, as programs print a key line by line.
    pub fn add(&self, secret: &str) {
        let lines = secret.lines().map(str::trim).filter(|line| line.len() >= TELLING_LINE);
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        // A program prints a secret without the newline at the end of its file.
        for value in lines.chain([secret.trim()]) {
            if !value.is_empty() && !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    }

    /// The text with `***` in place of each secret.
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
