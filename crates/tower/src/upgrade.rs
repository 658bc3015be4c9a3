//! Upgrades (RFC 9110 §7.8): after 101 the bytes go both ways until one side ends. Not here: what is in them.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

/// The client's side of an upgrade that it asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    protocol: HeaderValue,
    client: OnUpgrade,
}

/// What the client asks for, if its server can give the connection away.
pub(crate) fn asked<B>(request: &mut Request<B>) -> Option<Asked> {
    let named = request.headers().get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let wanted = named.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("upgrade"));
    let protocol = request.headers().get(UPGRADE).cloned()?;
    let h2c = protocol.as_bytes().eq_ignore_ascii_case(b"h2c");
    if !wanted || h2c || request.version() != Version::HTTP_11 {
        return None;
    }
    let client = request.extensions_mut().remove::<OnUpgrade>()?;
    Some(Asked { protocol, client })
}

impl Asked {
    /// Asks the endpoint for the same.
    pub(crate) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
    }

    /// Joins both sides once the client has its 101.
    pub(crate) fn join<R>(self, response: &mut Response<R>) {
        let endpoint = hyper::upgrade::on(response);
        tokio::spawn(async move {
            if let (Ok(client), Ok(endpoint)) = tokio::join!(self.client, endpoint) {
                let (mut client, mut endpoint) = (TokioIo::new(client), TokioIo::new(endpoint));
                // Either side may end it at any time: an error is an end like any other.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut endpoint).await;
            }
        });
    }
}

/// Whether the endpoint agreed.
pub(crate) fn is_agreed<R>(response: &Response<R>) -> bool {
    response.status() == StatusCode::SWITCHING_PROTOCOLS
}
