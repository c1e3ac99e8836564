//! A request to the engine, before it is judged.

/// A request to the engine, as a driver wants to send it.
#[derive(Debug, Clone, Copy)]
pub struct EngineRequest<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The path with its query.
    pub target: &'a str,
    /// The driver's headers, without those that the host sets.
    pub headers: &'a [(String, String)],
    /// May be empty.
    pub body: &'a [u8],
    pub asked: RequestedBy<'a>,
}

/// For whom a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedBy<'a> {
    /// For the driver, in an action of its life cycle.
    Action,
    /// For the driver, which prepares a console. The command that the operator wants to run, or none for a shell.
    Console(Option<&'a [String]>),
    /// For the operator, whose terminal the host connects.
    Attachment,
}
