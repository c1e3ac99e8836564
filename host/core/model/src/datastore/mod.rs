//! Data stores: objects of the kinds `sec` and `cfg`, whose section `[data]` holds keys and their values, and the words by
//! which other objects refer to them.
//!
//! Pure: the key that secrets are encrypted with and the nonce of each come in as values.

mod key;
mod reference;
mod value;

pub use key::{InvalidDataKey, check_key};
pub use reference::{InvalidKeyReference, InvalidVariableName, KeyChoice, KeyReference, variable};
pub use value::{DataValue, InvalidDataValue, NONCE_BYTES, SEALING_KEY_BYTES, SealingKey, UnsealError, plain};

/// The section that holds the keys.
pub const DATA: &str = "data";
