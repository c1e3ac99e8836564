//! Configurations, in typed passes: text → [`Document`] (sections, keys, spans; lossless) →
//! [`Object`](model::object::Object) (scopes chosen, references resolved, keywords converted).
//!
//! [`load`] makes the objects of a node and reports every problem at once, each with its place in the text. The object itself
//! is `model`'s: a crate that only works with objects depends on `model` alone.
//!
//! Pure: no tokio, no clock, no input or output. Text comes in, values and [`Diagnostic`](diagnostic::Diagnostic)s go out.

pub mod diagnostic;
mod document;
pub mod keyword;
mod nearest;
mod node;
mod object;
mod pool;
mod resolve;
mod schema;
mod value;

pub use document::edit::EditError;
pub use document::key::{ConfigKey, InvalidKey, InvalidKeyOperation, KeyOperation, KeyOperator};
pub use document::mask::MASK;
pub use document::text::{DEFAULT, Document, Entry, Section};
pub use keyword::is_of_core;
pub use nearest::nearest;
pub use node::data::{NodeData, NodePlaces};
pub use node::file::{eval_node, is_secret_of_node, validate_node};
pub use object::load::{LoadOutcome, load, validate};
pub use pool::{InvalidVolumeRequest, NoPoolFits, Pool, PoolError, PoolKind, PoolUsage, VolumeAccess, VolumeRequest};
pub use resolve::reader::{KeywordReader, ReadError};
pub use schema::{DriverSchema, DriverSchemas, ImplicitResource};
