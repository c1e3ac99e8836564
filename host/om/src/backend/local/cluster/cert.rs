//! The certificates of the engine, on this node and in the whole cluster.

use anyhow::Context;
use etcd::CertificateReport;

use super::LocalCluster;
use crate::backend::{Reply, block_on};

impl LocalCluster {
    /// All that this node knows of the certificates of its cluster.
    pub(crate) fn certificates(&self) -> Reply<CertificateReport> {
        let engine = self.engine()?;
        let is_managed = self.has_authority();
        let asked = is_managed.then_some(&engine);
        let report = block_on(etcd::report_certificates(&self.place, asked, &self.node()))?;
        Ok(report.context("cannot read the certificates of this node")?)
    }

    fn has_authority(&self) -> bool {
        self.place.engine_certificates().authority_file().exists()
    }

    /// Makes another certificate of this node for the engine. False: the engine is not managed.
    pub(crate) fn renew_certificate(&self) -> Reply<bool> {
        self.data()?;
        let seat = self.place.seat().context("cannot read this node's part in the cluster")?;
        let Some(seat) = seat.filter(|_| self.has_authority()) else { return Ok(false) };
        self.place.renew_engine_certificate(&seat).context("cannot make the certificate for the engine")?;
        Ok(true)
    }

    /// Begins to replace the authority of the engine. False: that was begun before.
    pub(crate) fn begin_rotation(&self) -> Reply<bool> {
        let engine = self.engine()?;
        Ok(block_on(etcd::begin_rotation(&engine, &self.place))?.context("cannot replace the authority")?)
    }
}
