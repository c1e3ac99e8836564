//! The SDK as an author of a driver sees it.

mod fakes;
mod keywords;
mod manifest;
mod manual;
mod samples;
