//! `disk.crypt`: an encrypted device, by LUKS.
//!
//! Up: this resource opened the device `/dev/mapper/NAME`, which shows the decrypted content of `dev`, and it exists. Down: it does
//! not. One that something else opened is left alone, unless `start --local --adopt` takes it on. Stop closes what start opened, whatever the
//! keywords say by then. Provision formats an empty
//! device with LUKS; unprovision destroys its keys, and with them all its data. cryptsetup reads the key from its standard
//! input, so that the key is in no process list and in no log. See cryptsetup(8).
//!
//! If a provision was interrupted, the next one completes it by clearing the first blocks. To never clear data, provision keeps
//! the UUID that it formats the device with: a device with another UUID, or one that was opened since then, may contain data.

use hostler_family_device::{HeldDevice, MadeDevice, not_ours};
use hostler_family_options as options;
use hostler_sdk::prelude::*;

/// An encrypted device, by LUKS.
#[derive(Keywords)]
struct LuksDevice {
    /// The name of the decrypted device in /dev/mapper.
    #[keyword(example = "web")]
    name: String,
    /// The encrypted device.
    #[keyword(example = "{disk#1.exposed_devs[0]}")]
    dev: String,
    /// The passphrase. It is never shown.
    #[keyword(secret)]
    passphrase: Option<String>,
    /// A file with the key. All its bytes are the key, including a newline at the end. Used if there is no passphrase.
    #[keyword(example = "/etc/keys/web.key")]
    keyfile: Option<PathBuf>,
    /// Whether discards of the file system reach the encrypted device. They reveal which of its blocks are in use.
    discard: bool,
    /// Options of luksFormat, each with a value: --cipher, --hash, --iter-time, --key-size, --label, --pbkdf, --sector-size.
    #[keyword(provisioning, kind = "words", example = "--pbkdf argon2id --iter-time 2000")]
    format_options: Vec<String>,
}

/// The options that `format_options` may contain, in the order of the grant.
const OPTIONS: [&str; 7] =
    ["--cipher *", "--hash *", "--iter-time *", "--key-size *", "--label *", "--pbkdf *", "--sector-size *"];

const CRYPTSETUP: &str = "/sbin/cryptsetup";
/// The signature of an encrypted device.
const LUKS: &str = "crypto_LUKS";
/// The key under which provision keeps the UUID, from before the format until the first blocks are cleared.
const UNFINISHED: &str = "unfinished";
/// The signature of content that is neither known nor empty.
const NOISE: &str = "unknown";
/// The size of the area in which signatures are searched.
const HEAD: &str = "256KiB";
/// How long udev may take to create the link of a device.
const UDEV: Duration = Duration::from_secs(10);

