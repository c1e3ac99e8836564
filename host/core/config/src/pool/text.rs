//! The configuration of a volume: what a pool makes of a request.

use super::{Pool, PoolKind, VolumeRequest};
use crate::Document;
use crate::document::text::DEFAULT;

/// The mode of a volume in memory, unless the pool or the request says otherwise: its content is for its owner.
const PRIVATE: &str = "mode=700";

/// Why a pool does not make a volume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Its volumes have a size.
    #[error("the pool {0} makes volumes of a size: expected size = 1g")]
    NoSize(String),
    /// Its template is not there.
    #[error("the pool {pool} copies {template}, which does not exist")]
    NoTemplate {
        /// The pool.
        pool: String,
        /// The object.
        template: String,
    },
    /// A value cannot be written into a configuration.
    #[error("the pool {pool}: {reason}")]
    Value {
        /// The pool.
        pool: String,
        /// What is wrong with the value.
        reason: String,
    },
}

impl Pool {
    /// The configuration of a volume whose full name in the cluster is `fqdn`. `template` is the text of the object that a virtual
    /// pool copies.
    pub fn volume_text(
        &self,
        fqdn: &str,
        request: &VolumeRequest,
        template: Option<&str>,
    ) -> Result<String, PoolError> {
        let mut draft = match &self.kind {
            PoolKind::Virtual { template: of, .. } => {
                let text = template
                    .ok_or_else(|| PoolError::NoTemplate { pool: self.name.clone(), template: of.to_string() })?;
                let mut document = Document::parse(text);
                // A template is disabled so that nothing starts it.
                document.unset(DEFAULT, "disable");
                document.unset(DEFAULT, "id");
                Draft { pool: self, document }
            }
            _ => Draft { pool: self, document: Document::parse("") },
        };
        draft.head(request)?;
        match &self.kind {
            PoolKind::Directory { path } => draft.directory(&format!("{path}/{fqdn}"), fqdn, request)?,
            PoolKind::Shm { path } => draft.memory(path, fqdn, request)?,
            PoolKind::Loop { path } => {
                draft.image(&format!("{path}/{fqdn}.img"), request)?;
                draft.file_system(fqdn, "disk#0", request)?;
            }
            PoolKind::Vg { name } => {
                draft.logical_volume("disk#0", fqdn, name, request)?;
                draft.file_system(fqdn, "disk#0", request)?;
            }
            PoolKind::Drbd { vg } => {
                draft.logical_volume("disk#1", fqdn, vg, request)?;
                // The data are replicated whether the service runs here or not.
                draft.set("disk#1", "standby", "true")?;
                draft.set("disk#2", "type", "drbd")?;
                draft.set("disk#2", "res", fqdn)?;
                draft.set(DEFAULT, "devices_from", "disk#2")?;
                draft.file_system(fqdn, "disk#2", request)?;
            }
            PoolKind::Virtual { .. } => {}
        }
        Ok(draft.document.text().to_owned())
    }
}

/// A configuration that is being written.
struct Draft<'p> {
    pool: &'p Pool,
    document: Document,
}

