//! Keys of data stores.

/// A text that cannot be the key of a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be a key: expected printable characters without white space, = and *, the first none of # ; [ /")]
pub struct InvalidDataKey(pub String);

/// Whether a text may be the key of a store: it must be read back as it was written, and be told from a pattern.
pub fn check_key(key: &str) -> Result<(), InvalidDataKey> {
    let legal = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '=' | '*' | '\u{feff}');
    let fits = !key.is_empty() && key.chars().all(legal) && !key.starts_with(['#', ';', '[', '/']);
    if fits { Ok(()) } else { Err(InvalidDataKey(key.to_owned())) }
}
