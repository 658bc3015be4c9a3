//! What certificates say of themselves, and why a client would refuse one. Not here: the handshake (`tls`).

use std::net::IpAddr;
use std::path::Path;

use policy::{Cause, Failure};
use rustls::CertificateError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::Certificate as X509;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use super::facts::Certificate;

/// Where systems keep what they trust; the first file that is there counts.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates that the system trusts, and those of a file.
///
/// # Errors
/// The file cannot be read or holds none.
pub(super) fn roots(extra: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let system = BUNDLES.iter().map(Path::new).find(|path| path.is_file());
    if let Some(path) = system {
        // Those that cannot be understood are of no use to anybody.
        store.add_parsable_certificates(CertificateDer::pem_file_iter(path).into_iter().flatten().flatten());
    }
    if let Some(path) = extra {
        let wrong = |why: String| format!("{}: {why}", path.display());
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let (added, _) = store.add_parsable_certificates(read.map_err(|error| wrong(error.to_string()))?);
        if added == 0 {
            return Err(wrong("there is no certificate in it".into()));
        }
    }
    Ok(store)
}

/// What a certificate says; nothing if it cannot be understood.
pub(super) fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
    let parsed = X509::from_der(der).ok()?;
    let certificate = parsed.tbs_certificate();
    let names = certificate.get_extension::<SubjectAltName>().ok().flatten();
    let names = names.map(|(_, names)| names.0.iter().filter_map(shown).collect());
    Some(Certificate {
        subject: called(certificate.subject()),
        issuer: called(certificate.issuer()),
        names: names.unwrap_or_default(),
        expires: day(certificate.validity().not_after.to_unix_duration().as_secs()),
    })
}

/// The common name, or all of it where there is none.
fn called(name: &Name) -> String {
    name.common_name().ok().flatten().map_or_else(|| name.to_string(), |name| name.value().into_owned())
}

fn shown(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// `2027-01-31`, in UTC.
fn day(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "never".into(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// The cause that a refusal of rustls is, with what is in the certificate.
pub(super) fn refusal(error: &rustls::Error, chain: &[Certificate]) -> Failure {
    let cause = match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Cause::CertificateExpired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Cause::CertificateNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Cause::CertificateWrongName
            }
            _ => Cause::CertificateUntrusted,
        },
        _ => Cause::CertificateUntrusted,
    };
    Failure::new(cause).detail(detail(cause, chain))
}

fn detail(cause: Cause, chain: &[Certificate]) -> String {
    let Some(leaf) = chain.first() else { return "a certificate that cannot be understood".into() };
    match cause {
        Cause::CertificateExpired => format!("expired on {}", leaf.expires),
        Cause::CertificateWrongName => format!("it is for {}", leaf.names.join(", ")),
        Cause::CertificateUntrusted if chain.len() == 1 && leaf.issuer != leaf.subject => {
            format!("issued by {}, whose certificate was not sent and is not trusted here", leaf.issuer)
        }
        Cause::CertificateUntrusted if leaf.issuer == leaf.subject => "it is signed by itself".into(),
        _ => format!("issued by {}", chain.last().map_or("", |last| last.issuer.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(subject: &str, issuer: &str) -> Certificate {
        Certificate {
            subject: subject.into(),
            issuer: issuer.into(),
            names: vec!["a.example".into()],
            expires: day(1_800_000_000),
        }
    }

    fn refused(error: CertificateError, chain: &[Certificate]) -> (Cause, String) {
        let failure = refusal(&rustls::Error::InvalidCertificate(error), chain);
        (failure.cause, failure.evidence().to_string())
    }

    #[test]
    fn refusals_say_what_is_in_the_certificate() {
        let leaf = [certificate("a", "b")];
        let expired = refused(CertificateError::Expired, &leaf);
        assert_eq!(expired, (Cause::CertificateExpired, "expired on 2027-01-15".into()));
        let name = refused(CertificateError::NotValidForName, &leaf);
        assert_eq!(name, (Cause::CertificateWrongName, "it is for a.example".into()));
        let (_, incomplete) = refused(CertificateError::UnknownIssuer, &leaf);
        assert_eq!(incomplete, "issued by b, whose certificate was not sent and is not trusted here");
        let (_, own) = refused(CertificateError::UnknownIssuer, &[certificate("a", "a")]);
        assert_eq!(own, "it is signed by itself");
    }

    #[test]
    fn a_file_without_certificates_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(roots(Some(file.path())).unwrap_err().ends_with(": there is no certificate in it"));
    }
}
