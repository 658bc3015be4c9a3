//! Folders that workers write temporary files to (`client_body_temp_path`): made by the main thread, which may, and given to
//! the workers' account, which could not make them. Not here: the files.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::Path;

use config::Config;
use config::model::Location;

use super::account::Account;
use crate::logs::error_log::errno;

/// Makes the folders that are not there. One that is there is given to `account` as well, unless everybody may write to it.
///
/// # Errors
/// nginx's words: `mkdir() "PATH" failed (13: Permission denied)`.
pub(super) fn prepare(config: &Config, account: Option<&Account>) -> Result<(), String> {
    for path in of(config) {
        make(path).map_err(|error| failed("mkdir", path, &error))?;
        if let Some(account) = account {
            give(path, account.uid).map_err(|error| failed("chown", path, &error))?;
        }
    }
    Ok(())
}

/// Each folder once.
fn of(config: &Config) -> Vec<&Path> {
    let mut paths = vec![config.http.client_body_temp_path.as_path()];
    for server in &config.servers {
        std::iter::once(&server.root).chain(&server.named).for_each(|location| add(location, &mut paths));
    }
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn add<'a>(location: &'a Location, paths: &mut Vec<&'a Path>) {
    paths.push(&location.settings.client_body_temp_path);
    location.children.iter().for_each(|child| add(child, paths));
}

fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn give(path: &Path, uid: u32) -> io::Result<()> {
    const WRITABLE_BY_ALL: u32 = 0o002;
    let folder = path.metadata()?;
    if folder.uid() == uid || folder.mode() & WRITABLE_BY_ALL != 0 {
        return Ok(());
    }
    chown(path, Some(uid), None)
}

fn failed(call: &str, path: &Path, error: &io::Error) -> String {
    format!("{call}() \"{}\" failed ({})", path.display(), errno(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(paths: [&Path; 3]) -> Config {
        let [http, server, location] = paths.map(|path| format!("client_body_temp_path {};", path.display()));
        let text = format!("{http} server {{ {server} location / {{ {location} }} location /x {{ }} }}");
        config::load_text(&text).config.unwrap()
    }

    #[test]
    fn every_folder_that_is_named_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| folder.path().join(name));
        std::fs::create_dir(&paths[1]).unwrap();
        prepare(&config([&paths[0], &paths[1], &paths[2]]), None).unwrap();
        assert!(paths.iter().all(|path| path.is_dir()));
        assert_eq!(paths[0].metadata().unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn the_systems_folder_is_used_unless_another_is_named() {
        assert_eq!(of(&config::load_text("server { location / { } }").config.unwrap()), [Path::new("/tmp")]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said_in_nginx_words() {
        let path = Path::new("/proc/none/bodies");
        let error = prepare(&config([path; 3]), None).unwrap_err();
        assert_eq!(error, "mkdir() \"/proc/none/bodies\" failed (2: No such file or directory)");
    }

    #[test]
    fn folders_are_given_to_the_workers_account() {
        if !rustix::process::geteuid().is_root() {
            return; // Only root may give files away.
        }
        let folder = tempfile::tempdir().unwrap();
        let paths = ["mine", "everybodys"].map(|name| folder.path().join(name));
        make(&paths[1]).unwrap();
        std::fs::set_permissions(&paths[1], std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
        let account = Account::for_tests(65534);
        prepare(&config([&paths[0], &paths[1], &paths[0]]), Some(&account)).unwrap();
        assert_eq!(paths.map(|path| path.metadata().unwrap().uid()), [65534, 0]);
    }
}