impl Draft<'_> {
    fn set(&mut self, section: &str, key: &str, value: &str) -> Result<(), PoolError> {
        self.document.set(section, key, value).map_err(|error| PoolError::Value {
            pool: self.pool.name.clone(),
            reason: format!("{section}.{key}: {error}"),
        })
    }

    /// What it was made of, and for whom.
    fn head(&mut self, request: &VolumeRequest) -> Result<(), PoolError> {
        if !request.nodes.is_empty() {
            self.set(DEFAULT, "nodes", &request.nodes.join(" "))?;
        }
        let pool = self.pool.name.clone();
        self.set(DEFAULT, "pool", &pool)?;
        if let Some(size) = request.size {
            self.set(DEFAULT, "size", &size_text(size))?;
        }
        self.set(DEFAULT, "access", request.access.as_str())?;
        if request.access.is_many() {
            self.set(DEFAULT, "topology", "flex")?;
            self.set(DEFAULT, "flex_min", "0")?;
        }
        self.set("labels", "made_for", &request.made_for)
    }

    fn directory(&mut self, path: &str, fqdn: &str, request: &VolumeRequest) -> Result<(), PoolError> {
        if !request.format {
            let (directory, _) = path.rsplit_once('/').unwrap_or((path, ""));
            return self.image(&format!("{directory}/{fqdn}.img"), request);
        }
        // A directory is there whether the volume is up or not. The flag says which.
        self.set("fs#0", "type", "flag")?;
        self.set("fs#1", "type", "directory")?;
        self.set("fs#1", "path", path)?;
        self.set("fs#1", "remove", path)
    }

    fn memory(&mut self, path: &str, fqdn: &str, request: &VolumeRequest) -> Result<(), PoolError> {
        if !request.format {
            return self.image(&format!("{path}/{fqdn}.img"), request);
        }
        let options = self.pool.mnt_opt.clone().unwrap_or_else(|| PRIVATE.to_owned());
        let mount_point = self.mount_point(fqdn);
        self.set("fs#0", "type", "tmpfs")?;
        self.set("fs#0", "mnt", &mount_point)?;
        self.set("fs#0", "mnt_opt", &options)?;
        match request.size {
            Some(size) => self.set("fs#0", "size", &size_text(size)),
            None => Ok(()),
        }
    }

    fn image(&mut self, file: &str, request: &VolumeRequest) -> Result<(), PoolError> {
        let size = self.size(request)?;
        self.set("disk#0", "type", "loop")?;
        self.set("disk#0", "file", file)?;
        self.set("disk#0", "size", &size)
    }

    fn logical_volume(
        &mut self,
        section: &str,
        fqdn: &str,
        vg: &str,
        request: &VolumeRequest,
    ) -> Result<(), PoolError> {
        let size = self.size(request)?;
        self.set(section, "type", "lv")?;
        self.set(section, "name", fqdn)?;
        self.set(section, "vg", vg)?;
        self.set(section, "size", &size)?;
        match self.pool.mkblk_opt.clone() {
            Some(options) => self.set(section, "create_options", &options),
            None => Ok(()),
        }
    }

    fn file_system(&mut self, fqdn: &str, disk: &str, request: &VolumeRequest) -> Result<(), PoolError> {
        if !request.format {
            return Ok(());
        }
        let (fs_type, mount_point) = (self.pool.fs_type.clone(), self.mount_point(fqdn));
        self.set("fs#1", "type", &fs_type)?;
        self.set("fs#1", "dev", &format!("{{{disk}.exposed_devs[0]}}"))?;
        self.set("fs#1", "mnt", &mount_point)?;
        for (key, value) in [("mkfs_opt", self.pool.mkfs_opt.clone()), ("mnt_opt", self.pool.mnt_opt.clone())] {
            if let Some(value) = value {
                self.set("fs#1", key, &value)?;
            }
        }
        Ok(())
    }

    fn mount_point(&self, fqdn: &str) -> String {
        format!("{}/{fqdn}", self.pool.mnt)
    }

    fn size(&self, request: &VolumeRequest) -> Result<String, PoolError> {
        request.size.map(size_text).ok_or_else(|| PoolError::NoSize(self.pool.name.clone()))
    }
}

