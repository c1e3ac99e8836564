//! Loading a driver: its file, its manifest, its compiled form in the cache, and the components that are refused.

mod cache;
mod compiler;
mod place;
mod refused;
