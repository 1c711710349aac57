//! Sync over a real wire with the `fossil` program: our session against its server, its commands against ours; and
//! `leaf serve` as browsers see it.
//!
//! Small on purpose: HTTP by hand over a socket, so that nothing but the protocol is on trial here.

mod broker;
mod client;
mod http;
mod raw;
mod server;
mod stock;
mod web_page;
