//! The keywords of every driver of Google's cloud.

use hostler_sdk::{Context, Keywords};

use super::ComputeClient;

/// The zone and project of a resource, this node's instance, and the addresses of the API.
#[derive(Debug, Clone, Default, Keywords)]
pub struct CloudKeywords {
    /// The zone. The default is the zone of this node, from the metadata server.
    #[keyword(inherit, example = "europe-west1-b")]
    pub gce_zone: Option<String>,
    /// The id of the project. The default is the project of this node, from the metadata server.
    #[keyword(inherit, example = "my-project")]
    pub gce_project: Option<String>,
    /// The name of this node's instance. The default is the node's name up to its first dot. For the other nodes, the default is
    /// always assumed.
    #[keyword(inherit, example = "spd01")]
    pub gce_instance: Option<String>,
    /// The address of the Compute API. The default is https://compute.googleapis.com/compute/v1. The token of the node's service
    /// account is sent there, so the owner of this address can use it. Only the site should set it, for an emulator in a test or for
    /// a private endpoint, and the policy of the object's namespace must allow it.
    #[keyword(inherit, example = "http://127.0.0.1:8480/compute/v1")]
    pub gce_endpoint: Option<String>,
    /// The address of the metadata server, which provides the token. The default is http://169.254.169.254/computeMetadata/v1. Only
    /// the site should set it, like gce_endpoint.
    #[keyword(inherit, example = "http://127.0.0.1:8481/computeMetadata/v1")]
    pub gce_metadata: Option<String>,
}

impl CloudKeywords {
    /// A client for this call.
    pub fn client<'a>(&'a self, context: &'a Context) -> ComputeClient<'a> {
        ComputeClient::new(self, context)
    }
}
