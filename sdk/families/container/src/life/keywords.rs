//! The keywords of every container, and what they add up to.

use std::path::PathBuf;
use std::time::Duration;

use hostler_family_application::StoreVariables;
use hostler_run_args::{DeviceMapping, NamedValue, RestartPolicy, RunArgs, VolumeMount};
use hostler_sdk::{Context, Error, Keywords, Problem, Result};

use crate::is_reference;

/// What a container is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Keywords)]
pub struct ContainerSpec {
    /// The image, as the engine names it: `[registry/]name[:tag]`. Without a tag, `latest`.
    #[keyword(example = "mariadb:10.11")]
    pub image: String,
    /// When to pull the image: `once`, where the engine does not have it; `always`, before each start; `never`.
    #[keyword(default = "once", candidates("once", "always", "never"))]
    pub image_pull_policy: String,
    /// How long a pull may take, at most as long as the action.
    #[keyword(default = "2m", example = "10m")]
    pub pull_timeout: Duration,
    /// A file that says who pulls the image, where its registry wants to know: as `docker login` writes it, JSON with `auths`, of
    /// which the entry for the image's registry is taken. Only its owner may be able to read it.
    #[keyword(example = "/etc/hostler/registry.json")]
    pub registry_creds: Option<PathBuf>,
    /// Options of `docker run`, as one would type them. They become fields of the engine's interface: no program is run. An
    /// option that is not known is an error. Where a keyword says the same, the keyword counts; lists add up.
    #[keyword(kind = "words", example = "--cap-add NET_ADMIN -v /etc/localtime:/etc/localtime:ro")]
    pub run_args: Vec<String>,
    /// The program of the container and its first arguments. By default the image's.
    #[keyword(kind = "words", example = "/bin/sh")]
    pub entrypoint: Vec<String>,
    /// The arguments of the entrypoint, or the program itself where there is none. By default the image's.
    #[keyword(kind = "words", example = "mariadbd --max-connections=200")]
    pub command: Vec<String>,
    /// Variables for the environment. Values whose names say password, secret, token or key are not shown.
    #[keyword(kind = "words", example = "TZ=UTC MODE=replica")]
    pub environment: Vec<String>,
    /// Variables out of stores.
    #[keyword(flatten)]
    pub stores: StoreVariables,
    /// What of the node is seen in the container: words `SOURCE:/TARGET[:OPTIONS]`, the source a path of the node or the name
    /// of a volume of the engine, the options such as `ro`.
    #[keyword(kind = "words", example = "/srv/{name}/data:/var/lib/mysql:rw")]
    pub volume_mounts: Vec<String>,
    /// Devices of the node for the container: words `/dev/ON-THE-NODE[:/dev/IN-THE-CONTAINER][:rwm]`.
    #[keyword(example = "/dev/fuse:rw")]
    pub devices: Vec<String>,
    /// The network that the container lives in: `none` (an own one with a loopback only, for ip resources to fill), `host`
    /// (the node's), `container#1` (that of another resource of the object), or the name of a network of the engine. By
    /// default the engine's bridge.
    #[keyword(example = "none")]
    pub netns: Option<String>,
    /// Whose processes the container sees: `host`, or `container#1`. By default its own.
    #[keyword(example = "host")]
    pub pidns: Option<String>,
    /// Whose shared memory the container has: `host`, `private`, `shareable`, or `container#1`. By default its own.
    #[keyword(example = "shareable")]
    pub ipcns: Option<String>,
    /// Whose host name the container has: `host`. By default its own.
    #[keyword(example = "host")]
    pub utsns: Option<String>,
    /// Whose users the container has: `host`. By default what the engine is configured for.
    #[keyword(example = "host")]
    pub userns: Option<String>,
    /// The container's host name. By default the engine chooses.
    #[keyword(example = "{name}")]
    pub hostname: Option<String>,
    /// The user that the program runs as in the container, perhaps with `:` and a group. By default the image's.
    #[keyword(example = "999:999")]
    pub user: Option<String>,
    /// The directory that the program starts in. By default the image's.
    #[keyword(example = "/srv")]
    pub cwd: Option<PathBuf>,
    /// Whether the container may do whatever root may do on the node.
    pub privileged: bool,
    /// Whether the container cannot write but to its volumes.
    pub read_only: bool,
    /// Whether the engine runs a small init in the container, which reaps the processes that others leave behind. By default
    /// what the engine is configured for.
    #[keyword(example = "true")]
    pub init: Option<bool>,
    /// Whether the program's standard input stays open.
    pub interactive: bool,
    /// Whether the program has a terminal.
    pub tty: bool,
    /// Whether a stop also removes the container, with all that was written in it but not to its volumes.
    pub rm: bool,
    /// The container's name. By default `<namespace>..<name>.container.<id>`, without the namespace where it is `root`.
    #[keyword(example = "db")]
    pub name: Option<String>,
    /// The signal that asks the program to end. By default the image's, or TERM.
    #[keyword(example = "QUIT")]
    pub stop_signal: Option<String>,
    /// How long the program has to end after the signal, before it is killed: at most half of `stop_timeout`.
    #[keyword(default = "10s", example = "1m")]
    pub grace: Duration,
    /// How long a container that was started is watched for an early end.
    #[keyword(default = "200ms", example = "2s")]
    pub settle: Duration,
}

