//! The program as people and scripts meet it: transcripts, exit codes, its HTTP server, and servers that misbehave.
#![cfg(not(target_arch = "wasm32"))]

mod encrypted;
mod hostile_server;
mod http_server;
mod resume;
mod secrets;
mod transcript;
mod who;
