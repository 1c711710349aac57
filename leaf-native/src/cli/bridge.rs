//! `leaf bridge`: a Fossil server that is called by HTTP alone answers on NATS, too.

use super::global::Global;
use super::login::{Login, RemoteArgs};
use super::serve::start_log;
use crate::error::CliError;
use crate::mesh::Bridge;
use crate::output::{GOOD, STRONG, paint};
use clap::Args;
use leaf_core::id::{ProjectCode, to_hex};

/// Let a Fossil server that speaks HTTP answer sync and clone requests on NATS
#[derive(Args, Debug)]
#[command(
    after_help = "Logins travel through: the server decides who may do what, as by HTTP.\n\nExamples:\n  leaf bridge --nats nats://localhost:4222 --remote http://localhost:8080/\n  leaf clone nats://localhost:4222 project.fossil"
)]
pub(super) struct BridgeArgs {
    /// The NATS server: nats://, tls://, ws:// or wss://[user[:password]@]host[:port]
    #[arg(long, value_name = "URL")]
    nats: String,
    /// The Fossil server: http[s]://host[:port][/path]
    #[arg(long, value_name = "URL")]
    remote: String,
    /// The project's code, for a server that does not say it
    #[arg(long, value_name = "CODE")]
    project: Option<String>,
    #[command(flatten)]
    args: RemoteArgs,
}

impl BridgeArgs {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        start_log(global.out());
        let remote = Login::to(&self.remote)?;
        if remote.url.is_nats() {
            return Err(CliError::usage("--remote is the Fossil server").next_step("write http://HOST:PORT/"));
        }
        let nats = Login::to_nats(&self.nats)?;
        let bridge = Bridge::new(remote.url.clone(), self.args.options());
        let project = match &self.project {
            Some(code) => ProjectCode::parse(code.as_bytes())
                .map_err(|_| CliError::usage("a project code is 40 lower-case hex digits"))?,
            None => bridge.project()?,
        };
        let session = self.args.by_nats(&nats)?;
        global.out().note(format!(
            "{} {} to {}; Ctrl-C stops",
            paint(GOOD, "bridging"),
            paint(STRONG, &remote.url),
            nats.url
        ));
        let peer_id = to_hex(&crate::world::entropy());
        session
            .runtime
            .block_on(bridge.run(session.line, project, peer_id));
        Ok(())
    }
}
