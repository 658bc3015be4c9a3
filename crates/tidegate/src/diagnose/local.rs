//! Who listens on a port of this machine, as the kernel's tables tell. Not here: what it means (`verdict`).

mod home;
mod table;

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::facts::{Listener, Listening, Process};
use super::link::Endpoint;
use table::Row;

/// What this machine knows of an endpoint; nothing if it is on another one.
pub(super) fn listening(endpoints: &[Endpoint]) -> Option<Listening> {
    let ours: Vec<_> = endpoints.iter().filter(|endpoint| is_ours(endpoint)).collect();
    match ours.first()? {
        Endpoint::Unix(path) => Some(on_unix(path)),
        Endpoint::Tcp(_) => {
            let addresses = ours.iter().filter_map(|endpoint| match endpoint {
                Endpoint::Tcp(address) => Some(*address),
                Endpoint::Unix(_) => None,
            });
            Some(on_tcp(&addresses.collect::<Vec<_>>()))
        }
    }
}

/// An address is ours if a socket can have it.
fn is_ours(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Unix(_) => true,
        Endpoint::Tcp(address) => TcpListener::bind((address.ip(), 0)).is_ok(),
    }
}

fn on_tcp(asked: &[SocketAddr]) -> Listening {
    let read = |name| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let rows: Vec<Row> = table::tcp(&read("tcp")).chain(table::tcp(&read("tcp6"))).collect();
    let port = asked.first().map_or(0, SocketAddr::port);
    let on_port: Vec<&Row> = rows.iter().filter(|row| row.address.port() == port).collect();
    let processes = owners(&on_port.iter().map(|row| row.inode).collect::<Vec<_>>());
    let listener = |row: &Row| Listener { process: processes.get(&row.inode).cloned(), waiting: row.waiting };
    let here = on_port.iter().find(|row| asked.iter().any(|asked| row.takes(asked.ip())));
    let elsewhere = on_port.iter().filter(|row| !asked.iter().any(|asked| row.takes(asked.ip())));
    Listening {
        here: here.map(|row| listener(row)),
        elsewhere: elsewhere.map(|row| (row.address.ip(), listener(row))).collect::<Vec<(IpAddr, Listener)>>(),
        file: None,
    }
}

fn on_unix(path: &Path) -> Listening {
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let inode = table::unix(&sockets, &path.display().to_string());
    let here = inode.map(|inode| Listener { process: owners(&[inode]).remove(&inode), waiting: 0 });
    Listening { here, elsewhere: Vec::new(), file: described(path) }
}

/// `srw-rw---- www-data:www-data`; nothing if it is not there.
fn described(path: &Path) -> Option<String> {
    let file = fs::symlink_metadata(path).ok()?;
    let kind = if file.file_type().is_socket() { 's' } else { '-' };
    let letters = "rwxrwxrwx".chars().enumerate();
    let mode: String = letters.map(|(at, letter)| if file.mode() & (0o400 >> at) > 0 { letter } else { '-' }).collect();
    let named = |file: &str, id: u32| {
        let names = fs::read_to_string(file).unwrap_or_default();
        table::account(&names, id).unwrap_or_else(|| id.to_string())
    };
    Some(format!("{kind}{mode} {}:{}", named("/etc/passwd", file.uid()), named("/etc/group", file.gid())))
}

/// The programs that hold these sockets, as far as they may be seen.
fn owners(inodes: &[u64]) -> HashMap<u64, Process> {
    let mut found = HashMap::new();
    let wanted: HashMap<String, u64> = inodes.iter().map(|inode| (format!("socket:[{inode}]"), *inode)).collect();
    let Ok(processes) = fs::read_dir("/proc") else { return found };
    for entry in processes.flatten() {
        if found.len() == wanted.len() {
            break;
        }
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // Other accounts' processes may not be looked into, and any may be gone by now.
        let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else { continue };
        let links = descriptors.flatten().filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        for inode in links.filter_map(|link| wanted.get(link.to_str()?).copied()) {
            // Of many that share a socket, the first is the parent.
            found.entry(inode).or_insert_with(|| process(id));
        }
    }
    found
}

fn process(id: u32) -> Process {
    let read = |name: &str| fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
    Process { id, name: read("comm").trim().to_owned(), home: home::of(&read("cgroup")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_of_this_process_is_found_with_its_queue() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let of = |address| listening(&[Endpoint::Tcp(address)]).unwrap();
        let here = of(address).here.unwrap();
        assert_eq!((here.process.unwrap().id, here.waiting), (std::process::id(), 0));
        let _client = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(of(address).here.unwrap().waiting, 1);
        let other = SocketAddr::from(([127, 0, 0, 99], address.port()));
        let elsewhere = of(other);
        assert_eq!(elsewhere.here, None);
        assert_eq!(elsewhere.elsewhere[0].0, address.ip());
    }

    #[test]
    fn an_address_of_another_machine_is_none_of_ours() {
        assert_eq!(listening(&[Endpoint::Tcp("192.0.2.1:80".parse().unwrap())]), None);
    }

    #[test]
    fn a_unix_socket_tells_its_file_and_who_listens() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).unwrap();
        let found = listening(&[Endpoint::Unix(path)]).unwrap();
        assert!(found.file.unwrap().starts_with("srw-rw---- "));
        assert_eq!(found.here.unwrap().process.unwrap().id, std::process::id());
    }
}
