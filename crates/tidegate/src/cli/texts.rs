//! What the program says of itself. Not here: what it does.

use std::path::Path;

/// `NAME/VERSION`, as `-v` shows it.
pub(super) const VERSION: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

/// What of nginx is left out, in the words of its `configure`: scripts and test suites read them to know what to expect.
/// A module leaves this list when all of it works here. Modules that nginx leaves out by default stay unsaid.
const LEFT_OUT: [&str; 22] = [
    "--without-http_charset_module",
    "--without-http_gzip_module",
    "--without-http_ssi_module",
    "--without-http_userid_module",
    "--without-http_access_module",
    "--without-http_auth_basic_module",
    "--without-http_mirror_module",
    "--without-http_autoindex_module",
    "--without-http_geo_module",
    "--without-http_split_clients_module",
    "--without-http_referer_module",
    "--without-http_rewrite_module",
    "--without-http_fastcgi_module",
    "--without-http_uwsgi_module",
    "--without-http_scgi_module",
    "--without-http_grpc_module",
    "--without-http_memcached_module",
    "--without-http_limit_conn_module",
    "--without-http_limit_req_module",
    "--without-http_empty_gif_module",
    "--without-http_browser_module",
    "--without-http-cache",
];

/// `-v`.
pub(super) fn version(program: &str) -> String {
    format!("{program} version: {VERSION}\n")
}

/// `-V`, after [`version`].
pub(super) fn configure() -> String {
    format!("built by {}\nconfigure arguments: {}\n", env!("TIDEGATE_RUSTC"), LEFT_OUT.join(" "))
}

/// `-h`, after [`version`].
pub(super) fn help(program: &str) -> String {
    let [ours, nginxs] = super::source::DEFAULT_FILES;
    format!(
        "\
Usage: {program} [-?hvVtTq] [-s signal] [-p prefix]
       {blank} [-e filename] [-c filename] [-g directives]
       {program} check FILE
       {program} diagnose URL | HOST:PORT | -c FILE
       {program} explain [WHAT…]
       {program} report [--html FILE] LOG…
       {program} simulate [FILE] [--fault FAULT]…
       {program} proxy [--listen ADDRESS] ENDPOINT…
       {program} misbehave --mode MODE [--listen ADDRESS]
       {program} [demo] [--print-config]

Options, as nginx's:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to a running process: stop, quit, reopen, reload
  -p prefix     : set prefix path (default: the folder of the configuration
                  file); without -c the file is then PREFIX/conf/nginx.conf
  -e filename   : set error log file (default: stderr)
  -c filename   : set configuration file (default: {ours},
                  or {nginxs} if that is not there)
  -g directives : set global directives out of configuration file

Commands:
  check FILE    : say all that is wrong with a file, and what has no effect here
  diagnose      : examine an endpoint, and say what to change
  explain       : say what a log line, code or status means, and what to change
  report        : say from logs what failed, why, and what to change first
  simulate      : try the policy of a file on faults, in virtual time
  proxy         : run a gateway in front of endpoints, without a file
  misbehave     : be an origin that fails on purpose, to try clients on
  demo          : show failures and what clients get instead; the same as no
                  arguments, unless the program is called nginx

The exit code is 0 if all went well and 1 if not; 2 means that a command was
not understood.

",
        blank = " ".repeat(program.len()),
    )
}

/// The word that messages begin with: what the program was called.
pub(super) fn program_name(called: &Path) -> String {
    called.file_name().map_or_else(|| "tidegate".into(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_eighty_columns() {
        let text = help("tidegate");
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }

    /// nginx's modules that are built unless `--without-http_…_module` says otherwise, and that have directives which
    /// may be missing here. Not those which work but for a few directives: `proxy`, `map` and the `upstream` ones.
    const BUILT_BY_DEFAULT: &str = "charset gzip ssi userid access auth_basic mirror autoindex geo split_clients referer \
         rewrite fastcgi uwsgi scgi grpc memcached limit_conn limit_req empty_gif browser";

    #[test]
    fn a_module_whose_directives_are_refused_is_said_to_be_left_out() {
        for name in BUILT_BY_DEFAULT.split_whitespace() {
            let module = format!("ngx_http_{name}_module");
            let refused = config::directives::unsupported_names().any(|(_, of)| of == module);
            let said = LEFT_OUT.contains(&format!("--without-http_{name}_module").as_str());
            assert_eq!(said, refused, "{module}");
        }
    }

    #[test]
    fn the_program_is_what_it_was_called() {
        assert_eq!(program_name(Path::new("/usr/sbin/nginx")), "nginx");
        assert_eq!(version("nginx"), format!("nginx version: {VERSION}\n"));
    }
}
