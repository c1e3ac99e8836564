//! The life of a container: its keywords, the body of its creation, and each verb of its resource.

mod describe;
mod inside;
mod keywords;
mod run;
mod service;

pub use keywords::ContainerSpec;
pub use service::ContainerLife;
