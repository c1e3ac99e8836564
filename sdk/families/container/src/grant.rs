//! The grants of the drivers of containers: for the credentials of a registry, and for an engine of the object's own, whose data
//! directory is the keyword `container_data_dir`.

/// To read the credentials of a registry.
pub const CREDENTIALS: &str = "files.read = {kw:registry_creds}";
/// To run the object's own engine.
pub const RUN: &str = "spawn(caps=all) = /usr/bin/flock --timeout 1 --close {rundir}/engine/lock dockerd \
    --config-file {rundir}/engine/docker.json --data-root {kw:container_data_dir} --exec-root {rundir}/engine/exec \
    --pidfile {rundir}/engine/docker.pid --host unix://{rundir}/engine/docker.sock \
    --containerd-namespace hostler.{namespace}.{name} --containerd-plugins-namespace hostler.{namespace}.{name}.plugins \
    --live-restore --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false";
/// To check whether it runs.
pub const SEE: &str = "exec(read) = /usr/bin/flock --shared --nonblock {rundir}/engine/lock /bin/true";
/// To remove the pid files that a dockerd which was killed has left, while no dockerd runs.
pub const CLEAR: &str = "exec = /usr/bin/flock --timeout 1 {rundir}/engine/lock /bin/rm -f {rundir}/engine/docker.pid \
    {rundir}/engine/exec/containerd/containerd.pid";
/// To stop it: the process in its pid file, if that is still dockerd.
pub const END: &str = "exec = /usr/bin/pkill --signal TERM --pidfile {rundir}/engine/docker.pid --full \
    -- {rundir}/engine/docker.pid";
/// To manage its directory, and the list of the resources that need it.
pub const KEEP: &str = "files.write = {rundir}/engine/**";
/// To read from where the node's engine gets images.
pub const REGISTRIES: &str = "files.read = /etc/docker/daemon.json";
/// To check whether its data directory is empty.
pub const DATA: &str = "files.read = {kw:container_data_dir}";
/// To undo the bind mount of its data directory, if dockerd was killed and could not undo it.
pub const UNBIND: &str = "mount = bind {kw:container_data_dir} on {kw:container_data_dir}";
