//! What the arguments of a program lead to: to hand a program the name of a file is to let it read the file, and change it.

use std::path::PathBuf;

use crate::capability::block::{ChangeLoop, ReadDevice};
use crate::capability::files::{ReadPath, ReadTree, WritePath, WriteTree};
use crate::operation::{Access, Operation};

type Operations = Vec<Box<dyn Operation>>;

/// What a path in an argument leads to, under one of its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArgumentThing {
    File(PathBuf),
    /// A directory, with all that is below it: a program may go through it.
    Tree(PathBuf),
    Device(PathBuf),
}

impl ArgumentThing {
    /// What a program may do with it, as operations of the host. A program that changes nothing only reads.
    pub(crate) fn uses(&self, access: Access) -> Vec<Box<dyn Operation>> {
        let device = |path: &PathBuf| ReadDevice { path: path.to_string_lossy().into_owned() };
        let (mut reads, writes): (Operations, Operations) = match self.clone() {
            ArgumentThing::File(path) => (
                vec![Box::new(device(&path)), Box::new(ReadPath { path: path.clone() })],
                vec![Box::new(WritePath { path: path.clone() }), Box::new(ChangeLoop { file: path })],
            ),
            ArgumentThing::Tree(path) => {
                (vec![Box::new(ReadTree { path: path.clone() })], vec![Box::new(WriteTree { path })])
            }
            ArgumentThing::Device(path) => (
                vec![Box::new(device(&path)), Box::new(ReadPath { path: path.clone() })],
                vec![Box::new(WritePath { path })],
            ),
        };
        if access == Access::Mutate {
            reads.extend(writes);
        }
        reads
    }
}
