//! Who wrote a line: the same words mean different things in a request and in a policy.

/// Who wrote a line: `10.0.0.0/8` is a network in a policy, and an address with its prefix length in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineOrigin {
    /// A driver's manifest. It may name keywords.
    Request,
    /// A policy of the site or of a namespace. It may use stars and networks.
    Policy,
}
