//! `volume.pool`: a volume, which is an object of its own, made from a pool of the node.
//!
//! Up: this resource uses the volume, and the volume is up. Down: it does not, whatever the volume is; or the volume is down. Provision
//! makes the object from a pool and provisions it. Start notes that this resource uses it, starts it, and writes the configurations and
//! secrets into it. Stop stops it if no other resource of the node uses it. Unprovision deletes the volume that was made for this
//! resource, with its data. See docs/volumes.md.

use hostler_sdk::prelude::*;
use hostler_sdk::state::StateScope;
use hostler_sdk::volume::Volume;

/// A volume, made from a pool of the node.
///
/// The volume is an object of kind `vol` in the namespace of the service, with an instance, a status and a log of its own: see
/// `om */vol/* ls`. Pools are sections `[pool#<name>]` of the node's configuration, listed by `om pool ls`. Other resources refer to
/// the volume by `{volume#0.mnt}` and `{volume#0.exposed_devs[0]}`, and containers by its name in `volume_mounts`.
#[derive(Keywords)]
struct PoolVolume {
    /// The name of the volume.
    #[keyword(default = "{name}-vol-{rindex}", example = "web-data")]
    name: String,
    /// The pool. By default the first that fits.
    #[keyword(provisioning, example = "default")]
    pool: Option<String>,
    /// The type of the pool: directory, shm, loop, vg, drbd or virtual. By default any.
    #[keyword(name = "type", provisioning, scopable = false, example = "shm")]
    pool_type: Option<String>,
    /// The size of a new volume.
    #[keyword(provisioning, example = "1g")]
    size: Option<Size>,
    /// Who uses it: read-write or read-only (rw, ro), one node or many (o, x).
    #[keyword(provisioning, default = "rwo", candidates("rwo", "roo", "rwx", "rox"))]
    access: String,
    /// Whether it is a mounted file system. Otherwise it is a device.
    #[keyword(provisioning, default = "true")]
    format: bool,
    /// Whether it may forget its content when it stops.
    #[keyword(provisioning, default = "false")]
    volatile: bool,
    /// The nodes of a new volume.
    #[keyword(provisioning, default = "{.nodes}")]
    nodes: Option<String>,
    /// Keys of configurations of the same namespace, and the files below the mount point that they are written to: `STORE/KEY:PATH`. A
    /// key may hold stars; then the path is a directory, and ends with a slash.
    #[keyword(kind = "words", example = "web/nginx.conf:/etc/nginx.conf")]
    configs: Vec<String>,
    /// The same of secrets.
    #[keyword(kind = "words", example = "tls/*:/certs/")]
    secrets: Vec<String>,
    /// Directories below the mount point to make.
    #[keyword(example = "data logs")]
    directories: Vec<String>,
    /// The owner of what is written, by name or number.
    #[keyword(example = "www-data")]
    user: Option<String>,
    /// The group of what is written, by name or number.
    #[keyword(example = "www-data")]
    group: Option<String>,
    /// The permission bits of files that are written. By default 0600 for secrets and 0644 for configurations.
    #[keyword(example = "0640")]
    perm: Option<Mode>,
    /// The permission bits of directories that are made. By default those of `perm` with the right to enter, or 0755. The mount point
    /// gets them too, if `perm` or `dirperm` is set.
    #[keyword(example = "0750")]
    dirperm: Option<Mode>,
    /// The signals to send when a file of before has changed, and the resources to send them to: `SIGNAL:RID,…`.
    #[keyword(kind = "words", example = "hup:container#1")]
    signal: Vec<String>,
}

/// The kind of holding: the use of a volume, whose name is the id.
const VOLUME: &str = "volume";

/// The `type` that names this driver and leaves the type of the pool open.
const ANY: &str = "pool";

