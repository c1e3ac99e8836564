//! `share.nfs`: a directory exported by NFS.
//!
//! Up: this resource exported it to every client of `opts`, with their options, and the node's server runs. Down: it exported it to
//! none. Exports of others stay, also of the same directory, and the server is neither started nor stopped. See exportfs(8), exports(5).

mod export;

use hostler_sdk::files::FileKind;
use hostler_sdk::holdings::{self, Holding};
use hostler_sdk::prelude::*;
use hostler_sdk::state::{self, StateScope};

use crate::export::{ExportClient, ExportEntry};

/// A directory exported by NFS.
///
/// exportfs keeps the export, in addition to those of /etc/exports. The NFS server is a service of the system: it must run, and
/// the driver neither starts nor stops it.
#[derive(Keywords)]
struct NfsShare {
    /// The directory. It must exist, for example on a file system that an earlier resource mounts.
    #[keyword(example = "/srv/{fqdn}")]
    path: PathBuf,
    /// The clients and, in parentheses, their options, as in exports(5).
    #[keyword(example = "n3(rw,no_root_squash) 10.0.0.0/24(ro)")]
    opts: String,
}

/// The kind of holding: an export, whose id is `CLIENT:PATH`.
const EXPORT: &str = "export";
const EXPORTFS: &str = "/usr/sbin/exportfs";
const ETAB: &str = "/var/lib/nfs/etab";
const THREADS: &str = "/proc/fs/nfsd/threads";

#[driver]
impl Driver for NfsShare {
    const NAME: &str = "share.nfs";
    const GRANTS: &[&str] = &[
        "files.read = {kw:path}",
        "files.read = /var/lib/nfs/etab",
        "files.read = /proc/fs/nfsd/threads",
        // A client is a name, an address or a network. A network contains one slash.
        "exec = /usr/sbin/exportfs [-o *] -- *:{kw:path}",
        "exec = /usr/sbin/exportfs [-o *] -- */*:{kw:path}",
        "exec = /usr/sbin/exportfs -u -- *:{kw:path}",
        "exec = /usr/sbin/exportfs -u -- */*:{kw:path}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let problem = |text| Problem::new("opts", text);
        Ok(ExportClient::parse(&self.opts).err().map(problem).into_iter().collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let real = self.real_path()?;
        let (held, exports) = (holdings::present(EXPORT)?, exports(&real)?);
        let mut missing = Vec::new();
        let mut faults = Vec::new();
        let wanted = self.wanted()?;
        for client in &wanted {
            let own = held.iter().any(|held| held.id == client.of(&real));
            match exports.iter().find(|export| export.client == client.client) {
                Some(export) if own => faults.extend(export.lacks(client)),
                Some(_) => missing.push(format!("{} (another exports it there)", client.client)),
                None => missing.push(client.client.clone()),
            }
        }
        faults.extend(self.changed(&held, &real));
        let missing = (!missing.is_empty()).then(|| format!("not exported to {}", missing.join(", ")));
        let status = match (held.is_empty(), missing) {
            // Nothing of this resource is there: what others export is none of it.
            (true, missing) => {
                let others = missing.filter(|missing| missing.contains("another"));
                return Ok(others.into_iter().fold(Status::down(), Status::warning).label(self.path.display()));
            }
            (false, None) => Status::up(),
            (false, Some(missing)) => Status::up().degraded(missing),
        };
        let status = faults.into_iter().fold(status, Status::degraded);
        // Exports without a server are useless, but they are what this resource manages: up with a fault.
        Ok(if serves()? { status } else { status.degraded("no NFS server runs on this node") }
            .label(self.path.display()))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let path = self.path.display();
        let real = self.real_path()?;
        // exportfs exports a missing directory without an error, and clients then fail.
        if !self.is_directory()? {
            return Err(Error::failed(format!("{path} is not a directory: is its file system mounted?")));
        }
        let (held, before) = (holdings::present(EXPORT)?, exports(&real)?);
        let mut exported = Vec::new();
        let mut taken = Vec::new();
        for client in self.wanted()? {
            let id = client.of(&real);
            let found = before.iter().find(|export| export.client == client.client);
            let own = held.iter().any(|held| held.id == id);
            if found.is_some() && !own && !context.adopt() {
                let text = format!("{path} is exported to {} already, and not by this resource", client.client);
                return Err(Error::failed(format!("{text}: start --local --adopt takes it on")));
            }
            // Before the export: a stop after a kill in between finds it.
            let path = self.path.to_string_lossy();
            holdings::declare(StateScope::Boot, EXPORT, &id, &format!("the export {id}"), &[(&id, &path)])?;
            if found.is_some() && !own {
                taken.push(client.client.clone());
            }
            if found.is_some_and(|export| export.lacks(&client).is_none()) {
                continue;
            }
            let options = client.options.iter().flat_map(|options| ["-o".to_owned(), options.clone()]);
            Command::new(EXPORTFS).args(options).arg("--").arg(&id).check()?;
            exported.push(client.client);
        }
        // exportfs exits with 0 for a client whose name does not resolve, and exports nothing.
        let after = if exported.is_empty() { before } else { exports(&real)? };
        if let Some(lost) = exported.iter().find(|client| !after.iter().any(|export| export.client == **client)) {
            let text =
                format!("exportfs did not export {path} to {lost}: it must be a name that resolves, or an address");
            return Err(Error::failed(text));
        }
        Ok(match (exported.is_empty(), taken.is_empty()) {
            (false, _) => Outcome::changed(format!("exported {path} to {}", exported.join(" "))),
            (true, false) => Outcome::unchanged(format!("took on the export of {path} to {}", taken.join(" "))),
            (true, true) => Outcome::unchanged(format!("{path} is already exported")),
        })
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let mut withdrawn = Vec::new();
        for export in holdings::present(EXPORT)? {
            // Asked so that the grants cover the path that links lead to: that is what was exported. It need not be there any more.
            let path = state::get(StateScope::Boot, &export.id)?.map_or_else(|| self.path.clone(), PathBuf::from);
            let _ = files::real_path(&path);
            withdrawn.extend(self.withdraw(&export.id)?);
        }
        Ok(match withdrawn.is_empty() {
            true => Outcome::unchanged(format!("{} is not exported", self.path.display())),
            false => Outcome::changed(format!("withdrew {}", withdrawn.join(" "))),
        })
    }
}

impl NfsShare {
    /// Withdraws an export of this resource, and returns what was withdrawn. It may be gone already.
    fn withdraw(&self, id: &str) -> Result<Option<String>> {
        let is_there = is_exported(id)?;
        if is_there {
            match Command::new(EXPORTFS).args(["-u", "--", id]).check() {
                // The grants are those of the path that was exported, and a link in it leads elsewhere by now.
                Err(Error::NeedsGrant(_)) => {
                    let text = format!("{id} was exported by a path that leads elsewhere now: run exportfs -u {id}");
                    return Err(Error::failed(text));
                }
                answer => drop(answer?),
            }
        }
        // The path goes last: the stop after an interrupted one still needs it.
        holdings::withdraw(EXPORT, id)?;
        state::remove(StateScope::Boot, id)?;
        Ok(is_there.then(|| id.to_owned()))
    }

