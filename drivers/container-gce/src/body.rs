//! The body of the request that creates a machine: the keywords, translated to the fields of the API.

use hostler_family_gce::ComputeClient;
use hostler_sdk::{Error, Result};
use serde_json::{Value, json};

use crate::CloudMachine;

/// The common prefix of scopes.
const AUTH: &str = "https://www.googleapis.com/auth/";

/// The unit of disk sizes: Google's GB are GiB.
const GIB: u64 = 1 << 30;

impl CloudMachine {
    pub(crate) fn body(&self, client: &ComputeClient<'_>) -> Result<Value> {
        let zone = format!("projects/{}/zones/{}", client.project()?, client.zone()?);
        let mut body = json!({
            "name": self.name,
            "machineType": format!("{zone}/machineTypes/{}", self.machine_type),
            "disks": self.disks_of(&zone, client)?,
            "networkInterfaces": [self.interface(client)?],
            "canIpForward": self.can_ip_forward,
            "metadata": {"items": self.items()?},
        });
        if !self.scopes.is_empty() {
            let scopes: Vec<String> = self.scopes.iter().map(|scope| whole(scope)).collect();
            body["serviceAccounts"] = json!([{"email": self.service_account, "scopes": scopes}]);
        }
        if !self.network_tags.is_empty() {
            body["tags"] = json!({"items": self.network_tags});
        }
        if let Some(description) = &self.description {
            body["description"] = json!(description);
        }
        Ok(body)
    }

    /// The boot disk, which is deleted with the machine, and the other disks, which are not.
    fn disks_of(&self, zone: &str, client: &ComputeClient<'_>) -> Result<Vec<Value>> {
        let image = self.image.as_deref();
        let image =
            image.ok_or_else(|| Error::invalid_config(format!("image is not set: {} cannot be made", self.name)))?;
        let project = match &self.image_project {
            Some(project) => project.as_str(),
            None => client.project()?,
        };
        let mut boot = json!({"sourceImage": format!("projects/{project}/global/images/{image}")});
        if let Some(size) = self.boot_disk_size {
            // The API refuses a disk of 0 GB.
            boot["diskSizeGb"] = json!(size.as_bytes().div_ceil(GIB).max(1).to_string());
        }
        if let Some(kind) = &self.boot_disk_type {
            boot["diskType"] = json!(format!("{zone}/diskTypes/{kind}"));
        }
        let boot = json!({"boot": true, "autoDelete": true, "initializeParams": boot});
        // autoDelete is false, so that the deletion of the machine never deletes data.
        let others = self.disks.iter().map(|name| {
            json!({"source": format!("{zone}/disks/{name}"), "deviceName": name, "mode": "READ_WRITE", "autoDelete": false})
        });
        Ok(std::iter::once(boot).chain(others).collect())
    }

    fn interface(&self, client: &ComputeClient<'_>) -> Result<Value> {
        let project = client.project()?;
        let mut interface = json!({"network": format!("projects/{project}/global/networks/{}", self.network)});
        if let Some(subnetwork) = &self.subnetwork {
            interface["subnetwork"] = json!(format!("projects/{project}/{subnetwork}"));
        }
        if self.external_ip {
            interface["accessConfigs"] = json!([{"type": "ONE_TO_ONE_NAT", "name": "External NAT"}]);
        }
        Ok(interface)
    }

    fn items(&self) -> Result<Vec<Value>> {
        let pair = |word: &String| match word.split_once('=') {
            Some((key, value)) => Ok(json!({"key": key, "value": value})),
            None => Err(Error::invalid_config(format!("metadata: {word} is not KEY=VALUE"))),
        };
        self.metadata.iter().map(pair).collect()
    }
}

/// The full address of a scope.
fn whole(scope: &str) -> String {
    if scope.contains("://") { scope.to_owned() } else { format!("{AUTH}{scope}") }
}
