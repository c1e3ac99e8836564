//! What a node tells the others of its instances, and which configurations it takes from the store.

use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::StatusView;

use super::PendingKey;
use super::view::own_instance;
use crate::machine::DiskInstance;
use crate::store::StoreRequest;
use crate::world::World;

impl World {
    /// Publishes what has changed. One node alone has nobody to tell.
    pub(crate) fn publish(&mut self, name: &NodeName) {
        if self.nodes.len() == 1 {
            return;
        }
        let Some(node) = self.nodes.get_mut(name) else { return };
        let (machine, Some(daemon)) = (&node.machine, node.daemon.as_mut()) else { return };
        let Some(snapshot) = daemon.snapshot.clone() else { return };
        let free = |path: &ObjectPath| !daemon.pending.contains_key(&PendingKey::Publication(path.clone()));
        let paths: Vec<ObjectPath> = daemon.unpublished.iter().filter(|path| free(path)).cloned().collect();
        let mut requests = Vec::new();
        for path in paths {
            let shared = snapshot.objects.get(&path).and_then(|document| document.view.instances.get(name));
            let Some(shared) = shared else { continue };
            // What changes while it is under way is marked again, and so is what is given up (`give_up`).
            daemon.unpublished.remove(&path);
            daemon.publications += 1;
            let mut instance = own_instance(shared, machine.disk.get(&path), daemon, &path);
            // The sums suffice for the others.
            instance.status = instance.status.map(|status| StatusView { resources: Default::default(), ..status });
            // A later life has a greater number, so the count may begin anew with each.
            let number = (daemon.life, daemon.publications);
            requests.push((path, number, Box::new(instance)));
        }
        for (path, number, instance) in requests {
            let request = StoreRequest::Publish { node: name.clone(), path: path.clone(), number, instance };
            self.send(name, PendingKey::Publication(path), request);
        }
    }

    /// Takes the configurations that are new in the store. One that does not load leaves the last good one in force.
    pub(crate) fn take_configurations(&mut self, name: &NodeName) {
        let Some(snapshot) = self.nodes[name].daemon.as_ref().and_then(|daemon| daemon.snapshot.clone()) else {
            return;
        };
        for (path, document) in &snapshot.objects {
            if document.view.tombstone || !snapshot.has_instance(path, name) {
                continue;
            }
            let broken = self.broken_configs.contains(&(name.clone(), path.clone()));
            let known = self.nodes[name].machine.disk.get(path).map(|disk| (disk.config, disk.broken));
            if known == Some((document.view.config.0, broken)) {
                continue;
            }
            let fresh_resources = self.draw_resources(path);
            let Some(node) = self.nodes.get_mut(name) else { return };
            let disk = node.machine.disk.entry(path.clone()).or_insert_with(DiskInstance::new);
            (disk.config, disk.broken) = (document.view.config.0, broken);
            if !broken {
                disk.rules = Some(document.rules.clone());
                node.machine.resources.entry(path.clone()).or_insert(fresh_resources);
            }
            if let Some(daemon) = &mut node.daemon {
                daemon.unpublished.insert(path.clone());
            }
            self.probe_soon(name, path);
        }
    }

    /// The store as it is now arrives soon.
    pub(crate) fn refresh_soon(&mut self, name: &NodeName) {
        let delay = Duration::from_micros(self.random.between(500, 20_000));
        self.refresh_after(name, delay);
    }

    pub(crate) fn refresh_now(&mut self, name: &NodeName) {
        self.refresh_after(name, Duration::from_micros(100));
    }
}
