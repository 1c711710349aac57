//! `leaf completions`: what shells need to complete commands.

use super::global::Global;
use crate::error::CliError;
use clap::Args;
use clap_complete::Shell;

/// Print what a shell needs to complete `leaf` commands
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf completions bash > ~/.local/share/bash-completion/completions/leaf\n  leaf completions zsh > ~/.zfunc/_leaf"
)]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::definition(), "leaf", &mut script);
        global.out().bytes(&script)
    }
}
