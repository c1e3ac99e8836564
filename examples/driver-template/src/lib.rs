//! `app.note`: a file that contains a text while the resource is up.
//!
//! Up: `file` contains `text`. Down: the file does not exist. Warn: it contains something else.

use hostler_sdk::prelude::*;

/// A file that contains a text while the resource is up.
///
/// This driver is a template: it has everything that a driver needs, and little else.
#[derive(Keywords)]
struct Note {
    /// The file. Its directory must exist.
    #[keyword(example = "/srv/{fqdn}/note")]
    file: PathBuf,
    /// The content of the file.
    #[keyword(default = "up", example = "served by {nodename}")]
    text: String,
    /// The permission bits of the file.
    #[keyword(default = "0644")]
    mode: Mode,
}

#[driver]
impl Driver for Note {
    const NAME: &str = "app.note";
    const GRANTS: &[&str] = &["files.write = {kw:file}"];

    fn status(&self, _: &Context) -> Result<Status> {
        let status = match self.found()? {
            Some(text) if text == self.text => Status::up(),
            Some(_) => Status::up().degraded("the file holds something else"),
            None => Status::down(),
        };
        Ok(status.label(self.file.display()))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        if self.found()?.as_ref() == Some(&self.text) {
            return Ok(Outcome::unchanged(format!("{} is already written", self.file.display())));
        }
        files::write(&self.file, &self.text, self.mode)?;
        Ok(Outcome::changed(format!("wrote {}", self.file.display())))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        if !files::remove(&self.file)? {
            return Ok(Outcome::unchanged(format!("{} does not exist", self.file.display())));
        }
        Ok(Outcome::changed(format!("removed {}", self.file.display())))
    }
}

impl Note {
    /// The content of the file, if it exists.
    fn found(&self) -> Result<Option<String>> {
        match files::read_text(&self.file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};

    use super::*;

    fn note(host: &Host) -> Case<Note> {
        given(Note { file: "/srv/note".into(), text: "hello".to_owned(), mode: Mode(0o644) }).on(host)
    }

    #[test]
    fn start_writes_once_and_stop_removes_once() {
        let host = Host::new().directory("/srv");
        note(&host)
            .status()
            .is(State::Down)
            .start()
            .is_changed("wrote /srv/note")
            .start()
            .is_unchanged("/srv/note is already written")
            .status()
            .is(State::Up)
            .labelled("/srv/note")
            .stop()
            .is_changed("removed /srv/note")
            .stop()
            .is_unchanged("/srv/note does not exist");
    }

    #[test]
    fn another_text_is_told_and_start_puts_it_right() {
        let host = Host::new().text_file("/srv/note", "bye");
        note(&host).status().is(State::Warn).mentions("something else").start().is_changed("wrote /srv/note");
        assert_eq!(host.content("/srv/note").as_deref(), Some("hello"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_missing_file() {
        let broken = CapabilityError::Os { errno: errno::EIO, doing: "read /srv/note".to_owned() };
        let host = Host::new().text_file("/srv/note", "hello").failing("files.read", broken);
        note(&host).status().fails_with("input/output error").start().fails_with("input/output error");
    }

    #[test]
    fn stop_undoes_a_start_that_failed_half_way() {
        stop_undoes_any_failed_start(|| note(&Host::new().directory("/srv")));
    }
}
