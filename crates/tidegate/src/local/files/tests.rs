//! Static files over a real directory; the expectations were checked against nginx.

use std::os::unix::fs::FileExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use config::model::{Root, Settings, Template, Types};
use rustix::io::Errno;

use super::*;
use crate::fixture::{Directory, Pairs, settings};

const ETAG: &str = "\"65937d25-a\"";
const DATE: &str = "Tue, 02 Jan 2024 03:04:05 GMT";

/// A site under a root, and how it is asked.
struct Site {
    directory: Directory,
    settings: Settings,
}

impl Site {
    fn new() -> Self {
        let directory = Directory::new();
        directory
            .file("ten", "0123456789")
            .file("empty", "")
            .file("page.HTML", "x")
            .file("indexed/index.html", "i")
            .directory("d")
            .directory("d e")
            .directory("odd/index.html");
        let mut settings = settings();
        let mut types = Types::default();
        types.by_extension.insert("html".into(), "text/html".into());
        settings.types = Arc::new(types);
        settings.default_type = "application/octet-stream".into();
        settings.root.path = Template::literal(directory.path());
        Self { directory, settings }
    }

    fn aliased(replaces: Option<usize>, below: &str) -> Self {
        let mut site = Self::new();
        site.settings.root =
            Root { path: Template::literal(&format!("{}{below}", site.directory.path())), alias: true, replaces };
        site
    }

    fn ask(&self, method: &str, path: &str, args: &str, fields: &[(&str, &str)]) -> FileAnswer {
        let request = FileRequest {
            settings: &self.settings,
            path: path.as_bytes(),
            args: args.as_bytes(),
            method,
            fields: &Pairs(fields),
            prefix: Path::new("/prefix"),
            add_uri_to_alias: false,
            content_type: None,
            status: 200,
            boundary: 7,
        };
        serve(&request, &mut |_| b"evaluated".to_vec())
    }

    fn get(&self, path: &str) -> FileAnswer {
        self.ask("GET", path, "", &[])
    }

    fn refusal(&self, method: &str, path: &str) -> Refusal {
        match self.ask(method, path, "", &[]) {
            FileAnswer::Refuse(refusal) => refusal,
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    /// The logged text with the site's directory as `ROOT`.
    fn log(&self, path: &str) -> String {
        let log = self.refusal("GET", path).log.unwrap();
        format!("{}: {}", log.level.word(), log.text.replace(self.directory.path(), "ROOT"))
    }
}

fn delivery(answer: FileAnswer) -> Delivery {
    match answer {
        FileAnswer::Send(delivery) => delivery,
        other => panic!("{other:?}"),
    }
}

/// What the client would get.
fn body(delivery: &Delivery) -> String {
    let mut body = Vec::new();
    for part in &delivery.parts {
        body.extend_from_slice(&part.head);
        let mut bytes = vec![0; (part.range.end - part.range.start) as usize];
        delivery.file.read_exact_at(&mut bytes, part.range.start).unwrap();
        body.extend_from_slice(&bytes);
    }
    body.extend_from_slice(&delivery.trailer);
    assert_eq!(body.len() as u64, delivery.content_length);
    String::from_utf8(body).unwrap()
}

#[test]
fn sends_a_file_with_its_validators() {
    let site = Site::new();
    let sent = delivery(site.get("/ten"));
    assert_eq!(sent.status, 200);
    assert_eq!(sent.content_type, "application/octet-stream");
    assert_eq!(sent.content_length, 10);
    assert_eq!(sent.validators.last_modified.as_deref(), Some(DATE));
    assert_eq!(sent.validators.etag.as_deref(), Some(ETAG));
    assert!(sent.accept_ranges);
    assert_eq!(body(&sent), "0123456789");
    assert_eq!(delivery(site.get("/page.HTML")).content_type, "text/html");
    assert_eq!(body(&delivery(site.get("/empty"))), "");
}

#[test]
fn the_entity_tag_and_ranges_can_be_turned_off() {
    let mut site = Site::new();
    site.settings.etag = false;
    site.settings.max_ranges = Some(0);
    let sent = delivery(site.ask("GET", "/ten", "", &[("range", "bytes=0-1")]));
    assert_eq!((sent.status, sent.accept_ranges), (200, false));
    assert_eq!(sent.validators.etag, None);
}

#[test]
fn one_range_is_sent_bare() {
    let sent = delivery(Site::new().ask("GET", "/ten", "", &[("range", "bytes=-3")]));
    assert_eq!(sent.status, 206);
    assert_eq!(sent.content_range.as_deref(), Some("bytes 7-9/10"));
    assert!(!sent.accept_ranges);
    assert_eq!(body(&sent), "789");
}

#[test]
fn several_ranges_are_sent_in_nginxs_multipart_form() {
    let sent = delivery(Site::new().ask("GET", "/ten", "", &[("range", "bytes=0-0,-1")]));
    let boundary = "00000000000000000007";
    assert_eq!(sent.status, 206);
    assert_eq!(sent.content_range, None);
    assert_eq!(sent.content_type, format!("multipart/byteranges; boundary={boundary}"));
    assert_eq!(sent.content_length, 224);
    let part = |range: &str, byte: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {range}/10\r\n\r\n{byte}"
        )
    };
    let expected = part("0-0", "0") + &part("9-9", "9") + &format!("\r\n--{boundary}--\r\n");
    assert_eq!(body(&sent), expected);
}

