//! `tidegate proxy`: a gateway from words on the command line. They become a configuration in nginx's language, which
//! is then read like any file, so that there is one way to mean things. Not here: reading and running it.

use std::borrow::Cow;

use config::suggest::nearest;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    /// The configuration's text.
    pub(super) text: String,
    /// `--print-config`: show it and do nothing else.
    pub(super) print_config: bool,
    /// What is said when it serves: where it listens, and to whom it forwards.
    pub(super) summary: String,
}

/// How it is used.
pub(super) const USAGE: &str = "\
Usage: tidegate proxy [--listen ADDRESS]… [--print-config] ENDPOINT…

  ENDPOINT is HOST:PORT, http://HOST:PORT or unix:PATH, with nginx's parameters after commas:
  127.0.0.1:3000   app:3000,weight=3   127.0.0.1:3001,backup   unix:/run/a.sock,down

  --listen ADDRESS   PORT, ADDRESS:PORT or unix:PATH; 127.0.0.1:8080 if not given;
                     a PORT alone listens on every address
  --print-config     show the nginx.conf that this stands for, and stop
";

/// Parameters of an endpoint: nginx's, each with whether it has a value.
const PARAMETERS: [(&str, bool); 6] = [
    ("weight", true),
    ("max_fails", true),
    ("fail_timeout", true),
    ("max_conns", true),
    ("backup", false),
    ("down", false),
];

const FLAGS: [&str; 3] = ["--listen", "--print-config", "--help"];

/// Reads the words after `proxy`. Nothing is returned for `--help`.
///
/// # Errors
/// What is wrong and what to write instead.
pub(super) fn parse(words: &[String]) -> Result<Option<Proxy>, String> {
    let (mut listens, mut servers, mut print_config) = (Vec::new(), Vec::new(), false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--print-config" => print_config = true,
            "--listen" => listens.push(listen(words.next().ok_or("option \"--listen\" requires an address")?)?),
            word => match word.strip_prefix("--listen=") {
                Some(value) => listens.push(listen(value)?),
                None => servers.push(server(word)?),
            },
        }
    }
    if servers.is_empty() {
        return Err("no endpoint was given: write at least one HOST:PORT or unix:PATH".into());
    }
    if listens.is_empty() {
        listens.push("listen 127.0.0.1:8080;".into());
    }
    let summary = summary(&listens, &servers);
    Ok(Some(Proxy { text: text(&listens, &servers), print_config, summary }))
}

fn listen(value: &str) -> Result<String, String> {
    plain(value)?;
    let port = value.rsplit_once(':').map_or(value, |(_, port)| port);
    if !value.starts_with("unix:") && port.parse::<u16>().is_err() {
        return Err(format!("no port in \"{value}\": write PORT, ADDRESS:PORT or unix:PATH"));
    }
    Ok(format!("listen {value};"))
}

/// One `server` line of the upstream.
fn server(word: &str) -> Result<String, String> {
    if word.starts_with('-') {
        let hint = nearest(word, FLAGS).map(|near| format!(": did you mean \"{near}\"?"));
        return Err(format!("unknown option \"{word}\"{}", hint.unwrap_or_default()));
    }
    plain(word)?;
    let mut parts = word.split(',');
    let address = address(parts.next().unwrap_or_default())?;
    let has_port = address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !has_port && !address.starts_with("unix:/") {
        return Err(format!("no port in endpoint \"{address}\": write HOST:PORT or unix:/PATH"));
    }
    let parameters = parts.map(parameter).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("server {address}{};", parameters.concat()))
}

/// The address of an endpoint, which may be written as a URL that says nothing else.
fn address(word: &str) -> Result<Cow<'_, str>, String> {
    let Some((scheme, rest)) = word.split_once("://") else { return Ok(word.into()) };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(format!("\"{word}\": endpoints are asked over plain http: write HOST:PORT or http://HOST:PORT"));
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '@']) {
        return Err(format!(
            "\"{word}\" says more than a host and a port: requests keep their own path, so write http://HOST:PORT"
        ));
    }
    let host_ends = authority.rfind(']').unwrap_or(0);
    let has_port = authority[host_ends..].contains(':');
    Ok(if has_port { authority.into() } else { format!("{authority}:80").into() })
}

/// What is said on standard error when it serves.
fn summary(listens: &[String], servers: &[String]) -> String {
    let said = |lines: &[String], word: &str| {
        let shown = lines.iter().map(|line| line.trim_start_matches(word).trim_end_matches(';').trim());
        shown.collect::<Vec<_>>().join(", ")
    };
    format!("listening on {}, forwarding to {}", said(listens, "listen"), said(servers, "server"))
}

