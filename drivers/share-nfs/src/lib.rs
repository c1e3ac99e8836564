//! `share.nfs`: a directory exported by NFS.
//!
//! Up: it is exported to every client of `opts`, with their options, and the node's server runs. Down: it is exported to none of
//! them. Start and stop leave other exports alone, and do not start or stop the server. See exportfs(8), exports(5).

mod export;

use hostler_sdk::files::FileKind;
use hostler_sdk::prelude::*;

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
        let exports = exports(&self.real_path()?)?;
        let mut missing = Vec::new();
        let mut faults = Vec::new();
        let wanted = self.wanted()?;
        for client in &wanted {
            match exports.iter().find(|export| export.client == client.client) {
                None => missing.push(client.client.as_str()),
                Some(export) => faults.extend(export.lacks(client)),
            }
        }
        let status = match missing.len() {
            all if all == wanted.len() => return Ok(Status::down().label(self.path.display())),
            0 => Status::up(),
            _ => Status::up().degraded(format!("not exported to {}", missing.join(" "))),
        };
        let status = faults.into_iter().fold(status, Status::degraded);
        // Exports without a server are useless, but they are what this resource manages: up with a fault.
        Ok(if serves()? { status } else { status.degraded("no NFS server runs on this node") }
            .label(self.path.display()))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        let path = self.path.display();
        let real = self.real_path()?;
        // exportfs exports a missing directory without an error, and clients then fail.
        if !self.is_directory()? {
            return Err(Error::failed(format!("{path} is not a directory: is its file system mounted?")));
        }
        let before = exports(&real)?;
        let mut exported = Vec::new();
        for client in self.wanted()? {
            let found = before.iter().find(|export| export.client == client.client);
            if found.is_some_and(|export| export.lacks(&client).is_none()) {
                continue;
            }
            let options = client.options.iter().flat_map(|options| ["-o".to_owned(), options.clone()]);
            Command::new("/usr/sbin/exportfs").args(options).arg("--").arg(client.of(&real)).check()?;
            exported.push(client.client);
        }
        // exportfs exits with 0 for a client whose name does not resolve, and exports nothing.
        let after = if exported.is_empty() { before } else { exports(&real)? };
        if let Some(lost) = exported.iter().find(|client| !after.iter().any(|export| export.client == **client)) {
            let text = format!("exportfs did not export {path} to {lost}: it must be a name that resolves, or an address");
            return Err(Error::failed(text));
        }
        Ok(match exported.is_empty() {
            true => Outcome::unchanged(format!("{path} is already exported")),
            false => Outcome::changed(format!("exported {path} to {}", exported.join(" "))),
        })
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let path = self.path.display();
        let real = self.real_path()?;
        let exports = exports(&real)?;
        let mut withdrawn = Vec::new();
        for client in
            self.wanted()?.into_iter().filter(|client| exports.iter().any(|export| export.client == client.client))
        {
            Command::new("/usr/sbin/exportfs").args(["-u", "--"]).arg(client.of(&real)).check()?;
            withdrawn.push(client.client);
        }
        Ok(match withdrawn.is_empty() {
            true => Outcome::unchanged(format!("{path} is not exported")),
            false => Outcome::changed(format!("{path} is no longer exported to {}", withdrawn.join(" "))),
        })
    }
}

impl NfsShare {
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

/// Whether the kernel's NFS server runs: whether it has threads.
fn serves() -> Result<bool> {
    match files::read_text(THREADS) {
        Err(error) if error.is_not_found() => Ok(false),
        answer => Ok(answer?.trim() != "0"),
    }
}

#[cfg(test)]
mod tests;
