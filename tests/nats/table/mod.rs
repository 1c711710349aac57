//! The cases, one file per theme.

mod auth;
mod framing;
mod handshake;
mod headers;
mod liveness;
mod no_responders;
mod permissions;
mod queue;
mod random;
mod subjects;
mod subscriptions;
mod websocket;
