//! `leaf info`: which repository this is, and how much is in it.

use super::global::Global;
use crate::disk::{self, Access};
use crate::error::CliError;
use crate::output::{DIM, HASH, human_bytes, paint, tame};
use clap::Args;
use leaf_core::repo::TimelineQuery;
use serde_json::json;
use std::path::PathBuf;

/// Show which repository this is and what is in it
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  leaf info project.fossil\n  leaf info --json -R project.fossil")]
pub(super) struct Info {
    /// The repository, instead of -R
    file: Option<PathBuf>,
}

impl Info {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let file = global.file(self.file.as_deref())?;
        let repo = disk::open(file, Access::Read)?;
        let bytes = std::fs::metadata(file)?.len();
        let name = repo.config("project-name")?;
        let (project, server) = (repo.project_code()?, repo.server_code()?);
        let (artifacts, phantoms) = (repo.artifact_count()?, repo.phantom_count()?);
        let branches = repo.branches()?;
        let open = branches.iter().filter(|branch| !branch.is_closed).count();
        let unversioned = repo.uv_list()?.iter().filter(|file| file.hash.is_some()).count();
        let remote = repo.config("last-sync-url")?;
        let latest = repo.timeline(&TimelineQuery {
            limit: 1,
            ..TimelineQuery::default()
        })?;
        let latest = latest.first();
        let value = json!({
            "file": file,
            "bytes": bytes,
            "project_name": name,
            "project_code": project.as_str(),
            "server_code": server.as_str(),
            "artifacts": artifacts,
            "phantoms": phantoms,
            "branches": branches.len(),
            "open_branches": open,
            "unversioned": unversioned,
            "hash_policy": repo.hash_policy()? as i64,
            "remote": remote,
            "latest": latest.map(|entry| json!({ "hash": entry.hash.to_string(), "time": entry.time.iso_ms() })),
        });
        let newest = latest.map(|entry| format!("{} {}", entry.time, paint(HASH, entry.hash)));
        let lines = [
            ("project", name.map(|name| tame(&name))),
            ("project-code", Some(project.to_string())),
            ("server-code", Some(server.to_string())),
            (
                "file",
                Some(format!("{} ({})", file.display(), human_bytes(bytes))),
            ),
            ("artifacts", Some(artifacts.to_string())),
            ("phantoms", (phantoms > 0).then(|| phantoms.to_string())),
            ("branches", Some(format!("{} ({open} open)", branches.len()))),
            ("unversioned", (unversioned > 0).then(|| unversioned.to_string())),
            ("newest", newest),
            ("remote", remote.map(|url| tame(&url))),
        ];
        global.out().answer(&value, |out| {
            for (label, text) in lines
                .iter()
                .filter_map(|(label, text)| Some((label, text.as_ref()?)))
            {
                writeln!(out, "{} {text}", paint(DIM, format!("{label:<13}")))?;
            }
            Ok(())
        })
    }
}
