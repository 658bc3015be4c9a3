//! One test for each MUST of RFC 9112 (and of RFC 9110 where it says how messages are framed or forwarded) that concerns
//! who stands between a client and a server, and for each tolerance that nginx has and that harms nobody. A name says the
//! behaviour, the comment above says where it is asked for.
//!
//! Not here: what the gateway does with a whole exchange, which are `tidegate`'s scenarios and its cases beside nginx. Among
//! them are these MUSTs: a request without `Host` or with a bad one is a 400 (§3.2), an absolute target beats `Host`
//! (§3.2.2), the connection ends after an answer to broken framing (§6.3), and the gateway writes its own version (§2.3).

mod chunked;
mod connection;
mod encoding;
mod framing;
mod read;
mod requests;
mod responses;
mod tolerances;
