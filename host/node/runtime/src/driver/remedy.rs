//! The remedy for a refusal: the very line that would allow what was denied, and the command that adds it.

use driver::Verb;
use grant::{DriverTrust, Refuser};
use model::DriverName;

/// What stands for the program in the line of a call that is about no certain one.
const ANY_PROGRAM: &str = "<program>";

/// The call that was refused.
pub(crate) struct RefusedCall<'a> {
    pub(crate) driver: &'a DriverName,
    pub(crate) trust: DriverTrust,
    pub(crate) namespace: &'a str,
    /// The file of the namespace's policy.
    pub(crate) policy: &'a str,
    pub(crate) verb: Verb,
    /// The digest of the driver's component.
    pub(crate) digest: &'a str,
    /// The line with templates, as the author would write it.
    pub(crate) suggestion: String,
}

/// What the operator can do about the refusal.
pub(crate) fn remedy(refused: &RefusedCall<'_>, refuser: &Refuser, line: &str) -> String {
    let RefusedCall { driver, trust, namespace, policy, verb, digest, suggestion } = refused;
    let command = format!("om driver allow {driver} --add {}", shell_word(line));
    match (refuser, trust) {
        (Refuser::Driver, DriverTrust::BuiltIn) => {
            format!("{driver} did not ask for it: this is a fault of the driver")
        }
        (Refuser::Driver, DriverTrust::ThirdParty) => format!(
            "{driver} did not ask for it. If it needs this, its author must add to the driver's grants\n  {suggestion}\n\
             and you must allow the new build: om driver allow FILE"
        ),
        (Refuser::OtherBuild { allowed }, _) => format!(
            "this is another build of {driver} than the site allowed: {} for {}. See what it asks for, and allow it:\n  \
             om driver allow {driver}",
            digest
                .parse::<grant::ComponentDigest>()
                .map_or_else(|_| (*digest).to_owned(), |digest| digest.short().to_owned()),
            allowed.short()
        ),
        (Refuser::ForeignDefault { keyword, .. }, _) => {
            format!("{refuser}.\nIf it is what you want, write it in the configuration:\n  {keyword} = …")
        }
        (Refuser::Site, _) => format!(
            "the site does not allow it to {driver}, see etc/drivers.d/{driver}.policy. If you trust it with this, run:\n  \
             {command}"
        ),
        // A call about the resource's processes, whose program is not known.
        (Refuser::Namespace, _) if line.contains(ANY_PROGRAM) => format!(
            "the namespace {namespace} allows none of the programs that this resource may run, with their options. If you trust all \
             of it with one of them, write its line, such as\n  allow spawn = /path/of/the/program **\ninto {policy}"
        ),
        (Refuser::Namespace, _) => format!(
            "the namespace {namespace} may not do it. If you trust all of it with this, write\n  allow {line}\n\
             into {policy}"
        ),
        (Refuser::ReadOnly, _) => format!("{verb} may only look, whatever is granted"),
        (Refuser::OptionOfRoot { .. }, _) => refuser.to_string(),
        (Refuser::Guard(reason), _) => {
            format!("the guard of the container engine's socket does not let it through: {reason}")
        }
        (other @ (Refuser::UnownedDevice { .. } | Refuser::UnclearOption { .. }), _) => other.to_string(),
    }
}

/// The text as one word of a shell.
fn shell_word(text: &str) -> String {
    // Grants hold stars and blanks, which a shell would expand and part.
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trust: DriverTrust, refuser: Refuser, expected: &str) {
        let driver = "disk.appliance".parse().unwrap();
        let line = "exec = /usr/bin/curl -sS it's";
        let digest = format!("sha256:{}", "b".repeat(64));
        let suggestion = "exec = /usr/bin/curl -sS {kw:whose}".to_owned();
        let (namespace, policy, verb) = ("ns1", "/r/etc/namespaces/ns1/policy", Verb::Start);
        let refused = RefusedCall { driver: &driver, trust, namespace, policy, verb, digest: &digest, suggestion };
        assert_eq!(remedy(&refused, &refuser, line), expected);
    }

    #[test]
    fn each_refusal_names_the_line_and_the_command_that_help() {
        check(
            DriverTrust::ThirdParty,
            Refuser::Driver,
            "disk.appliance did not ask for it. If it needs this, its author must add to the driver's grants\n  \
             exec = /usr/bin/curl -sS {kw:whose}\nand you must allow the new build: om driver allow FILE",
        );
        let allowed = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        check(
            DriverTrust::ThirdParty,
            Refuser::OtherBuild { allowed },
            "this is another build of disk.appliance than the site allowed: bbbbbbbbbbbb for aaaaaaaaaaaa. See what it asks for, and \
             allow it:\n  om driver allow disk.appliance",
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
             allow exec = /usr/bin/curl -sS it's\ninto /r/etc/namespaces/ns1/policy",
        );
        let driver = "app.simple".parse().unwrap();
        let refused = RefusedCall {
            driver: &driver,
            trust: DriverTrust::BuiltIn,
            namespace: "ns1",
            policy: "/r/etc/namespaces/ns1/policy",
            verb: Verb::Start,
            digest: "",
            suggestion: String::new(),
        };
        // A line with the placeholder could not be written into a policy.
        let hint = remedy(&refused, &Refuser::Namespace, "spawn = <program>");
        assert!(hint.ends_with("allow spawn = /path/of/the/program **\ninto /r/etc/namespaces/ns1/policy"), "{hint}");
    }
}
