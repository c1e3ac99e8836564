//! Grant lines, from text to a rule that an operation can be compared with.
//!
//! ```text
//! text ─▶ tokenizer ─▶ Token ─▶ GrantLine (attributes, template of its capability) ─▶ GrantRule (nothing left to fill in)
//! ```
//!
//! The other files are the kinds of words that the capabilities' templates are made of: paths, sources, addresses, routes.

pub(crate) mod address;
pub(crate) mod attributes;
pub(crate) mod check;
pub(crate) mod glob;
pub(crate) mod grant_line;
pub(crate) mod known_names;
pub(crate) mod linux_capabilities;
pub(crate) mod origin;
pub(crate) mod path_glob;
pub(crate) mod route;
pub(crate) mod rule;
pub(crate) mod source;
pub(crate) mod token;
pub(crate) mod tokenizer;
