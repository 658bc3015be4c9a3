//! The http core module: bounds on what a client may send. Not here: what is answered when they are passed.

use super::shorthand::{HTTP_SERVER, LEVELS, Row, between, buffers, count, custom, long_size, size, time};
use crate::build::{Build, Level, Line};

pub(super) fn rows() -> Vec<Row> {
    vec![
        long_size("client_max_body_size", LEVELS, |l: &mut Level| &mut l.settings.client_max_body_size)
            .default("1m")
            .help("Bounds a request's body.")
            .manual(
                "A larger one is answered with 413, before it is read if its length is \
             announced. 0 lifts the bound.",
            ),
        size("client_body_buffer_size", LEVELS, |l: &mut Level| &mut l.settings.client_body_buffer_size)
            .default("16k")
            .help("Bounds what of a request's body is kept in memory.")
            .manual(
                "A body that is kept whole, so that it can be sent again to another endpoint, \
             goes to a temporary file beyond this size.",
            ),
        time("client_body_timeout", LEVELS, |l: &mut Level| &mut l.settings.client_body_timeout)
            .default("60s")
            .help("Bounds the wait between two reads of a request's body.")
            .manual(
                "A client that sends nothing for this long gets 408. It is not a bound on the \
             whole body.",
            ),
        custom("client_body_temp_path", LEVELS, between(1, 4), client_body_temp_path)
            .syntax("path [level1 [level2 [level3]]]")
            .default("/tmp")
            .help("Names the directory of request bodies' temporary files.")
            .manual(
                "Relative paths start at the prefix. A directory that is not there is made at the start, and given to the \
                 workers' account.",
            )
            .differs(
                "The levels of subdirectories are accepted and not used: a temporary file has \
                 no name there. nginx's default is a directory below its prefix.",
            ),
        time("client_header_timeout", HTTP_SERVER, |l: &mut Level| &mut l.server.client_header_timeout)
            .default("60s")
            .help("Bounds the time that a request's head may take.")
            .manual(
                "A client that has not sent the whole head by then gets 408. It counts in the \
             default server of an address.",
            ),
        size("client_header_buffer_size", HTTP_SERVER, |l: &mut Level| &mut l.server.client_header_buffer_size)
            .default("1k")
            .help("Sets the size of the first buffer for a request's head.")
            .manual("What does not fit takes one of the large_client_header_buffers.")
            .no_effect_yet("buffers are shared by all connections, and idle ones hold none"),
        buffers("large_client_header_buffers", HTTP_SERVER, |l: &mut Level| &mut l.server.large_client_header_buffers)
            .default("4 8k")
            .help("Bounds a request's head.")
            .manual(
                "The request line must fit one buffer (414 otherwise), and so must each field \
             (400 otherwise); the whole head must fit all of them. It counts in the \
             default server of an address.",
            ),
        count("max_headers", HTTP_SERVER, |l: &mut Level| &mut l.server.max_headers)
            .default("1000")
            .help("Bounds the number of a request's fields.")
            .manual("A request with more of them is answered with 400."),
    ]
}

fn client_body_temp_path(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    level.settings.client_body_temp_path = build.absolute(&line.word(0).text);
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, in_server, server_settings};

    #[test]
    fn sizes_have_units_and_zero_lifts_the_bound() {
        assert_eq!(server_settings("client_max_body_size 2g;").client_max_body_size, 2 << 30);
        assert_eq!(server_settings("client_max_body_size 0;").client_max_body_size, 0);
    }

    #[test]
    fn a_temporary_path_starts_at_the_prefix() {
        let path = server_settings("client_body_temp_path tmp;").client_body_temp_path;
        assert_eq!(path, std::path::Path::new("/etc/nginx/tmp"));
    }

    #[test]
    fn what_concerns_the_head_cannot_stand_in_a_location() {
        let loaded = in_server("location / { client_header_timeout 1s; }");
        assert_eq!(errors(&loaded), ["\"client_header_timeout\" directive is not allowed here"]);
    }
}
