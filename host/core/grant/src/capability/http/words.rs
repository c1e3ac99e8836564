//! The lines of both capabilities: as written, and as bound.

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::method::MethodSet;
use super::operation::FetchUrl;
use super::request_path::RequestPathSet;
use super::url_set::UrlSet;
use super::url_template::UrlTemplate;
use crate::bind::binder::{BindFailure, Binder};
use crate::capability::definition::{Capability, LinePattern, LineTemplate, patterns};
use crate::line::attributes::AttributeKind;
use crate::line::check::check_path;
use crate::line::origin::LineOrigin;
use crate::line::path_glob::PathGlob;
use crate::line::token::{Token, TokenPiece};
use crate::operation::Operation;

pub(in crate::capability) static CAPABILITIES: [Capability; 2] = [
    Capability {
        name: "http",
        attributes: &[],
        template: |words| match words.tokens {
            [methods, url] => Ok(Arc::new(UrlWords {
                methods: MethodSet::parse(methods)?,
                url: UrlTemplate::parse(url)?,
                token: url.clone(),
            })),
            _ => Err(words.expected("METHODS https://HOST/PATH")),
        },
        verb: |_, _| "reach",
        policy_word: |at, first| (at == 1 && matches!(first, TokenPiece::Keyword(_))).then_some("https://**/**"),
        also_decided_by: &[],
    },
    Capability {
        name: "http.unix",
        attributes: &[AttributeKind::Guard, AttributeKind::RootEquivalent],
        template: |words| match words.tokens {
            [methods, socket, path] => {
                check_path(socket)?;
                check_path(path)?;
                let methods = MethodSet::parse(methods)?;
                Ok(Arc::new(SocketTemplate { methods, socket: socket.clone(), path: path.clone() }))
            }
            _ => Err(words.expected("METHODS /SOCKET /PATH")),
        },
        verb: |_, _| "reach",
        policy_word: |at, first| (at == 1 && matches!(first, TokenPiece::Keyword(_))).then_some("/**"),
        also_decided_by: &[],
    },
];

#[derive(Debug)]
struct UrlWords {
    methods: MethodSet,
    url: UrlTemplate,
    token: Token,
}

impl LineTemplate for UrlWords {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.token]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns([UrlPattern { methods: self.methods.clone(), urls: self.url.bind(binder)? }]))
    }
}

#[derive(Debug)]
pub(super) struct UrlPattern {
    pub(super) methods: MethodSet,
    pub(super) urls: UrlSet,
}

impl LinePattern for UrlPattern {
    fn example(&self) -> Option<Box<dyn Operation>> {
        Some(Box::new(FetchUrl { method: self.methods.first(), url: self.urls.only()? }))
    }

    fn may_meet(&self, policy: &dyn LinePattern) -> bool {
        let other: &dyn Any = policy;
        other.downcast_ref::<UrlPattern>().is_none_or(|other| self.urls.may_meet(&other.urls))
    }
}

impl fmt::Display for UrlPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.methods, self.urls)
    }
}

#[derive(Debug)]
struct SocketTemplate {
    methods: MethodSet,
    socket: Token,
    path: Token,
}

impl LineTemplate for SocketTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.socket, &self.path]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        // The path first, since it is the same for each socket of a list.
        let paths = RequestPathSet::bind(&self.path.pieces, binder)?;
        let pattern = |socket| SocketPattern { methods: self.methods.clone(), socket, paths: paths.clone() };
        Ok(patterns(binder.paths(&self.socket)?.into_iter().map(pattern)))
    }

    fn root_equivalent(&self, guarded: bool) -> Option<&'static str> {
        self.socket.literal().filter(|_| !guarded).and_then(|socket| engine_socket(&self.methods, socket))
    }
}

/// A socket, and the requests to it that a line allows.
#[derive(Debug)]
pub(crate) struct SocketPattern {
    pub(super) methods: MethodSet,
    pub(crate) socket: PathGlob,
    pub(super) paths: RequestPathSet,
}

impl LinePattern for SocketPattern {
    fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Arc<dyn LinePattern>> {
        let socket = self.socket.relocated(follow)?;
        Some(Arc::new(SocketPattern { methods: self.methods.clone(), socket, paths: self.paths.clone() }))
    }

    fn root_equivalent(&self, guarded: bool) -> Option<&'static str> {
        self.socket.literal().filter(|_| !guarded).and_then(|socket| engine_socket(&self.methods, &socket))
    }
}

impl fmt::Display for SocketPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.methods, self.socket, self.paths)
    }
}

/// Why a driver that changes something through the socket is as good as root.
fn engine_socket(methods: &MethodSet, socket: &str) -> Option<&'static str> {
    const ENGINES: [&str; 5] = ["docker.sock", "podman.sock", "containerd.sock", "crio.sock", "libvirt-sock"];
    // By its name: where the socket stands differs between distributions.
    let named = socket.rsplit('/').next().is_some_and(|name| ENGINES.contains(&name));
    (named && !methods.only_read()).then_some("a client of a container engine can become root")
}