#[driver]
impl Driver for LuksDevice {
    const NAME: &str = "disk.crypt";
    const GRANTS: &[&str] = &[
        "block.read = {kw:dev}",
        "block.read = /dev/mapper/{kw:name}",
        "files.read = {kw:keyfile}",
        "exec(read, caps=cap_sys_admin) = /sbin/cryptsetup status -- {kw:name}",
        // cryptsetup locks the memory with the key and raises its priority, hence the capabilities beside cap_sys_admin.
        "exec(caps=cap_sys_admin+cap_ipc_lock+cap_sys_nice) = /sbin/cryptsetup open --type luks --key-file=- \
         [--allow-discards] -- {kw:dev} {kw:name}",
        "exec(caps=cap_sys_admin+cap_ipc_lock+cap_sys_nice) = /sbin/cryptsetup close -- {kw:name}",
        // If another program has renamed the device.
        "block.undo = dm:CRYPT-*",
        "exec(caps=cap_sys_admin+cap_ipc_lock+cap_sys_nice) = /sbin/cryptsetup luksFormat --batch-mode --type luks2 \
         --key-file=- --uuid * [--cipher *] [--hash *] [--iter-time *] [--key-size *] [--label *] [--pbkdf *] \
         [--sector-size *] -- {kw:dev}",
        // On the decrypted device: clears only what was written as noise.
        "exec = /sbin/blkdiscard --zeroout --length 256KiB -- /dev/mapper/{kw:name}",
        "exec = /sbin/cryptsetup erase --batch-mode -- {kw:dev}",
        "exec = /sbin/wipefs --all --quiet --types crypto_LUKS -- {kw:dev}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        // The characters that libdevmapper accepts in a name without escaping them.
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "#+-.:=@_".contains(letter);
        let legal = !self.name.is_empty() && self.name.len() < 128 && self.name.chars().all(legal);
        let name = (!legal || self.name.starts_with(['-', '.']))
            .then(|| Problem::new("name", format!("{:?} is not a name for a device of device-mapper", self.name)));
        let key = (self.passphrase.is_none() && self.keyfile.is_none())
            .then(|| Problem::new("passphrase", "neither passphrase nor keyfile is set".to_owned()));
        let options =
            options::arrange(&OPTIONS, &self.format_options).err().map(|text| Problem::new("format_options", text));
        Ok([name, key, options].into_iter().flatten().collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let status = match HeldDevice::present()? {
            Some(held) => self.opened(&held)?,
            None => self.not_opened()?,
        };
        let provisioned = match block::find(&self.dev)? {
            // A device that is not there, such as a disk of another node, says nothing about its content.
            None => Provisioned::Unknown,
            Some(_) if self.holds()?.as_deref() == Some(LUKS) => Provisioned::Yes,
            Some(_) => Provisioned::No,
        };
        Ok(status
            .uses("device", &self.dev)
            .label(format!("{} {}", self.device(), self.dev))
            .provisioned_as(provisioned))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        // Once the device is up, others may write on it, so provision must not clear it any more.
        forget_unfinished()?;
        if let Some(held) = HeldDevice::present()? {
            return Ok(Outcome::unchanged(format!("{} is already up", held.path)));
        }
        match self.is_open()? {
            false => {
                self.open()?;
                Ok(Outcome::changed(format!("{} shows {}", self.device(), self.dev)))
            }
            true if context.adopt() => {
                self.as_held(|made| made.take_on())?;
                Ok(Outcome::unchanged(format!("took on {}", self.device())))
            }
            true => Err(Error::failed(format!("{}: start --local --adopt takes it on", self.stranger()))),
        }
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        let Some(held) = HeldDevice::present()? else {
            if self.is_open().unwrap_or(false) {
                log::info(format!("{}: it stays", self.stranger()));
            }
            return Ok(Outcome::unchanged(format!("{} is already down", self.device())));
        };
        held.stop(|path| {
            // cryptsetup takes the name of the mapping, and not a path.
            let name = path.rsplit('/').next().unwrap_or_default();
            Command::new(CRYPTSETUP).args(["close", "--"]).arg(name).check().map(drop)
        })
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        block::wait_for(&self.dev, UDEV)?;
        match block::probe(&self.dev)? {
            None => {
                self.format(context)?;
                self.open()?;
            }
            Some(found) if found.kind != LUKS => return Err(Error::failed(not_overwritten(&self.dev, &found.kind))),
            Some(found) if is_unfinished(&found.uuid)? && !self.is_open()? => {
                self.open()?;
                // A new device decrypts to noise, which has no known signature. A known one was written since then: keep it.
                if let Some(found) = block::probe(self.device())?.filter(|found| found.kind != NOISE) {
                    forget_unfinished()?;
                    return Ok(Outcome::changed(format!("{} is encrypted, and holds {}", self.dev, found.kind)));
                }
            }
            // LUKS on the device without our record: it may contain data, so it counts as provisioned and is left alone.
            Some(_) => {
                forget_unfinished()?;
                return Ok(Outcome::unchanged(format!("{} is already encrypted", self.dev)));
            }
        }
        // The empty device decrypts to noise, which later provisions of a file system could not distinguish from data.
        Command::new("/sbin/blkdiscard").args(["--zeroout", "--length", HEAD, "--"]).arg(self.device()).check()?;
        forget_unfinished()?;
        Ok(Outcome::changed(format!("{} is encrypted", self.dev)))
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        if block::find(&self.dev)?.is_none() || self.holds()?.as_deref() != Some(LUKS) {
            return Ok(Outcome::unchanged(format!("{} is not encrypted", self.dev)));
        }
        // `erase` destroys the keys; wipefs then removes the header, so that a later provision finds an empty device.
        Command::new(CRYPTSETUP).args(["erase", "--batch-mode", "--"]).arg(&self.dev).check()?;
        Command::new("/sbin/wipefs").args(["--all", "--quiet", "--types", LUKS, "--"]).arg(&self.dev).check()?;
        Ok(Outcome::changed(format!("destroyed the keys of {}", self.dev)))
    }
}

impl LuksDevice {
    /// Formats the empty device. All checks come first, so that an error leaves no trace.
    fn format(&self, context: &Context) -> Result<()> {
        let options = options::arrange(&OPTIONS, &self.format_options)
            .map_err(|reason| Error::invalid_config(format!("format_options: {reason}")))?;
        let key = self.key()?;
        if self.is_open()? {
            return Err(Error::failed(format!("{} shows {}, which has no LUKS header", self.device(), self.dev)));
        }
        let uuid = context.new_uuid(&self.dev);
        // The UUID is recorded before the format, so that an interruption in between is recognised.
        state::set(state::StateScope::Persistent, UNFINISHED, &uuid)?;
        let format = Command::new(CRYPTSETUP).args(["luksFormat", "--batch-mode", "--type", "luks2", "--key-file=-"]);
        format.args(["--uuid", &uuid]).args(options).arg("--").arg(&self.dev).stdin(key).check()?;
        Ok(())
    }

    fn open(&self) -> Result<()> {
        block::wait_for(&self.dev, UDEV)?;
        let discard = self.discard.then_some("--allow-discards");
        let open = Command::new(CRYPTSETUP).args(["open", "--type", "luks", "--key-file=-"]).args(discard).arg("--");
        let open = open.arg(&self.dev).arg(&self.name).stdin(self.key()?);
        self.as_held(|made| {
            made.make(|| {
                open.check()?;
                // luksOpen returns before udev has created the link that other resources use.
                block::wait_for(self.device(), UDEV)?;
                Ok(())
            })
        })
    }

