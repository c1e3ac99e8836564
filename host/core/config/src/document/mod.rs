//! Text and its sections: read without loss, edited line by line, with a place for every problem.

pub(crate) mod edit;
pub(crate) mod key;
pub(crate) mod mask;
pub(crate) mod parse;
pub(crate) mod text;
