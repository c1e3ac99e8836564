//! `disk.crypt`: an encrypted device, by LUKS.
//!
//! Up: the device `/dev/mapper/NAME` shows what `dev` holds, in clear. Down: it is not there. Provision makes an empty device a LUKS
//! one; unprovision destroys its keys, and with them all that it holds. The key goes to cryptsetup by its standard input: it is in
//! no process list and in no log. See cryptsetup(8).
//!
//! A provision that was cut short is finished by the next one, which clears the first blocks. So that no data are ever cleared, it
//! keeps the UUID of what it formats: a device with another one, or one that was opened since, is somebody's.

use hostler_family_options as options;
use hostler_sdk::prelude::*;

/// An encrypted device, by LUKS.
#[derive(Keywords)]
struct LuksDevice {
    /// The name of the device in clear, in /dev/mapper.
    #[keyword(example = "web")]
    name: String,
    /// The encrypted device.
    #[keyword(example = "{disk#1.exposed_devs[0]}")]
    dev: String,
    /// The passphrase. Shown to nobody.
    #[keyword(secret)]
    passphrase: Option<String>,
    /// A file that holds the key, all of it to its last byte. Read where there is no passphrase.
    #[keyword(example = "/etc/keys/web.key")]
    keyfile: Option<PathBuf>,
    /// Whether discards of the file system reach the encrypted device. They tell which of its blocks are in use.
    discard: bool,
    /// Options of luksFormat, each with a value: --cipher, --hash, --iter-time, --key-size, --label, --pbkdf, --sector-size.
    #[keyword(provisioning, kind = "words", example = "--pbkdf argon2id --iter-time 2000")]
    format_options: Vec<String>,
}

/// What `format_options` may hold, in the order of the grant.
const OPTIONS: [&str; 7] =
    ["--cipher *", "--hash *", "--iter-time *", "--key-size *", "--label *", "--pbkdf *", "--sector-size *"];

const CRYPTSETUP: &str = "/sbin/cryptsetup";
/// The signature of an encrypted device.
const LUKS: &str = "crypto_LUKS";
/// Where the UUID is kept of what provision formats, from before it does until the content is cleared.
const UNFINISHED: &str = "unfinished";
/// What a device holds that is neither known nor empty.
const NOISE: &str = "unknown";
/// As much as signatures are looked for in.
const HEAD: &str = "256KiB";
/// How long udev may take to show a device.
const UDEV: Duration = Duration::from_secs(10);

#[driver]
impl Driver for LuksDevice {
    const NAME: &str = "disk.crypt";
    const GRANTS: &[&str] = &[
        "block.read = {kw:dev}",
        "block.read = /dev/mapper/{kw:name}",
        "files.read = {kw:keyfile}",
        "exec(read, caps=cap_sys_admin) = /sbin/cryptsetup status -- {kw:name}",
        "exec(caps=cap_sys_admin+cap_ipc_lock+cap_sys_nice) = /sbin/cryptsetup open --type luks --key-file=- \
         [--allow-discards] -- {kw:dev} {kw:name}",
        "exec(caps=cap_sys_admin+cap_ipc_lock+cap_sys_nice) = /sbin/cryptsetup close -- {kw:name}",
        "exec(caps=cap_sys_admin+cap_ipc_lock+cap_sys_nice) = /sbin/cryptsetup luksFormat --batch-mode --type luks2 \
         --key-file=- --uuid * [--cipher *] [--hash *] [--iter-time *] [--key-size *] [--label *] [--pbkdf *] \
         [--sector-size *] -- {kw:dev}",
        "exec = /sbin/blkdiscard --zeroout --length 256KiB -- /dev/mapper/{kw:name}",
        "exec = /sbin/cryptsetup erase --batch-mode -- {kw:dev}",
        "exec = /sbin/wipefs --all --quiet --types crypto_LUKS -- {kw:dev}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "#+-.:=@_".contains(letter);
        let legal = !self.name.is_empty() && self.name.len() < 128 && self.name.chars().all(legal);
        let name = (!legal || self.name.starts_with(['-', '.']))
            .then(|| Problem::new("name", format!("{:?} is no name for a device of device-mapper", self.name)));
        let key = (self.passphrase.is_none() && self.keyfile.is_none())
            .then(|| Problem::new("passphrase", "neither passphrase nor keyfile says what the key is".to_owned()));
        let options =
            options::arrange(&OPTIONS, &self.format_options).err().map(|text| Problem::new("format_options", text));
        Ok([name, key, options].into_iter().flatten().collect())
    }

    fn status(&self, _: &Context) -> Result<Status> {
        let status = match self.backing() {
            Err(Error::Failed(why)) => Status::undefined(why),
            Err(error) => return Err(error),
            Ok(None) => Status::down(),
            Ok(Some(backing)) => match self.is_own(&backing)? {
                true => Status::up().exposes("device", self.device()),
                false => Status::down().degraded(self.taken(&backing)),
            },
        };
        let provisioned = match block::find(&self.dev)? {
            None => Provisioned::Unknown,
            Some(_) if self.holds()?.as_deref() == Some(LUKS) => Provisioned::Yes,
            Some(_) => Provisioned::No,
        };
        Ok(status
            .uses("device", &self.dev)
            .label(format!("{} {}", self.device(), self.dev))
            .provisioned_as(provisioned))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        // Whoever finds it up may write on it.
        forget_unfinished()?;
        if self.is_up()? {
            return Ok(Outcome::unchanged(format!("{} is already up", self.device())));
        }
        self.open()?;
        Ok(Outcome::changed(format!("{} shows {}", self.device(), self.dev)))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        match self.backing()? {
            Some(backing) if self.is_own(&backing)? => {}
            _ => return Ok(Outcome::unchanged(format!("{} is already down", self.device()))),
        }
        Command::new(CRYPTSETUP).args(["close", "--"]).arg(&self.name).check()?;
        Ok(Outcome::changed(format!("{} is down", self.device())))
    }