#[driver]
impl Driver for PoolVolume {
    const NAME: &str = "volume.pool";
    const ALIASES: &[&str] = &["directory", "shm", "loop", "vg", "drbd", "virtual"];
    const GRANTS: &[&str] = &["volume = {kw:name}"];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for (keyword, words) in [("configs", &self.configs), ("secrets", &self.secrets)] {
            problems
                .extend(words.iter().filter_map(|word| fault_of_install(word)).map(|text| Problem::new(keyword, text)));
        }
        problems.extend(
            self.signal.iter().filter_map(|word| fault_of_signal(word)).map(|text| Problem::new("signal", text)),
        );
        let leaves = |path: &&String| path.split('/').any(|part| part == "..");
        let leaving = self.directories.iter().filter(leaves);
        problems.extend(leaving.map(|path| Problem::new("directories", format!("{path} leaves the volume"))));
        Ok(problems)
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let name = self.used()?.unwrap_or_else(|| self.name.clone());
        let Some(seen) = volume::look(&name)? else {
            return Ok(Status::down().provisioned(false).label(&name).info(format!("volume {name} does not exist")));
        };
        let status = shown(&name, &seen).label(&name).provisioned_as(match seen.provisioned {
            // There is nothing to provision but the object itself.
            Provisioned::NotApplicable => Provisioned::Yes,
            provisioned => provisioned,
        });
        Ok(match name == self.name {
            true => status,
            false => status.degraded(format!("volume {name} is in use: name applies at the next start")),
        })
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        let used = self.used()?;
        let is_new = used.is_none();
        if let Some(name) = used.filter(|name| *name != self.name) {
            return Err(Error::failed(format!("volume {name} is in use: stop first, then name applies")));
        }
        if volume::look(&self.name)?.is_none() {
            return Err(Error::failed(format!("volume {} does not exist: provision makes it", self.name)));
        }
        // Before the start: after a crash in it, a stop must know the volume.
        holdings::declare(StateScope::Boot, VOLUME, &self.name, &format!("the volume {}", self.name), &[])?;
        let started = volume::start(&self.name).inspect_err(|_| {
            if is_new {
                self.give_use_back();
            }
        })?;
        // At each start: keys and permissions may have changed while the volume was down.
        let installed = if self.installs() { volume::install(&self.name)? } else { Vec::new() };
        let wrote = match installed.is_empty() {
            true => String::new(),
            false => format!("wrote {} in the volume {}", installed.join(", "), self.name),
        };
        let done: Vec<String> = [started, wrote].into_iter().filter(|text| !text.is_empty()).collect();
        Ok(match done.is_empty() {
            false => Outcome::changed(done.join(", ")),
            true => Outcome::unchanged(format!("volume {} is already up", self.name)),
        })
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let mut done = Vec::new();
        for held in holdings::present(VOLUME)? {
            if volume::look(&held.id)?.is_some() {
                done.push(volume::stop(&held.id)?);
            }
            // The record goes last: a volume whose stop has failed is still in use.
            holdings::withdraw(VOLUME, &held.id)?;
        }
        Ok(match done.is_empty() {
            true => Outcome::unchanged(format!("volume {} is not in use", self.name)),
            false => Outcome::changed(done.join(", ")),
        })
    }

    fn provision(&self, _: &Context) -> Result<Outcome> {
        let made = volume::make(&self.name, &self.request())?;
        let done = volume::provision(&self.name)?;
        Ok(match (made, done.is_empty()) {
            (false, true) => Outcome::unchanged(format!("volume {} is already there", self.name)),
            (true, true) => Outcome::changed(format!("made the volume {}", self.name)),
            (_, false) => Outcome::changed(done),
        })
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        if volume::look(&self.name)?.is_none() {
            return Ok(Outcome::unchanged(format!("volume {} does not exist", self.name)));
        }
        Ok(match volume::unprovision(&self.name)? {
            done if done.is_empty() => {
                Outcome::unchanged(format!("volume {} was not made for this resource: it stays", self.name))
            }
            done => Outcome::changed(done),
        })
    }
}

impl PoolVolume {
    /// The volume that this resource uses, whatever the keyword says by now.
    fn used(&self) -> Result<Option<String>> {
        Ok(holdings::present(VOLUME)?.pop().map(|held| held.id))
    }

    /// Takes back that the volume is used, after a start that failed and has left it down: a rollback undoes only what was started. If that
    /// fails, a stop does it.
    fn give_use_back(&self) {
        let is_down = matches!(volume::look(&self.name), Ok(Some(Volume { state: State::Down, .. })));
        if is_down && volume::stop(&self.name).is_ok() {
            let _ = holdings::withdraw(VOLUME, &self.name);
        }
    }

    /// Whether anything is to be written into the volume.
    fn installs(&self) -> bool {
        let lists = [&self.configs, &self.secrets, &self.directories];
        let owner = [&self.user, &self.group].into_iter().any(Option::is_some);
        lists.into_iter().any(|list| !list.is_empty()) || owner || self.perm.is_some() || self.dirperm.is_some()
    }

