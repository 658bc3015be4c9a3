//! The pages that the gateway writes itself when nothing else was configured. Not here: `error_page`.
//!
//! They are nginx's, byte for byte but for the product's name.

use config::model::ServerTokens;

/// The product's name, for `Server` and the pages.
pub const PRODUCT: &str = "tidegate";

/// The product's name and version.
pub const PRODUCT_VERSION: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

/// The product as `server_tokens` shows it.
pub fn product(tokens: ServerTokens) -> &'static str {
    match tokens {
        ServerTokens::Off => PRODUCT,
        ServerTokens::On | ServerTokens::Build => PRODUCT_VERSION,
    }
}

/// The page of a status, as `text/html`; `None` for one that is answered without a body.
///
/// 494 to 497 are nginx's own statuses for faults that are answered with 400: see [`sent_status`].
pub fn page(status: u16, tokens: ServerTokens) -> Option<Vec<u8>> {
    let product = product(tokens);
    let (title, detail) = texts(status)?;
    let heading = if detail.is_some() { "400 Bad Request" } else { title };
    let detail = detail.map_or_else(String::new, |detail| format!("<center>{detail}</center>\r\n"));
    let page = format!(
        "<html>\r\n\
         <head><title>{title}</title></head>\r\n\
         <body>\r\n\
         <center><h1>{heading}</h1></center>\r\n\
         {detail}\
         <hr><center>{product}</center>\r\n\
         </body>\r\n\
         </html>\r\n"
    );
    Some(page.into_bytes())
}

/// The status that goes to the client: nginx answers its own 494 to 497 with 400.
pub fn sent_status(status: u16) -> u16 {
    match status {
        494..=497 => 400,
        other => other,
    }
}

/// Whether nginx closes the connection after answering with this status, since the rest of it cannot be trusted or read.
pub fn closes_connection(status: u16) -> bool {
    matches!(status, 400 | 413 | 414 | 495..=497 | 500 | 501)
}

/// A page's title, and the line that explains a 400.
fn texts(status: u16) -> Option<(&'static str, Option<&'static str>)> {
    let title = match status {
        301 => "301 Moved Permanently",
        302 => "302 Found",
        303 => "303 See Other",
        307 => "307 Temporary Redirect",
        308 => "308 Permanent Redirect",
        400 => "400 Bad Request",
        401 => "401 Authorization Required",
        402 => "402 Payment Required",
        403 => "403 Forbidden",
        404 | 498 => "404 Not Found",
        405 => "405 Not Allowed",
        406 => "406 Not Acceptable",
        408 => "408 Request Time-out",
        409 => "409 Conflict",
        410 => "410 Gone",
        411 => "411 Length Required",
        412 => "412 Precondition Failed",
        413 => "413 Request Entity Too Large",
        414 => "414 Request-URI Too Large",
        415 => "415 Unsupported Media Type",
        416 => "416 Requested Range Not Satisfiable",
        421 => "421 Misdirected Request",
        429 => "429 Too Many Requests",
        494 => return explained("400 Request Header Or Cookie Too Large"),
        495 => return explained("400 The SSL certificate error"),
        496 => return explained("400 No required SSL certificate was sent"),
        497 => return explained("400 The plain HTTP request was sent to HTTPS port"),
        500 => "500 Internal Server Error",
        501 => "501 Not Implemented",
        502 => "502 Bad Gateway",
        503 => "503 Service Temporarily Unavailable",
        504 => "504 Gateway Time-out",
        505 => "505 HTTP Version Not Supported",
        507 => "507 Insufficient Storage",
        _ => return None,
    };
    Some((title, None))
}

fn explained(title: &'static str) -> Option<(&'static str, Option<&'static str>)> {
    Some((title, title.strip_prefix("400 ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(status: u16, tokens: ServerTokens) -> String {
        String::from_utf8(page(status, tokens).unwrap()).unwrap()
    }

    #[test]
    fn pages_are_nginxs_but_for_the_product() {
        assert_eq!(
            text(404, ServerTokens::Off),
            "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
             <center><h1>404 Not Found</h1></center>\r\n<hr><center>tidegate</center>\r\n</body>\r\n</html>\r\n"
        );
        assert_eq!(
            text(497, ServerTokens::On),
            format!(
                "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n\
                 <center><h1>400 Bad Request</h1></center>\r\n\
                 <center>The plain HTTP request was sent to HTTPS port</center>\r\n\
                 <hr><center>{PRODUCT_VERSION}</center>\r\n</body>\r\n</html>\r\n"
            )
        );
    }

    #[test]
    fn the_same_statuses_have_pages_as_in_nginx() {
        let with_page: Vec<u16> = (300..600).filter(|&status| page(status, ServerTokens::On).is_some()).collect();
        let mut expected = vec![301, 302, 303, 307, 308];
        expected.extend(400..=406);
        expected.extend(408..=416);
        expected.extend([421, 429]);
        expected.extend(494..=498);
        expected.extend(500..=505);
        expected.push(507);
        assert_eq!(with_page, expected);
    }

    #[test]
    fn nginxs_own_statuses_are_sent_as_400() {
        assert_eq!(sent_status(494), 400);
        assert_eq!(sent_status(497), 400);
        assert_eq!(sent_status(502), 502);
    }
}
