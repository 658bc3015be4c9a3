//! Where a case is played: its own directory, and the addresses that stand for `{{…}}`. Real addresses are put into
//! the case's text before it is played, and names are put back into what was seen, so that two runs can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use crate::support::case::{Config, Content, File, Scope};

/// The last-modified time of every file of a case: Sun, 09 Sep 2001 01:46:40 GMT.
const MODIFIED: Duration = Duration::from_secs(1_000_000_000);

pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    /// Placeholder (without braces) to its value.
    names: BTreeMap<String, String>,
}

impl Place {
    /// Makes an empty directory, and gives an address to every `listen` that `text` names.
    pub(crate) fn new(text: &str) -> Result<Place, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Paths of one length, so that two runs of a case do not differ by theirs.
        let unique = format!("tidegate-{:08}-{count:05}", std::process::id());
        let dir = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let socket = format!("unix:{}/listen.sock", dir.display());
        let names = BTreeMap::from([
            ("dir".to_owned(), dir.display().to_string()),
            ("unix".to_owned(), socket),
            ("listen host".to_owned(), own_address(count).to_string()),
        ]);
        let mut place = Place { dir, names };
        let mut listeners: BTreeSet<String> = placeholders(text).collect();
        listeners.insert("listen".to_owned());
        listeners.retain(|name| name.starts_with("listen") && !name.contains(' '));
        for name in listeners {
            place.reserve(&name, own_address(count))?;
        }
        Ok(place)
    }

    /// A port that was free a moment ago. If somebody else takes it meanwhile, the start fails and is tried again.
    fn reserve(&mut self, name: &str, host: Ipv4Addr) -> Result<(), String> {
        let any =
            if name.ends_with('6') { SocketAddr::from((Ipv6Addr::LOCALHOST, 0)) } else { SocketAddr::from((host, 0)) };
        let free = TcpListener::bind(any).and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| format!("no free port: {error}"))?;
        self.name(name, address);
        Ok(())
    }

    /// Lets `{{name}}` stand for an address and `{{name port}}` for its port.
    pub(crate) fn name(&mut self, name: &str, address: SocketAddr) {
        self.names.insert(name.to_owned(), address.to_string());
        self.names.insert(format!("{name} port"), address.port().to_string());
    }

    /// Lets `{{name}}` stand for a unix socket in the case's directory.
    pub(crate) fn name_unix(&mut self, name: &str) -> PathBuf {
        let path = self.dir.join(format!("{name}.sock"));
        self.names.insert(name.to_owned(), format!("unix:{}", path.display()));
        path
    }

    /// Puts values in the place of placeholders.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = text.to_owned();
        for name in placeholders(text).filter(|name| !OPEN.contains(&name.as_str())) {
            let value = self.names.get(&name).ok_or_else(|| format!("nothing is called {{{{{name}}}}}"))?;
            filled = filled.replace(&format!("{{{{{name}}}}}"), value);
        }
        Ok(filled)
    }

    /// Puts placeholders in the place of values, addresses before bare ports.
    pub(crate) fn unfill(&self, text: &str) -> String {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        names
            .iter()
            .fold(text.to_owned(), |text, (name, value)| replace_whole(&text, value, &format!("{{{{{name}}}}}")))
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.names.get(name).map_or("", String::as_str)
    }

    pub(crate) fn write_files(&self, files: &[File]) -> Result<(), String> {
        for file in files {
            self.write_file(file).map_err(|error| format!("{}: {error}", file.path))?;
        }
        Ok(())
    }

    fn write_file(&self, file: &File) -> std::io::Result<()> {
        let path = self.dir.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
        let bytes = match &file.content {
            Content::Directory => return std::fs::create_dir_all(path),
            Content::Link(target) => return std::os::unix::fs::symlink(target, path),
            Content::Bytes(bytes) => bytes,
        };
        std::fs::write(&path, bytes)?;
        std::fs::File::options().write(true).open(&path)?.set_modified(SystemTime::UNIX_EPOCH + MODIFIED)
    }

    /// Writes the configuration as a whole file. `http_defaults` opens the http block unless the case writes the whole file.
    pub(crate) fn write_config(&self, config: &Config, http_defaults: &str) -> Result<PathBuf, String> {
        let path = self.config_path();
        std::fs::write(&path, whole_file(config, &self.dir, self.value("listen"), http_defaults))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.dir.join("server.conf")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::env::var_os("TIDEGATE_KEEP").is_none() {
            std::fs::remove_dir_all(&self.dir).unwrap_or_default();
        }
    }
}

/// Placeholders that stand for what varies in logs, and have no value.
const OPEN: [&str; 5] = ["time", "seconds", "server", "date", "version"];

fn placeholders(text: &str) -> impl Iterator<Item = String> {
    text.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.to_owned()))
}

/// A loopback address that no other case has at the time, so that nobody's connections take its ports. Its parts have
/// three digits each, so that all are of one length.
fn own_address(count: u32) -> Ipv4Addr {
    let part = |number: u32| u8::try_from(100 + number % 150).unwrap_or(100);
    let pid = std::process::id();
    Ipv4Addr::new(127, part(pid), part(pid / 150), part(count))
}

/// Replaces `value` where it is not part of a longer number.
fn replace_whole(text: &str, value: &str, name: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(value) {
        let inside = before.ends_with(|last: char| last.is_ascii_digit())
            || after.starts_with(|next: char| next.is_ascii_digit());
        replaced.push_str(before);
        replaced.push_str(if inside { value } else { name });
        rest = after;
    }
    replaced + rest
}

fn whole_file(config: &Config, dir: &Path, listen: &str, http_defaults: &str) -> String {
    let text = &config.text;
    let dir = dir.display();
    let http = match config.scope {
        Scope::File => return text.clone(),
        Scope::Http => text.clone(),
        Scope::Server => format!("server {{\nlisten {listen};\n{text}}}\n"),
    };
    format!(
        "error_log {dir}/error.log info;\nevents {{ }}\nhttp {{\naccess_log {dir}/access.log;\n{http_defaults}\n{http}}}\n"
    )
}
