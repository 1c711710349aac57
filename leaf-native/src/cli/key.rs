//! Who this leaf is to others, and `leaf id`, which says so.

use super::global::Global;
use crate::config::Iroh;
use crate::error::CliError;
use crate::iroh::{Discovery, NodeKey, NodeOptions};
use crate::tls::Trust;
use clap::Args;
use iroh::RelayUrl;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Options of every command that needs the key.
#[derive(Args, Debug)]
pub(super) struct KeyArgs {
    /// The file of this leaf's key, made on first use; default: leaf/key in `$XDG_DATA_HOME`, or in ~/.local/share
    #[arg(long, value_name = "FILE", env = "LEAF_KEY", hide_env = true)]
    key: Option<PathBuf>,
}

/// Options of every command that calls others by key, or is called.
#[derive(Args, Debug)]
pub(super) struct NodeArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// A relay by which this leaf can be reached by key; may be given several times
    #[arg(long, value_name = "URL")]
    relay_url: Vec<RelayUrl>,
    /// Let nothing go directly to or from a leaf that is called by key, but by relays alone
    #[arg(long)]
    relay_only: bool,
    /// Who is told where this leaf is, and asked where others are: nobody; `local`, the network around; or `n0`, the
    /// makers of iroh, whose relays are used then, too
    #[arg(long, value_name = "WHO", value_enum, default_value_t)]
    discovery: Discovery,
}

/// Show by which key other leaves know this one
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  leaf id\n  leaf id --key other.key --json")]
pub(super) struct Id {
    #[command(flatten)]
    key: KeyArgs,
}

impl KeyArgs {
    /// The key.
    pub(super) fn open(&self) -> Result<NodeKey, CliError> {
        NodeKey::open(self.key.as_deref())
    }
}

impl NodeArgs {
    /// What an endpoint is told, by the command line before the file; `ca_cert` vouches for relays, too.
    pub(super) fn options_beside(
        &self,
        file: &Iroh,
        ca_cert: Option<&Path>,
    ) -> Result<NodeOptions, CliError> {
        let key = self.key.key.as_deref().or(file.key.as_deref());
        let relays = [file.relay_urls.as_slice(), &self.relay_url].concat();
        Ok(NodeOptions {
            trust: Trust::new(ca_cert)?,
            key: NodeKey::open(key)?,
            listen: file.listen,
            relays,
            discovery: match self.discovery {
                Discovery::None => file.discovery,
                said => said,
            },
            relay_only: self.relay_only || file.relay_only,
        })
    }

    /// What an endpoint is told.
    pub(super) fn options(&self, ca_cert: Option<&Path>) -> Result<NodeOptions, CliError> {
        self.options_beside(&Iroh::default(), ca_cert)
    }
}

impl Id {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let id = self.key.open()?.id().to_string();
        global
            .out()
            .answer(&json!({ "id": id }), |out| writeln!(out, "{id}"))
    }
}
