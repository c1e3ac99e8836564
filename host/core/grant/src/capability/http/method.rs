//! The methods that a line allows.

use std::fmt;

use crate::line::token::{LineFault, Token, TokenPiece};

/// The methods that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MethodSet {
    Any,
    These(Vec<String>),
}

impl MethodSet {
    pub(super) fn parse(token: &Token) -> Result<MethodSet, LineFault> {
        if token.only() == Some(&TokenPiece::Star) {
            return Ok(MethodSet::Any);
        }
        let methods = token.literal().unwrap_or_default();
        let methods: Vec<String> = methods.split(',').map(str::to_owned).collect();
        // HTTP compares methods with regard to case, so a line in lower case would never match.
        let legal = |method: &String| !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase());
        if !methods.iter().all(legal) {
            return Err(token.fault("expected methods in upper case with commas between them, such as GET,POST"));
        }
        Ok(MethodSet::These(methods))
    }

    pub(super) fn contains(&self, method: &str) -> bool {
        match self {
            MethodSet::Any => true,
            MethodSet::These(methods) => methods.iter().any(|own| own == method),
        }
    }

    /// One of them.
    pub(super) fn first(&self) -> String {
        match self {
            MethodSet::These(methods) if !methods.is_empty() => methods[0].clone(),
            _ => "GET".to_owned(),
        }
    }

    /// Whether none of them changes anything.
    pub(super) fn only_read(&self) -> bool {
        matches!(self, MethodSet::These(methods) if methods.iter().all(|m| m == "GET" || m == "HEAD"))
    }
}

impl fmt::Display for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MethodSet::Any => f.write_str("*"),
            MethodSet::These(methods) => f.write_str(&methods.join(",")),
        }
    }
}
