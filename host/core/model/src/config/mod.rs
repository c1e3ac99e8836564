//! Configurations, in typed passes: text → [`Document`] (sections, keys, spans; lossless) → [`Object`] (scopes chosen,
//! references resolved, keywords converted) → the evaluated keywords of one resource.
//!
//! [`load`] does it all for the objects of a node and reports every problem at once.

mod arithmetic;
mod build;
mod check;
mod cycle;
mod dereference;
mod document;
mod edit;
mod key;
mod late;
mod load;
mod mentions;
mod nearest;
mod node;
mod node_file;
mod object;
mod outline;
mod parse;
mod query;
mod reference;
mod requires;
mod resolve;
mod schema;
mod typed;

pub use document::{DEFAULT, Document, Entry, Section};
pub use edit::EditError;
pub use key::{Key, KeyOp, NoKey, NoKeyOp, Op};
pub use load::{Loaded, load, validate};
pub use nearest::nearest;
pub use node::NodeData;
pub use node_file::{eval_node, validate_node};
pub use object::{Evaluated, Evaluation, Exposed, Missing, Object, Orchestrate, Placement, Resource, Subset};
pub use query::{ReadError, Reader};
pub use schema::{DriverSchema, Implicit, Schemas};
