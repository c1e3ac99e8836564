//! Debian's kernels for the virtual machines of the tests, from the archive that this machine's apt uses, and an initrd for
//! them: busybox, and the modules that they need.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The programs that this module needs.
pub const PROGRAMS: [&str; 7] = ["apt-get", "apt-cache", "dpkg-deb", "busybox", "cpio", "depmod", "modprobe"];

/// An unpacked kernel.
#[derive(Debug)]
pub struct Kernel {
    /// The kernel itself.
    pub image: PathBuf,
    /// The directory that holds `lib/modules`.
    pub root: PathBuf,
    /// Its release, as uname(1) prints it.
    pub version: String,
}

/// The newest kernel that Debian offers here under a name such as `linux-image-amd64`, as `NAME=VERSION`.
pub fn package(name: &str) -> Result<String> {
    let output = Command::new("apt-cache").args(["depends", "--important", name]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let package = text.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let package = package.with_context(|| format!("apt knows no {name}: run apt-get update"))?;
    let output = Command::new("apt-cache").args(["show", "--no-all-versions", package]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.lines().find_map(|line| line.strip_prefix("Version: ")).context("a kernel without a version")?;
    Ok(format!("{package}={version}"))
}

impl Kernel {
    /// Downloads the package into a directory and unpacks it there.
    pub fn unpack(package: &str, work: &Path) -> Result<Kernel> {
        run(Command::new("apt-get").args(["-q", "download", package]).current_dir(work))?;
        let file = only(work, |name| name.ends_with(".deb"))?;
        let root = work.join("kernel");
        run(Command::new("dpkg-deb").arg("-x").arg(&file).arg(&root))?;
        let image = only(&root.join("boot"), |name| name.starts_with("vmlinuz-"))?;
        let modules = only(&root.join("lib/modules"), |_| true)?;
        let version = modules.file_name().context("no version")?.to_string_lossy().into_owned();
        run(Command::new(program("depmod")?).arg("-b").arg(&root).arg(&version))?;
        Ok(Kernel { image, root, version })
    }

    /// The module's file, after those that it needs.
    fn needed(&self, module: &str) -> Result<Vec<PathBuf>> {
        let mut modprobe = Command::new(program("modprobe")?);
        let output =
            modprobe.arg("-d").arg(&self.root).args(["-S", &self.version, "--show-depends", module]).output()?;
        ensure!(output.status.success(), "modprobe {module}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text
            .lines()
            .filter_map(|line| line.strip_prefix("insmod "))
            .map(|file| PathBuf::from(file.trim()))
            .collect())
    }

    /// Packs busybox, the program that runs first, and the modules: `/modules/order` says in which order they must be loaded.
    pub fn initrd(&self, init: &Path, modules: &[&str], work: &Path, to: &Path) -> Result<()> {
        let tree = work.join("initrd");
        for directory in ["bin", "proc", "sys", "dev", "etc", "newroot", "modules"] {
            fs::create_dir_all(tree.join(directory))?;
        }
        install(&program("busybox")?, &tree.join("bin/busybox"))?;
        symlink("busybox", tree.join("bin/sh"))?;
        install(init, &tree.join("init"))?;
        let mut order: Vec<String> = Vec::new();
        for module in modules {
            for file in self.needed(module)? {
                let name = file.file_name().context("a module without a name")?.to_string_lossy().into_owned();
                if !order.contains(&name) {
                    fs::copy(&file, tree.join("modules").join(&name))?;
                    order.push(name);
                }
            }
        }
        fs::write(tree.join("modules/order"), order.join("\n") + "\n")?;
        let pack = "find . | cpio --quiet -o -H newc";
        let status = Command::new("sh").args(["-c", pack]).current_dir(&tree).stdout(File::create(to)?).status()?;
        ensure!(status.success(), "cpio: {status}");
        Ok(())
    }
}

/// The cache for files that take long to make, outside of the build: the directory in the variable, or one of that name.
pub fn cache(variable: &str, name: &str) -> Result<PathBuf> {
    let of = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let cache = || Some(of("XDG_CACHE_HOME").or_else(|| Some(of("HOME")?.join(".cache")))?.join(name));
    let cache = of(variable).or_else(cache);
    let cache = cache.with_context(|| format!("neither {variable} nor HOME says where to keep what is made once"))?;
    fs::create_dir_all(&cache)?;
    Ok(cache)
}

/// The path of a program, also in the directories that only root searches.
pub fn program(name: &str) -> Result<PathBuf> {
    let directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(|directory| Path::new(directory).join(name));
    directories.into_iter().find(|path| path.exists()).with_context(|| format!("{name} is not installed"))
}

/// Copies a program.
pub fn install(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    Ok(fs::set_permissions(to, PermissionsExt::from_mode(0o755))?)
}

/// Runs a command, which must succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{command:?}: {}\n{words}", output.status);
    Ok(())
}

/// The only entry of a directory whose name matches.
fn only(directory: &Path, is_meant: impl Fn(&str) -> bool) -> Result<PathBuf> {
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&is_meant) {
            return Ok(entry.path());
        }
    }
    bail!("{} does not contain the expected file", directory.display())
}