    /// What is exported although the keywords do not say so any more.
    fn changed(&self, held: &[Holding], real: &Path) -> Vec<String> {
        let wanted: Vec<String> = self.wanted().unwrap_or_default().iter().map(|client| client.of(real)).collect();
        let other = held.iter().filter(|held| !wanted.contains(&held.id));
        other
            .map(|held| format!("{} is exported, and the keywords say otherwise: a restart changes it", held.id))
            .collect()
    }

    fn wanted(&self) -> Result<Vec<ExportClient>> {
        ExportClient::parse(&self.opts).map_err(|reason| Error::invalid_config(format!("opts: {reason}")))
    }

    /// The directory under its real name: exportfs follows links itself, but only when it next writes its table.
    fn real_path(&self) -> Result<PathBuf> {
        Ok(files::real_path(&self.path)?.unwrap_or_else(|| self.path.clone()))
    }

    fn is_directory(&self) -> Result<bool> {
        Ok(match files::stat(&self.path)?.map(|stat| stat.kind) {
            Some(FileKind::Directory) => true,
            // Only a directory can be listed.
            Some(FileKind::Symlink) => files::list_directory(&self.path).is_ok(),
            _ => false,
        })
    }
}

/// The clients that a directory is exported to now.
fn exports(directory: &Path) -> Result<Vec<ExportEntry>> {
    match files::read_text(ETAB) {
        // Without etab nothing was ever exported.
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        answer => Ok(ExportEntry::parse(&answer?, directory)),
    }
}

/// Whether etab lists `CLIENT:PATH`.
fn is_exported(id: &str) -> Result<bool> {
    let Some((client, path)) = parts(id) else { return Ok(false) };
    let client = client.trim_start_matches('[').trim_end_matches(']');
    let listed = exports(Path::new(path))?;
    Ok(listed.iter().any(|export| export.client.trim_start_matches('[').trim_end_matches(']') == client))
}

/// The client and the path of `CLIENT:PATH`. A path may hold `:/`, and an IPv6 network, too, which stands in brackets.
fn parts(id: &str) -> Option<(&str, &str)> {
    let address = if id.starts_with('[') { id.find(']')? } else { 0 };
    let colon = address + id[address..].find(":/")?;
    Some((&id[..colon], &id[colon + 1..]))
}

/// Whether the kernel's NFS server runs: whether it has threads.
fn serves() -> Result<bool> {
    match files::read_text(THREADS) {
        Err(error) if error.is_not_found() => Ok(false),
        answer => Ok(!matches!(answer?.trim(), "" | "0")),
    }
}

#[cfg(test)]
mod tests;