#[test]
fn conditions_come_before_ranges() {
    let site = Site::new();
    let fields = [("if-none-match", ETAG), ("range", "bytes=0-1")];
    let answer = site.ask("GET", "/ten", "", &fields);
    let FileAnswer::NotModified(validators) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(validators.last_modified.as_deref(), Some(DATE));
    assert_eq!(validators.etag.as_deref(), Some(ETAG));
    let answer = site.ask("GET", "/ten", "", &[("if-match", "\"x\""), ("range", "bytes=0-1")]);
    assert!(matches!(answer, FileAnswer::Refuse(Refusal { status: 412, .. })));
    let answer = site.ask("GET", "/ten", "", &[("range", "bytes=20-")]);
    let FileAnswer::Refuse(refusal) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(refusal.status, 416);
    assert_eq!(refusal.content_range.as_deref(), Some("bytes */10"));
}

#[test]
fn an_errors_page_keeps_its_status_and_knows_no_conditions() {
    let site = Site::new();
    let fields = [("if-none-match", ETAG), ("range", "bytes=0-1")];
    let request = FileRequest {
        settings: &site.settings,
        path: b"/ten",
        args: b"",
        method: "GET",
        fields: &Pairs(&fields),
        prefix: Path::new("/"),
        add_uri_to_alias: false,
        content_type: None,
        status: 404,
        boundary: 7,
    };
    let sent = delivery(serve(&request, &mut |_| vec![]));
    assert_eq!((sent.status, sent.accept_ranges), (404, false));
    assert_eq!(sent.validators.last_modified, None);
    assert_eq!(sent.validators.etag.as_deref(), Some(ETAG));
    assert_eq!(body(&sent), "0123456789");
}

#[test]
fn a_directory_is_redirected_to_its_slash() {
    let site = Site::new();
    for (path, args, expected) in [("/d", "", "/d/"), ("/d e", "x=1", "/d%20e/?x=1")] {
        let FileAnswer::Redirect(location) = site.ask("GET", path, args, &[]) else {
            panic!("{path}");
        };
        assert_eq!(location, expected.as_bytes());
    }
}

#[test]
fn an_index_is_an_internal_redirect_with_the_arguments() {
    let mut site = Site::new();
    let absolute = [Template::literal("missing"), Template::literal("/front")];
    for (index, path, expected) in [
        (None, "/indexed/", "/indexed/index.html"),
        // What the name means is found out after the redirect.
        (None, "/odd/", "/odd/index.html"),
        (Some(Arc::from(absolute)), "/d/", "/front"),
    ] {
        site.settings.index = index.unwrap_or(site.settings.index);
        let FileAnswer::Internal { uri, args } = site.ask("HEAD", path, "x=1", &[]) else {
            panic!("{path}");
        };
        assert_eq!((uri.as_slice(), args.as_slice()), (expected.as_bytes(), b"x=1".as_slice()));
    }
}

#[test]
fn refusals_say_what_nginx_says() {
    let site = Site::new();
    for (path, status, log) in [
        ("/nope", 404, "error: open() \"ROOT/nope\" failed (2: No such file or directory)"),
        ("/ten/x", 404, "error: open() \"ROOT/ten/x\" failed (20: Not a directory)"),
        ("/nope/", 404, "error: \"ROOT/nope/index.html\" is not found (2: No such file or directory)"),
        ("/ten/", 404, "error: \"ROOT/ten/index.html\" is not found (20: Not a directory)"),
        ("/d/", 403, "error: directory index of \"ROOT/d/\" is forbidden"),
    ] {
        assert_eq!(site.refusal("GET", path).status, status, "{path}");
        assert_eq!(site.log(path), log);
    }
}

