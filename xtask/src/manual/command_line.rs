//! The page of the command line. What the program says of itself is asked of the program. Not here: what it does.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that can be asked for its help.
pub(super) trait Says {
    /// All that it says to these words, on either output.
    ///
    /// # Errors
    /// It cannot be run.
    fn says(&self, words: &[&str]) -> Result<String, String>;
}

/// The program, built as tests build it.
pub(super) struct Program {
    root: PathBuf,
}

impl Program {
    /// # Errors
    /// It does not build.
    pub(super) fn build(root: &Path) -> Result<Self, String> {
        let built = cargo(root, "build").status().map_err(|error| format!("cannot run cargo: {error}"))?;
        if built.success() { Ok(Self { root: root.to_owned() }) } else { Err("tidegate does not build".into()) }
    }
}

fn cargo(root: &Path, task: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args([task, "--quiet", "--locked", "--package", "tidegate", "--bin", "tidegate"]);
    command
}

impl Says for Program {
    fn says(&self, words: &[&str]) -> Result<String, String> {
        let output = cargo(&self.root, "run").arg("--").args(words).output();
        let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match (output.status.success(), format!("{out}{error}")) {
            (true, said) if !said.trim().is_empty() => Ok(said),
            (_, said) => Err(format!("`tidegate {}` does not say what it is: {said}", words.join(" "))),
        }
    }
}

pub(super) fn page(program: &impl Says) -> Result<String, String> {
    expanded(TEXT, program)
}

/// The text with `{tidegate WORDS}` lines replaced by what the program says to these words.
fn expanded(text: &str, program: &impl Says) -> Result<String, String> {
    let mut page = String::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("{tidegate ").and_then(|rest| rest.strip_suffix("}\n")) {
            Some("COMMAND --help") => page.push_str(&commands(program)?),
            Some(words) => page.push_str(&shown(words, program)?),
            None => page.push_str(line),
        }
    }
    Ok(page)
}

/// A section for each command that the program's help names.
fn commands(program: &impl Says) -> Result<String, String> {
    let help = program.says(&["-h"])?;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty());
    let sections: Result<Vec<String>, String> = names.map(|name| section(name, program)).collect();
    Ok(sections?.join("\n"))
}

fn section(name: &str, program: &impl Says) -> Result<String, String> {
    let more = MORE.iter().find(|(known, _)| *known == name).map_or("", |(_, more)| more);
    expanded(&format!("## {name}\n\n{{tidegate {name} --help}}\n{more}"), program)
}

/// The program's answer as a block of text, without the line that names its version.
fn shown(words: &str, program: &impl Says) -> Result<String, String> {
    let said = program.says(&words.split(' ').collect::<Vec<_>>())?;
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains(" version: ")).collect();
    Ok(format!("```text\n$ tidegate {words}\n{}\n```\n", lines.join("\n").trim()))
}

/// What is to be said of a command beside its own help.
const MORE: &[(&str, &str)] = &[
    (
        "proxy",
        "
Each endpoint is asked in turn; a `backup` is asked when no other can be. `--print-config` shows the file to begin with when the
command line no longer suffices.
",
    ),
    (
        "diagnose",
        "
The verdict is the first fault that a request meets, with its [cause](failures.md) where the gateway has one. Beside those it knows:

| fault | meaning |
|---|---|
| `listens_elsewhere` | nothing listens at the address, but something on the same port of another address of this machine |
| `some_addresses_fail` | some of a name's addresses cannot be connected to, such as `::1` of localhost |
| `error_status` | the answer is 5xx |
| `sends_surplus` | bytes come behind the end of an answer |
| `drops_kept_connections` | a connection ends behind an answer that did not say so |
| `times_out_kept_connections` | the second request of a connection gets 408 |
| `closes_idle_unannounced` | an idle connection ends within 60 s, sooner than `Keep-Alive` announces or without any |

Every address of a name is connected to, in both families. The request is a GET for the URL's path, sent twice over one connection.
A head that is larger than nginx's default `proxy_buffer_size`, 4k, is a fault although it was read. The TLS handshake succeeds with
any certificate: why a client that verifies would refuse it is reported, as is whether the server needs the name in the handshake.
On this machine it is also told which program listens, its systemd unit or container, how many connections wait to be accepted, and a
unix socket's mode and owner, as far as the account may see them. At most 64 MiB of an answer are read.
",
    ),
    (
        "explain",
        "
A line seldom says all. What it says for certain is told as such; where it fits several causes, each is *most likely* or *possible*
with the reason: how the program that wrote it works, or what the line's own times tell. No figures are given, since nobody has
counted. `--json` has the same for programs.
",
    ),
    (
        "report",
        "
Where both the access log and the error log are given, each answer 5xx is matched with the line of the same client and target within
two seconds: what to change first is then counted in requests that failed, not in attempts of which another endpoint made some good.
Paths are folded, so that `/orders/17` counts as `/orders/{n}`.

Whatever the log holds, memory is bounded: of routes and clients the 4096 most frequent are kept (space-saving counters; a count that
may be too high is shown with ≤, and how many there were is estimated), of times up to 1024 stretches, of answers to be matched
131,072 on each side (a sample beyond that). Percentiles are within 3 %. A line is read up to 256 kB.

`$request_time`, `$upstream_addr` and `$failure_code` in the log's format make the report tell more.
",
    ),
    (
        "simulate",
        "
The rules are the gateway's own code; endpoints and clients are simulated, each attempt one event. A retry storm that outlives its
cause can be seen so: with `max_fails=0`, `retry_budget off`, `proxy_next_upstream_tries 3`, `proxy_read_timeout 500ms` and
`proxy_connect_timeout 500ms`, ten endpoints of `--capacity 4x20ms` at `--rate 1400` do not recover from
`--fault overload=3x@5s..10s`; with the budget they do. `hold`, `max_conns` shared among workers, hedging and idle connections are left out.

An unoptimised build simulated about 250,000 requests for each second of processor time with 10 endpoints, and 16,000 with 10,000
of `random two` at 100,000 requests a second: a choice walks through the list of endpoints, there as in the gateway.
",
    ),
    (
        "misbehave",
        "
These are its modes; `tidegate misbehave --list MODE` says more of one. A reset on a unix socket is a close, since those have
none. At most 4096 connections are served at a time; those beyond are closed at once.

{tidegate misbehave --list}
",
    ),
];

