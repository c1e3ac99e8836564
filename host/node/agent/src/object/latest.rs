//! The configuration that was evaluated last. A command asks for that of one object several times, for its nodes and for its
//! resources, and evaluating hundreds of sections takes as long as looking at them.

use std::sync::{Arc, Mutex, PoisonError};

use config::NodeData;
use model::ObjectPath;

use super::configuration::{ActiveObject, ObjectConfiguration};
use super::{ObjectError, ObjectFiles};
use crate::Directories;
use crate::drivers::AvailableDrivers;
use crate::state::InstanceState;

/// The configuration that was evaluated last, with all that its meaning depends on. One alone: a daemon knows of a thousand objects, and
/// keeps what it needs of each itself.
#[derive(Default)]
pub(crate) struct LatestConfiguration(Mutex<Option<EvaluatedConfiguration>>);

struct EvaluatedConfiguration {
    object: ObjectPath,
    node: Arc<NodeData>,
    drivers: Arc<AvailableDrivers>,
    configuration: Arc<ObjectConfiguration>,
}

impl LatestConfiguration {
    /// The configuration of an object, as a node with these drivers means it. The file is read each time.
    pub(crate) fn read(
        &self,
        home: &Directories,
        object: &ObjectPath,
        node: &Arc<NodeData>,
        drivers: &Arc<AvailableDrivers>,
    ) -> Result<Arc<ObjectConfiguration>, ObjectError> {
        let text = ObjectFiles::of(home).text(object);
        let known = text.as_ref().ok().and_then(|text| self.known(object, text, node, drivers));
        // The last valid version is on disk, or could not be written there: then it is tried again.
        if let Some(known) = known.filter(|known| is_last_good(home, object, known.document.text())) {
            return Ok(known);
        }
        let read = Arc::new(ObjectConfiguration::evaluate(home, object, text, node, &**drivers)?);
        // What stands for one with errors depends on an earlier version, too.
        if matches!(read.active, ActiveObject::Current(_)) {
            let (node, drivers, configuration) = (Arc::clone(node), Arc::clone(drivers), Arc::clone(&read));
            let evaluated = EvaluatedConfiguration { object: object.clone(), node, drivers, configuration };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(evaluated);
        }
        Ok(read)
    }

    fn known(
        &self,
        object: &ObjectPath,
        text: &str,
        node: &Arc<NodeData>,
        drivers: &Arc<AvailableDrivers>,
    ) -> Option<Arc<ObjectConfiguration>> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = latest.as_ref().filter(|known| known.object == *object)?;
        // As long as the files of the node and of its drivers have not changed, the agent hands out the same ones.
        let same = Arc::ptr_eq(&known.node, node) && Arc::ptr_eq(&known.drivers, drivers);
        (same && known.configuration.document.text() == text).then(|| Arc::clone(&known.configuration))
    }
}

fn is_last_good(home: &Directories, object: &ObjectPath, text: &str) -> bool {
    InstanceState::of(home, object).last_good().is_ok_and(|good| good.as_deref() == Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::durable;

    #[test]
    fn a_configuration_is_evaluated_again_when_what_it_depends_on_has_changed() {
        let (_root, home) = Directories::temporary();
        let (web, latest): (ObjectPath, _) = ("web".parse().unwrap(), LatestConfiguration::default());
        let node = Arc::new(NodeData::alone("n1".parse().unwrap()));
        let drivers = Arc::new(AvailableDrivers::find(&home.installed_drivers()));
        let read = |node| latest.read(&home, &web, node, &drivers).unwrap();
        let write = |text: &str| durable::write(&home.config(&web), text.as_bytes()).unwrap();

        write("[DEFAULT]\napp = old\n");
        let first = read(&node);
        assert!(Arc::ptr_eq(&first, &read(&node)));

        write("[DEFAULT]\napp = new\n");
        let second = read(&node);
        assert_eq!(second.object().unwrap().app, "new");

        let other = Arc::new(NodeData::alone("n2".parse().unwrap()));
        assert_eq!(read(&other).object().unwrap().node.as_str(), "n2");

        // Of one with errors, an earlier version may be in use.
        write("[DEFAULT]\ntopology = ring\n");
        assert!(!Arc::ptr_eq(&read(&node), &read(&node)));
    }

    #[test]
    fn the_last_valid_version_is_written_again_where_it_is_missing() {
        let (_root, home) = Directories::temporary();
        let (web, latest): (ObjectPath, _) = ("web".parse().unwrap(), LatestConfiguration::default());
        let node = Arc::new(NodeData::alone("n1".parse().unwrap()));
        let drivers = Arc::new(AvailableDrivers::find(&home.installed_drivers()));
        durable::write(&home.config(&web), b"[DEFAULT]\n").unwrap();
        latest.read(&home, &web, &node, &drivers).unwrap();
        let kept = home.state(&web).join("last-good.conf");
        std::fs::remove_file(&kept).unwrap();
        latest.read(&home, &web, &node, &drivers).unwrap();
        assert!(kept.exists());
    }
}
