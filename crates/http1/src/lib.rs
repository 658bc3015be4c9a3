//! HTTP/1.1 as bytes: heads, framing and bodies, in both directions (RFC 9112).
//!
//! Everything here is a function of bytes. Not here: sockets, time, and what a gateway does with a message.
#![forbid(unsafe_code)]

pub mod body;
pub mod encode;
pub mod error;
pub mod fields;
pub mod framing;
mod head;
mod names;
mod request;
mod response;
mod syntax;

pub use body::{ChunkLimits, Decoded, Decoder};
pub use error::{BodyError, FramingError, RequestError, ResponseError};
pub use fields::{Field, Fields};
pub use framing::{
    ConnectionOptions, Framing, connection_names_fields, is_forbidden_trailer, is_hop_by_hop, is_named_by_connection,
    persistent, request_framing, response_framing,
};
pub use head::{RequestHead, RequestLimits, ResponseHead, ResponseLimits, Version};
pub use names::{Names, is_variable_of};
pub use request::parse_request;
pub use response::parse_response;