impl ContainerSpec {
    /// What keywords hold that they cannot.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |keyword: &str, text: String| problems.push(Problem::new(keyword, text));
        match hostler_run_args::parse(&self.run_args) {
            Err(error) => problem("run_args", error.to_string()),
            Ok(options) => {
                if options.restart.is_some_and(|restart| restart != RestartPolicy::No) {
                    problem(
                        "run_args",
                        "--restart: the agent restarts the container, see the keyword restart".to_owned(),
                    );
                }
                if options.detach == Some(false) {
                    problem("run_args", "--detach=false: what runs to its end is a task".to_owned());
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

    /// Fails if keywords hold what they cannot.
    pub(crate) fn check(&self) -> Result<()> {
        match self.problems().into_iter().next() {
            Some(problem) => Err(problem.into()),
            None => Ok(()),
        }
    }

    /// What the options and the keywords add up to.
    pub(crate) fn wanted(&self) -> Result<RunArgs> {
        let invalid = |keyword: &str, text: String| Error::invalid_config(format!("{keyword}: {text}"));
        let options =
            hostler_run_args::parse(&self.run_args).map_err(|error| invalid("run_args", error.to_string()))?;
        let mut wanted = options;
        wanted.volumes.extend(read_all(&self.volume_mounts).map_err(|text| invalid("volume_mounts", text))?);
        wanted.devices.extend(read_all(&self.devices).map_err(|text| invalid("devices", text))?);
        wanted.env.extend(read_all(&self.environment).map_err(|text| invalid("environment", text))?);
        for variable in read_all::<NamedValue>(self.stores.all()).map_err(|text| invalid("environment", text))? {
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

    /// Whether a stop removes the container.
    pub(crate) fn is_fleeting(&self) -> bool {
        self.rm || hostler_run_args::parse(&self.run_args).is_ok_and(|options| options.rm == Some(true))
    }

    /// When to pull.
    pub(crate) fn pull(&self) -> PullPolicy {
        let option = hostler_run_args::parse(&self.run_args).ok().and_then(|options| options.pull);
        match (option.as_deref(), self.image_pull_policy.as_str()) {
            (Some("always"), _) | (None, "always") => PullPolicy::Always,
            (Some("never"), _) | (None, "never") => PullPolicy::Never,
            _ => PullPolicy::Once,
        }
    }
}

/// When to pull an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PullPolicy {
    Once,
    Always,
    Never,
}

/// All words, or what the first bad one should be.
fn read_all<'w, T: std::str::FromStr<Err = &'static str>>(
    words: impl IntoIterator<Item = &'w String>,
) -> std::result::Result<Vec<T>, String> {
    words.into_iter().map(|word| word.parse().map_err(|expected| format!("{word:?}: expected {expected}"))).collect()
}

/// `web.container.1`, or `ns1..web.container.1`.
fn default_name(context: &Context) -> String {
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
    fn what_they_cannot_hold_is_told_by_keyword() {
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
