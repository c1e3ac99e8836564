//! `om driver ls`.

use agent::drivers::DriverOrigin;
use serde_json::json;

use crate::command::OutputFormat;
use crate::exit::Failure;
use crate::render::structured::structured;
use crate::session::{Session, print};

pub(crate) fn run(session: &Session, format: OutputFormat) -> Result<(), Failure> {
    let drivers = session.agent.drivers();
    let origin =
        |origin: &DriverOrigin| if matches!(origin, DriverOrigin::Builtin(_)) { "built in" } else { "installed" };
    let list: Vec<_> = drivers
        .iter()
        .map(|known| {
            let manifest = &known.manifest;
            json!({
                "name": manifest.name.to_string(), "version": manifest.version, "origin": origin(&known.origin),
                "digest": known.digest, "aliases": manifest.aliases, "summary": manifest.summary,
            })
        })
        .collect();
    if let Some(text) = structured(format, &list.into()) {
        print(&text);
        return Ok(());
    }
    let mut text = format!("{:<16} {:<9} {:<10} SUMMARY\n", "NAME", "VERSION", "ORIGIN");
    for known in drivers.iter() {
        let (name, manifest) = (known.manifest.name.to_string(), &known.manifest);
        text += &format!("{name:<16} {:<9} {:<10} {}\n", manifest.version, origin(&known.origin), manifest.summary);
    }
    print(&text);
    for broken in drivers.broken() {
        session.note(&format!("{} cannot be used: {}", broken.file.display(), broken.reason));
    }
    Ok(())
}
