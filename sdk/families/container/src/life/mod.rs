//! The life cycle of a container: its keywords, the request that creates it, and a function for each verb of the resource.
//!
//! A container is the resource's if it has the resource's labels, whatever its name. One without them that has the name belongs to
//! something else and is left alone. If the configuration changes, the container is recreated at the next start; until then, status
//! warns about it.

mod describe;
mod held;
mod image;
mod inside;
mod keywords;
mod run;
mod search;
mod service;
mod start;
mod status;
mod stop;

pub use keywords::ContainerSpec;
pub use service::ContainerLife;