#[test]
fn missing_files_can_go_unlogged() {
    let mut site = Site::new();
    site.settings.log_not_found = false;
    assert_eq!(site.refusal("GET", "/nope"), Refusal::silent(404));
    assert_eq!(site.refusal("GET", "/nope/"), Refusal::silent(404));
    assert!(site.refusal("GET", "/d/").log.is_some());
}

#[test]
fn a_pipe_is_not_a_file() {
    let site = Site::new();
    let path = format!("{}/pipe", site.directory.path());
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).unwrap();
    assert_eq!(site.refusal("GET", "/pipe").status, 404);
    assert_eq!(site.log("/pipe"), "crit: \"ROOT/pipe\" is not a regular file");
}

#[test]
fn symbolic_links_are_followed_and_circles_forbidden() {
    let site = Site::new();
    let root = site.directory.path();
    symlink(format!("{root}/ten"), format!("{root}/link")).unwrap();
    symlink(format!("{root}/circle"), format!("{root}/circle")).unwrap();
    assert_eq!(body(&delivery(site.get("/link"))), "0123456789");
    assert_eq!(site.refusal("GET", "/circle").status, 403);
}

#[test]
fn errors_of_the_system_choose_the_status() {
    let site = Site::new();
    let request = FileRequest {
        settings: &site.settings,
        path: b"/x",
        args: b"",
        method: "GET",
        fields: &Pairs(&[]),
        prefix: Path::new("/"),
        add_uri_to_alias: false,
        content_type: None,
        status: 200,
        boundary: 0,
    };
    for (errno, status, level) in [
        (Errno::NOENT, 404, Level::Error),
        (Errno::NAMETOOLONG, 404, Level::Error),
        (Errno::ACCESS, 403, Level::Error),
        (Errno::MFILE, 500, Level::Crit),
    ] {
        let refusal = cannot_open(&request, b"/x", DiskError::of("open()", errno));
        assert_eq!(refusal.status, status);
        assert_eq!(refusal.log.unwrap().level, level);
    }
}

#[test]
fn methods_are_refused_where_nginx_refuses_them() {
    let site = Site::new();
    for path in ["/ten", "/nope", "/d", "/d/", "/indexed/"] {
        assert_eq!(site.refusal("PUT", path), Refusal::silent(405), "{path}");
    }
    assert_eq!(site.refusal("POST", "/ten"), Refusal::silent(405));
    assert_eq!(site.refusal("POST", "/nope").status, 404);
    assert_eq!(site.refusal("POST", "/d/").status, 403);
    let redirected = site.ask("POST", "/d", "", &[]);
    assert!(matches!(redirected, FileAnswer::Redirect(_)));
    assert_eq!(delivery(site.ask("HEAD", "/ten", "", &[])).content_length, 10);
}

#[test]
fn an_alias_replaces_the_locations_part() {
    let site = Site::aliased(Some("/a/".len()), "/");
    assert_eq!(body(&delivery(site.get("/a/ten"))), "0123456789");
    let FileAnswer::Redirect(location) = site.get("/a/d") else {
        panic!("no redirect");
    };
    assert_eq!(location, b"/a/d/");
    let FileAnswer::Internal { uri, .. } = site.get("/a/indexed/") else {
        panic!("no index");
    };
    assert_eq!(uri, b"/a/indexed/index.html");
    assert_eq!(site.refusal("GET", "/").status, 500, "shorter than the location");
}

#[test]
fn an_alias_in_an_expressions_location_names_the_file() {
    let site = Site::aliased(None, "/ten");
    assert_eq!(body(&delivery(site.get("/whatever"))), "0123456789");
}

#[test]
fn roots_are_evaluated_and_start_at_the_prefix() {
    let site = Site::new();
    let mut settings = site.settings.clone();
    let mut name = |template: Template| {
        settings.root.path = template;
        let request = FileRequest {
            settings: &settings,
            path: b"/a",
            args: b"",
            method: "GET",
            fields: &Pairs(&[]),
            prefix: Path::new("/prefix"),
            add_uri_to_alias: false,
            content_type: None,
            status: 200,
            boundary: 0,
        };
        let name = request_filename(&request, &mut |_| b"/evaluated".to_vec());
        String::from_utf8(name).unwrap()
    };
    let variable =
        Template { source: "$host".into(), parts: vec![config::model::Part::Variable(config::model::Variable::Host)] };
    assert_eq!(name(Template::literal("html")), "/prefix/html/a");
    assert_eq!(name(Template::literal("/srv/")), "/srv/a");
    assert_eq!(name(variable), "/evaluated/a");
}
