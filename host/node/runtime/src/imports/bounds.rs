//! The sizes of arguments, checked before anything else is done with them: what a driver asks for costs the host next to nothing if it
//! may not have it.

use bindings::driver::hostler::driver::types::Kv;
use bindings::driver::hostler::driver::{http, mount, net, process};
use capability::CapabilityError;

/// The longest text. The kernel takes no longer argument of a program, see execve(2).
const TEXT: usize = 128 << 10;

/// The most elements of a list.
const ELEMENTS: usize = 4096;

/// The longest content: of a file, of a request, of a standard input.
const CONTENT: usize = 16 << 20;

/// The most variables and other pairs together, in bytes.
const PAIRS: usize = 1 << 20;

/// An argument of an import.
pub(super) trait ImportArgument {
    /// Checks its size. The error never holds the argument.
    fn check(&self) -> Result<(), CapabilityError>;
}

/// Answers an argument that is too large, without a look at it.
macro_rules! within_bounds {
    ($($argument:ident),+) => {
        $(if let Err(error) = $crate::imports::bounds::ImportArgument::check(&$argument) {
            return Ok(Err($crate::imports::to_wit(error)));
        })+
    };
}
pub(super) use within_bounds;

fn at_most(what: &str, size: usize, limit: usize) -> Result<(), CapabilityError> {
    if size <= limit {
        return Ok(());
    }
    Err(CapabilityError::Invalid(format!("{what} of size {size} is too large: at most {limit}")))
}

impl ImportArgument for String {
    fn check(&self) -> Result<(), CapabilityError> {
        at_most("an argument", self.len(), TEXT)
    }
}

impl ImportArgument for Vec<u8> {
    fn check(&self) -> Result<(), CapabilityError> {
        at_most("a content", self.len(), CONTENT)
    }
}

impl<T: ImportArgument> ImportArgument for Option<T> {
    fn check(&self) -> Result<(), CapabilityError> {
        self.as_ref().map_or(Ok(()), T::check)
    }
}

impl ImportArgument for Vec<String> {
    fn check(&self) -> Result<(), CapabilityError> {
        at_most("a list", self.len(), ELEMENTS)?;
        // Together as well: many words that are short enough each cost as much to look at as one that is too long.
        at_most("a list's text", self.iter().map(String::len).sum(), TEXT)
    }
}

impl ImportArgument for Vec<Kv> {
    fn check(&self) -> Result<(), CapabilityError> {
        at_most("a list", self.len(), ELEMENTS)?;
        self.iter().try_for_each(|pair| pair.key.check().and_then(|()| pair.value.check()))?;
        at_most("a list's text", self.iter().map(|pair| pair.key.len() + pair.value.len()).sum(), PAIRS)
    }
}

impl ImportArgument for mount::Request {
    fn check(&self) -> Result<(), CapabilityError> {
        [&self.source, &self.target, &self.fstype].into_iter().try_for_each(String::check)?;
        self.options.check()
    }
}

impl ImportArgument for net::Route {
    fn check(&self) -> Result<(), CapabilityError> {
        self.destination.check()?;
        self.gateway.check()?;
        self.dev.check()?;
        self.attributes.check()
    }
}

impl ImportArgument for process::Command {
    fn check(&self) -> Result<(), CapabilityError> {
        self.program.check()?;
        self.args.check()?;
        self.env.check()?;
        self.stdin.check()?;
        [&self.cwd, &self.user, &self.group].into_iter().try_for_each(Option::check)?;
        self.settings.check()
    }
}

impl ImportArgument for http::Request {
    fn check(&self) -> Result<(), CapabilityError> {
        self.method.check()?;
        match &self.endpoint {
            http::Endpoint::Url(url) => url.check()?,
            http::Endpoint::Unix((socket, path)) => socket.check().and_then(|()| path.check())?,
        }
        self.headers.check()?;
        self.body.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_refused_without_being_repeated() {
        let error = "x".repeat(TEXT + 1).check().unwrap_err().to_string();
        assert_eq!(error, "an argument of size 131073 is too large: at most 131072");
        assert!("x".repeat(TEXT).check().is_ok());
        assert!(vec![String::new(); ELEMENTS + 1].check().is_err());
        assert!(vec!["x".repeat(TEXT / 2 + 1); 2].check().is_err());
        assert!(vec![0_u8; CONTENT + 1].check().is_err());
        let pair = |value: usize| Kv { key: "k".to_owned(), value: "v".repeat(value) };
        assert!(vec![pair(TEXT + 1)].check().is_err());
        assert!(vec![pair(TEXT); 9].check().is_err());
        assert!(Some(vec![pair(1)]).check().is_ok());
    }
}
