//! Leaves that call each other by key from hosts without a route between them: real kernels, routers and packets.
//!
//! Needs root, for the hosts are network namespaces, and `ip`, `nft` and `tcpdump`; without them every test fails and
//! says what is missing. Stock Fossil is the judge of every repository that comes out.
//!
//! Source: RFC 4787 for what routers do to addresses.
#![cfg(target_os = "linux")]

mod capture;
mod cut;
mod local;
mod net;
mod pair;
mod path;
