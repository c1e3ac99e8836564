//! The grants of a driver of containers: for the credentials of a registry, and for objects that run engines of their own,
//! whose data directory is the keyword `container_data_dir`.

/// To read the credentials of a registry.
pub const CREDENTIALS: &str = "files.read = {kw:registry_creds}";
/// To run it.
pub const RUN: &str = "spawn(caps=all) = /usr/bin/flock --timeout 1 --close {rundir}/engine/lock dockerd \
    --config-file {rundir}/engine/docker.json --data-root {kw:container_data_dir} --exec-root {rundir}/engine/exec \
    --pidfile {rundir}/engine/docker.pid --host unix://{rundir}/engine/docker.sock \
    --containerd-namespace hostler.{namespace}.{name} --containerd-plugins-namespace hostler.{namespace}.{name}.plugins \
    --live-restore --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false";
/// To see whether it runs.
pub const SEE: &str = "exec(read) = /usr/bin/flock --shared --nonblock {rundir}/engine/lock /bin/true";
/// To end it: the process that its own file names, if it is what it was.
pub const END: &str = "exec = /usr/bin/pkill --signal TERM --pidfile {rundir}/engine/docker.pid --full \
    -- {rundir}/engine/docker.pid";
/// To keep its directory, and account of who needs it.
pub const KEEP: &str = "files.write = {rundir}/engine/**";
/// To know where the node's engine gets images from.
pub const REGISTRIES: &str = "files.read = /etc/docker/daemon.json";
/// To know whether there is anything in its data directory.
pub const DATA: &str = "files.read = {kw:container_data_dir}";
/// To undo the mount that dockerd makes of its data directory, where it was killed and could not.
pub const UNBIND: &str = "mount = bind {kw:container_data_dir} on {kw:container_data_dir}";
