//! The environment of a program: variables of the host, and variables from the resource's own keywords.
//!
//! A grant names a program and its arguments. Variables such as LD_PRELOAD would make any program do anything. So a driver
//! cannot set a variable of its own invention: it passes on what the configuration holds, word for word.

use std::ffi::OsString;

use grant::{DriverTrust, Operation, Permit, Refuser};
use kernel::process::{UserAccount, login_variables, runs_as_root};
use model::{NodeName, ObjectPath, Rid};

use crate::{CallContext, CapabilityError, Subject};

/// Fixed, so that the agent's own environment decides nothing about a program.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Variables that only change the wording of a program's output. Any driver may set them, to a name.
const HARMLESS: [&str; 3] = ["LANG", "LC_ALL", "TZ"];
/// Variables that name code which a program, its loader, its interpreter or one of its libraries runs. A user who sets one for a program
/// of root is root, so neither a keyword nor `--env` may.
const CODE: [&str; 77] = [
    "BASH_ENV",
    "ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "PS4",
    "PROMPT_COMMAND",
    "IFS",
    "CDPATH",
    "GCONV_PATH",
    "GETCONF_DIR",
    "LOCPATH",
    "NLSPATH",
    "NIS_PATH",
    "HOSTALIASES",
    "RESOLV_HOST_CONF",
    "MALLOC_TRACE",
    "PATH",
    "RUBYOPT",
    "RUBYLIB",
    "NODE_OPTIONS",
    "NODE_PATH",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "CLASSPATH",
    "LUA_PATH",
    "LUA_CPATH",
    "LUA_INIT",
    "TCLLIBPATH",
    "GEM_HOME",
    "GEM_PATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "LESSOPEN",
    "LESSCLOSE",
    "MAKEFLAGS",
    "MAKEFILES",
    "TERMINFO",
    "ALSA_CONFIG_PATH",
    "AWKLIBPATH",
    "AWKPATH",
    "BLKID_CONF",
    "CAML_LD_LIBRARY_PATH",
    "EMACSLOADPATH",
    "EXINIT",
    "FPATH",
    "GDK_PIXBUF_MODULE_FILE",
    "GLOBIGNORE",
    "IPTABLES_LIB_DIR",
    "IP6TABLES_LIB_DIR",
    "LESSKEY",
    "LESSKEYIN",
    "LESSKEY_SYSTEM",
    "LVM_SYSTEM_DIR",
    "MANPAGER",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "RSYNC_CONNECT_PROG",
    "SASL_PATH",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "SYSTEMD_EDITOR",
    "SYSTEMD_PAGER",
    "TAR_OPTIONS",
    "TC_LIB_DIR",
    "TCL_LIBRARY",
    "TERMCAP",
    "TERMINFO_DIRS",
    "TERMPATH",
    "VIMINIT",
    "XTABLES_LIBDIR",
    "ZDOTDIR",
];
/// The beginnings of more of them.
const CODE_FAMILIES: [&str; 20] = [
    "LD_",
    "PYTHON",
    "PERL",
    "GIT_",
    "GIO_",
    "GTK_",
    "QT_",
    "LIBVIRT_",
    "DYLD_",
    "BASH_FUNC_",
    "LUA_",
    "GUILE_",
    "GLIBC_",
    "COR_",
    "CORECLR_",
    "DOTNET_",
    "ERL_",
    "GST_",
    "NPM_CONFIG_",
    "npm_config_",
];
/// Directories and sockets in which programs look for their settings, and with them for commands to run and for whom to believe. In the
/// namespace `root` they are root's own word, and services need them. Elsewhere a policy must name each of them.
const SETTINGS: [&str; 31] = [
    "HOME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "CONTAINERS_CONF",
    "CURL_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "DOCKER_CONFIG",
    "DOCKER_HOST",
    "E2FSCK_CONFIG",
    "GNUPGHOME",
    "KRB5_CONFIG",
    "KUBECONFIG",
    "LDAPCONF",
    "LDAPRC",
    "LIBMOUNT_FSTAB",
    "MKE2FS_CONFIG",
    "MYSQL_HOME",
    "NETRC",
    "NOTIFY_SOCKET",
    "PGSERVICEFILE",
    "PGSYSCONFDIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "WGETRC",
];
/// Those of the families that only change how a program works.
const CODELESS: [&str; 7] = [
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONHASHSEED",
    "PYTHONFAULTHANDLER",
    "GIT_TERMINAL_PROMPT",
];

