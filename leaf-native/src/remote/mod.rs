//! Carrying one round to a server. Today by HTTP; which server, and as whom, is a [`RemoteUrl`].

mod http;
mod obscure;
mod url;

pub use http::{HttpError, HttpOptions, HttpRemote, HttpReply, RoundRequest};
pub use obscure::{obscure, unobscure};
pub use url::{BadUrl, RemoteUrl, Secret};