const TEXT: &str = "\
# The command line

Tidegate takes nginx's options with nginx's exit codes and messages, so that scripts, packages and service files written for nginx
go on working; beside them it has commands of its own. Without any word it is a demonstration, unless it is called `nginx`.

{tidegate -h}

## Files

Without `-c` and `-p` the first of `/etc/tidegate/nginx.conf` and `/etc/nginx/nginx.conf` that exists is read. Relative paths in a
file start at the prefix: the folder that `-p` names, else the folder of the file.

`-t` reads a file, opens its logs and looks for its account, and says whether it could be run; `-T` prints every file that was
read as well. What `-t` says goes to the standard error, as in nginx.

{tidegate COMMAND --help}

## Signals

The main process's number is in the file that [pid](directives/pid.md) names; `-s` sends a signal there.

| signal | `-s` | what happens |
|---|---|---|
| TERM, INT | `stop` | ends at once |
| QUIT | `quit` | accepts nothing more, answers what was asked, closes what idles, then ends; \
[worker_shutdown_timeout](directives/worker_shutdown_timeout.md) bounds it |
| HUP | `reload` | reads the file anew and serves by it; no connection is dropped. A bad file is refused with its reason in the \
error log, and the old one stays in force |
| USR1 | `reopen` | opens the log files anew, after they were moved away |
| USR2 | | starts the program's file anew beside the running process, with its listening sockets; the old one's pid file gets the \
suffix `.oldbin` |
| WINCH | | in the background: accepts nothing more, answers what was asked, closes what idles, and stays: HUP makes it serve \
again |

To put a new binary in place: replace the file, send USR2 to the old process, WINCH to it when the new one serves, and QUIT when it
is to go. HUP instead of QUIT makes the old one serve again. A running nginx hands over in the same way: put this program's file in
the place of nginx's, and send the same signals.

What a reload does not change: the account of [user](directives/user.md), [master_process](directives/master_process.md),
[working_directory](directives/working_directory.md) and [worker_rlimit_nofile](directives/worker_rlimit_nofile.md).
";

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo;

    impl Says for Echo {
        fn says(&self, words: &[&str]) -> Result<String, String> {
            let commands =
                if words == ["-h"] { "Commands:\n  one FILE : x\n             y\n  two      : z\n" } else { "" };
            Ok(format!("nginx version: x\n\nUsage of {}\n\n{commands}\n", words.join(" ")))
        }
    }

    #[test]
    fn the_page_quotes_the_program_and_each_of_its_commands() {
        let page = page(&Echo).unwrap();
        for words in ["-h", "one --help", "two --help"] {
            assert!(page.contains(&format!("```text\n$ tidegate {words}\nUsage of {words}\n")), "{page}");
        }
        assert!(page.contains("\n## two\n") && !page.contains("## y"));
        assert!(!page.contains('{') && !page.contains(" version: "));
    }
}
