//! The keywords that every driver of Google's cloud has.

use hostler_sdk::{Context, Keywords};

use super::ComputeClient;

/// Which cloud, and who this node is in it.
#[derive(Debug, Clone, Default, Keywords)]
pub struct CloudKeywords {
    /// The zone. By default this node's own, which the metadata server tells.
    #[keyword(inherit, example = "europe-west1-b")]
    pub gce_zone: Option<String>,
    /// The id of the project. By default this node's own, which the metadata server tells.
    #[keyword(inherit, example = "my-project")]
    pub gce_project: Option<String>,
    /// The name of the instance that this node is. By default the node's name up to its first dot. Of the other nodes the
    /// default is believed.
    #[keyword(inherit, example = "spd01")]
    pub gce_instance: Option<String>,
    /// Where the Compute API is, if not at https://compute.googleapis.com/compute/v1. The token of the node's service account
    /// is sent there: whoever chooses this address gets it. So it is for the site to choose, for a stand-in in a test or an
    /// endpoint of the site's own, and the policy of an object's namespace must allow it.
    #[keyword(inherit, example = "http://127.0.0.1:8480/compute/v1")]
    pub gce_endpoint: Option<String>,
    /// Where the metadata server is, if not at http://169.254.169.254/computeMetadata/v1. It says which token is sent. For the
    /// site to choose, as gce_endpoint is.
    #[keyword(inherit, example = "http://127.0.0.1:8481/computeMetadata/v1")]
    pub gce_metadata: Option<String>,
}

impl CloudKeywords {
    /// A client, good for this call.
    pub fn client<'a>(&'a self, context: &'a Context) -> ComputeClient<'a> {
        ComputeClient::new(self, context)
    }
}
