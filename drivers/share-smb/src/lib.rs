//! `share.smb`: a directory shared by Samba, as a user share.
//!
//! Up: Samba has the share that this resource made, with this `path`. Down: it does not. A share that something else made stays. Samba itself belongs to the node: its `smb.conf` names the
//! directory of user shares, which smbd reads at each connection. Stop removes the share and disconnects its clients, so that
//! the file system below can be unmounted. See net(8), smbcontrol(1), smb.conf(5).

use hostler_sdk::holdings::{self, Holding};
use hostler_sdk::prelude::*;
use hostler_sdk::state::StateScope;

/// A directory shared by Samba, as a user share.
///
/// Samba must be installed, with `usershare max shares` greater than 0 in its `smb.conf`, as on Debian. Shares for guests also
/// need `usershare allow guests = yes`.
#[derive(Keywords)]
struct SambaShare {
    /// The name of the share for clients: letters, digits, `.`, `_` and `-`.
    #[keyword(example = "web")]
    name: String,
    /// The directory.
    #[keyword(example = "/srv/{fqdn}/share")]
    path: PathBuf,
    /// The comment that clients see with the name.
    #[keyword(default = "{svcname}", example = "drafts and templates")]
    comment: String,
    /// The access control list: users and groups, each with `:R` (read), `:F` (full access) or `:D` (denied), separated by commas.
    /// `S-1-1-0` is everyone. Names can only be used while smbd runs, because it is asked about them.
    #[keyword(default = "S-1-1-0:R", example = "S-1-1-0:R,web:F")]
    acl: String,
    /// Whether guests, who do not log in, have access.
    guest: bool,
}

/// The kind of holding: a share, whose id is `NAME@PATH`.
const SHARE: &str = "share";

const NET: &str = "/usr/bin/net";
const SMBCONTROL: &str = "/usr/bin/smbcontrol";

/// Names that Samba reserves for other purposes.
const RESERVED: [&str; 4] = ["global", "homes", "printers", "ipc$"];

/// A share, as Samba reports it.
#[derive(Debug, PartialEq, Eq)]
struct UserShare {
    path: String,
    guest: bool,
}

/// What Samba says of a name.
#[derive(Debug, PartialEq, Eq)]
enum SeenShare {
    Absent,
    Whole(UserShare),
    /// It exists, and Samba serves it to no client, for this reason: its directory is gone, for one.
    Broken(String),
}

