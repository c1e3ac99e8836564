//! The life cycle of a container: its keywords, the request that creates it, and a function for each verb of the resource.

mod describe;
mod inside;
mod keywords;
mod run;
mod service;

pub use keywords::ContainerSpec;
pub use service::ContainerLife;
