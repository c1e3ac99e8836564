//! Names whose values are secret: of variables, of keys of a data store, of options on a command line.

/// A name that contains one of these words has a secret value.
const SECRET_WORDS: [&str; 4] = ["password", "secret", "token", "key"];

/// Whether the value of that name must never be shown.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    // A part of the name is enough (`DB_PASSWORD`): to hide too much does less harm than to show a secret.
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Whether the word is an option of a program whose value stands in the next word and must never be shown, as `--password` is. One that
/// names a key or a file, as `--key` and `--token-file` do, holds none.
pub fn is_secret_option(word: &str) -> bool {
    const NAMES_ONE: [&str; 5] = ["file", "path", "dir", "name", "id"];
    let Some(name) = word.strip_prefix("--") else { return false };
    let is_option = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    is_option && name != "key" && is_secret_name(name) && !NAMES_ONE.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_is_called_like_a_secret_has_its_value_in_the_next_word() {
        for option in ["--password", "--token", "--api-key", "--db.password", "--SECRET"] {
            assert!(is_secret_option(option), "{option}");
        }
        for other in ["--key", "--key-file", "--token-file", "password", "-p", "--port", "--password=x", "--", ""] {
            assert!(!is_secret_option(other), "{other}");
        }
    }

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
