//! Debian's etcd, on private directories and on addresses of the loopback network that no other test uses.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use store::{KeyQuery, KeyRange, Store, TxnRequest};
use store_etcd::{EtcdLimits, EtcdSettings, EtcdStore};
use tempfile::TempDir;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether etcd can be run; says so if not.
#[expect(clippy::print_stderr, reason = "a test says why it skips")]
pub(crate) fn can_run() -> bool {
    let found = ["etcd", "setpriv"].map(|program| Command::new(program).arg("--version").output().is_ok());
    if found != [true, true] {
        eprintln!("skipped: etcd or setpriv is not installed (Debian: etcd-server, util-linux)");
    }
    found == [true, true]
}

/// The members of one engine. They are killed when this is dropped.
pub(crate) struct EtcdEngine {
    pub(crate) members: Vec<EtcdProcess>,
    _directory: TempDir,
}

impl EtcdEngine {
    pub(crate) fn start(count: usize) -> Self {
        Self::start_with(count, &[])
    }

    pub(crate) fn start_with(count: usize, more: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let plans: Vec<EtcdPlan> = (0..count).map(|_| EtcdPlan::new(directory.path(), more)).collect();
        let cluster: Vec<String> = plans.iter().map(|plan| format!("{}={}", plan.name, plan.peer())).collect();
        let cluster = cluster.join(",");
        // A lone member wins every election, so that it need not wait for one.
        let pace = if count == 1 { ["10", "100"] } else { ["100", "1000"] };
        let members = plans.into_iter().map(|plan| EtcdProcess::start(plan.of(&cluster, "new", pace))).collect();
        Self { members, _directory: directory }
    }

    /// A member that joins: the others must know of it already.
    pub(crate) fn join(&mut self, plan: EtcdPlan) {
        let known = self.members.iter().map(|member| &member.plan).chain([&plan]);
        let cluster: Vec<String> = known.map(|plan| format!("{}={}", plan.name, plan.peer())).collect();
        self.members.push(EtcdProcess::start(plan.of(&cluster.join(","), "existing", ["100", "1000"])));
    }

    /// A place for another member.
    pub(crate) fn plan(&self) -> EtcdPlan {
        EtcdPlan::new(self._directory.path(), &[])
    }

    pub(crate) fn settings(&self) -> EtcdSettings {
        EtcdSettings::new(self.members.iter().map(|member| member.plan.client()))
    }

    /// A client, once the engine answers it.
    pub(crate) async fn store(&self) -> EtcdStore {
        let store = EtcdStore::new(self.settings());
        wait_for(&store).await;
        store
    }
}

/// Waits until an engine answers.
pub(crate) async fn wait_for(store: &EtcdStore) {
    let begun = Instant::now();
    let query = KeyQuery { limit: Some(1), ..KeyQuery::current(KeyRange::all()) };
    while let Err(error) = store.list(&query).await {
        assert!(begun.elapsed() < PATIENCE, "{error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Deletes all keys. Once more, if the member that was asked is the one that is paused: nothing is lost by it.
pub(crate) async fn clear(store: &EtcdStore) {
    let begun = Instant::now();
    while let Err(error) = store.txn(TxnRequest::new().delete_range(KeyRange::all())).await {
        assert!(begun.elapsed() < PATIENCE, "{error:?}");
    }
}

/// Limits for a test that waits for several of them.
pub(crate) fn short_limits() -> EtcdLimits {
    let (connect, answer) = (Duration::from_millis(300), Duration::from_millis(800));
    EtcdLimits { connect, answer, silence: Duration::from_millis(500), ..EtcdLimits::default() }
}

/// Where a member lives, and with which options.
#[derive(Clone)]
pub(crate) struct EtcdPlan {
    pub(crate) name: String,
    pub(crate) data: PathBuf,
    address: String,
    scheme: &'static str,
    options: Vec<String>,
}

impl EtcdPlan {
    fn new(directory: &Path, more: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let index = NEXT.fetch_add(1, Ordering::Relaxed);
        let [.., a, b] = std::process::id().to_be_bytes();
        // The process has an address of its own in 127.0.0.0/8, so that no port can be taken by another one.
        let address = format!("127.{}.{a}.{b}", 100 + index / 1000);
        let name = format!("m{index}");
        let scheme = if more.contains(&"--client-cert-auth") { "https" } else { "http" };
        let mut plan = Self {
            data: directory.join(&name),
            name,
            address,
            scheme,
            options: more.iter().map(|&o| o.to_owned()).collect(),
        };
        plan.address = format!("{}:{}", plan.address, 20_000 + index % 1000 * 2);
        plan
    }

    pub(crate) fn client(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub(crate) fn peer(&self) -> String {
        let (host, port) = self.address.split_once(':').unwrap();
        format!("http://{host}:{}", port.parse::<u16>().unwrap() + 1)
    }

    fn of(mut self, cluster: &str, state: &str, [heartbeat, election]: [&str; 2]) -> Self {
        let fixed = [
            ("--initial-cluster", cluster),
            ("--initial-cluster-state", state),
            ("--heartbeat-interval", heartbeat),
            ("--election-timeout", election),
            ("--pre-vote", "true"),
            ("--logger", "zap"),
        ];
        self.options.extend(fixed.map(|(name, value)| format!("{name}={value}")));
        self
    }
}

/// A running member.
pub(crate) struct EtcdProcess {
    pub(crate) plan: EtcdPlan,
    child: Child,
}

impl EtcdProcess {
    fn start(plan: EtcdPlan) -> Self {
        fs::create_dir_all(&plan.data).unwrap();
        fs::set_permissions(&plan.data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let log = File::options().create(true).append(true).open(plan.data.with_extension("log")).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "etcd", "--name", &plan.name, "--data-dir"])
            .arg(&plan.data)
            .args(["--listen-client-urls", &plan.client(), "--advertise-client-urls", &plan.client()])
            .args(["--listen-peer-urls", &plan.peer(), "--initial-advertise-peer-urls", &plan.peer()])
            .args(&plan.options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { plan, child }
    }

    pub(crate) fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Lets it end by itself, so that it writes all that it has.
    pub(crate) fn end(&mut self) {
        self.signal(Signal::SIGTERM);
        let _ = self.child.wait();
    }

    /// Starts it again, on what it has written.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        *self = Self::start(self.plan.clone());
    }

    /// Keeps a copy of what it has written, as of now.
    pub(crate) fn back_up(&mut self) -> PathBuf {
        self.stop();
        let copy = self.plan.data.with_extension("copy");
        copy_directory(&self.plan.data, &copy);
        self.start_again();
        copy
    }

    /// Starts it on an earlier copy.
    pub(crate) fn restore(&mut self, copy: &Path) {
        self.wipe();
        copy_directory(copy, &self.plan.data);
    }

    /// Stops it and removes all that it has written.
    pub(crate) fn wipe(&mut self) {
        self.stop();
        fs::remove_dir_all(&self.plan.data).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for EtcdProcess {
    fn drop(&mut self) {
        self.stop();
    }
}

fn copy_directory(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}
