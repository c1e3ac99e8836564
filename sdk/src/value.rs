//! The types that a keyword's value can have.
//!
//! The host has already parsed and checked the value and sends it in canonical form. An error here therefore means that the
//! host and the driver disagree about the schema.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A type that a keyword's value can have.
pub trait Value: Sized {
    /// The kind of the keyword in the manifest.
    const KIND: &'static str;

    /// Whether a section must contain the keyword if it has no default.
    const REQUIRED: bool = true;

    /// Reads the canonical form. The error completes the sentence "`name` …".
    fn read(values: &[String]) -> Result<Self, &'static str>;

    /// The value if the keyword is neither set nor has a default.
    fn absent() -> Option<Self> {
        None
    }
}

/// The only value of a keyword.
fn single(values: &[String]) -> Result<&str, &'static str> {
    match values {
        [value] => Ok(value),
        _ => Err("must have one value"),
    }
}

impl Value for String {
    const KIND: &'static str = "string";

    fn read(values: &[String]) -> Result<String, &'static str> {
        single(values).map(str::to_owned)
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "path";

    fn read(values: &[String]) -> Result<PathBuf, &'static str> {
        single(values).map(PathBuf::from)
    }
}

impl Value for bool {
    const KIND: &'static str = "boolean";
    const REQUIRED: bool = false;

    fn read(values: &[String]) -> Result<bool, &'static str> {
        match single(values)? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("is neither true nor false"),
        }
    }

    fn absent() -> Option<bool> {
        // A switch that is not written is off.
        Some(false)
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {
        $(impl Value for $integer {
            const KIND: &'static str = "integer";

            fn read(values: &[String]) -> Result<$integer, &'static str> {
                // The contract has one kind of integer, without limits. The type of the field sets them.
                single(values)?.parse().map_err(|_| concat!("does not fit ", stringify!($integer)))
            }
        })*
    };
}

integers!(u8 u16 u32 u64 i32 i64);

impl Value for Duration {
    const KIND: &'static str = "duration";

    fn read(values: &[String]) -> Result<Duration, &'static str> {
        // The canonical form has no unit, whatever the operator wrote.
        single(values)?.parse().map(Duration::from_millis).map_err(|_| "is not a number of milliseconds")
    }
}

impl Value for Vec<String> {
    const KIND: &'static str = "list";
    const REQUIRED: bool = false;

    fn read(values: &[String]) -> Result<Vec<String>, &'static str> {
        // A list may be empty, so there is nothing that could be wrong with it.
        Ok(values.to_vec())
    }

    fn absent() -> Option<Vec<String>> {
        Some(Vec::new())
    }
}

impl<V: Value> Value for Option<V> {
    const KIND: &'static str = V::KIND;
    const REQUIRED: bool = false;

    fn read(values: &[String]) -> Result<Option<V>, &'static str> {
        V::read(values).map(Some)
    }

    fn absent() -> Option<Option<V>> {
        Some(None)
    }
}

/// One secret text, which a keyword with `store = "sec"` names by its key: `token = tick/token`. It is not shown by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret, for tests.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Value for Secret {
    const KIND: &'static str = "words";

    fn read(values: &[String]) -> Result<Secret, &'static str> {
        // The host resolves a key to a variable, `NAME=TEXT`.
        let text = |variable: &str| variable.split_once('=').map(|(_, text)| Secret(text.to_owned()));
        match values {
            [variable] => text(variable).ok_or("is not resolved"),
            _ => Err("must name one key of a data store"),
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// A size in bytes.
    pub const fn bytes(bytes: u64) -> Size {
        Size(bytes)
    }

    /// A size in MiB.
    pub const fn mib(mib: u64) -> Size {
        Size(mib << 20)
    }

    /// The number of bytes.
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

/// Written in the largest binary unit that divides the size, as in a configuration: `64m`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 5] =
            [(1 << 50, "p"), (1 << 40, "t"), (1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")];
        // Only an exact multiple is shortened: a rounded size would not be the one that was configured.
        match UNITS.iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((unit, letter)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

impl Value for Size {
    const KIND: &'static str = "size";

    fn read(values: &[String]) -> Result<Size, &'static str> {
        single(values)?.parse().map(Size).map_err(|_| "is not a number of bytes")
    }
}

/// Permission bits. Shown in octal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mode(pub u32);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Value for Mode {
    const KIND: &'static str = "mode";

    fn read(values: &[String]) -> Result<Mode, &'static str> {
        // Decimal, although operators write it in octal: that is the canonical form of all numbers.
        single(values)?.parse().map(Mode).map_err(|_| "does not hold permission bits")
    }
}
