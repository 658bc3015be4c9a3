//! The account that worker threads run under (`user`). Not here: when a thread changes to it.
//!
//! On Linux credentials belong to threads: the workers give up root while the main thread keeps it to bind ports and
//! open logs on reload, as nginx's master process does. Threads share memory, so this guards against mistakes of
//! path and permission, not against foreign code inside a worker, which separate processes would.

use std::fs;
use std::io;

use config::Config;
use config::model::User;
use rustix::process::{Gid, Uid};

/// The account nginx's workers get when root starts it without a `user` directive.
const DEFAULT_USER: &str = "nobody";

/// Numbers of an account: user, group, and the groups it is a member of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    groups: Vec<u32>,
}

/// What `user` means for this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Workers {
    /// Worker threads change to this account.
    RunAs(Account),
    /// They stay as the process is.
    Stay,
    /// They stay, and a `user` that was written is ignored: only root may change accounts. nginx warns.
    StayIgnoringUser,
}

/// Finds the account for the workers, from `/etc/passwd` and `/etc/group`.
///
/// # Errors
/// nginx's words: `getpwnam("x") failed`, `getgrnam("x") failed`.
pub(super) fn for_workers(user: Option<&User>) -> Result<Workers, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(if user.is_some() { Workers::StayIgnoringUser } else { Workers::Stay });
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let group = fs::read_to_string("/etc/group").unwrap_or_default();
    find(user, &passwd, &group).map(Workers::RunAs)
}

/// The account that worker threads are to change to. Without a master process they keep the caller's, as nginx's single
/// process does.
///
/// # Errors
/// As [`for_workers`].
pub(super) fn to_become(config: &Config) -> Result<Option<Account>, String> {
    match for_workers(config.main.user.as_ref())? {
        Workers::RunAs(account) if config.main.master_process => Ok(Some(account)),
        _ => Ok(None),
    }
}

fn find(user: Option<&User>, passwd: &str, group: &str) -> Result<Account, String> {
    let name = user.map_or(DEFAULT_USER, |user| &user.name);
    let entry = entry(passwd, name).ok_or_else(|| format!("getpwnam(\"{name}\") failed"))?;
    let number = |field: usize| entry.get(field)?.parse().ok();
    let broken = || format!("getpwnam(\"{name}\") failed (its entry has no numbers)");
    let uid = number(2).ok_or_else(broken)?;
    let gid = match user {
        Some(user) => group_number(group, &user.group)?,
        None => number(3).ok_or_else(broken)?,
    };
    Ok(Account { uid, gid, groups: memberships(group, name, gid) })
}

fn entry<'a>(file: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let mut entries = file.lines().map(|line| line.split(':').collect::<Vec<_>>());
    entries.find(|fields| fields.first() == Some(&name))
}

fn group_number(file: &str, name: &str) -> Result<u32, String> {
    let number = entry(file, name).and_then(|fields| fields.get(2)?.parse().ok());
    number.ok_or_else(|| format!("getgrnam(\"{name}\") failed"))
}

/// The group itself and every group that names the user, as initgroups(3) does.
fn memberships(file: &str, user: &str, gid: u32) -> Vec<u32> {
    let member_of = |line: &str| -> Option<u32> {
        let fields: Vec<_> = line.split(':').collect();
        let is_member = fields.get(3)?.split(',').any(|member| member == user);
        fields.get(2)?.parse().ok().filter(|_| is_member)
    };
    let mut groups = vec![gid];
    groups.extend(file.lines().filter_map(member_of).filter(|group| *group != gid));
    groups
}

impl Account {
    #[cfg(test)]
    pub(super) fn for_tests(id: u32) -> Self {
        Self { uid: id, gid: id, groups: vec![id] }
    }

    /// Changes the calling thread, and threads that it starts later, to this account.
    ///
    /// # Errors
    /// The process may not; the thread must not serve then.
    pub fn become_it(&self) -> io::Result<()> {
        let groups: Vec<_> = self.groups.iter().map(|group| Gid::from_raw(*group)).collect();
        let (gid, uid) = (Gid::from_raw(self.gid), Uid::from_raw(self.uid));
        rustix::thread::set_thread_groups(&groups)?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/:/bin/false\nnobody:x:65534:65533::/:/bin/false\n";
    const GROUP: &str = "root:x:0:\nwww:x:33:\nadm:x:4:syslog,www\nweb:x:40:www\n";

    fn user(name: &str, group: &str) -> User {
        User { name: name.into(), group: group.into() }
    }

    #[test]
    fn finds_numbers_and_memberships() {
        let account = find(Some(&user("www", "web")), PASSWD, GROUP).unwrap();
        assert_eq!(account, Account { uid: 33, gid: 40, groups: vec![40, 4] });
    }

    #[test]
    fn without_a_user_it_is_nobody_and_its_own_group() {
        let account = find(None, PASSWD, GROUP).unwrap();
        assert_eq!((account.uid, account.gid), (65534, 65533));
    }

    #[test]
    fn unknown_names_are_said_in_nginx_words() {
        let error = find(Some(&user("who", "www")), PASSWD, GROUP);
        assert_eq!(error, Err("getpwnam(\"who\") failed".into()));
        let error = find(Some(&user("www", "who")), PASSWD, GROUP);
        assert_eq!(error, Err("getgrnam(\"who\") failed".into()));
    }

    #[test]
    fn a_thread_changes_and_the_others_stay() {
        if !rustix::process::geteuid().is_root() {
            return; // Only root may change accounts.
        }
        let account = Account { uid: 65534, gid: 65534, groups: vec![65534] };
        let ids = |path: &str| {
            let status = fs::read_to_string(path).unwrap();
            let line = |name| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            (line("Uid:"), line("Gid:"), line("Groups:").trim().to_owned())
        };
        let thread = std::thread::spawn(move || {
            account.become_it().unwrap();
            ids("/proc/thread-self/status")
        });
        let (uid, gid, groups) = thread.join().unwrap();
        assert_eq!(uid, "Uid:\t65534\t65534\t65534\t65534");
        assert_eq!(gid, "Gid:\t65534\t65534\t65534\t65534");
        assert_eq!(groups, "Groups:\t65534");
        assert!(ids("/proc/thread-self/status").0.starts_with("Uid:\t0\t0"));
    }
}
