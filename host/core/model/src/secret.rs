//! Names whose values are secret: of variables, of keys of a data store, of options on a command line.

/// A name that contains one of these words has a secret value.
const SECRET_WORDS: [&str; 4] = ["password", "secret", "token", "key"];

/// Whether the value of that name must never be shown.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    // A part of the name is enough (`DB_PASSWORD`): to hide too much does less harm than to show a secret.
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_word_counts_wherever_it_stands_in_the_name() {
        for name in ["DB_PASSWORD", "ApiToken", "key", "secretary"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PORT", "", "passwd"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
