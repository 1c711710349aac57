//! `leaf clone`: everything of a server's repository, verified before it counts as one.
//!
//! The file is a repository only after every artifact in it was checked. A clone that was cut off is continued by
//! the same command, from where it was.

use super::global::{Global, Who};
use super::login::{Login, RemoteArgs};
use super::verify::sums;
use crate::check::check_all;
use crate::disk::{self, Access};
use crate::drive::{Driven, drive};
use crate::error::{CliError, Exit};
use crate::output::{GOOD, STRONG, count, human_bytes, paint};
use crate::progress::{Progress, rate, traffic};
use crate::remote::{NatsRemote, NatsSession, Remote};
use crate::world;
use clap::Args;
use leaf_core::id::{ProjectCode, ServerCode, to_hex};
use leaf_core::repo::{ConfigGroup, NewRepo, Repo, RepoError, UserChange};
use leaf_core::sync::{Goal, SyncOptions};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Fetch a repository from a server and verify all of it
#[derive(Args, Debug)]
#[command(
    after_help = "A clone that was cut off is continued by the same command.\n\nExamples:\n  leaf clone http://localhost:8080/ project.fossil\n  LEAF_PASSWORD=.. leaf clone https://alice@example.org/project project.fossil\n  leaf clone --unversioned --private http://alice@localhost:8080/ project.fossil\n  leaf clone nats://localhost:4222/my-project project.fossil\n  leaf clone iroh://ENDPOINT-ID?addr=192.0.2.7:4433 project.fossil"
)]
pub(super) struct Clone {
    /// http[s]://[user[:password]@]host[:port][/path], nats://[user[:password]@]host[:port][/PROJECT],
    /// or `iroh://ENDPOINT-ID[/PROJECT][?addr=IP:PORT&relay=URL]`
    url: String,
    /// The file to make
    file: PathBuf,
    /// Unversioned files, too
    #[arg(short, long)]
    unversioned: bool,
    /// Private branches, too; the server must grant it
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(flatten)]
    who: Who,
}

/// What is to be cloned, and how.
pub(super) struct Fetch<'a> {
    pub(super) url: &'a str,
    pub(super) file: &'a Path,
    pub(super) unversioned: bool,
    pub(super) private: bool,
    pub(super) remote: &'a RemoteArgs,
    pub(super) who: &'a Who,
}

impl Clone {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let fetch = Fetch {
            url: &self.url,
            file: &self.file,
            unversioned: self.unversioned,
            private: self.private,
            remote: &self.remote,
            who: &self.who,
        };
        fetch.run(global)
    }
}

