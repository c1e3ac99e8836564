//! A handful of drivers, and nodes, for the tests of configurations.

use config::{DriverSchema, DriverSchemas, NodeData};
use model::keyword::{Keyword, ValueKind};
use model::{DriverName, Group, ObjectPath};

/// A few drivers, as their manifests would describe them.
pub(crate) struct Drivers(Vec<(DriverName, Vec<Keyword>)>);

impl Drivers {
    pub(crate) fn new() -> Drivers {
        let text = |name: &str| Keyword::new(name, ValueKind::String, "");
        let required = |keyword: Keyword| Keyword { required: true, ..keyword };
        let secret = |keyword: Keyword| Keyword { secret: true, ..keyword };
        let foreign = |keyword: Keyword| Keyword { foreign: true, ..keyword };
        let zone = || text("gce_zone").inherited();
        let drivers = [
            (
                "app.forking",
                vec![Keyword::new("start", ValueKind::Command, ""), Keyword::new("timeout", ValueKind::Duration, "")],
            ),
            (
                "app.simple",
                vec![
                    required(Keyword::new("start", ValueKind::Command, "")),
                    secret(text("password")),
                    Keyword { store: Some(model::ObjectKind::Sec), ..Keyword::new("secrets", ValueKind::Words, "") },
                ],
            ),
            (
                "container.docker",
                vec![
                    required(text("image")),
                    Keyword::new("run_args", ValueKind::Words, ""),
                    text("netns"),
                    Keyword::new("data_dir", ValueKind::Path, ""),
                    Keyword::new("container_data_dir", ValueKind::Path, "").inherited(),
                    Keyword { volumes: true, ..Keyword::new("volume_mounts", ValueKind::Words, "") },
                ],
            ),
            (
                "disk.loop",
                vec![
                    required(Keyword::new("file", ValueKind::Path, "")).such_as("/srv/{name}.img"),
                    Keyword { provisioning: true, ..Keyword::new("size", ValueKind::Size, "").or("1g") },
                ],
            ),
            (
                "disk.gce",
                vec![Keyword::new("names", ValueKind::List, ""), Keyword::new("size", ValueKind::Size, ""), zone()],
            ),
            ("disk.vg", vec![required(text("name"))]),
            (
                "fs.ext4",
                vec![
                    required(text("dev")),
                    required(Keyword::new("mnt", ValueKind::Path, "")),
                    text("mnt_opt"),
                    Keyword::new("mode", ValueKind::Mode, ""),
                ],
            ),
            (
                "fs.btrfs",
                vec![
                    required(text("dev")),
                    Keyword::new("mnt", ValueKind::Path, ""),
                    text("mnt_opt"),
                    Keyword { provisioning: true, ..text("mkfs_dev").or("{disk.exposed_devs[0]}") },
                ],
            ),
            (
                "app.foreign",
                vec![
                    foreign(Keyword::new("own", ValueKind::Path, "").or("/srv/author")),
                    foreign(text("other").or("inherited").inherited()),
                    foreign(text("peek").or("{disk#1.file}")),
                    foreign(Keyword::new("blocking_pre_start", ValueKind::Command, "").or("/bin/evil")),
                    foreign(Keyword::new("pre_start", ValueKind::Command, "").or("/bin/evil")),
                    foreign(text("start_requires").or("disk#1(up)")),
                    foreign(Keyword::new("standby", ValueKind::Boolean, "").or("true")),
                    Keyword {
                        store: Some(model::ObjectKind::Sec),
                        ..foreign(Keyword::new("vars", ValueKind::Words, "").or("db/*"))
                    },
                ],
            ),
            ("fs.flag", vec![]),
            ("ip.host", vec![text("name"), text("dev"), Keyword::new("netmask", ValueKind::Integer, "").unscoped()]),
            ("ip.gce", vec![text("name"), text("dev"), text("routename"), zone()]),
            (
                "ip.netns",
                vec![
                    text("name"),
                    text("dev"),
                    text("netmask"),
                    text("network"),
                    text("gateway"),
                    required(text("netns")),
                    Keyword::new("del_net_route", ValueKind::Boolean, "").or("false"),
                ],
            ),
            ("volume.pool", vec![text("name").or("{name}-vol-{rindex}"), text("type"), text("access").or("rwo")]),
            ("sync.rsync", vec![Keyword::new("src", ValueKind::List, "")]),
            ("task.host", vec![Keyword::new("command", ValueKind::Command, "")]),
            (
                "fence.command",
                vec![
                    Keyword {
                        aliases: vec!["cmd".to_owned()],
                        ..required(Keyword::new("command", ValueKind::Command, ""))
                    },
                    Keyword::new("nodes", ValueKind::Nodes, "").or("{rindex}"),
                ],
            ),
        ];
        let named = |(name, keywords): (&str, Vec<Keyword>)| (name.parse().unwrap(), keywords);
        Drivers(drivers.into_iter().map(named).collect())
    }
}

impl DriverSchemas for Drivers {
    fn driver(&self, group: Group, type_name: &str) -> Option<DriverSchema<'_>> {
        let found = self.0.iter().find(|(name, _)| name.group() == group && name.name() == type_name)?;
        Some(DriverSchema { name: &found.0, keywords: &found.1 })
    }

    fn names(&self, group: Group) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name.group() == group).map(|(name, _)| name.name().to_owned()).collect()
    }
}

pub(crate) fn path() -> ObjectPath {
    "ns1/svc/web".parse().unwrap()
}

/// A node of that name, which knows of n1, n2 and n3.
pub(crate) fn node(name: &str) -> NodeData {
    let configuration = "[node]\nprkey = 0x1\n[env]\nbridge = br7\n[labels]\nrack-1 = left\n";
    let mut node = NodeData::new(name.parse().unwrap(), &config::Document::parse(configuration));
    node.peers.extend(["n1", "n2", "n3"].map(|name| (name.parse().unwrap(), Default::default())));
    node.cluster = "lab".to_owned();
    node
}
