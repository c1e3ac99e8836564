//! `POST /containers/create`: the body is taken apart, each member is compared with the keywords, and it is put together again.

mod body;
mod host_config;
mod mounts;
mod namespaces;
mod networking;
mod powers;
mod surroundings;

pub(crate) use body::create;
