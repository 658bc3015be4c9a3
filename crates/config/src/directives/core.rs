//! The http core module: how responses are made and which request fields count. Not here: connections, error pages,
//! files, bounds on what clients send.

use super::shorthand::{HTTP_SERVER, LEVELS, Row, choice, flag};
use crate::build::Level;
use crate::model::{IfModifiedSince, ServerTokens};

pub(super) fn rows() -> Vec<Row> {
    vec![
        flag("absolute_redirect", LEVELS, |l: &mut Level| &mut l.settings.absolute_redirect)
            .default("on")
            .help("Makes the redirects of the gateway itself absolute.")
            .manual(
                "`off` sends the path alone, which is safer behind another proxy whose port or \
             scheme differs.",
            ),
        flag("server_name_in_redirect", LEVELS, |l: &mut Level| &mut l.settings.server_name_in_redirect)
            .default("off")
            .help("Uses the first server_name in absolute redirects.")
            .manual("`off` uses the request's Host, and the address where there is none."),
        flag("port_in_redirect", LEVELS, |l: &mut Level| &mut l.settings.port_in_redirect)
            .default("on")
            .help("Names the port in absolute redirects.")
            .manual("The scheme's default port is never named."),
        choice(
            "if_modified_since",
            LEVELS,
            &[
                ("off", |l: &mut Level| l.settings.if_modified_since = IfModifiedSince::Off),
                ("exact", |l| l.settings.if_modified_since = IfModifiedSince::Exact),
                ("before", |l| l.settings.if_modified_since = IfModifiedSince::Before),
            ],
        )
        .syntax("off | exact | before")
        .default("exact")
        .help("Says how If-Modified-Since is compared.")
        .manual(
            "`exact` wants the very time, `before` takes a later one as unmodified too, \
             `off` ignores the field.",
        ),
        flag("chunked_transfer_encoding", LEVELS, |l: &mut Level| &mut l.settings.chunked_transfer_encoding)
            .default("on")
            .help("Allows chunked answers to HTTP/1.1 clients.")
            .manual("`off` marks the end of an answer of unknown length by closing the connection."),
        choice(
            "server_tokens",
            LEVELS,
            &[
                ("off", |l: &mut Level| l.settings.server_tokens = ServerTokens::Off),
                ("on", |l| l.settings.server_tokens = ServerTokens::On),
                ("build", |l| l.settings.server_tokens = ServerTokens::Build),
            ],
        )
        .syntax("on | off | build")
        .default("on")
        .help("Says whether the version is shown in the Server field and on error pages.")
        .manual("`build` adds the build's name to the version."),
        flag("ignore_invalid_headers", HTTP_SERVER, |l: &mut Level| &mut l.server.ignore_invalid_headers)
            .default("on")
            .help("Drops request fields whose names are not letters, digits and hyphens.")
            .manual(
                "`off` passes them on. Names that HTTP forbids outright are an error either \
             way. It counts in the default server of an address.",
            ),
        flag("underscores_in_headers", HTTP_SERVER, |l: &mut Level| &mut l.server.underscores_in_headers)
            .default("off")
            .help("Takes an underscore in a request field's name as valid.")
            .manual(
                "`off` treats such a field as invalid: see ignore_invalid_headers. Programs \
             that map both `-` and `_` to one character can be deceived by these fields.",
            ),
        flag("merge_slashes", HTTP_SERVER, |l: &mut Level| &mut l.server.merge_slashes)
            .default("on")
            .help("Takes adjacent slashes of a path as one.")
            .manual(
                "It concerns the choice of a location. With `off`, `//api` does not match \
             `location /api`.",
            ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, in_server};

    #[test]
    fn a_word_out_of_a_choice_is_refused() {
        let loaded = in_server("server_tokens maybe;");
        assert_eq!(errors(&loaded), ["invalid value \"maybe\""]);
    }
}
