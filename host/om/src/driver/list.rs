//! `om driver ls`.

use crate::command::OutputFormat;
use crate::exit::Failure;
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::print;

pub(crate) fn run(session: &Session, format: OutputFormat) -> Result<(), Failure> {
    let list = session.backend.drivers()?;
    if let Some(text) = structured(format, &serde_json::to_value(&list.drivers).unwrap_or_default()) {
        print(&text);
        return Ok(());
    }
    let mut text = format!("{:<16} {:<9} {:<10} SUMMARY\n", "NAME", "VERSION", "ORIGIN");
    for driver in &list.drivers {
        text += &format!("{:<16} {:<9} {:<10} {}\n", driver.name, driver.version, driver.origin, driver.summary);
    }
    print(&text);
    // A broken driver must not hide: resources that need it are undef.
    for broken in &list.broken {
        session.note(&format!("{} cannot be used: {}", broken.file.display(), broken.reason));
    }
    Ok(())
}
