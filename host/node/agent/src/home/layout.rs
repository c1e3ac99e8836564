//! Where the files of an object stand, below the directories of the agent.

use std::path::{Component, Path, PathBuf};

use model::{ObjectKind, ObjectPath, Rid};

/// The directory of the files of all namespaces but `root`.
const NAMESPACES: &str = "namespaces";

/// The configuration file of an object, below the directory of configurations.
pub fn config_file(object: &ObjectPath) -> PathBuf {
    match object.kind() {
        ObjectKind::Nscfg if !object.is_root() => Path::new(NAMESPACES).join(object.namespace()).join("namespace.conf"),
        ObjectKind::Nscfg | ObjectKind::Ccfg => format!("{}.conf", object.name()).into(),
        _ => file(object, "conf"),
    }
}

/// The object whose configuration file that is, below the directory of configurations. None for any other file.
pub fn object_of_config_file(file: &Path) -> Option<ObjectPath> {
    let parts: Vec<&str> = file.components().map(normal_component).collect::<Option<_>>()?;
    let (last, directories) = parts.split_last()?;
    let name = last.strip_suffix(".conf")?;
    let path = match (directories, name) {
        ([], "cluster") => Ok(ObjectPath::cluster()),
        ([], "namespace") => ObjectPath::new("root", ObjectKind::Nscfg, name),
        ([], _) => ObjectPath::svc(name),
        ([NAMESPACES, namespace], "namespace") => ObjectPath::new(namespace, ObjectKind::Nscfg, name),
        ([kind], _) => ObjectPath::new("root", kind.parse().ok()?, name),
        ([NAMESPACES, namespace, kind], _) => ObjectPath::new(namespace, kind.parse().ok()?, name),
        _ => return None,
    };
    // Each object has one file: `svc/web.conf` is not where web stands, nor is `ccfg/cluster.conf` the cluster's.
    path.ok().filter(|path| config_file(path) == file)
}

/// The directory of an object: `<kind>/<name>` or `namespaces/<namespace>/<kind>/<name>`.
pub(super) fn directory(object: &ObjectPath) -> PathBuf {
    let directory = Path::new(object.kind().as_str()).join(object.name());
    if object.is_root() { directory } else { Path::new(NAMESPACES).join(object.namespace()).join(directory) }
}

/// The directory in which the driver of a resource keeps its own state, in the directory of the state of its instance.
pub(crate) fn driver_state(state: &Path, rid: &Rid) -> PathBuf {
    state.join(format!("driver/{rid}"))
}

/// The directory of the host's own record of a resource. Not below the one above, where drivers may write.
pub(crate) fn record(state: &Path, rid: &Rid) -> PathBuf {
    state.join(format!("record/{rid}"))
}

/// The object of such a directory.
pub fn object_of_directory(directory: &Path) -> Option<ObjectPath> {
    let parts: Vec<&str> = directory.components().map(normal_component).collect::<Option<_>>()?;
    match parts[..] {
        [kind, name] => ObjectPath::new("root", kind.parse().ok()?, name).ok(),
        [NAMESPACES, namespace, kind, name] => ObjectPath::new(namespace, kind.parse().ok()?, name).ok(),
        _ => None,
    }
}

/// A file of an object: `<name>.<extension>`, `<kind>/<name>.<extension>` or
/// `namespaces/<namespace>/<kind>/<name>.<extension>`.
pub(super) fn file(object: &ObjectPath, extension: &str) -> PathBuf {
    let name = format!("{}.{extension}", object.name());
    match (object.is_root(), object.kind()) {
        (true, ObjectKind::Svc) => name.into(),
        (true, kind) => Path::new(kind.as_str()).join(name),
        (false, kind) => Path::new(NAMESPACES).join(object.namespace()).join(kind.as_str()).join(name),
    }
}

fn normal_component(component: Component<'_>) -> Option<&str> {
    match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_one_configuration_file() {
        let check = |path: &str, file: &str| {
            let path: ObjectPath = path.parse().unwrap();
            assert_eq!(config_file(&path), Path::new(file));
            assert_eq!(object_of_config_file(Path::new(file)), Some(path));
        };
        check("svc1", "svc1.conf");
        check("osvprdcollector.opensvc.com", "osvprdcollector.opensvc.com.conf");
        check("cfg/cfg1", "cfg/cfg1.conf");
        check("ns1/svc/svc1", "namespaces/ns1/svc/svc1.conf");
        check("cluster", "cluster.conf");
        check("/", "namespace.conf");
        check("test/", "namespaces/test/namespace.conf");
        check("sec/namespace", "sec/namespace.conf");
        check("test/svc/namespace", "namespaces/test/svc/namespace.conf");
    }

    /// OpenSVC also reads `test/svc/x.conf`, without `namespaces/`. Two files for one object is one too many.
    #[test]
    fn other_files_are_no_objects() {
        for file in [
            "node.conf",
            "svc/web.conf",
            "ccfg/cluster.conf",
            "nscfg/namespace.conf",
            "namespaces/root/svc/web.conf",
            "namespaces/ns1/ccfg/cluster.conf",
            "test/namespace.conf",
            "test/svc/namespace.conf",
            "web.conf.swp",
            ".web.conf",
            "Web.conf",
            "../web.conf",
            "/web.conf",
            ".conf",
            "",
        ] {
            assert_eq!(object_of_config_file(Path::new(file)), None, "{file}");
        }
    }

    #[test]
    fn an_object_has_a_directory_of_its_own() {
        let check = |path: &str, expected: &str| {
            assert_eq!(directory(&path.parse().unwrap()), Path::new(expected));
            assert_eq!(object_of_directory(Path::new(expected)), Some(path.parse().unwrap()));
        };
        check("svc1", "svc/svc1");
        check("sec/ca", "sec/ca");
        check("ns1/svc/svc1", "namespaces/ns1/svc/svc1");
    }
}
