//! `http = METHODS https://HOST/PATH` and `http.unix = METHODS /SOCKET /PATH`: requests to the network and to unix sockets.

mod method;
mod operation;
mod plain_url;
mod request_path;
mod url_set;
mod url_template;
mod words;

pub use operation::{FetchUnix, FetchUrl};
pub(super) use words::CAPABILITIES;
pub(crate) use words::SocketPattern;