impl Fetch<'_> {
    pub(super) fn run(&self, global: &Global) -> Result<(), CliError> {
        let login = Login::to(self.url)?;
        // A server that is not there leaves no file.
        let session = match login.url.is_nats() {
            true => Some(self.remote.by_nats(&login)?),
            false => None,
        };
        let admin = self.who.admin(login.url.user(), global.out());
        let (mut repo, is_new) = self.prepare(&admin)?;
        let connected = match session {
            Some(session) => self.find(session, &repo),
            None => self.remote.without_nats(&login).map(|remote| (remote, None)),
        };
        let (mut remote, project) = match connected {
            Ok(connected) => connected,
            Err(error) => return Err(self.abandon(repo, is_new, error)),
        };
        if !is_new {
            global.out().note("going on with the clone that was cut off");
        }
        let options = SyncOptions {
            login: login.credentials(),
            private: self.private,
            unversioned: self.unversioned,
            config_pull: ConfigGroup::matching("/all"),
            project,
            ..SyncOptions::new(Goal::Clone, login.url.marked())
        };
        let driven = match drive(&mut repo, &mut remote, options, "cloning", global.out()) {
            Ok(driven) => driven,
            Err(error) => return Err(self.abandon(repo, is_new, error)),
        };
        self.remote.remember(&mut repo, &remote, &login)?;
        set_up_admin(&mut repo, &admin)?;
        // What follows must be on the disk when it says so, unlike what came before it, and needs no large cache.
        drop(repo);
        let mut repo = Repo::open_unfinished(disk::connect(self.file, Access::Write)?)?;
        let begin = Instant::now();
        // The disk takes what has arrived while it is checked.
        let (checked, durable) = std::thread::scope(|scope| {
            let durable = scope.spawn(|| disk::make_durable(self.file));
            let checked = check_all(&repo, self.file, "verifying", global.out(), open_unfinished);
            (checked, durable.join())
        });
        let checked = checked?;
        durable.map_err(|_| CliError::usage("the thread that wrote to the disk has panicked"))??;
        let (artifacts, bytes) = sums(&checked);
        let speed = rate(bytes, begin.elapsed());
        let progress = Progress::open_ended(global.out(), "linking artifacts");
        let finished = repo.finish_clone(checked, world::now());
        progress.finish();
        finished.map_err(|error| self.not_verified(error))?;
        self.report(
            global,
            &driven,
            &format!(
                "{} of {}{speed}",
                count(artifacts, "artifact"),
                human_bytes(bytes)
            ),
        )
    }

    /// The leaf to clone from, by NATS: the one that the clone was begun with, while it is there.
    fn find(&self, session: NatsSession, repo: &Repo) -> Result<(Remote, Option<ProjectCode>), CliError> {
        let (project, peer) = session.place(repo.clone_source()?.as_deref())?;
        let own = repo.server_code()?.as_str().to_owned();
        let remote = NatsRemote::new(session, &project, own, peer, self.remote.silence_max());
        Ok((Remote::Nats(Box::new(remote)), Some(project)))
    }

    /// The file to clone into: a new one, or one that an earlier clone left unfinished.
    fn prepare(&self, admin: &str) -> Result<(Repo, bool), CliError> {
        let during = |error: RepoError| {
            CliError::from(error).during(format!("cannot clone into {}", self.file.display()))
        };
        if self.file.exists() {
            let repo = open_unfinished(self.file, Access::Write).map_err(|error| {
                error
                    .during(format!("{} exists already", self.file.display()))
                    .next_step("choose another file; to fetch what is new, run `leaf pull -R FILE`")
            })?;
            return Ok((repo, false));
        }
        let db = disk::connect(self.file, Access::Create)?;
        disk::relax(&db)?;
        let new = NewRepo {
            project_code: ProjectCode::from_random(world::entropy()),
            server_code: ServerCode::from_random(world::entropy()),
            project_name: None,
            admin: admin.to_owned(),
            admin_password: to_hex(&world::entropy()),
            now: world::now(),
        };
        Repo::create_for_clone(db, &new)
            .map(|repo| (repo, true))
            .map_err(during)
    }

    /// Takes away a file that nothing was received into; else says how to go on.
    fn abandon(&self, repo: Repo, is_new: bool, error: CliError) -> CliError {
        let is_empty = repo.artifact_count().is_ok_and(|artifacts| artifacts == 0);
        drop(repo);
        let file = self.file.display();
        if is_new && is_empty {
            // If it stays, the next clone continues it.
            std::fs::remove_file(self.file).ok();
            return error.during(format!("nothing was cloned into {file}"));
        }
        error
            .during(format!("the clone {file} is not complete"))
            .next_step("run the same command again: what has arrived is kept")
    }

    fn not_verified(&self, error: RepoError) -> CliError {
        let is_bad = matches!(error, RepoError::WrongContent { .. });
        let cli = CliError::from(error).during("the clone is not what it claims to be");
        if is_bad {
            return cli.with_exit(Exit::No).next_step(format!(
                "the server holds damaged artifacts: ask its owner to verify; {} is no repository",
                self.file.display()
            ));
        }
        cli
    }

    fn report(&self, global: &Global, driven: &Driven, verified: &str) -> Result<(), CliError> {
        let stats = &driven.stats;
        let value = json!({
            "file": self.file,
            "artifacts": stats.artifacts_received,
            "unversioned": stats.uv_received,
            "rounds": stats.rounds,
            "bytes_received": driven.bytes_received,
            "bytes_sent": driven.bytes_sent,
            "remarks": driven.remarks,
        });
        global.out().answer(&value, |out| {
            if global.out().quiet {
                return Ok(());
            }
            let wire = traffic(
                stats.rounds,
                driven.bytes_received,
                driven.bytes_sent,
                driven.elapsed,
            );
            writeln!(out, "{} {wire}", paint(GOOD, "cloned  "))?;
            writeln!(out, "{} {verified}", paint(GOOD, "verified"))?;
            for remark in &driven.remarks {
                writeln!(out, "note: {remark}")?;
            }
            writeln!(
                out,
                "next: {}",
                paint(STRONG, format!("leaf timeline -R {}", self.file.display()))
            )
        })
    }
}

/// Opens a file whose clone is not finished.
fn open_unfinished(file: &Path, access: Access) -> Result<Repo, CliError> {
    let db = disk::connect(file, access)?;
    if access == Access::Write {
        disk::relax(&db)?;
    }
    Ok(Repo::open_unfinished(db)?)
}

/// The first user of the clone, with a password that nobody knows.
fn set_up_admin(repo: &mut Repo, admin: &str) -> Result<(), CliError> {
    let password = to_hex(&world::entropy());
    let change = UserChange {
        password: Some(&password),
        capabilities: Some("s"),
        info: None,
    };
    repo.write(|tx| tx.set_user(admin, &change, world::now()))?;
    Ok(())
}