fn loads_code(name: &str) -> bool {
    let family = CODE_FAMILIES.iter().any(|family| name.starts_with(family)) || name.ends_with("_RSH");
    (CODE.contains(&name) || family) && !CODELESS.contains(&name)
}

/// The variable that only processes of the resource carry, see [`markers`].
const MARK: &str = "HOSTLER_MEMBER_OF";

/// The whole environment of a program that is allowed. A `member` carries the mark by which it is found again.
pub(super) fn of<O: Operation>(
    context: &CallContext,
    permit: &Permit<O>,
    asked: &[(String, String)],
    member: bool,
    account: Option<&UserAccount>,
) -> Result<Vec<(String, OsString)>, CapabilityError> {
    let as_root = account.map_or_else(runs_as_root, |account| account.uid.is_root());
    let mut environment = account_variables(account);
    for (name, value) in asked {
        check(context, name, value)?;
        if as_root {
            for_root(context, permit, (name, value))?;
        }
        // The last one wins, as in a shell. Two of one name would leave the choice to the program.
        environment.retain(|(other, _)| other != name);
        environment.push((name.clone(), value.into()));
    }
    // `check` has refused these names to the driver, so that none is there twice.
    environment.extend(facts(context));
    if member {
        environment.push((MARK.to_owned(), mark(context).into()));
    }
    Ok(environment)
}

/// Checks the variables of the command line for a trigger, which runs as the agent does.
pub(super) fn check_for_trigger<O: Operation>(
    context: &CallContext,
    permit: &Permit<O>,
    asked: &[(String, String)],
) -> Result<(), CapabilityError> {
    let mut variables = asked.iter().filter(|_| runs_as_root());
    variables.try_for_each(|(name, value)| for_root(context, permit, (name, value)))
}

/// Checks a variable for a program of root. In the namespace `root`, the configuration is root's own word, and only what makes programs
/// load code is kept from the agent's own drivers. No list of such variables is whole: outside of that namespace, and for drivers that a
/// site installed, the line of the policy that allows the program must name the variable.
fn for_root<O: Operation>(
    context: &CallContext,
    permit: &Permit<O>,
    (name, value): (&str, &str),
) -> Result<(), CapabilityError> {
    if loads_code(name) {
        return Err(CapabilityError::Denied(format!(
            "the environment variable {name}, which makes programs load code: not for a program of root, set user = … if another \
             user will do"
        )));
    }
    let is_foreign = context.templates().is_some_and(|templates| templates.trust == DriverTrust::ThirdParty);
    let asked = (is_foreign, !context.is_of_root());
    if asked == (false, false) || (HARMLESS.contains(&name) && is_name_of_system(value)) {
        return Ok(());
    }
    let named = context.grants().name_variable(permit, name, asked, !SETTINGS.contains(&name));
    named.map_err(|refuser| {
        let Subject { object, driver, .. } = context.subject();
        let policy = match refuser {
            Refuser::Namespace => format!("etc/namespaces/{}/policy", object.namespace()),
            _ => format!("etc/drivers.d/{driver}.policy"),
        };
        CapabilityError::Invalid(format!(
            "the environment variable {name} is not for a program of root: write env={name} into the attributes of the line of \
             {policy} that allows it, or set user = … if another user will do"
        ))
    })
}

