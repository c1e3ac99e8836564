//! `disk.crypt`: an encrypted device, by LUKS.
//!
//! Up: the device `/dev/mapper/NAME` shows what `dev` holds, in clear. Down: it is not there. Provision makes an empty device a LUKS
//! one; unprovision destroys its keys, and with them all that it holds. The key goes to cryptsetup by its standard input: it is in
//! no process list and in no log. See cryptsetup(8).

use hostler_sdk::options;
use hostler_sdk::prelude::*;

/// An encrypted device, by LUKS.
#[derive(Keywords)]
struct Crypt {
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
/// Kept from before a device is made an encrypted one until its content is cleared.
const UNFINISHED: &str = "unfinished";
/// As much as signatures are looked for in.
const HEAD: &str = "256KiB";
/// How long udev may take to show a device.
const UDEV: Duration = Duration::from_secs(10);

#[driver]
impl Driver for Crypt {
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
         --key-file=- [--cipher *] [--hash *] [--iter-time *] [--key-size *] [--label *] [--pbkdf *] [--sector-size *] \
         -- {kw:dev}",
        "exec = /sbin/blkdiscard --zeroout --length 256KiB -- /dev/mapper/{kw:name}",
        "exec = /sbin/cryptsetup erase --batch-mode -- {kw:dev}",
        "exec = /sbin/wipefs --all --quiet --types crypto_LUKS -- {kw:dev}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let problem = |keyword: &str, text| Problem { keyword: keyword.to_owned(), text };
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "#+-.:=@_".contains(letter);
        let legal = !self.name.is_empty() && self.name.len() < 128 && self.name.chars().all(legal);
        let name = (!legal || self.name.starts_with(['-', '.']))
            .then(|| problem("name", format!("{:?} is no name for a device of device-mapper", self.name)));
        let key = (self.passphrase.is_none() && self.keyfile.is_none())
            .then(|| problem("passphrase", "neither passphrase nor keyfile says what the key is".to_owned()));
        let options =
            options::arrange(&OPTIONS, &self.format_options).err().map(|text| problem("format_options", text));
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
        match self.backing()? {
            Some(backing) if self.is_own(&backing)? => {
                return Ok(Outcome::unchanged(format!("{} is already up", self.device())));
            }
            Some(backing) => return Err(Error::failed(self.taken(&backing))),
            None => {}
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

    fn provision(&self, _: &Context) -> Result<Outcome> {
        block::wait_for(&self.dev, UDEV)?;
        match self.holds()?.as_deref() {
            Some(LUKS) if state::get(state::Scope::Persistent, UNFINISHED)?.is_none() => {
                return Ok(Outcome::unchanged(format!("{} is already encrypted", self.dev)));
            }
            Some(LUKS) => {}
            Some(other) => {
                return Err(Error::failed(format!(
                    "{} holds {other}: it is not overwritten; if nobody needs it, clear it with wipefs -a {}",
                    self.dev, self.dev
                )));
            }
            None => {
                state::set(state::Scope::Persistent, UNFINISHED, "true")?;
                self.format()?;
            }
        }
        // What a new key makes of the empty device is noise, which nobody could tell from data.
        if self.backing()?.is_none() {
            self.open()?;
        }
        Command::new("/sbin/blkdiscard").args(["--zeroout", "--length", HEAD, "--"]).arg(self.device()).check()?;
        state::remove(state::Scope::Persistent, UNFINISHED)?;
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

impl Crypt {
    fn format(&self) -> Result<()> {
        let options = options::arrange(&OPTIONS, &self.format_options)
            .map_err(|reason| Error::invalid_config(format!("format_options: {reason}")))?;
        let format = Command::new(CRYPTSETUP).args(["luksFormat", "--batch-mode", "--type", "luks2", "--key-file=-"]);
        format.args(options).arg("--").arg(&self.dev).stdin(self.key()?).check()?;
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

#[cfg(test)]
mod tests;