fn parameter(word: &str) -> Result<String, String> {
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let known = PARAMETERS.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, has_value)) if *has_value == value.is_some_and(|value| !value.is_empty()) => Ok(format!(" {word}")),
        Some((_, true)) => Err(format!("parameter \"{name}\" needs a value: {name}=…")),
        Some((_, false)) => Err(format!("parameter \"{name}\" takes no value")),
        None => {
            let names = PARAMETERS.map(|(name, _)| name);
            let hint = nearest(name, names).map(|near| format!(": did you mean \"{near}\"?"));
            Err(format!("unknown parameter \"{name}\"{}", hint.unwrap_or_default()))
        }
    }
}

/// Refuses what would end a word in the configuration's language.
fn plain(word: &str) -> Result<(), String> {
    let special = word.chars().find(|c| c.is_whitespace() || c.is_control() || "{};\"'\\$#".contains(*c));
    match special {
        Some(special) => Err(format!("{special:?} cannot be part of \"{}\"", word.escape_debug())),
        None => Ok(()),
    }
}

fn text(listens: &[String], servers: &[String]) -> String {
    let lines = |lines: &[String]| lines.iter().map(|line| format!("        {line}\n")).collect::<String>();
    format!(
        "\
daemon off;
pid off;
worker_processes auto;
error_log stderr;

events {{
}}

http {{
    access_log off;

    map $http_upgrade $connection_for_upgrade {{
        default upgrade;
        ''      '';
    }}

    upstream endpoints {{
{servers}    }}

    server {{
{listens}
        location / {{
            proxy_pass http://endpoints;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_for_upgrade;
        }}
    }}
}}
",
        servers = lines(servers),
        listens = lines(listens),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Proxy>, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn text_of(line: &str) -> String {
        read(line).unwrap().unwrap().text
    }

    #[test]
    fn words_become_nginx_lines() {
        let text = text_of("--listen 8080 127.0.0.1:3000 127.0.0.1:3001,backup");
        assert!(text.contains("        listen 8080;\n"));
        assert!(text.contains("        server 127.0.0.1:3000;\n        server 127.0.0.1:3001 backup;\n"));
    }

    #[test]
    fn parameters_and_unix_sockets_pass_through() {
        let text = text_of("app:1,weight=3,max_fails=0 unix:/run/a.sock,down [::1]:2");
        for line in ["server app:1 weight=3 max_fails=0;", "server unix:/run/a.sock down;", "server [::1]:2;"] {
            assert!(text.contains(line), "{line}");
        }
    }

    #[test]
    fn a_url_stands_for_its_host_and_port() {
        let text = text_of("http://127.0.0.1:3000 http://app/,backup HTTP://[::1]:2/ http://[::1]");
        for line in ["server 127.0.0.1:3000;", "server app:80 backup;", "server [::1]:2;", "server [::1]:80;"] {
            assert!(text.contains(line), "{line}");
        }
    }

    #[test]
    fn it_says_where_it_listens_and_to_whom_it_forwards() {
        let proxy = read("--listen 8080 --listen unix:/run/t.sock http://a:1 b:2,backup").unwrap().unwrap();
        assert_eq!(proxy.summary, "listening on 8080, unix:/run/t.sock, forwarding to a:1, b:2 backup");
    }

    #[test]
    fn listens_on_loopback_unless_told() {
        assert!(text_of("a:1").contains("listen 127.0.0.1:8080;"));
        let text = text_of("--listen=0.0.0.0:80 --listen unix:/run/t.sock a:1");
        assert!(text.contains("listen 0.0.0.0:80;\n        listen unix:/run/t.sock;"));
    }

    #[test]
    fn mistakes_are_said_with_what_to_write() {
        let cases = [
            ("", "no endpoint was given: write at least one HOST:PORT or unix:PATH"),
            ("localhost", "no port in endpoint \"localhost\": write HOST:PORT or unix:/PATH"),
            (
                "https://a:1",
                "\"https://a:1\": endpoints are asked over plain http: write HOST:PORT or http://HOST:PORT",
            ),
            (
                "http://a:1/app",
                "\"http://a:1/app\" says more than a host and a port: requests keep their own path, so write http://HOST:PORT",
            ),
            ("a:1 --lisen 80", "unknown option \"--lisen\": did you mean \"--listen\"?"),
            ("a:1,bakup", "unknown parameter \"bakup\": did you mean \"backup\"?"),
            ("a:1,weight", "parameter \"weight\" needs a value: weight=…"),
            ("a:1,down=1", "parameter \"down\" takes no value"),
            ("a:1 --listen", "option \"--listen\" requires an address"),
            ("a:1 --listen x", "no port in \"x\": write PORT, ADDRESS:PORT or unix:PATH"),
        ];
        for (line, message) in cases {
            assert_eq!(read(line), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn words_cannot_smuggle_directives() {
        for word in ["a:1;", "a:1{", "unix:/a\"", "$x:1"] {
            assert!(read(word).unwrap_err().contains("cannot be part of"), "{word}");
        }
    }

    #[test]
    fn help_is_no_configuration() {
        assert_eq!(read("--help"), Ok(None));
    }
}
