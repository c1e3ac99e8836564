//! The Debian package: made of this program, judged by lintian, installed, upgraded under a running service, removed and purged, in
//! a guest with systemd.

#![expect(clippy::print_stdout, reason = "a test that was skipped prints why")]

mod guest;

use std::path::{Path, PathBuf};
use std::process::Command;

use guest::Guest;

/// A service that a daemon keeps up.
const CREATE: &str = "om web create --kw app#1.type=simple --kw 'app#1.start=/bin/sleep 1000000' --kw app#1.restart=2";

/// The process of the application.
const APPLICATION: &str = "pgrep -f '^/bin/sleep 1000000$'";

#[test]
fn the_package_installs_upgrades_under_a_service_and_leaves_nothing() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can boot a guest");
        return;
    }
    let packages = tempfile::tempdir().unwrap();
    let program = stripped(packages.path());
    let first = package(&program, packages.path(), "0.1.0");
    let second = next_version(&first, packages.path());
    let guest = Guest::boot(packages.path());
    let before = guest.ok(&listing());

    guest.ok(&install(&first));
    assert_eq!(guest.eventually("systemctl is-active hostler"), "active");
    guest.ok("om daemon status");
    for file in [
        "man/man1/om-object-start.1.gz",
        "man/man1/svcmgr.1.gz",
        "bash-completion/completions/om",
        "zsh/vendor-completions/_om",
    ] {
        guest.ok(&format!("test -s /usr/share/{file}"));
    }

    guest.ok(&format!("{CREATE} && om web start --wait"));
    let application = guest.ok(APPLICATION);
    let daemon = guest.ok("systemctl show --property MainPID hostler");
    guest.ok(&install(&second));
    assert_ne!(guest.eventually("systemctl show --property MainPID hostler"), daemon, "the old program goes on");
    assert_eq!(guest.eventually("systemctl is-active hostler"), "active");
    assert_eq!(guest.ok(APPLICATION), application, "the upgrade touched the service");

    guest.ok(&format!("kill -9 {application}"));
    let again = guest.eventually(&format!("{APPLICATION} | grep -vx {application}"));

    let removed = guest.ok("dpkg --remove hostler");
    assert!(removed.contains("go on without an agent") && removed.contains("hostler-svc.web"), "{removed}");
    assert!(!guest.run("systemctl is-active hostler").is_success, "the unit outlives its package");
    assert_eq!(guest.ok(APPLICATION), again, "the removal touched the service");

    guest.ok(&install(&second));
    guest.eventually("om web print status --refresh | grep -q 'avail *up'");
    let kept = guest.ok("dpkg --purge hostler");
    assert!(kept.contains("/etc/hostler holds configurations of services, and is kept"), "{kept}");
    guest.ok("test -s /etc/hostler/web.conf");

    guest.ok(&install(&second));
    guest.eventually("om web stop --wait");
    guest.ok("om web delete --confirm --wait");
    guest.ok("dpkg --purge hostler");
    assert_eq!(guest.ok(&listing()), before);
    assert!(!guest.run(APPLICATION).is_success);
}

/// Lists all files that tell of the package, in the places where it has any.
fn listing() -> String {
    "find /etc /usr /lib /var/lib /var/log /var/cache /run -xdev -iname '*hostler*' ! -path '/var/lib/dpkg/info/*' | sort; ls -d /usr/bin/om || true".into()
}

fn install(package: &Path) -> String {
    format!("dpkg --install /srv/packages/{}", package.file_name().unwrap().display())
}

/// The program of this build without its symbols, which are ten times as large as itself.
fn stripped(directory: &Path) -> PathBuf {
    let program = directory.join("om");
    let strip = Command::new("strip").arg("-o").arg(&program).arg(env!("CARGO_BIN_EXE_om")).status().unwrap();
    assert!(strip.success());
    program
}

/// Makes the package as `make deb` does, but for its compression. Fails if lintian finds fault with it.
fn package(program: &Path, directory: &Path, version: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/deb.sh");
    let fast = [("DPKG_DEB_COMPRESSOR_TYPE", "gzip"), ("DPKG_DEB_COMPRESSOR_LEVEL", "1")];
    let output = Command::new(script).arg(program).arg(directory).arg(version).envs(fast).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().last().unwrap().into()
}

/// The same files under a higher version.
fn next_version(first: &Path, directory: &Path) -> PathBuf {
    let second = directory.join("next.deb");
    let script = r#"dpkg-deb --raw-extract "$0" "$2" && sed -i 's/^Version: .*/Version: 0.1.1-1/' "$2/DEBIAN/control" && dpkg-deb --build -Znone "$2" "$1""#;
    let status =
        Command::new("sh").args(["-c", script]).arg(first).arg(&second).arg(directory.join("next")).status().unwrap();
    assert!(status.success());
    second
}
