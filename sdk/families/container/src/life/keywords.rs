//! The keywords of every container, and their combination with the options of `run_args`.

use std::path::PathBuf;
use std::time::Duration;

use hostler_family_application::StoreVariables;
use hostler_run_args::{DeviceMapping, NamedValue, RestartPolicy, RunArgs, VolumeMount};
use hostler_sdk::{Context, Error, Keywords, Problem, Result};

use crate::is_reference;

/// The keywords that describe a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Keywords)]
pub struct ContainerSpec {
    /// The image: `[registry/]name[:tag]`. The default tag is `latest`.
    #[keyword(example = "mariadb:10.11")]
    pub image: String,
    /// When to pull the image: `once`, if the engine does not have it; `always`, before each start; or `never`.
    #[keyword(default = "once", candidates("once", "always", "never"))]
    pub image_pull_policy: String,
    /// How long a pull may take. At most as long as the action.
    #[keyword(default = "2m", example = "10m")]
    pub pull_timeout: Duration,
    /// A file with credentials for the image's registry, as `docker login` writes it: JSON with `auths`. Only its owner may have
    /// the right to read it.
    #[keyword(example = "/etc/hostler/registry.json")]
    pub registry_creds: Option<PathBuf>,
    /// Options of `docker run`, as on its command line. They are translated to fields of the engine's API, without running docker.
    /// An unknown option is an error. A keyword overrides the option for the same thing; lists are combined.
    #[keyword(kind = "words", example = "--cap-add NET_ADMIN -v /etc/localtime:/etc/localtime:ro")]
    pub run_args: Vec<String>,
    /// The program of the container and its first arguments. The default is the image's.
    #[keyword(kind = "words", example = "/bin/sh")]
    pub entrypoint: Vec<String>,
    /// The arguments of the entrypoint, or the program itself if there is no entrypoint. The default is the image's.
    #[keyword(kind = "words", example = "mariadbd --max-connections=200")]
    pub command: Vec<String>,
    /// Environment variables. Values are not shown if the name contains password, secret, token or key.
    #[keyword(kind = "words", example = "TZ=UTC MODE=replica")]
    pub environment: Vec<String>,
    /// Environment variables from data stores.
    #[keyword(flatten)]
    pub stores: StoreVariables,
    /// Directories and volumes in the container: words `SOURCE:/TARGET[:OPTIONS]`. The source is a path of the node, which must
    /// exist; or the name of a volume of the object, with a path in it or without (`{name}-vol-0/data`); or the name of a volume of
    /// the engine. Options are for example `ro`.
    #[keyword(volumes, kind = "words", example = "/srv/{name}/data:/var/lib/mysql:rw")]
    pub volume_mounts: Vec<String>,
    /// Devices of the node in the container: words `/dev/ON-THE-NODE[:/dev/IN-THE-CONTAINER][:rwm]`.
    #[keyword(example = "/dev/fuse:rw")]
    pub devices: Vec<String>,
    /// The network of the container: `none` (its own namespace with a loopback only, to which ip resources add addresses), `host`
    /// (the node's), `container#1` (that of another resource of the object), or the name of a network of the engine. The default is
    /// the engine's bridge.
    #[keyword(example = "none")]
    pub netns: Option<String>,
    /// The namespace of processes: `host` or `container#1`. The default is the container's own.
    #[keyword(example = "host")]
    pub pidns: Option<String>,
    /// The namespace of shared memory: `host`, `private`, `shareable`, or `container#1`. The default is the container's own.
    #[keyword(example = "shareable")]
    pub ipcns: Option<String>,
    /// The namespace of the host name: `host`. The default is the container's own.
    #[keyword(example = "host")]
    pub utsns: Option<String>,
    /// The namespace of users: `host`. The default is that of the engine's configuration.
    #[keyword(example = "host")]
    pub userns: Option<String>,
    /// The container's host name. By default the engine chooses it.
    #[keyword(example = "{name}")]
    pub hostname: Option<String>,
    /// The user that the program runs as in the container, perhaps with `:` and a group. The default is the image's.
    #[keyword(example = "999:999")]
    pub user: Option<String>,
    /// The working directory of the program. The default is the image's.
    #[keyword(example = "/srv")]
    pub cwd: Option<PathBuf>,
    /// Whether the container has all rights of root on the node.
    pub privileged: bool,
    /// Whether the container can only write to its volumes.
    pub read_only: bool,
    /// Whether the engine runs a small init in the container, which reaps orphaned processes. The default is that of the engine's
    /// configuration.
    #[keyword(example = "true")]
    pub init: Option<bool>,
    /// Whether the program's standard input stays open.
    pub interactive: bool,
    /// Whether the program has a terminal.
    pub tty: bool,
    /// Whether stop also removes the container, with all its data outside of volumes.
    pub rm: bool,
    /// The container's name. The default is `<namespace>..<name>.container.<id>`, or `<name>.container.<id>` in the namespace
    /// `root`.
    #[keyword(example = "db")]
    pub name: Option<String>,
    /// The signal that stops the program. The default is the image's, or TERM.
    #[keyword(example = "QUIT")]
    pub stop_signal: Option<String>,
    /// How long the program may take to exit after the signal before it is killed. The default is the option `--stop-timeout` of
    /// `run_args`, or 10s. It ends 15s before `stop_timeout` does, or at half of it.
    #[keyword(example = "1m")]
    pub grace: Option<Duration>,
    /// How long start waits to see whether the container exits at once.
    #[keyword(default = "200ms", example = "2s")]
    pub settle: Duration,
}

