//! The daemon of this node, asked over its socket.

use std::path::Path;

use client::{ClientError, DaemonClient};

use crate::backend::{Reply, block_on};
use crate::exit::Failure;

/// The daemon of this node, whether it runs or not.
#[derive(Debug, Clone)]
pub(crate) struct RemoteDaemon {
    pub(crate) client: DaemonClient,
}

impl RemoteDaemon {
    /// The daemon whose run directory this is.
    pub(crate) fn of(run: &Path) -> RemoteDaemon {
        RemoteDaemon { client: DaemonClient::of_run_directory(run) }
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask<T>(&self, ask: impl AsyncFnOnce(&DaemonClient) -> Result<T, ClientError>) -> Reply<T> {
        Ok(block_on(ask(&self.client))??)
    }

    /// Whether it runs. One that does not answer is an error: nothing should be done beside it.
    pub(crate) fn runs(&self) -> Reply<bool> {
        match block_on(self.client.version())? {
            Ok(_) => Ok(true),
            Err(ClientError::NotRunning) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::new(error.kind(), error)
    }
}
