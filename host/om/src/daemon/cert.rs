//! `daemon cert`: the certificates of the daemon and of users.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use certificate::UserKey;
use protocol::daemon::{CertificateRequest, CertificateSummary};

use crate::command::{CertCommand, OutputFormat};
use crate::each::each;
use crate::exit::Outcome;
use crate::render::moment;
use crate::render::structured::structured;
use crate::render::table::table;
use crate::session::Session;
use crate::terminal::print;

pub(super) fn run(session: &Session, command: CertCommand) -> Outcome {
    match command {
        CertCommand::Ls(output) => list(session, output.format),
        CertCommand::Create { user, to } => create(session, user, &to),
        CertCommand::Renew => {
            session.daemon().ask(async |client| client.renew_certificate().await)?;
            session.note("the daemon presents a new certificate");
            Ok(ExitCode::SUCCESS)
        }
        CertCommand::Revoke { which } => revoke(session, &which),
    }
}

fn list(session: &Session, format: OutputFormat) -> Outcome {
    let certificates = session.daemon().ask(async |client| client.certificates().await)?;
    let text = structured(format, &serde_json::to_value(&certificates).unwrap_or_default());
    print(&text.unwrap_or_else(|| rows(&certificates)));
    Ok(ExitCode::SUCCESS)
}

fn rows(certificates: &[CertificateSummary]) -> String {
    let row = |leaf: &CertificateSummary| {
        let state = match (leaf.revoked, leaf.in_use) {
            (true, _) => "revoked",
            (false, true) => "in use",
            (false, false) => "valid",
        };
        let until = moment::date(leaf.ends_at as f64);
        vec![leaf.serial.clone(), leaf.kind.clone(), leaf.name.clone(), until, state.to_owned()]
    };
    table(&["SERIAL", "KIND", "NAME", "UNTIL", "STATE"], &certificates.iter().map(row).collect::<Vec<_>>())
}

/// The private key is made here, and goes nowhere else.
fn create(session: &Session, user: String, to: &Path) -> Outcome {
    let key = UserKey::new().context("cannot make a key")?;
    let request = CertificateRequest { user: user.clone(), public_key: key.public };
    let signed = session.daemon().ask(async |client| client.sign_certificate(&request).await)?;
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let files = [("key", &key.private, 0o600), ("pem", &signed.certificate, 0o644)];
    for (extension, text, mode) in files {
        write(&to.join(format!("{user}.{extension}")), text, mode)?;
    }
    write(&to.join("ca.pem"), &signed.authority, 0o644)?;
    let (until, to) = (moment::date(signed.ends_at as f64), to.display());
    session.note(&format!("certificate {} of user {user}, good until {until}: {to}/{user}.pem", signed.serial));
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let doing = || format!("cannot write {}", file.display());
    // A file that is there keeps its mode, which may be too open for a key.
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).with_context(doing),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut opened = options.write(true).create_new(true).mode(mode).open(file).with_context(doing)?;
    opened.write_all(text.as_bytes()).with_context(doing)
}

fn revoke(session: &Session, which: &[String]) -> Outcome {
    let daemon = session.daemon();
    let code = each(which, |one| {
        daemon.ask(async |client| client.revoke_certificate(one).await)?;
        session.note(&format!("{one}: revoked"));
        Ok(())
    });
    Ok(code.into())
}