    fn request(&self) -> Vec<(&'static str, String)> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            ("pool", text(&self.pool)),
            ("type", text(&self.pool_type).replace(ANY, "")),
            ("size", self.size.map(|size| size.as_bytes().to_string()).unwrap_or_default()),
            ("access", self.access.clone()),
            ("format", self.format.to_string()),
            ("volatile", self.volatile.to_string()),
            ("nodes", text(&self.nodes)),
        ]
    }
}

/// The status of a resource whose volume is like that.
fn shown(name: &str, seen: &Volume) -> Status {
    if !seen.is_used() {
        let status = Status::down();
        return match seen.state {
            State::Down => status,
            _ => status.info(format!("volume {name} is up, and not used by this resource")),
        };
    }
    let mut status = match seen.state {
        // A volume whose resources say nothing of themselves is there.
        State::Up | State::NotApplicable => Status::up(),
        State::Down => Status::down(),
        State::Warn => Status::up().degraded(format!("volume {name} is warn")),
        State::Undefined => Status::undefined(format!("the state of volume {name} is not known")),
    };
    for (level, text) in &seen.messages {
        status = match level.as_str() {
            "error" => status.error(text),
            "warn" => status.warning(text),
            _ => status.info(text),
        };
    }
    if let Some(place) = seen.mount_point() {
        status = status.exposes("mnt", place.display());
    }
    seen.devices().fold(status, |status, device| status.exposes("device", device))
}

/// What is wrong with `STORE/KEY:PATH`, if anything is.
fn fault_of_install(word: &str) -> Option<String> {
    let expected = || Some(format!("{word:?} is not STORE/KEY:PATH, such as web/nginx.conf:/etc/nginx.conf"));
    let Some((from, to)) = word.split_once(':') else { return expected() };
    // OpenSVC has options behind a second colon, which mean nothing here.
    let to = to.split(':').next().unwrap_or_default();
    let from = from.trim_start_matches('/');
    let from = from.strip_prefix("cfg/").or_else(|| from.strip_prefix("sec/")).unwrap_or(from);
    match from.split_once('/') {
        Some((store, key)) if !store.is_empty() && !key.is_empty() && !to.is_empty() => {}
        _ => return expected(),
    }
    if to.split('/').any(|part| part == "..") {
        return Some(format!("{word:?} leaves the volume"));
    }
    let is_pattern = from.contains(['*', '?', '[']);
    (is_pattern && !to.ends_with('/')).then(|| format!("{word:?} names several keys: its path ends with a slash"))
}

