//! `leaf new`: an empty repository.

use super::global::{Global, Who};
use super::login::new_password;
use crate::disk::{self, Access};
use crate::error::CliError;
use crate::output::{GOOD, STRONG, paint};
use crate::world;
use clap::Args;
use leaf_core::id::{ProjectCode, ServerCode, to_hex};
use leaf_core::repo::{Author, NewRepo, Repo};
use serde_json::json;
use std::path::PathBuf;

/// Make an empty repository
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  leaf new project.fossil\n  leaf new --name 'My project' --user alice project.fossil\n  printf 'secret\\n' | leaf new --password project.fossil"
)]
pub(super) struct New {
    /// The file to make
    file: PathBuf,
    /// Name of the project
    #[arg(long)]
    name: Option<String>,
    /// Ask for the first user's password; without it nobody can log in until `leaf user password`
    #[arg(long)]
    password: bool,
    #[command(flatten)]
    who: Who,
}

impl New {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let admin = self.who.admin(None, global.out());
        let now = world::now();
        let password = if self.password {
            new_password(&admin)?.reveal().to_owned()
        } else {
            to_hex(&world::entropy())
        };
        let db = disk::connect(&self.file, Access::Create)?;
        let new = NewRepo {
            project_code: ProjectCode::from_random(world::entropy()),
            server_code: ServerCode::from_random(world::entropy()),
            project_name: self.name.clone(),
            admin: admin.clone(),
            admin_password: password,
            now,
        };
        let mut repo = Repo::create(db, &new)?;
        let author = Author {
            user: admin.clone(),
            date: now,
        };
        let (_, checkin) = repo.write(|tx| tx.initial_checkin(&author))?;
        let value = json!({
            "file": self.file,
            "project_code": new.project_code.as_str(),
            "server_code": new.server_code.as_str(),
            "admin": admin,
            "checkin": checkin.to_string(),
        });
        let shown = self.file.display();
        global.out().answer(&value, |out| {
            writeln!(out, "{} {shown}, first user {admin}", paint(GOOD, "made"))?;
            writeln!(out, "project-code {}", new.project_code)?;
            writeln!(out, "next: {}", paint(STRONG, format!("leaf serve {shown}")))
        })
    }
}
