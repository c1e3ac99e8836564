//! Which pool a volume comes from: the first that can do what is asked and has the room. Where none does, the error says why of each.

use super::{Pool, PoolKind, VolumeRequest};

/// How much a pool has, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUsage {
    /// All of it.
    pub size: u64,
    /// What is left.
    pub free: u64,
}

/// No pool fits a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no pool fits: {}", .0.join("; "))]
pub struct NoPoolFits(pub Vec<String>);

impl Pool {
    /// What its volumes can be, in the words of OpenSVC.
    pub fn capabilities(&self) -> Vec<&str> {
        let all = ["blk", "file", "roo", "rox", "rwo", "rwx"];
        match &self.kind {
            PoolKind::Virtual { capabilities, .. } => capabilities.iter().map(String::as_str).collect(),
            PoolKind::Drbd { .. } => all.into_iter().chain(["shared"]).collect(),
            PoolKind::Shm { .. } => all.into_iter().chain(["volatile"]).collect(),
            PoolKind::Directory { .. } | PoolKind::Loop { .. } | PoolKind::Vg { .. } => all.to_vec(),
        }
    }

    /// Whether it can give what is asked, whatever room it has. The error says what it cannot.
    fn can(&self, request: &VolumeRequest) -> Result<(), String> {
        let can = self.capabilities();
        if let Some(name) = request.pool.as_ref().filter(|name| **name != self.name) {
            return Err(format!("is not {name}"));
        }
        if let Some(kind) = request.pool_type.as_ref().filter(|kind| *kind != self.kind.as_str()) {
            return Err(format!("is of type {}, not {kind}", self.kind.as_str()));
        }
        let needs = [
            (!request.format, "blk", "gives no devices"),
            (request.format, "file", "gives no file systems"),
            (request.shared, "shared", "is not shared by the nodes"),
            (request.volatile, "volatile", "does not forget"),
        ];
        if let Some((.., fault)) = needs.into_iter().find(|(needed, word, _)| *needed && !can.contains(word)) {
            return Err(fault.to_owned());
        }
        if !can.contains(&request.access.as_str()) {
            return Err(format!("gives no access {}", request.access));
        }
        // Data that a stop loses is for those who asked for that.
        let is_meant = request.volatile || request.pool.is_some() || request.pool_type.is_some();
        match can.contains(&"volatile") && !is_meant {
            true => Err("forgets what is in it: ask for it with pool, type or volatile".to_owned()),
            false => Ok(()),
        }
    }

    /// The first of the pools that fits. `usage` says how much a pool has; None is not known, and then it is not asked.
    pub fn choose<'p>(
        pools: &'p [Pool],
        request: &VolumeRequest,
        mut usage: impl FnMut(&Pool) -> Result<Option<PoolUsage>, String>,
    ) -> Result<&'p Pool, NoPoolFits> {
        let mut reasons = Vec::new();
        for pool in pools {
            let fits = pool.can(request).and_then(|()| match request.size {
                Some(size) => has_room(usage(pool)?, size),
                None => Ok(()),
            });
            match fits {
                Ok(()) => return Ok(pool),
                Err(reason) => reasons.push(format!("{} {reason}", pool.name)),
            }
        }
        Err(NoPoolFits(reasons))
    }
}

fn has_room(usage: Option<PoolUsage>, size: u64) -> Result<(), String> {
    match usage {
        Some(usage) if usage.free < size => {
            Err(format!("has {} free, and {} are asked for", mebibytes(usage.free), mebibytes(size)))
        }
        _ => Ok(()),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{}m", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, NodePlaces};

    #[test]
    fn the_first_pool_that_can_and_has_room_is_taken() {
        let node = "[pool#small]\ntype = loop\npath = /small\n[pool#big]\ntype = loop\npath = /big\n\
                    [pool#both]\ntype = drbd\nvg = vg0\n[pool#odd]\ntype = vg\nname = gone\n\
                    [pool#copy]\ntype = virtual\ntemplate = t/vol/x\ncapabilities = file rwo\n";
        let pools = Pool::all(&[&Document::parse(node)], &NodePlaces::default());
        let choose = |words: &[(&str, &str)], shared: bool| {
            let words: Vec<_> = words.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            let request = VolumeRequest { shared, ..VolumeRequest::of(&words).unwrap() };
            let usage = |pool: &Pool| match pool.name.as_str() {
                "small" => Ok(Some(PoolUsage { size: 20 << 20, free: 10 << 20 })),
                "odd" => Err("is not there".to_owned()),
                _ => Ok(None),
            };
            Pool::choose(&pools, &request, usage).map(|pool| pool.name.clone()).map_err(|error| error.to_string())
        };
        assert_eq!(choose(&[("size", "5m")], false).as_deref(), Ok("small"));
        assert_eq!(choose(&[("size", "15m")], false).as_deref(), Ok("big"));
        assert_eq!(choose(&[("size", "15m")], true).as_deref(), Ok("both"));
        assert_eq!(choose(&[("type", "shm")], false).as_deref(), Ok("shm"));
        assert_eq!(choose(&[("volatile", "true")], false).as_deref(), Ok("shm"));
        let error = "no pool fits: small is of type loop, not vg; big is of type loop, not vg; both is of type drbd, not vg; \
                     odd is not there; copy is of type virtual, not vg; default is of type directory, not vg; \
                     shm is of type shm, not vg";
        assert_eq!(choose(&[("type", "vg"), ("size", "1g")], false), Err(error.to_owned()));
        let error = choose(&[("pool", "small"), ("size", "1g")], false).unwrap_err();
        assert!(
            error.starts_with("no pool fits: small has 10m free, and 1024m are asked for; big is not small"),
            "{error}"
        );
        let error = choose(&[("pool", "copy"), ("format", "false")], false).unwrap_err();
        assert!(error.contains("copy gives no devices"), "{error}");
        let error = choose(&[("pool", "copy"), ("access", "rox")], false).unwrap_err();
        assert!(error.contains("copy gives no access rox"), "{error}");
    }
}