/// What is wrong with `SIGNAL:RID,…`, if anything is.
fn fault_of_signal(word: &str) -> Option<String> {
    let is_rid = |rid: &str| rid.split_once('#').is_some_and(|(group, index)| !group.is_empty() && !index.is_empty());
    let fits = word.split_once(':').is_some_and(|(signal, rids)| !signal.is_empty() && rids.split(',').all(is_rid));
    (!fits).then(|| format!("{word:?} is not SIGNAL:RID,…, such as hup:container#1"))
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, FakeVolume, Host, given};

    use super::*;

    fn plain() -> PoolVolume {
        PoolVolume {
            name: "web-vol-0".to_owned(),
            pool: None,
            pool_type: Some("loop".to_owned()),
            size: Some(Size::mib(64)),
            access: "rwo".to_owned(),
            format: true,
            volatile: false,
            nodes: None,
            configs: Vec::new(),
            secrets: Vec::new(),
            directories: Vec::new(),
            user: None,
            group: None,
            perm: None,
            dirperm: None,
            signal: Vec::new(),
        }
    }

    fn volume(host: &Host) -> Case<PoolVolume> {
        given(plain()).with(Context::fake("volume#0")).on(host)
    }

    fn existing() -> FakeVolume {
        FakeVolume {
            is_provisioned: true,
            mount_point: Some("/srv/web-vol-0".to_owned()),
            devices: vec!["/dev/loop3".to_owned()],
            ..FakeVolume::default()
        }
    }

    #[test]
    fn a_volume_is_made_used_and_deleted_with_its_service() {
        let host = Host::new();
        volume(&host)
            .status()
            .is(State::Down)
            .mentions("does not exist")
            .start()
            .fails_with("volume web-vol-0 does not exist: provision makes it")
            .provision()
            .is_changed("provisioned web-vol-0")
            .provision()
            .is_unchanged("volume web-vol-0 is already there")
            .status()
            .is(State::Down)
            .mentions("is up, and not used by this resource")
            .start()
            .start()
            .is_unchanged("volume web-vol-0 is already up")
            .status()
            .is(State::Up)
            .labelled("web-vol-0")
            .exposes("mnt", "/srv/web-vol-0")
            .stop()
            .is_changed("stopped web-vol-0")
            .stop()
            .is_unchanged("volume web-vol-0 is not in use")
            .unprovision()
            .is_changed("deleted web-vol-0")
            .unprovision()
            .is_unchanged("volume web-vol-0 does not exist");
        assert!(host.volume_of("web-vol-0").is_none());
    }

    #[test]
    fn what_is_asked_of_the_pool_is_what_the_keywords_say() {
        let host = Host::new();
        given(PoolVolume { format: false, ..plain() }).on(&host).provision().is_changed("provisioned web-vol-0");
        let request = host.volume_of("web-vol-0").unwrap().request;
        let expected =
            ["pool=", "type=loop", "size=67108864", "access=rwo", "format=false", "volatile=false", "nodes="];
        assert_eq!(request, expected);
    }

    #[test]
    fn a_volume_that_another_resource_uses_stays_up() {
        let shared = FakeVolume { users: ["volume#9".to_owned()].into(), is_up: true, ..existing() };
        let host = Host::new().volume("web-vol-0", shared);
        volume(&host)
            .start()
            .status()
            .is(State::Up)
            .exposes("device", "/dev/loop3")
            .stop()
            .is_changed("web-vol-0 stays up: volume#9 uses it")
            .unprovision()
            .is_unchanged("volume web-vol-0 was not made for this resource: it stays");
        assert!(host.volume_of("web-vol-0").unwrap().is_up);
    }

    #[test]
    fn a_volume_that_does_not_stop_is_still_held() {
        let host = Host::new().volume("web-vol-0", existing());
        volume(&host).start().is_changed("started web-vol-0");
        let busy = FakeVolume {
            is_up: true,
            users: ["volume#0".to_owned()].into(),
            fault: Some("vol/web-vol-0: fs#1: /srv/web-vol-0 is busy".to_owned()),
            ..existing()
        };
        let host = host.volume("web-vol-0", busy);
        volume(&host).stop().fails_with("vol/web-vol-0: fs#1: /srv/web-vol-0 is busy");
        assert_eq!(host.holdings_of("volume#0"), ["the volume web-vol-0"]);
    }

    #[test]
    fn what_is_to_be_written_is_written_at_each_start() {
        let host = Host::new().volume("web-vol-0", existing());
        let keywords = || PoolVolume { configs: vec!["web/a:/a".to_owned()], ..plain() };
        let one = FakeVolume { to_install: vec!["/a".to_owned()], ..existing() };
        let host = host.volume("web-vol-0", one);
        given(keywords())
            .with(Context::fake("volume#0"))
            .on(&host)
            .start()
            .is_changed("started web-vol-0, wrote /a in the volume web-vol-0")
            .start()
            .is_unchanged("volume web-vol-0 is already up");
        assert!(host.calls().iter().any(|call| call == "volume.install web-vol-0"));
    }

    #[test]
    fn words_that_do_not_fit_are_named() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let wrong = PoolVolume {
            configs: words(&["web/a:/a", "cfg/web/a:a:ro", "web:/a", "web/*:/a", "web/a:/../b"]),
            secrets: words(&["tls/*:/certs/"]),
            directories: words(&["a/b", "a/../../b"]),
            signal: words(&["hup:container#1,app#2", "hup"]),
            ..plain()
        };
        given(wrong).on(&Host::new()).validate().finds(&[
            ("configs", "\"web:/a\" is not STORE/KEY:PATH, such as web/nginx.conf:/etc/nginx.conf"),
            ("configs", "\"web/*:/a\" names several keys: its path ends with a slash"),
            ("configs", "\"web/a:/../b\" leaves the volume"),
            ("signal", "\"hup\" is not SIGNAL:RID,…, such as hup:container#1"),
            ("directories", "a/../../b leaves the volume"),
        ]);
    }
}