#[driver]
impl Driver for SambaShare {
    const NAME: &str = "share.smb";
    /// User shares are files, which survive a reboot.
    const PERSISTENT: bool = true;
    const GRANTS: &[&str] = &[
        "exec(read) = /usr/bin/net usershare info -- {kw:name}",
        "exec(read) = /usr/bin/smbcontrol smbd ping",
        "exec = /usr/bin/net usershare add -- {kw:name} {kw:path} {kw:comment} {kw:acl} guest_ok=y",
        "exec = /usr/bin/net usershare add -- {kw:name} {kw:path} {kw:comment} {kw:acl} guest_ok=n",
        "exec = /usr/bin/net usershare delete -- {kw:name}",
        "exec = /usr/bin/smbcontrol smbd close-share {kw:name}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
        let plain = !self.name.is_empty() && self.name.len() <= 80 && self.name.chars().all(legal);
        let reserved = RESERVED.contains(&self.name.to_ascii_lowercase().as_str());
        let text = match (plain && !self.name.starts_with('-'), reserved) {
            (true, false) => return Ok(Vec::new()),
            (true, true) => format!("{} is reserved by Samba", self.name),
            (false, _) => format!("{:?} is not a name for a share: expected letters, digits, . _ and -", self.name),
        };
        Ok(vec![Problem::new("name", text)])
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let own = holdings::present(SHARE)?;
        let status = match found(&self.name)? {
            SeenShare::Absent => Status::down(),
            SeenShare::Broken(why) if self.is_own(&own) => {
                Status::up().degraded(format!("Samba does not serve the share {}: {why}", self.name))
            }
            SeenShare::Broken(why) => {
                Status::down().warning(format!("the share {} exists, and not by this resource: {why}", self.name))
            }
            SeenShare::Whole(share) if !self.is_of_path(&share) => {
                Status::down().warning(format!("the share {} is of {}", self.name, share.path))
            }
            SeenShare::Whole(share) if !self.is_own(&own) => {
                Status::down().warning(format!("{} is shared as {}, and not by this resource", share.path, self.name))
            }
            SeenShare::Whole(share) if share.guest != self.guest => {
                let guests = if share.guest { "lets guests in" } else { "keeps guests out" };
                Status::up().degraded(format!("the share {guests}, which is not what guest says"))
            }
            SeenShare::Whole(_) if !answers()? => {
                Status::up().degraded("smbd does not answer, so clients are not served")
            }
            SeenShare::Whole(_) => Status::up(),
        };
        let others = own.iter().filter(|held| held.id != self.id());
        let status = others.fold(status, |status, held| {
            status.warning(format!("{} was made when the keywords were others: a stop removes it", held.label))
        });
        Ok(status.label(format!("{}@{}", self.path.display(), self.name)))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        // `net usershare info` takes a pattern, so a name with a wildcard would match other shares.
        if let Some(problem) = self.validate(context)?.into_iter().next() {
            return Err(problem.into());
        }
        let own = self.is_own(&holdings::present(SHARE)?);
        match found(&self.name)? {
            SeenShare::Broken(why) if !own => {
                let taken = format!("the share {} exists, and not by this resource", self.name);
                return Err(Error::failed(format!(
                    "{taken}, and Samba does not serve it ({why}): choose another name"
                )));
            }
            SeenShare::Whole(share) if self.is_of_path(&share) && !own && !context.adopt() => {
                let taken = format!("{} is shared as {} already, and not by this resource", share.path, self.name);
                return Err(Error::failed(format!("{taken}: start --local --adopt takes it on")));
            }
            SeenShare::Whole(share) if self.is_of_path(&share) && share.guest == self.guest => {
                self.declare()?;
                let how = if own { "is already shared" } else { "was taken on, shared" };
                return Ok(Outcome::unchanged(format!("{} {how} as {}", share.path, self.name)));
            }
            SeenShare::Whole(share) if !self.is_of_path(&share) => {
                let taken = format!("the share {} is of {} already: choose another name", self.name, share.path);
                return Err(Error::failed(taken));
            }
            _ => {}
        }
        // Before the share: a stop after a kill in between finds it.
        self.declare()?;
        let guest = if self.guest { "guest_ok=y" } else { "guest_ok=n" };
        let path = self.path.display().to_string();
        net(&["add", "--", &self.name, &path, &self.comment, &self.acl, guest])?;
        Ok(Outcome::changed(format!("shared {path} as {}", self.name)))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let mut removed = Vec::new();
        for share in holdings::present(SHARE)? {
            if remove(&share.id)? {
                removed.push(share.label.clone());
            }
            holdings::withdraw(SHARE, &share.id)?;
        }
        Ok(match removed.is_empty() {
            true => Outcome::unchanged(format!("{} is not shared as {}", self.path.display(), self.name)),
            false => Outcome::changed(format!("removed {}", removed.join(", "))),
        })
    }
}

impl SambaShare {
    fn id(&self) -> String {
        format!("{}@{}", self.name, self.path.display())
    }

    fn is_own(&self, held: &[Holding]) -> bool {
        held.iter().any(|held| held.id == self.id())
    }

    fn declare(&self) -> Result<()> {
        let label = format!("the share {} of {}", self.name, self.path.display());
        Ok(holdings::declare(StateScope::Persistent, SHARE, &self.id(), &label, &[])?)
    }

    fn is_of_path(&self, share: &UserShare) -> bool {
        Path::new(&share.path) == self.path
    }
}

