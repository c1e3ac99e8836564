//! The remedy for a refusal: the very line that would allow what was denied, and the command that adds it.

use driver::Verb;
use grant::{DriverTrust, Refuser};
use model::DriverName;

/// What the operator can do about the refusal.
pub(crate) fn remedy(
    driver: &DriverName,
    trust: DriverTrust,
    namespace: &str,
    verb: Verb,
    refuser: &Refuser,
    line: &str,
) -> String {
    let command = format!("om driver allow {driver} --add {}", shell_word(line));
    match (refuser, trust) {
        (Refuser::Driver, DriverTrust::BuiltIn) => {
            format!("{driver} did not ask for it: this is a fault of the driver")
        }
        (Refuser::Driver, DriverTrust::ThirdParty) => format!(
            "{driver} did not ask for it. If you trust it with this, its author must list, in the manifest,\n  {line}\n\
             and you must run: {command}"
        ),
        (Refuser::Site, _) => format!(
            "the site does not allow it to {driver}, see etc/drivers.d/{driver}.policy. If you trust it with this, run:\n  \
             {command}"
        ),
        (Refuser::Namespace, _) => format!(
            "the namespace {namespace} may not do it. If you trust all of it with this, write\n  allow {line}\n\
             into etc/namespaces/{namespace}/policy"
        ),
        (Refuser::ReadOnly, _) => format!("{verb} may only look, whatever is granted"),
        (Refuser::Guard(reason), _) => {
            format!("the guard of the container engine's socket does not let it through: {reason}")
        }
        (other @ (Refuser::UnownedDevice { .. } | Refuser::UnclearOption { .. }), _) => other.to_string(),
    }
}

/// The text as one word of a shell.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trust: DriverTrust, refuser: Refuser, expected: &str) {
        let driver = "disk.appliance".parse().unwrap();
        let line = "exec = /usr/bin/curl -sS it's";
        assert_eq!(remedy(&driver, trust, "ns1", Verb::Start, &refuser, line), expected);
    }

    #[test]
    fn each_refusal_names_the_line_and_the_command_that_help() {
        check(
            DriverTrust::ThirdParty,
            Refuser::Driver,
            "disk.appliance did not ask for it. If you trust it with this, its author must list, in the manifest,\n  \
             exec = /usr/bin/curl -sS it's\nand you must run: \
             om driver allow disk.appliance --add 'exec = /usr/bin/curl -sS it'\\''s'",
        );
        check(
            DriverTrust::ThirdParty,
            Refuser::Site,
            "the site does not allow it to disk.appliance, see etc/drivers.d/disk.appliance.policy. If you trust it with \
             this, run:\n  om driver allow disk.appliance --add 'exec = /usr/bin/curl -sS it'\\''s'",
        );
        check(
            DriverTrust::BuiltIn,
            Refuser::Namespace,
            "the namespace ns1 may not do it. If you trust all of it with this, write\n  \
             allow exec = /usr/bin/curl -sS it's\ninto etc/namespaces/ns1/policy",
        );
    }
}