impl ContainerSpec {
    /// The problems of the keywords.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |keyword: &str, text: String| problems.push(Problem::new(keyword, text));
        match hostler_run_args::parse(&self.run_args) {
            Err(error) => problem("run_args", error.to_string()),
            Ok(options) => {
                // The engine and the agent would both restart the container, and disagree about its state.
                if options.restart.is_some_and(|restart| restart != RestartPolicy::No) {
                    problem(
                        "run_args",
                        "--restart: the agent restarts the container, see the keyword restart".to_owned(),
                    );
                }
                // Not an option of the engine: docker itself would wait for the container, which a resource must not.
                if options.detach == Some(false) {
                    problem("run_args", "--detach=false: use a task for containers that run to completion".to_owned());
                }
            }
        }
        if !is_reference(&self.image) {
            problem("image", format!("{:?} is not an image: expected [registry/]name[:tag]", self.image));
        }
        for (keyword, error) in [
            ("volume_mounts", read_all::<VolumeMount>(&self.volume_mounts).err()),
            ("devices", read_all::<DeviceMapping>(&self.devices).err()),
            ("environment", read_all::<NamedValue>(&self.environment).err()),
        ] {
            if let Some(text) = error {
                problem(keyword, text);
            }
        }
        problems
    }

    /// Fails if the keywords have a problem.
    pub(crate) fn check(&self) -> Result<()> {
        match self.problems().into_iter().next() {
            Some(problem) => Err(problem.into()),
            None => Ok(()),
        }
    }

    /// The options of `run_args`, combined with the keywords.
    pub(crate) fn wanted(&self) -> Result<RunArgs> {
        let invalid = |keyword: &str, text: String| Error::invalid_config(format!("{keyword}: {text}"));
        let options =
            hostler_run_args::parse(&self.run_args).map_err(|error| invalid("run_args", error.to_string()))?;
        let mut wanted = options;
        wanted.volumes.extend(read_all(&self.volume_mounts).map_err(|text| invalid("volume_mounts", text))?);
        wanted.devices.extend(read_all(&self.devices).map_err(|text| invalid("devices", text))?);
        wanted.env.extend(read_all(&self.environment).map_err(|text| invalid("environment", text))?);
        for variable in read_all::<NamedValue>(self.stores.all()).map_err(|text| invalid("environment", text))? {
            // A variable of a data store replaces the others of its name, wherever they are set.
            wanted.env.retain(|other| other.name != variable.name);
            wanted.env.push(variable);
        }
        let prefer = |option: &mut Option<String>, keyword: &Option<String>| {
            if keyword.is_some() {
                option.clone_from(keyword);
            }
        };
        prefer(&mut wanted.network, &self.netns);
        prefer(&mut wanted.pid, &self.pidns);
        prefer(&mut wanted.ipc, &self.ipcns);
        prefer(&mut wanted.uts, &self.utsns);
        prefer(&mut wanted.userns, &self.userns);
        prefer(&mut wanted.hostname, &self.hostname);
        prefer(&mut wanted.user, &self.user);
        prefer(&mut wanted.stop_signal, &self.stop_signal);
        prefer(&mut wanted.workdir, &self.cwd.as_ref().map(|cwd| cwd.to_string_lossy().into_owned()));
        // Booleans can only be switched on by a keyword: false is also the value of an absent keyword.
        wanted.privileged |= self.privileged;
        wanted.read_only |= self.read_only;
        wanted.init = self.init.or(wanted.init);
        wanted.interactive = Some(self.interactive || wanted.interactive == Some(true));
        wanted.tty = Some(self.tty || wanted.tty == Some(true));
        Ok(wanted)
    }

    /// The container's name.
    pub(crate) fn name(&self, context: &Context) -> String {
        let given = || hostler_run_args::parse(&self.run_args).ok().and_then(|options| options.name);
        self.name.clone().or_else(given).unwrap_or_else(|| default_name(context))
    }

    /// The other resources whose namespaces the container shares.
    pub(crate) fn joined(&self) -> Result<Vec<(NamespaceKind, String)>> {
        let wanted = self.wanted()?;
        let modes = [
            (NamespaceKind::Network, wanted.network),
            (NamespaceKind::Processes, wanted.pid),
            (NamespaceKind::Memory, wanted.ipc),
        ];
        Ok(modes.into_iter().filter_map(|(kind, mode)| Some((kind, rid_of(mode.as_deref()?)?.to_owned()))).collect())
    }

    /// Whether the options say that a stop does not wait.
    pub(crate) fn kills_at_once(&self) -> bool {
        hostler_run_args::parse(&self.run_args).is_ok_and(|options| options.stop_timeout == Some(0))
    }

    /// Whether a stop removes the container.
    pub(crate) fn is_fleeting(&self) -> bool {
        self.rm || hostler_run_args::parse(&self.run_args).is_ok_and(|options| options.rm == Some(true))
    }

    /// The policy for pulling the image.
    pub(crate) fn pull(&self) -> PullPolicy {
        let option = hostler_run_args::parse(&self.run_args).ok().and_then(|options| options.pull);
        match (option.as_deref(), self.image_pull_policy.as_str()) {
            (Some("always"), _) | (None, "always") => PullPolicy::Always,
            (Some("never"), _) | (None, "never") => PullPolicy::Never,
            _ => PullPolicy::Once,
        }
    }
}

