//! The causes, and the table in which each has its row. Not here: what the rows say (`causes`).

use super::causes;
use super::row::{Code, Row};

/// Declares the causes and how many there are.
macro_rules! causes {
    ($($cause:ident,)*) => {
        /// Why an exchange failed: one cause for each thing that needs other advice or other policy.
        ///
        /// What each means is said by [`Cause::row`], and in the manual.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each has a row that says what it means")]
        pub enum Cause {
            $($cause,)*
        }

        impl Cause {
            /// Every cause, in the order of their codes.
            pub const ALL: &'static [Cause] = &[$(Cause::$cause,)*];
        }
    };
}

causes! {
    // Route.
    NoRoute,
    Loop,
    RedirectCycle,
    // Resolve.
    DnsTimeout,
    NameNotFound,
    DnsServerFailed,
    NoAddress,
    NoResolver,
    // Select.
    NoLiveEndpoints,
    EndpointsFull,
    QueueFull,
    QueueTimeout,
    HoldFull,
    HoldTimeout,
    RetryBudgetSpent,
    BreakerOpen,
    // Connect.
    ConnectRefused,
    UnixSocketRefused,
    UnixSocketMissing,
    BacklogFull,
    ConnectReset,
    HostUnreachable,
    NetworkUnreachable,
    ConnectForbidden,
    UnixSocketForbidden,
    ConnectTimeout,
    LocalAddressMissing,
    LocalPortsExhausted,
    DescriptorsExhausted,
    MemoryExhausted,
    ConnectFailed,
    // TLS.
    TlsAlert,
    TlsNoCommonParameters,
    TlsNameUnknown,
    TlsClientCertificateWanted,
    TlsNotSpoken,
    TlsProtocolError,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateWrongName,
    CertificateUntrusted,
    TlsClosed,
    TlsTimeout,
    // Send.
    WriteFailed,
    WriteTimeout,
    // Await the head.
    StaleConnection,
    ClosedBeforeReply,
    ResetBeforeReply,
    ClosedWithinHead,
    ReplyTimeout,
    SilentPath,
    DeadlineExceeded,
    // The head: another protocol.
    NotHttp,
    SpeaksTls,
    SpeaksHttp2,
    SpeaksFastcgi,
    SpeaksSsh,
    SpeaksMail,
    SpeaksFtp,
    SpeaksMysql,
    SpeaksPostgres,
    SpeaksRedis,
    SpeaksMemcached,
    EchoesProxyHeader,
    BodyWithoutHead,
    SpeaksAmqp,
    EchoesRequest,
    // The head: broken HTTP.
    MalformedStatusLine,
    MalformedField,
    BadLength,
    DuplicateLength,
    LengthAndCoding,
    DuplicateCoding,
    UnknownCoding,
    HeadTooLarge,
    FieldTooLarge,
    TooManyFields,
    TooManyInterims,
    UnaskedUpgrade,
    // The body.
    BodyTruncated,
    ChunksTruncated,
    BadChunk,
    BodyReset,
    BodyTimeout,
    BodyTooLarge,
    BadTrailer,
    TrailersTooLarge,
    TrailerTooLarge,
    BadContentCoding,
    // Tunnels.
    TunnelTimeout,
    TunnelReset,
    // HTTP/2.
    H2Goaway,
    H2StreamRefused,
    H2StreamReset,
    H2ProtocolError,
    H2NotSpoken,
    // The client.
    ClientGone,
    ClientCutOff,
    ClientTimeout,
    ClientStalled,
    ClientMalformed,
    ClientHeadTooLarge,
    ClientBodyTooLarge,
    ClientDenied,
    ClientLimited,
    // The gateway.
    InternalError,
    ConfigurationError,
    TempFileFailed,
    FileChanged,
    ShutDown,
    LocalResponse,
    BodyGone,
}

const COUNT: usize = Cause::ALL.len();

/// Every row, at the index of its cause.
static TABLE: [&Row; COUNT] = table();

const fn table() -> [&'static Row; COUNT] {
    let mut table = [&causes::ALL[0][0]; COUNT];
    let mut group = 0;
    while group < causes::ALL.len() {
        let mut at = 0;
        while at < causes::ALL[group].len() {
            table[causes::ALL[group][at].cause as usize] = &causes::ALL[group][at];
            at += 1;
        }
        group += 1;
    }
    table
}

impl Cause {
    /// What is known of it.
    pub fn row(self) -> &'static Row {
        TABLE[self as usize]
    }

    /// Its number.
    pub fn code(self) -> Code {
        self.row().code
    }

    /// Its name in snake case.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The cause of a code (`TG-2001`, without regard to case) or of a name (`connect_refused`).
    pub fn find(text: &str) -> Option<Self> {
        let named = |cause: &&Cause| cause.name() == text || cause.code().to_string().eq_ignore_ascii_case(text);
        Cause::ALL.iter().find(named).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_causes_and_codes() {
        let rows: Vec<&Row> = causes::ALL.iter().copied().flatten().collect();
        let order: Vec<Cause> = rows.iter().map(|row| row.cause).collect();
        assert_eq!(order, Cause::ALL);
        assert!(rows.windows(2).all(|pair| pair[0].code < pair[1].code), "each code follows the one before");
        assert!(Cause::ALL.iter().all(|cause| cause.row().cause == *cause));
    }

    #[test]
    fn a_cause_is_found_by_its_code_and_by_its_name() {
        assert_eq!(Cause::find("TG-2001"), Some(Cause::ConnectRefused));
        assert_eq!(Cause::find("tg-2001"), Some(Cause::ConnectRefused));
        assert_eq!(Cause::find("connect_refused"), Some(Cause::ConnectRefused));
        assert_eq!(Cause::find("TG-0000"), None);
    }
}
