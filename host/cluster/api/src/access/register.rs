//! The tokens that were made and have not expired, and which of them were revoked: one line a token.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use protocol::daemon::TokenSummary;

/// The tokens of this daemon.
#[derive(Debug)]
pub(crate) struct TokenRegister {
    file: PathBuf,
    all: Vec<TokenSummary>,
}

impl TokenRegister {
    /// Reads the list. A line that cannot be read is an error: it may be the one that revokes.
    pub(crate) fn open(file: PathBuf) -> Result<TokenRegister, String> {
        let text = read_private(&file)?.unwrap_or_default();
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let all = lines.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        Ok(TokenRegister { file, all })
    }

    pub(crate) fn all(&self) -> &[TokenSummary] {
        &self.all
    }

    pub(crate) fn is_revoked(&self, id: &str) -> bool {
        self.all.iter().any(|token| token.revoked && token.id == id)
    }

    /// Adds one. Those that have expired are dropped.
    pub(crate) fn add(&mut self, token: TokenSummary) -> Result<(), String> {
        let now = token.issued_at;
        self.all.retain(|known| known.ends_at >= now);
        self.all.push(token);
        self.write()
    }

    /// Revokes one. False: there is none of this id.
    pub(crate) fn revoke(&mut self, id: &str) -> Result<bool, String> {
        let Some(token) = self.all.iter_mut().find(|token| token.id == id) else { return Ok(false) };
        // In memory first: a revocation that cannot be written holds as long as this daemon runs, and its caller
        // learns of the error.
        token.revoked = true;
        self.write()?;
        Ok(true)
    }

    fn write(&self) -> Result<(), String> {
        let line = |token: &TokenSummary| serde_json::to_string(token).unwrap_or_default() + "\n";
        write_private(&self.file, &self.all.iter().map(line).collect::<String>())
    }
}

/// The text of a file. None: it does not exist.
pub(crate) fn read_private(file: &Path) -> Result<Option<String>, String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", file.display())),
    }
}

/// Replaces a file, which only its owner may read.
pub(crate) fn write_private(file: &Path, text: &str) -> Result<(), String> {
    let try_it = || {
        let directory = file.parent().ok_or(ErrorKind::InvalidInput)?;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(directory)?;
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(file).map_err(|error| error.error)?;
        std::fs::File::open(directory)?.sync_all()
    };
    try_it().map_err(|error: std::io::Error| format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, issued_at: u64) -> TokenSummary {
        let (user, by, role) = ("alice".to_owned(), "root".to_owned(), Vec::new());
        TokenSummary { id: id.to_owned(), user, role, issued_at, ends_at: issued_at + 10, by, revoked: false }
    }

    #[test]
    fn what_is_revoked_stays_so_until_it_expires() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token/issued.jsonl");
        let mut register = TokenRegister::open(file.clone()).unwrap();
        register.add(token("1", 100)).unwrap();
        register.add(token("2", 105)).unwrap();
        assert!(register.revoke("1").unwrap() && !register.revoke("9").unwrap());
        let mut register = TokenRegister::open(file.clone()).unwrap();
        assert!(register.is_revoked("1") && !register.is_revoked("2"));
        register.add(token("3", 112)).unwrap();
        assert_eq!(register.all().iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
        std::fs::write(&file, "{\n").unwrap();
        TokenRegister::open(file).unwrap_err();
    }
}
