//! The TLS handshake with an endpoint. It succeeds with any certificate, and reports why a client that verifies would refuse
//! it. Not here: what certificates say (`certificate`), and requests.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use policy::failure::first_bytes;
use policy::{Cause, Failure};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, DigitallySignedStruct, ProtocolVersion, RootCertStore,
    SignatureScheme, StreamOwned,
};

use super::certificate;
use super::facts::Tls;
use super::link::{Plain, is_timeout};

/// How a handshake is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    /// The name to ask for and to verify.
    pub(super) name: &'a str,
    /// Whether the name is sent (SNI).
    pub(super) says_name: bool,
    /// The protocols to offer (ALPN).
    pub(super) protocols: &'a [&'a str],
}

/// A connection in TLS.
pub(super) type Stream = StreamOwned<ClientConnection, Plain>;

/// Makes a handshake.
///
/// # Errors
/// It fails, for whatever reason but the certificate.
pub(super) fn handshake(
    mut plain: Plain,
    wish: Wish<'_>,
    roots: &Arc<RootCertStore>,
) -> Result<(Stream, Tls), Failure> {
    let witness = Arc::new(Witness::new(roots));
    let name = ServerName::try_from(wish.name.to_owned());
    let name = name.map_err(|_| Failure::new(Cause::TlsProtocolError).detail("the host is no name that TLS knows"))?;
    let mut client = configuration(&witness)
        .and_then(|mut config| {
            config.enable_sni = wish.says_name;
            config.alpn_protocols = wish.protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
            ClientConnection::new(Arc::new(config), name)
        })
        .map_err(|error| failed(&error, &[]))?;
    while client.is_handshaking() {
        client.complete_io(&mut plain).map_err(|error| broken(&error, &plain))?;
    }
    let tls = witness.facts(&client);
    Ok((StreamOwned::new(client, plain), tls))
}

fn configuration(witness: &Arc<Witness>) -> Result<ClientConfig, rustls::Error> {
    let config = ClientConfig::builder_with_provider(witness.provider.clone()).with_safe_default_protocol_versions()?;
    let verifier: Arc<dyn ServerCertVerifier> = witness.clone();
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// What an error of a read or write in TLS means; nothing if it is not TLS's.
pub(super) fn failure(error: &io::Error) -> Option<Failure> {
    error.get_ref()?.downcast_ref::<rustls::Error>().map(|error| failed(error, &[]))
}

fn broken(error: &io::Error, plain: &Plain) -> Failure {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    match cause {
        Some(error) => failed(error, &plain.first),
        None if is_timeout(error) => Failure::timed_out(policy::Phase::Tls),
        None if !plain.first.is_empty() => not_tls(&plain.first).unwrap_or_else(|| ended(error)),
        None => ended(error),
    }
}

fn ended(error: &io::Error) -> Failure {
    Failure::from_io(policy::Phase::Tls, error.raw_os_error(), false)
}

/// What other bytes than TLS's are.
fn not_tls(first: &[u8]) -> Option<Failure> {
    let cause = first_bytes::speaks(first).instead_of_tls();
    (cause != Cause::TlsProtocolError).then(|| Failure::new(cause).with(|evidence| evidence.saw(first)))
}

fn failed(error: &rustls::Error, first: &[u8]) -> Failure {
    match error {
        rustls::Error::AlertReceived(alert) => {
            let number = u8::from(*alert);
            Failure::new(meant(*alert)).with(|evidence| evidence.alert = Some(number))
        }
        rustls::Error::InvalidMessage(_) | rustls::Error::InappropriateMessage { .. } if !first.is_empty() => {
            not_tls(first).unwrap_or_else(|| protocol_error(error))
        }
        rustls::Error::PeerIncompatible(_) => Failure::new(Cause::TlsNoCommonParameters).detail(error.to_string()),
        _ => protocol_error(error),
    }
}

fn protocol_error(error: &rustls::Error) -> Failure {
    Failure::new(Cause::TlsProtocolError).detail(error.to_string())
}

fn meant(alert: AlertDescription) -> Cause {
    match alert {
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => Cause::TlsNoCommonParameters,
        AlertDescription::UnrecognisedName => Cause::TlsNameUnknown,
        AlertDescription::CertificateRequired => Cause::TlsClientCertificateWanted,
        _ => Cause::TlsAlert,
    }
}

/// Lets every certificate pass, and remembers what a strict client would have said.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    /// There is none where nothing is trusted.
    strict: Option<Arc<WebPkiServerVerifier>>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    refused: Option<rustls::Error>,
}

impl Witness {
    fn new(roots: &Arc<RootCertStore>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let strict = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build().ok();
        Self { provider, strict, seen: Mutex::default() }
    }

    fn facts(&self, client: &ClientConnection) -> Tls {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let chain: Vec<_> = seen.chain.iter().filter_map(certificate::read).collect();
        let version = match client.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        Tls {
            version,
            alpn: client.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
            refused: seen.refused.as_ref().map(|error| certificate::refusal(error, &chain)),
            chain,
            needs_name: false,
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self
            .strict
            .as_ref()
            .map(|strict| strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.chain = [end_entity].into_iter().chain(intermediates).map(|one| one.clone().into_owned()).collect();
        seen.refused = verified.and_then(Result::err);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
