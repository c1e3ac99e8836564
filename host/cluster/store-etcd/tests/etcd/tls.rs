//! Certificates on both sides.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use store::{Store, StoreError, TxnRequest};
use store_etcd::{EtcdSettings, EtcdStore, EtcdTls};
use tempfile::TempDir;

use crate::engine::{EtcdEngine, can_run, wait_for};

/// An authority, and where it writes what it signs.
struct TestAuthority {
    directory: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl TestAuthority {
    fn new(directory: &Path, name: &str) -> Self {
        let directory = directory.join(name);
        fs::create_dir(&directory).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(directory.join("ca.pem"), issuer.pem()).unwrap();
        Self { directory, issuer }
    }

    /// Signs a certificate for an address, for both sides: etcd's own gateway is a client of itself.
    fn sign(&self, name: &str, address: &str) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec![address.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = (self.directory.join(format!("{name}.pem")), self.directory.join(format!("{name}.key")));
        fs::write(&files.0, certificate.pem()).unwrap();
        fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    fn authority(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }
}

fn with_tls(settings: EtcdSettings, authority: &TestAuthority, signer: &TestAuthority) -> EtcdSettings {
    let (certificate, key) = signer.sign("client", "127.0.0.1");
    EtcdSettings { tls: Some(EtcdTls { authority: authority.authority(), certificate, key }), ..settings }
}

#[tokio::test]
async fn only_certificates_of_the_cluster_are_taken() {
    if !can_run() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let cluster = TestAuthority::new(directory.path(), "cluster");
    let stranger = TestAuthority::new(directory.path(), "stranger");
    let [.., a, b] = std::process::id().to_be_bytes();
    let (certificate, key) = cluster.sign("server", &format!("127.100.{a}.{b}"));
    let options = [
        "--client-cert-auth".to_owned(),
        format!("--cert-file={}", certificate.display()),
        format!("--key-file={}", key.display()),
        format!("--trusted-ca-file={}", cluster.authority().display()),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let engine = EtcdEngine::start_with(1, &options);

    let ours = EtcdStore::new(with_tls(engine.settings(), &cluster, &cluster));
    wait_for(&ours).await;
    ours.txn(TxnRequest::new().put("a", "1")).await.unwrap();

    let refused = [
        // The member trusts no such client; the client trusts no such member; no certificate at all.
        with_tls(engine.settings(), &cluster, &stranger),
        with_tls(engine.settings(), &stranger, &cluster),
        engine.settings(),
    ];
    for settings in refused {
        let error = EtcdStore::new(settings).txn(TxnRequest::new().put("a", "2")).await.unwrap_err();
        assert!(matches!(error, StoreError::NotApplied(_)), "{error:?}");
    }

    // Files that are replaced count from the next connection on, without a restart.
    let late = with_tls(engine.settings(), &stranger, &cluster);
    let file = late.tls.as_ref().unwrap().authority.clone();
    let late = EtcdStore::new(late);
    assert!(late.get(b"a").await.is_err());
    fs::copy(cluster.authority(), file).unwrap();
    assert_eq!(late.get(b"a").await.unwrap().entry.unwrap().value, "1");
}
