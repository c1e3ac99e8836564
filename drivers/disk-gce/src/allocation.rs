//! The creation, growth and deletion of disks.

use hostler_family_gce::{ComputeClient, ComputeError, failed};
use hostler_sdk::{Context, Error, Result, Size};
use serde_json::{Value, json};

use crate::CloudDisks;
use crate::attachment::{AttachedDisk, OwnInstance, disk_path};

/// The unit of disk sizes: Google's GB are GiB.
const GIB: u64 = 1 << 30;

impl CloudDisks {
    /// Creates the disk if it does not exist, or grows it if it is too small. Returns what was done, or None.
    pub(crate) fn allocate(&self, client: &ComputeClient<'_>, name: &str) -> Result<Option<String>> {
        let path = disk_path(client, name)?;
        let doing = || format!("cannot allocate {name}");
        match client.get(&path).map_err(failed(doing()))? {
            Some(disk) => self.grow(client, name, &path, &disk),
            None => self.insert(client, name, &path),
        }
    }

    fn insert(&self, client: &ComputeClient<'_>, name: &str, path: &str) -> Result<Option<String>> {
        let doing = || format!("cannot allocate {name}");
        let body = self.body(client, name)?;
        let collection = path.trim_end_matches(name).trim_end_matches('/');
        match client.change("POST", collection, "", Some(&body), &format!("allocating {name}")) {
            Ok(()) => {
                Ok(Some(format!("allocated {name}{}", self.size.map(|size| format!(" of {size}")).unwrap_or_default())))
            }
            // Another node or user created it in the meantime, and it may contain their data: leave it alone.
            Err(ComputeError::AlreadyExists(_)) => Ok(None),
            Err(fault) => Err(failed(doing())(fault)),
        }
    }

    fn body(&self, client: &ComputeClient<'_>, name: &str) -> Result<Value> {
        let project = client.project()?;
        let mut body = json!({"name": name});
        // The API would choose one of them silently.
        if self.image.is_some() && self.source_snapshot.is_some() {
            return Err(Error::invalid_config("a disk begins with an image or with a source_snapshot, not with both"));
        }
        if let Some(size) = self.size {
            // A text: the API writes numbers of 64 bits as such.
            body["sizeGb"] = json!(gigabytes(size).to_string());
        } else if self.image.is_none() && self.source_snapshot.is_none() {
            return Err(Error::invalid_config(format!("size is not set: {name} cannot be allocated")));
        }
        if let Some(kind) = &self.disk_type {
            body["type"] = json!(format!("projects/{project}/zones/{}/diskTypes/{kind}", client.zone()?));
        }
        if let Some(image) = &self.image {
            let project = self.image_project.as_deref().unwrap_or(project);
            body["sourceImage"] = json!(format!("projects/{project}/global/images/{image}"));
        }
        if let Some(snapshot) = &self.source_snapshot {
            body["sourceSnapshot"] = json!(format!("projects/{project}/global/snapshots/{snapshot}"));
        }
        if let Some(description) = &self.description {
            body["description"] = json!(description);
        }
        Ok(body)
    }

    fn grow(&self, client: &ComputeClient<'_>, name: &str, path: &str, disk: &Value) -> Result<Option<String>> {
        let now: u64 = disk["sizeGb"].as_str().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX);
        // Only larger sizes: the API cannot shrink a disk, and a disk that the operator grew must not fail the provision.
        let Some(wanted) = self.size.map(gigabytes).filter(|wanted| *wanted > now) else { return Ok(None) };
        let body = json!({"sizeGb": wanted.to_string()});
        let grown = client.change("POST", &format!("{path}/resize"), "", Some(&body), &format!("growing {name}"));
        grown.map_err(failed(format!("cannot grow {name} from {now} to {wanted} GB")))?;
        Ok(Some(format!("grew {name} from {now} to {wanted} GB")))
    }

    /// Deletes a disk that no other instance uses. False if it does not exist.
    pub(crate) fn delete(&self, client: &ComputeClient<'_>, name: &str, context: &Context) -> Result<bool> {
        let path = disk_path(client, name)?;
        let doing = || format!("cannot delete {name}");
        let Some(disk) = client.get(&path).map_err(failed(doing()))? else { return Ok(false) };
        match AttachedDisk::elsewhere(&disk) {
            Some(user) if user.name == client.instance() => {
                OwnInstance::look(self.cloud.client(context)).map_err(failed(doing()))?.detach(name, context)?;
            }
            Some(user) => return Err(Error::failed(format!("{}: it is attached to {user}", doing()))),
            None => {}
        }
        match client.change("DELETE", &path, "", None, &format!("deleting {name}")) {
            // Deleted by another user in the meantime, which is what was wanted.
            Ok(()) | Err(ComputeError::NotFound(_)) => Ok(true),
            Err(fault) => Err(failed(doing())(fault)),
        }
    }
}

/// The size in whole GB, rounded up.
fn gigabytes(size: Size) -> u64 {
    size.as_bytes().div_ceil(GIB).max(1)
}
