//! The words after `tidegate report`. Not here: what is done with them.

/// How it is used.
pub(crate) const USAGE: &str = "\
Usage: tidegate report [OPTION…] [LOG…]

Reads access and error logs, and says how many requests failed, why, since when,
where, and what to change first. A LOG is a file, compressed with gzip or not, or
- for standard input; without any, those of the configuration that -c names.
Forms are told by the first lines: nginx's error log, its combined form and those
of Apache, Traefik, Envoy, HAProxy, ingress-nginx and AWS ALB, and JSON.

  -c FILE          take formats, and logs if none are given, from an nginx.conf
  --format STRING  a log_format string: '$remote_addr [$time_local] $status …'
  --html FILE      write a page with plots as well
  --json           show everything as JSON
  --top NUMBER     how many routes, clients and endpoints to show (10)
  --threads NUMBER how many threads count (one for each core)
";

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(super) logs: Vec<String>,
    pub(super) config: Option<String>,
    pub(super) formats: Vec<String>,
    pub(super) html: Option<String>,
    pub(super) json: bool,
    pub(super) top: usize,
    pub(super) threads: Option<usize>,
}

const FLAGS: [&str; 6] = ["--format", "--html", "--json", "--top", "--threads", "--help"];

/// Reads the words. Nothing is returned for `--help`.
///
/// # Errors
/// What is wrong and what to write instead.
pub(crate) fn parse(words: &[String]) -> Result<Option<Options>, String> {
    let mut options =
        Options { logs: vec![], config: None, formats: vec![], html: None, json: false, top: 10, threads: None };
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (flag, value) = word.split_once('=').filter(|_| word.starts_with("--")).unzip();
        let flag = flag.unwrap_or(word);
        let mut value = || value.or_else(|| words.next()).ok_or_else(|| format!("option \"{flag}\" requires a value"));
        match flag {
            "--help" | "-h" => return Ok(None),
            "--json" => options.json = true,
            "-c" => options.config = Some(value()?.to_owned()),
            "--format" => options.formats.push(value()?.to_owned()),
            "--html" => options.html = Some(value()?.to_owned()),
            "--top" => options.top = number(flag, value()?)?,
            "--threads" => options.threads = Some(number(flag, value()?)?),
            "-" => options.logs.push("-".to_owned()),
            flag if flag.starts_with('-') => return Err(unknown(flag)),
            log => options.logs.push(log.to_owned()),
        }
    }
    if options.logs.is_empty() && options.config.is_none() {
        return Err("no log was given".to_owned());
    }
    Ok(Some(options))
}

fn number(flag: &str, value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| format!("\"{value}\" is no value for {flag}: write a number from 1 to 1000"))
}

fn unknown(flag: &str) -> String {
    let hint = config::suggest::nearest(flag, FLAGS).map(|near| format!(": did you mean \"{near}\"?"));
    format!("unknown option \"{flag}\"{}", hint.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Options>, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn values_may_touch_or_follow() {
        let options = read("--top=3 --html x.html a.log - -c n.conf --format $status").unwrap().unwrap();
        assert_eq!(
            (options.top, options.html.as_deref(), options.config.as_deref()),
            (3, Some("x.html"), Some("n.conf"))
        );
        assert_eq!(
            (options.logs, options.formats),
            (vec!["a.log".to_owned(), "-".to_owned()], vec!["$status".to_owned()])
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |line| read(line).unwrap_err();
        assert_eq!(error(""), "no log was given");
        assert_eq!(error("--htlm x"), "unknown option \"--htlm\": did you mean \"--html\"?");
        assert_eq!(error("--top"), "option \"--top\" requires a value");
        assert!(error("--top 0 a").contains("from 1 to 1000"));
        assert_eq!(read("--help"), Ok(None));
    }
}