/// The size in the largest unit that leaves nothing over.
fn size_text(bytes: u64) -> String {
    let units = [(50, "p"), (40, "t"), (30, "g"), (20, "m"), (10, "k")];
    let unit = units.into_iter().find(|(power, _)| bytes > 0 && bytes.is_multiple_of(1 << power));
    unit.map_or_else(|| bytes.to_string(), |(power, unit)| format!("{}{unit}", bytes >> power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::VolumeAccess;
    use crate::{Document, NodePlaces};

    const FQDN: &str = "web-vol-0.root.vol.default";

    fn request() -> VolumeRequest {
        VolumeRequest {
            size: Some(64 << 20),
            format: true,
            made_for: "web volume#0".to_owned(),
            ..VolumeRequest::default()
        }
    }

    fn made(section: &str, request: &VolumeRequest) -> Result<String, String> {
        let document = Document::parse(format!("[pool#p]\n{section}\n"));
        let pools = Pool::all(&[&document], &NodePlaces::default());
        pools[0].volume_text(FQDN, request, None).map_err(|error| error.to_string())
    }

    fn check(section: &str, request: &VolumeRequest, head: &str, rest: &str) {
        let head = format!("[DEFAULT]\n{head}\n\n[labels]\nmade_for = web volume#0\n\n");
        assert_eq!(made(section, request).unwrap(), head + rest, "{section}");
    }

    const HEAD: &str = "pool = p\nsize = 64m\naccess = rwo";

    #[test]
    fn a_directory_is_one_with_a_flag_beside_it() {
        let rest = format!(
            "[fs#0]\ntype = flag\n\n[fs#1]\ntype = directory\npath = /srv/pool/{FQDN}\nremove = /srv/pool/{FQDN}\n"
        );
        check("type = directory\npath = /srv/pool", &request(), HEAD, &rest);
    }

    #[test]
    fn memory_is_a_tmpfs_that_is_private() {
        let rest = format!("[fs#0]\ntype = tmpfs\nmnt = /srv/{FQDN}\nmnt_opt = mode=700\nsize = 64m\n");
        check("type = shm", &request(), HEAD, &rest);
        let rest = format!("[fs#0]\ntype = tmpfs\nmnt = /vol/{FQDN}\nmnt_opt = mode=755\n");
        let unsized_one = VolumeRequest { size: None, ..request() };
        check("type = shm\nmnt = /vol/\nmnt_opt = mode=755", &unsized_one, "pool = p\naccess = rwo", &rest);
    }

    #[test]
    fn a_file_is_a_loop_device_with_a_file_system_or_without() {
        let disk = format!("[disk#0]\ntype = loop\nfile = /img/{FQDN}.img\nsize = 64m\n");
        let fs = format!(
            "\n[fs#1]\ntype = ext4\ndev = {{disk#0.exposed_devs[0]}}\nmnt = /srv/{FQDN}\nmkfs_opt = -m 1\nmnt_opt = noatime\n"
        );
        let pool = "type = loop\npath = /img\nfs_type = ext4\nmkfs_opt = -m 1\nmnt_opt = noatime";
        check(pool, &request(), HEAD, &format!("{disk}{fs}"));
        let raw = VolumeRequest { format: false, ..request() };
        check(pool, &raw, HEAD, &disk);
        check("type = directory\npath = /img", &raw, HEAD, &disk);
        check("type = shm\npath = /img", &raw, HEAD, &disk);
        let error = made(pool, &VolumeRequest { size: None, ..request() }).unwrap_err();
        assert_eq!(error, "the pool p makes volumes of a size: expected size = 1g");
    }

    #[test]
    fn a_group_gives_a_logical_volume_for_many_nodes() {
        let many = VolumeRequest {
            access: VolumeAccess::Rwx,
            nodes: vec!["n1".to_owned(), "n2".to_owned()],
            size: Some(3 << 30),
            ..request()
        };
        let head = "nodes = n1 n2\npool = p\nsize = 3g\naccess = rwx\ntopology = flex\nflex_min = 0";
        let rest = format!(
            "[disk#0]\ntype = lv\nname = {FQDN}\nvg = vg0\nsize = 3g\ncreate_options = --stripes 2\n\n\
             [fs#1]\ntype = xfs\ndev = {{disk#0.exposed_devs[0]}}\nmnt = /srv/{FQDN}\n"
        );
        check("type = vg\nname = vg0\nmkblk_opt = --stripes 2", &many, head, &rest);
    }

    #[test]
    fn a_replicated_volume_stands_on_a_logical_one_that_is_always_up() {
        let rest = format!(
            "[disk#1]\ntype = lv\nname = {FQDN}\nvg = vg0\nsize = 64m\nstandby = true\n\n\
             [disk#2]\ntype = drbd\nres = {FQDN}\n\n\
             [fs#1]\ntype = xfs\ndev = {{disk#2.exposed_devs[0]}}\nmnt = /srv/{FQDN}\n"
        );
        check("type = drbd\nvg = vg0", &request(), &format!("{HEAD}\ndevices_from = disk#2"), &rest);
    }

    #[test]
    fn a_template_is_copied_without_what_keeps_it_from_starting() {
        let document = Document::parse("[pool#p]\ntype = virtual\ntemplate = t/vol/two\ncapabilities = file rwo\n");
        let pools = Pool::all(&[&document], &NodePlaces::default());
        let template =
            "[DEFAULT]\ndisable = true\n# of ours\n[fs#1]\ntype = tmpfs\nmnt = /srv/{fqdn}\nsize = {DEFAULT.size}\n";
        let text = pools[0].volume_text(FQDN, &request(), Some(template)).unwrap();
        let expected = "[DEFAULT]\npool = p\nsize = 64m\naccess = rwo\n# of ours\n[fs#1]\ntype = tmpfs\n\
                        mnt = /srv/{fqdn}\nsize = {DEFAULT.size}\n\n[labels]\nmade_for = web volume#0\n";
        assert_eq!(text, expected);
        let error = pools[0].volume_text(FQDN, &request(), None).unwrap_err().to_string();
        assert_eq!(error, "the pool p copies t/vol/two, which does not exist");
    }

    #[test]
    fn a_size_is_written_in_its_largest_unit() {
        for (bytes, text) in [(0, "0"), (1000, "1000"), (1024, "1k"), (1536 << 20, "1536m"), (5 << 40, "5t")] {
            assert_eq!(size_text(bytes), text);
            assert_eq!(model::convert::size(text).unwrap(), bytes);
        }
    }
}