/// What every program has that the agent runs for a user: the search path, the language, and what login(1) would set. Nothing of it
/// comes from the agent's own environment or from a configuration. None stands for the agent's own user.
pub fn account_variables(account: Option<&UserAccount>) -> Vec<(String, OsString)> {
    let fixed = [("PATH", PATH.into()), ("LANG", "C.UTF-8".into())];
    let login = login_variables(account.map(|account| account.uid));
    fixed.into_iter().chain(login).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The variables that every process of the resource carries.
pub(crate) fn markers(context: &CallContext) -> kernel::process::ProcessMarkers {
    let marks = marks(context);
    kernel::process::ProcessMarkers::new(marks.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The names and values of these variables.
pub(crate) fn marks(context: &CallContext) -> Vec<(String, String)> {
    let subject = context.subject();
    let (object, rid) = (subject.object.to_string(), subject.rid.to_string());
    let marks = [("HOSTLER_ID", object), ("HOSTLER_RID", rid), (MARK, mark(context))];
    marks.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The mark differs between two agents of one machine: their directories differ, though their objects may have the same
/// names.
fn mark(context: &CallContext) -> String {
    context.paths().statedir.display().to_string()
}

/// The resource and the action for which a program runs.
pub struct ProgramFacts<'a> {
    pub object: &'a ObjectPath,
    pub rid: &'a Rid,
    /// The action, such as `start`.
    pub action: &'a str,
    pub node: &'a NodeName,
    pub sid: &'a str,
}

impl ProgramFacts<'_> {
    /// The variables, once under our name and once under OpenSVC's, whose scripts read them.
    pub fn variables(&self) -> Vec<(String, OsString)> {
        let ProgramFacts { object, rid, action, node, sid } = self;
        // Shared data are provisioned along by the instance that is asked to provision.
        let is_leader = matches!(*action, "provision" | "unprovision");
        let facts = [
            ("ID", object.to_string()),
            ("SVC_ID", object.to_string()),
            ("SVCPATH", object.to_string()),
            ("NAME", object.name().to_owned()),
            ("SVCNAME", object.name().to_owned()),
            ("NAMESPACE", object.namespace().to_owned()),
            ("KIND", object.kind().to_string()),
            ("RID", rid.to_string()),
            ("ACTION", (*action).to_owned()),
            ("LEADER", u8::from(is_leader).to_string()),
            ("NODENAME", node.to_string()),
            ("SID", (*sid).to_owned()),
        ];
        let named = |prefix: &'static str| {
            facts.clone().into_iter().map(move |(name, fact)| (format!("{prefix}_{name}"), fact.into()))
        };
        named("HOSTLER").chain(named("OPENSVC")).collect()
    }
}

fn facts(context: &CallContext) -> Vec<(String, OsString)> {
    let Subject { object, rid, node, .. } = context.subject();
    ProgramFacts { object, rid, action: context.verb().as_str(), node, sid: context.sid() }.variables()
}

/// Whether a value names a language or a time zone of the system: the C library takes a path in such a variable for a file of its own.
fn is_name_of_system(value: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.@+-,/".contains(c);
    value.chars().all(legal) && !value.starts_with(['/', '.']) && !value.contains("..")
}

fn check(context: &CallContext, name: &str, value: &str) -> Result<(), CapabilityError> {
    // Any other name could not be set in a shell, and `=` in it would set another variable.
    let is_name = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_name || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(CapabilityError::Invalid(format!("{name:?} is not a name of an environment variable")));
    }
    if name.starts_with("HOSTLER_") || name.starts_with("OPENSVC_") {
        return Err(CapabilityError::Invalid(format!("the environment variable {name} is the host's to set")));
    }
    let written = format!("{name}={value}");
    let configured = context.configured().any(|keyword| keyword.values.contains(&written));
    // The operator may set variables for the action with `--env`.
    let asked = context.var(&format!("env.{name}")) == Some(value);
    if configured || asked || (HARMLESS.contains(&name) && is_name_of_system(value)) {
        return Ok(());
    }
    Err(CapabilityError::Denied(format!(
        "the environment variable {name}: no keyword of the resource holds {name}=VALUE"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_name_code_are_known() {
        for name in [
            "LD_PRELOAD",
            "LD_AUDIT",
            "LD_LIBRARY_PATH",
            "GCONV_PATH",
            "BASH_ENV",
            "ENV",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PERL5OPT",
            "PERL5LIB",
            "RSYNC_RSH",
            "CVS_RSH",
            "GIT_SSH_COMMAND",
            "GIT_EXTERNAL_DIFF",
            "NODE_OPTIONS",
            "PATH",
            "JAVA_TOOL_OPTIONS",
            "OPENSSL_CONF",
            "BASH_FUNC_x",
            "GLIBC_TUNABLES",
        ] {
            assert!(loads_code(name), "{name}");
        }
        for name in ["HOME", "CONFIG", "VERBOSE", "PYTHONUNBUFFERED", "TZ", "PORT", "ENVIRONMENT", "LDAP_URI"] {
            assert!(!loads_code(name), "{name}");
        }
    }
}
