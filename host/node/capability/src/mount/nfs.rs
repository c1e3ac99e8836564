//! The part of mount.nfs(8) that a mount of NFS needs: the kernel resolves no names, so the server's address is added to the
//! options.
//!
//! The grant of the mount names the server. So a driver that may mount from it may also have its name resolved.

use std::net::ToSocketAddrs;

use grant::op::MountOption;

use crate::CapabilityError;

/// The port of NFS 4. The resolver wants one; nothing connects to it here.
const PORT: u16 = 2049;

/// The options, with the server's address added if the file system is NFS and they lack it.
pub(crate) fn with_address(
    fstype: &str,
    source: &str,
    options: &[MountOption],
) -> Result<Vec<MountOption>, CapabilityError> {
    let mut options = options.to_vec();
    if !matches!(fstype, "nfs" | "nfs4") || options.iter().any(|option| option.name == "addr") {
        return Ok(options);
    }
    let server =
        server_of(source).ok_or_else(|| CapabilityError::Invalid(format!("{source:?} is not SERVER:/PATH")))?;
    let found = (server, PORT).to_socket_addrs();
    let mut found = found.map_err(|error| CapabilityError::Other(format!("cannot resolve {server}: {error}")))?;
    let address = found.next().ok_or_else(|| CapabilityError::Other(format!("{server} has no address")))?;
    // One address only: the kernel takes no list, and a retry is the next start.
    options.push(MountOption { name: "addr".to_owned(), value: Some(address.ip().to_string()) });
    Ok(options)
}

/// `nas1` of `nas1:/export`, without the brackets of an IPv6 address.
fn server_of(source: &str) -> Option<&str> {
    let (server, _) = source.split_once(":/")?;
    let server = server.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(server);
    (!server.is_empty()).then_some(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_server_is_added_once() {
        let check = |fstype: &str, source: &str, options: &[&str], expected: &str| {
            let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
            let options = super::super::options::read_options(&options).unwrap();
            let found: Vec<String> =
                with_address(fstype, source, &options).unwrap().iter().map(MountOption::text).collect();
            assert_eq!(found.join(","), expected, "{source}");
        };
        check("nfs4", "127.0.0.1:/srv", &["ro"], "ro,addr=127.0.0.1");
        check("nfs", "[::1]:/srv", &[], "addr=::1");
        check("nfs4", "nas1:/srv", &["addr=10.0.0.1"], "addr=10.0.0.1");
        check("tmpfs", "none", &["size=1m"], "size=1m");
        assert!(with_address("nfs4", "/dev/sdb", &[]).is_err());
        assert!(with_address("nfs4", ":/srv", &[]).is_err());
    }
}
