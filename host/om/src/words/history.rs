//! The command line as it is written into logs: as it was typed, without secrets.

use model::{is_secret_name, is_secret_option};

use super::take_option;

const HIDDEN: &str = "***";

/// The command as it was typed, for logs. Values whose names say that they are secret become `***`.
pub(crate) fn without_secrets(argv: &[String]) -> String {
    // Looked up first, because --key or --param may stand behind the value that it makes secret.
    let (param, _) = take_option(argv.to_vec(), &["--param"]);
    let (key, _) = take_option(argv.to_vec(), &["--key"]);
    // The value of a key of a store is always secret, whatever the key is called.
    let hide_param = key.is_some() || param.as_deref().is_some_and(is_secret_name);
    let before = std::iter::once("").chain(argv.iter().map(String::as_str));
    let shown = argv.iter().zip(before).map(|(word, before)| match (before, word.split_once('=')) {
        ("-e" | "--env" | "--kw", _) => hide_value(word),
        ("--value", _) if hide_param => HIDDEN.to_owned(),
        (option, _) if is_secret_option(option) && !word.starts_with('-') => HIDDEN.to_owned(),
        (_, Some((option, _))) if is_secret_option(option) => format!("{option}={HIDDEN}"),
        (_, Some(("--value", _))) if hide_param => format!("--value={HIDDEN}"),
        (_, Some((option @ ("-e" | "--env" | "--kw"), pair))) => format!("{option}={}", hide_value(pair)),
        // A short option may be typed together with its value: `-eNAME=VALUE`.
        _ => match word.strip_prefix("-e").filter(|_| !word.starts_with("-e=")) {
            Some(pair) => format!("-e{}", hide_value(pair)),
            // An option that is called like a secret, such as --key, names one and holds none.
            None if word.starts_with('-') => word.clone(),
            None => hide_variables(word),
        },
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// `NAME=VALUE` without the value, if the name says that it is secret.
fn hide_value(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={HIDDEN}"),
        Some((name, value)) => format!("{name}={}", hide_variables(value)),
        None => pair.to_owned(),
    }
}

/// The words without the values of those that are variables with the name of a secret, of which `environment` has many, and without
/// those behind options of such names.
fn hide_variables(words: &str) -> String {
    let mut before = "";
    let shown = words.split_inclusive(char::is_whitespace).map(|word| {
        let option = std::mem::replace(&mut before, word.trim_end());
        let end = &word[word.trim_end().len()..];
        match word.split_once('=') {
            _ if is_secret_option(option) && !word.starts_with('-') => format!("{HIDDEN}{end}"),
            Some((name, value)) if is_secret_name(name) && !value.trim().is_empty() => format!("{name}={HIDDEN}{end}"),
            _ => word.to_owned(),
        }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_contains_no_secrets() {
        let check = |line: &str, expected: &str| {
            let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(without_secrets(&argv), expected);
        };
        check("om web start -e A=1 -e DB_PASSWORD=x", "om web start -e A=1 -e DB_PASSWORD=***");
        check("om web start --env=API_TOKEN=x=y -eKEY=z", "om web start --env=API_TOKEN=*** -eKEY=***");
        check("om web set --kw env.secret=s --kw app=key", "om web set --kw env.secret=*** --kw app=key");
        check("om web set --param env.token --value t", "om web set --param env.token --value ***");
        check("om sec/db add --key pin --value 1", "om sec/db add --key pin --value ***");
        check("om sec/db add --value=1 --key=pin", "om sec/db add --value=*** --key=pin");
        check("om web set --param app --value t", "om web set --param app --value t");
        check("om web set --value=t --param app", "om web set --value=t --param app");
        check("om web set --kw app#1.environment=API_TOKEN=x", "om web set --kw app#1.environment=API_TOKEN=***");
        check("om web set --kw=a.environment+=A=1", "om web set --kw=a.environment+=A=1");
        check(
            "om web set --param a.environment --value API_TOKEN=x",
            "om web set --param a.environment --value API_TOKEN=***",
        );
        check("om web exec -- env PASSWORD=x sh", "om web exec -- env PASSWORD=*** sh");
        check("om web exec -- sh --password x -p y", "om web exec -- sh --password *** -p y");
        let words = ["om", "--kw", "a.start=/x --token abc --port 1"].map(str::to_owned);
        assert_eq!(without_secrets(&words), "om --kw a.start=/x --token *** --port 1");
        let words = ["om", "--kw", "a.environment=A=1 B_KEY=2 C=3"].map(str::to_owned);
        assert_eq!(without_secrets(&words), "om --kw a.environment=A=1 B_KEY=*** C=3");
        check("om web set --value t --param=env.key", "om web set --value *** --param=env.key");
    }
}
