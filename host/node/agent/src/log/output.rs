//! The output of programs that keep running, which is bounded while they run.

use std::collections::BTreeSet;
use std::path::Path;

use kernel::process::bound_output;
use model::ObjectPath;

use crate::Agent;

impl Agent {
    /// Bounds the output of the programs of these objects, each to the size at which their logs are rotated. Blocks.
    pub fn bound_outputs(&self, objects: &[ObjectPath]) {
        let logs: Vec<_> = objects.iter().map(|object| self.home().object_log(object)).collect();
        // Objects of a namespace share a directory.
        let directories: BTreeSet<&Path> = logs.iter().filter_map(|log| log.parent()).collect();
        let limit = crate::node::log_limits(&self.node()).bytes;
        directories.into_iter().for_each(|directory| bound_all(directory, limit));
    }
}

fn bound_all(directory: &Path, limit: u64) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let outputs = entries.flatten().map(|entry| entry.path());
    for output in outputs.filter(|path| path.extension().is_some_and(|extension| extension == "out")) {
        // It may have been removed meanwhile, and what fails now is tried again at the next look.
        let _ = bound_output(&output, limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Directories;

    #[test]
    fn outputs_of_all_namespaces_are_bounded_and_logs_are_not() {
        let (_root, home) = Directories::temporary();
        let objects: Vec<ObjectPath> = ["web", "ns1/svc/db"].map(|path| path.parse().unwrap()).into();
        let logs: Vec<_> = objects.iter().map(|object| home.object_log(object)).collect();
        for log in &logs {
            std::fs::create_dir_all(log.parent().unwrap()).unwrap();
            for file in [log.clone(), log.with_file_name("a.app.1.out")] {
                std::fs::write(file, "0123456789").unwrap();
            }
        }
        let directories: BTreeSet<&Path> = logs.iter().filter_map(|log| log.parent()).collect();
        directories.into_iter().for_each(|directory| bound_all(directory, 4));
        for log in &logs {
            assert_eq!(std::fs::read(log).unwrap().len(), 10);
            assert_eq!(std::fs::read(log.with_file_name("a.app.1.out")).unwrap(), b"");
            assert_eq!(std::fs::read(log.with_file_name("a.app.1.out.1")).unwrap(), b"6789");
        }
    }
}