    fn provision(&self, context: &Context) -> Result<Outcome> {
        block::wait_for(&self.dev, UDEV)?;
        match block::probe(&self.dev)? {
            None => {
                self.format(context)?;
                self.open()?;
            }
            Some(found) if found.kind != LUKS => return Err(Error::failed(not_overwritten(&self.dev, &found.kind))),
            Some(found) if is_unfinished(&found.uuid)? && !self.is_up()? => {
                self.open()?;
                // Noise is not known as anything. What is was written by somebody since.
                if let Some(found) = block::probe(self.device())?.filter(|found| found.kind != NOISE) {
                    forget_unfinished()?;
                    return Ok(Outcome::changed(format!("{} is encrypted, and holds {}", self.dev, found.kind)));
                }
            }
            Some(_) => {
                forget_unfinished()?;
                return Ok(Outcome::unchanged(format!("{} is already encrypted", self.dev)));
            }
        }
        // What a new key makes of the empty device is noise, which nobody could tell from data.
        Command::new("/sbin/blkdiscard").args(["--zeroout", "--length", HEAD, "--"]).arg(self.device()).check()?;
        forget_unfinished()?;
        Ok(Outcome::changed(format!("{} is encrypted", self.dev)))
    }

    fn unprovision(&self, _: &Context) -> Result<Outcome> {
        if block::find(&self.dev)?.is_none() || self.holds()?.as_deref() != Some(LUKS) {
            return Ok(Outcome::unchanged(format!("{} is not encrypted", self.dev)));
        }
        Command::new(CRYPTSETUP).args(["erase", "--batch-mode", "--"]).arg(&self.dev).check()?;
        Command::new("/sbin/wipefs").args(["--all", "--quiet", "--types", LUKS, "--"]).arg(&self.dev).check()?;
        Ok(Outcome::changed(format!("destroyed the keys of {}", self.dev)))
    }
}

impl LuksDevice {
    /// Makes the empty device an encrypted one. What can be found wrong before that leaves no trace.
    fn format(&self, context: &Context) -> Result<()> {
        let options = options::arrange(&OPTIONS, &self.format_options)
            .map_err(|reason| Error::invalid_config(format!("format_options: {reason}")))?;
        let key = self.key()?;
        if self.is_up()? {
            return Err(Error::failed(format!("{} shows {}, which holds no LUKS header", self.device(), self.dev)));
        }
        let uuid = context.new_uuid(&self.dev);
        state::set(state::StateScope::Persistent, UNFINISHED, &uuid)?;
        let format = Command::new(CRYPTSETUP).args(["luksFormat", "--batch-mode", "--type", "luks2", "--key-file=-"]);
        format.args(["--uuid", &uuid]).args(options).arg("--").arg(&self.dev).stdin(key).check()?;
        Ok(())
    }

    fn open(&self) -> Result<()> {
        block::wait_for(&self.dev, UDEV)?;
        let discard = self.discard.then_some("--allow-discards");
        let open = Command::new(CRYPTSETUP).args(["open", "--type", "luks", "--key-file=-"]).args(discard).arg("--");
        open.arg(&self.dev).arg(&self.name).stdin(self.key()?).check()?;
        block::wait_for(self.device(), UDEV)?;
        Ok(())
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
            (None, None) => Err(Error::invalid_config("neither passphrase nor keyfile says what the key is")),
        }
    }

    /// Whether `dev` is shown in clear under the name. An error if another device is.
    fn is_up(&self) -> Result<bool> {
        match self.backing()? {
            None => Ok(false),
            Some(backing) if self.is_own(&backing)? => Ok(true),
            Some(backing) => Err(Error::failed(self.taken(&backing))),
        }
    }

    /// The device that is shown in clear under the name, or none if there is none of that name.
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

    /// Whether that device is `dev`, by whatever name.
    fn is_own(&self, backing: &str) -> Result<bool> {
        Ok(backing == self.dev || block::find(&self.dev)?.is_some_and(|device| device.path == backing))
    }
}

/// Whether it is what a provision of this node formatted, and then was cut short.
fn is_unfinished(uuid: &str) -> Result<bool> {
    Ok(state::get(state::StateScope::Persistent, UNFINISHED)?.is_some_and(|known| known == uuid))
}

/// From now on the device counts as one that holds data.
fn forget_unfinished() -> Result<()> {
    Ok(state::remove(state::StateScope::Persistent, UNFINISHED)?)
}

fn not_overwritten(device: &str, kind: &str) -> String {
    format!("{device} holds {kind}: it is not overwritten; if nobody needs it, clear it with wipefs -a {device}")
}

#[cfg(test)]
mod tests;