    /// The device as it is held.
    fn as_held<T>(&self, hold: impl FnOnce(&MadeDevice<'_>) -> Result<T>) -> Result<T> {
        let id = self.id_of(&block::probe(&self.dev)?.map(|found| found.uuid).unwrap_or_default());
        let label = format!("{} on {}", self.device(), self.dev);
        hold(&MadeDevice { path: &self.device(), id: &id, label: &label })
    }

    /// The id of the opened device, which cryptsetup makes of the UUID in the header and of the name. The version of the header is not
    /// known before it is opened.
    fn id_of(&self, uuid: &str) -> String {
        format!("dm:CRYPT-LUKS*-{}-{}", uuid.replace('-', ""), self.name)
    }

    /// The status with the device that this resource opened.
    fn opened(&self, held: &HeldDevice) -> Result<Status> {
        let status = held.status()?;
        if held.path != self.device() {
            return Ok(status.degraded(format!("{} is up: name applies at the next start", held.path)));
        }
        // The header names the device; without one to look at, nothing is known of it.
        let uuid = if block::find(&self.dev)?.is_some() { block::probe(&self.dev)? } else { None };
        // The id has the digits of the UUID without its hyphens.
        let other = uuid.filter(|found| !found.uuid.is_empty() && !held.id().contains(&found.uuid.replace('-', "")));
        Ok(match other {
            Some(_) => status.degraded(format!("{} is not of {}: dev applies at the next start", held.path, self.dev)),
            None => status,
        })
    }

    /// The status without one.
    fn not_opened(&self) -> Result<Status> {
        match self.backing() {
            Err(Error::Failed(why)) => Ok(Status::undefined(why)),
            Err(error) => Err(error),
            Ok(None) => Ok(Status::down()),
            Ok(Some(backing)) if self.is_own(&backing)? => Ok(Status::down().warning(self.stranger())),
            // Another device under our name: it must not be used, and its owner may still need it.
            Ok(Some(backing)) => Ok(Status::down().degraded(self.taken(&backing))),
        }
    }

    fn stranger(&self) -> String {
        not_ours(&format!("{} shows {} already", self.device(), self.dev))
    }

    fn device(&self) -> String {
        format!("/dev/mapper/{}", self.name)
    }

    fn taken(&self, backing: &str) -> String {
        format!("{} shows {backing}, not {}", self.device(), self.dev)
    }

    fn holds(&self) -> Result<Option<String>> {
        Ok(block::probe(&self.dev)?.map(|found| found.kind))
    }

    fn key(&self) -> Result<Vec<u8>> {
        match (&self.passphrase, &self.keyfile) {
            (Some(passphrase), _) => Ok(passphrase.clone().into_bytes()),
            (None, Some(keyfile)) => Ok(files::read(keyfile)?),
            (None, None) => Err(Error::invalid_config("neither passphrase nor keyfile is set")),
        }
    }

    /// Whether the decrypted device exists and belongs to `dev`, even if another process opened it. A device that belongs to another
    /// one is an error.
    fn is_open(&self) -> Result<bool> {
        match self.backing()? {
            None => Ok(false),
            Some(backing) if self.is_own(&backing)? => Ok(true),
            Some(backing) => Err(Error::failed(self.taken(&backing))),
        }
    }

    /// The encrypted device behind the decrypted one, or None if there is no device of that name.
    fn backing(&self) -> Result<Option<String>> {
        if block::find(self.device())?.is_none() {
            return Ok(None);
        }
        let output = match Command::new(CRYPTSETUP).args(["status", "--"]).arg(&self.name).run() {
            Err(error) if error.is_not_found() => {
                return Err(Error::failed(format!(
                    "{CRYPTSETUP} is not installed: it comes with the package cryptsetup-bin"
                )));
            }
            answer => answer?.text(),
        };
        let device = output.lines().find_map(|line| line.trim().strip_prefix("device:"));
        Ok(Some(device.map_or("another kind of device", str::trim).to_owned()))
    }

    /// Whether that device is `dev`, possibly under another name.
    fn is_own(&self, backing: &str) -> Result<bool> {
        Ok(backing == self.dev || block::find(&self.dev)?.is_some_and(|device| device.path == backing))
    }
}

/// Whether a provision of this node formatted the device with this UUID, and was interrupted after that.
fn is_unfinished(uuid: &str) -> Result<bool> {
    Ok(state::get(state::StateScope::Persistent, UNFINISHED)?.is_some_and(|known| known == uuid))
}

/// From now on the device counts as one with data.
fn forget_unfinished() -> Result<()> {
    Ok(state::remove(state::StateScope::Persistent, UNFINISHED)?)
}

fn not_overwritten(device: &str, kind: &str) -> String {
    format!("{device} holds {kind}: it is not overwritten; if it is not needed, clear it with wipefs -a {device}")
}

#[cfg(test)]
mod tests;
