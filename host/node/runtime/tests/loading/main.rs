//! How a driver comes to run: its file, its manifest, its compiled form in the cache, and what is refused on the way.

mod cache;
mod compiler;
mod place;
mod refused;