impl UserShare {
    /// Reads the section `[name]` of `net usershare info`.
    fn parse(text: &str, name: &str) -> Option<UserShare> {
        // Samba lists names in lower case.
        let own = format!("[{}]", name.to_ascii_lowercase());
        let section = text.lines().map(str::trim).skip_while(|line| line.to_ascii_lowercase() != own).skip(1);
        let section: Vec<&str> = section.take_while(|line| !line.starts_with('[')).collect();
        let value = |key: &str| section.iter().find_map(|line| line.strip_prefix(key));
        Some(UserShare { path: value("path=")?.to_owned(), guest: value("guest_ok=") == Some("y") })
    }
}

/// The share of this name.
fn found(name: &str) -> Result<SeenShare> {
    const BROKEN: &str = "is not a well formed usershare file";
    let asked = Command::new(NET).args(["usershare", "info", "--", name]);
    let output = asked.run()?;
    if output.succeeded() {
        return Ok(UserShare::parse(&output.text(), name).map_or(SeenShare::Absent, SeenShare::Whole));
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match said.contains(BROKEN) {
        true => {
            let why =
                said.lines().find_map(|line| line.split_once("Error was ")).map(|(_, why)| why.trim_end_matches('.'));
            Ok(SeenShare::Broken(why.unwrap_or(BROKEN).to_owned()))
        }
        false => Err(Error::failed(format!("{NET} exited with {}: {}", output.status, said.trim()))),
    }
}

/// Removes a share of this resource, and disconnects its clients. False if it is gone, or if the name is another share's by now.
fn remove(id: &str) -> Result<bool> {
    let Some((name, path)) = id.split_once('@') else { return Ok(false) };
    match found(name)? {
        // Of which path it is cannot be seen any more: the record says it.
        SeenShare::Broken(_) => {}
        SeenShare::Whole(share) if share.path == path => {}
        SeenShare::Absent | SeenShare::Whole(_) => return Ok(false),
    }
    // Before its clients are disconnected: they come back by themselves to a share that is there.
    net(&["delete", "--", name])?;
    // Connected clients would keep the file system busy. If smbd does not run, there are none.
    let closed = Command::new(SMBCONTROL).args(["smbd", "close-share", name]).run()?;
    if !closed.succeeded() {
        log::debug("smbd does not answer: no client has the share open");
    }
    Ok(true)
}

fn net(args: &[&str]) -> Result<()> {
    Command::new(NET).arg("usershare").args(args.iter().copied()).check().map(drop)
}

/// Whether smbd runs and answers.
fn answers() -> Result<bool> {
    let ping = Command::new(SMBCONTROL).args(["smbd", "ping"]).run()?;
    Ok(ping.succeeded() && ping.text().contains("PONG"))
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given};
    use hostler_sdk::process::Output;

    use super::*;

    fn share(name: &str) -> SambaShare {
        SambaShare {
            name: name.to_owned(),
            path: "/srv/web".into(),
            comment: "web".to_owned(),
            acl: "Everyone:R".to_owned(),
            guest: true,
        }
    }

    fn smb(host: &Host) -> Case<SambaShare> {
        given(share("web")).on(host)
    }

    fn said(stdout: &str) -> Output {
        Output { status: 0, stdout: stdout.as_bytes().to_vec(), stderr: Vec::new(), truncated: false }
    }

    /// Samba, which keeps its shares in a file.
    fn samba(ping: &str) -> Host {
        let host = Host::new().program(SMBCONTROL, 0, ping);
        host.program_with(NET, |run| {
            let words: Vec<&str> = run.args.iter().map(String::as_str).collect();
            match words[..] {
                ["usershare", "add", "--", name, path, comment, acl, guest] => {
                    let guest = guest.replace("guest_ok=", "");
                    let text =
                        format!("[{name}]\npath={path}\ncomment={comment}\nusershare_acl={acl},\nguest_ok={guest}\n");
                    drop(run.host.clone().text_file("/usershares", &text));
                }
                ["usershare", "delete", ..] => drop(run.host.clone().text_file("/usershares", "")),
                _ => return said(&run.host.content("/usershares").unwrap_or_default()),
            }
            said("")
        })
    }

    #[test]
    fn it_is_shared_once_and_taken_away_once() {
        let host = samba("PONG from pid 1\n");
        smb(&host)
            .status()
            .is(State::Down)
            .start()
            .is_changed("shared /srv/web as web")
            .start()
            .is_unchanged("/srv/web is already shared as web")
            .status()
            .is(State::Up)
            .is_silent()
            .labelled("/srv/web@web")
            .stop()
            .is_changed("removed the share web of /srv/web")
            .stop()
            .is_unchanged("/srv/web is not shared as web")
            .status()
            .is(State::Down);
        let calls = host.calls();
        let at = |text: &str| calls.iter().position(|call| call.contains(text)).unwrap();
        assert!(at("usershare delete -- web") < at("smbd close-share web"), "clients must not reconnect in between");
    }

    #[test]
    fn a_share_of_something_else_is_left_alone() {
        let host = samba("PONG").text_file("/usershares", "[WEB]\npath=/srv/other\nguest_ok=y\n");
        smb(&host)
            .status()
            .is(State::Down)
            .mentions("the share web is of /srv/other")
            .start()
            .fails_with("the share web is of /srv/other already: choose another name")
            .stop()
            .is_unchanged("/srv/web is not shared as web");
    }

    #[test]
    fn the_same_share_of_another_is_a_stranger_until_it_is_adopted() {
        let host = samba("PONG").text_file("/usershares", "[web]\npath=/srv/web\nguest_ok=y\n");
        smb(&host)
            .status()
            .is(State::Down)
            .mentions("/srv/web is shared as web, and not by this resource")
            .start()
            .fails_with("start --local --adopt takes it on")
            .stop()
            .is_unchanged("/srv/web is not shared as web");
        given(share("web"))
            .with(Context::fake("share#1").with("adopt", "true"))
            .on(&host)
            .start()
            .is_unchanged("/srv/web was taken on, shared as web")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("removed the share web of /srv/web");
    }

    #[test]
    fn a_share_that_serves_no_client_or_too_many_is_a_warning() {
        smb(&samba("")).start().status().is(State::Warn).mentions("smbd does not answer");
        let host = samba("PONG");
        smb(&host).start();
        drop(host.clone().text_file("/usershares", "[web]\npath=/srv/web\nguest_ok=n\n"));
        smb(&host).status().is(State::Warn).mentions("keeps guests out").start().is_changed("shared /srv/web as web");
    }

    #[test]
    fn a_share_whose_directory_is_gone_is_not_served_and_is_removed() {
        let host = samba("PONG");
        smb(&host).start();
        let gone = "info_fn: file /shares/web is not a well formed usershare file.\ninfo_fn: Error was Path is not a directory.\n";
        let host = host.program_with(NET, move |run| {
            let is_there = run.host.content("/usershares").is_some_and(|text| !text.is_empty());
            match run.args[1].as_str() {
                "info" if is_there => {
                    Output { status: 255, stdout: Vec::new(), stderr: gone.as_bytes().to_vec(), truncated: false }
                }
                "delete" => {
                    drop(run.host.clone().text_file("/usershares", ""));
                    said("")
                }
                _ => said(""),
            }
        });
        smb(&host)
            .status()
            .is(State::Warn)
            .mentions("Samba does not serve the share web: Path is not a directory")
            .stop()
            .is_changed("removed the share web of /srv/web")
            .status()
            .is(State::Down);
        let host = samba("PONG").text_file("/usershares", "[web]\n");
        let stranger = host.program_with(NET, move |_| Output {
            status: 255,
            stdout: Vec::new(),
            stderr: gone.as_bytes().to_vec(),
            truncated: false,
        });
        smb(&stranger)
            .status()
            .is(State::Down)
            .start()
            .fails_with("exists, and not by this resource")
            .stop()
            .is_unchanged("/srv/web is not shared as web");
    }

    #[test]
    fn names_that_samba_reads_otherwise_are_refused() {
        for name in ["web", "a.b_c-1"] {
            given(share(name)).on(&samba("PONG")).validate().finds(&[]);
        }
        for name in ["*", "-l", "a/b", ""] {
            given(share(name)).on(&samba("PONG")).start().fails_with("is not a name for a share");
        }
        given(share("homes")).on(&samba("PONG")).start().fails_with("homes is reserved by Samba");
    }
}
