//! What a command prints on another node, as it comes.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use protocol::daemon::CommandOutput;

use crate::ClientError;
use crate::received::ReceivedBytes;

/// An open stream of what a command prints.
#[derive(Debug)]
pub struct CommandStream {
    body: Incoming,
    received: ReceivedBytes,
}

impl CommandStream {
    pub(crate) fn new(body: Incoming) -> CommandStream {
        CommandStream { body, received: ReceivedBytes::default() }
    }

    /// What comes next. None: the node was lost before the command had ended, if that did not come before.
    pub async fn next(&mut self) -> Result<Option<CommandOutput>, ClientError> {
        loop {
            if let Some(line) = self.received.take(b"\n") {
                let wrong = |error| ClientError::Answer("the daemon".to_owned(), Box::new(error));
                return serde_json::from_slice(line).map(Some).map_err(wrong);
            }
            match self.body.frame().await {
                // A line that is not whole is dropped: its node was lost in the middle of it.
                None => return Ok(None),
                Some(Ok(frame)) => self.received.add(frame.data_ref().map_or(&[], |bytes| bytes)),
                Some(Err(error)) => return Err(ClientError::HungUp(error)),
            }
        }
    }
}
