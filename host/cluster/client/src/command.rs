//! What a command prints on another node, as it comes.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use protocol::daemon::CommandOutput;

use crate::ClientError;

/// An open stream of what a command prints.
#[derive(Debug)]
pub struct CommandStream {
    body: Incoming,
    /// What was read and is not a whole line yet.
    rest: Vec<u8>,
}

impl CommandStream {
    pub(crate) fn new(body: Incoming) -> CommandStream {
        CommandStream { body, rest: Vec::new() }
    }

    /// What comes next. None: the node was lost before the command had ended, if that did not come before.
    pub async fn next(&mut self) -> Result<Option<CommandOutput>, ClientError> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let wrong = |error| ClientError::Answer("the daemon".to_owned(), Box::new(error));
                return serde_json::from_slice(&line).map(Some).map_err(wrong);
            }
            match self.body.frame().await {
                // A line that is not whole is dropped: its node was lost in the middle of it.
                None => return Ok(None),
                Some(Ok(frame)) => self.rest.extend_from_slice(frame.data_ref().map_or(&[], |bytes| bytes)),
                Some(Err(error)) => return Err(ClientError::HungUp(error)),
            }
        }
    }
}