/// A kind of namespaces(7) that a container can share with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamespaceKind {
    Network,
    Processes,
    Memory,
}

impl NamespaceKind {
    /// The kernel's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            NamespaceKind::Network => "net",
            NamespaceKind::Processes => "pid",
            NamespaceKind::Memory => "ipc",
        }
    }

    /// A word for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            NamespaceKind::Network => "network",
            NamespaceKind::Processes => "processes",
            NamespaceKind::Memory => "shared memory",
        }
    }
}

/// The resource that a mode names: `container#1`, or `container:container#1`.
pub(crate) fn rid_of(mode: &str) -> Option<&str> {
    let name = mode.strip_prefix("container:").unwrap_or(mode);
    name.starts_with("container#").then_some(name)
}

/// When to pull an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PullPolicy {
    Once,
    Always,
    Never,
}

/// Parses all words. The error is about the first word that does not parse.
fn read_all<'w, T: std::str::FromStr<Err = &'static str>>(
    words: impl IntoIterator<Item = &'w String>,
) -> std::result::Result<Vec<T>, String> {
    words.into_iter().map(|word| word.parse().map_err(|expected| format!("{word:?}: expected {expected}"))).collect()
}

/// The default name: `web.container.1`, or `ns1..web.container.1`.
fn default_name(context: &Context) -> String {
    // The form of the names in OpenSVC, which scripts of operators know.
    let rid = context.rid.replace('#', ".");
    match context.object.split('/').collect::<Vec<_>>()[..] {
        [name] => format!("{name}.{rid}"),
        [namespace, _, name] => format!("{namespace}..{name}.{rid}"),
        _ => format!("{}.{rid}", context.object.replace('/', ".")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn keywords_count_and_lists_add_up() {
        let container = ContainerSpec {
            run_args: words("--net=none -u 1 -v /a:/b -e A=1 --privileged -w /x --name other --rm --pull always"),
            volume_mounts: words("/c:/d:ro"),
            environment: words("B=2"),
            netns: Some("host".to_owned()),
            ..ContainerSpec::default()
        };
        let wanted = container.wanted().unwrap();
        assert_eq!((wanted.network.as_deref(), wanted.user.as_deref()), (Some("host"), Some("1")));
        assert_eq!((wanted.volumes.len(), wanted.env.len(), wanted.privileged), (2, 2, true));
        assert_eq!(container.name(&Context::fake("container#1")), "other");
        assert_eq!((container.is_fleeting(), container.pull()), (true, PullPolicy::Always));
    }

    #[test]
    fn variables_of_stores_replace_those_of_their_name() {
        let stores = StoreVariables { configs_environment: words("B=2 C=2"), secrets_environment: words("C=3") };
        let container = ContainerSpec {
            run_args: words("-e A=1 -e B=1"),
            environment: words("C=1"),
            stores,
            ..ContainerSpec::default()
        };
        let shown = container.wanted().unwrap().env.into_iter().map(|v| v.name + "=" + &v.value).collect::<Vec<_>>();
        assert_eq!(shown, ["A=1", "B=2", "C=3"]);
    }

    #[test]
    fn problems_are_reported_by_keyword() {
        let container = ContainerSpec {
            image: "../etc".to_owned(),
            run_args: words("--frobnicate"),
            volume_mounts: words("a b"),
            devices: words("sda"),
            environment: words("A"),
            ..ContainerSpec::default()
        };
        let problems = container.problems();
        let keywords: Vec<&str> = problems.iter().map(|problem| problem.keyword.as_str()).collect();
        assert_eq!(keywords, ["run_args", "image", "volume_mounts", "devices", "environment"]);
        assert_eq!(problems[0].text, "--frobnicate: unknown option");
        let restart =
            ContainerSpec { image: "a".to_owned(), run_args: words("--restart=always"), ..ContainerSpec::default() };
        assert_eq!(restart.problems().len(), 1);
    }

    #[test]
    fn names_say_whose_container_it_is() {
        let named = |object: &str| {
            let mut context = Context::fake("container#01db");
            object.clone_into(&mut context.object);
            default_name(&context)
        };
        assert_eq!(named("osvprdcollector.opensvc.com"), "osvprdcollector.opensvc.com.container.01db");
        assert_eq!(named("ns1/svc/web"), "ns1..web.container.01db");
    }
}
