//! Keys of data stores.

/// A text that cannot be the key of a data store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be a key: expected printable characters without white space, = and *, the first none of # ; [ /")]
pub struct InvalidDataKey(pub String);

/// Checks that a text can be the key of a data store: the file must read it back as it was written, and it must not look like
/// a pattern.
pub fn check_key(key: &str) -> Result<(), InvalidDataKey> {
    let legal = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '=' | '*' | '\u{feff}');
    let fits = !key.is_empty() && key.chars().all(legal) && !key.starts_with(['#', ';', '[', '/']);
    if fits { Ok(()) } else { Err(InvalidDataKey(key.to_owned())) }
}
