//! Binding: a request is a template over one resource, and this fills in what the host and the resource's keywords say.
//!
//! Substitution is literal. A keyword's value is text, whatever characters it contains, and it stands for a whole path, a
//! whole component of one, or a whole argument: it never becomes a part of something else.

pub(crate) mod binder;
pub(crate) mod context;
pub(crate) mod value;
