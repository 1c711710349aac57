//! One leaf: a repository on a disk that outlives it, a clock, and a fuse.
//!
//! The disk is a database in memory that the simulation keeps open. Dropping the [`Repo`] is the crash; a burnt
//! fuse interrupts SQLite in the middle of a statement, so that the crash falls inside a transaction.

use crate::world::{PASSWORD, project};
use leaf_core::id::ServerCode;
use leaf_core::limits::Limits;
use leaf_core::repo::{Author, NewRepo, Repo, RepoError, UserChange};
use leaf_core::sync::SeenLogins;
use leaf_core::time::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Interrupts SQLite after so many steps of its machine; negative when it is not lit.
#[derive(Debug, Default)]
pub(crate) struct Fuse(AtomicI64);

/// Steps of SQLite's machine between two looks at the fuse.
const FUSE_OPS: i32 = 40;

impl Fuse {
    fn burn(&self) -> bool {
        match self.0.load(Ordering::Relaxed) {
            0 => true,
            left if left < 0 => false,
            left => {
                self.0.store(left - 1, Ordering::Relaxed);
                false
            }
        }
    }

    pub(crate) fn light(&self, length: i64) {
        self.0.store(length, Ordering::Relaxed);
    }

    /// Puts it out. Whether it was burnt down.
    pub(crate) fn quench(&self) -> bool {
        self.0.swap(-1, Ordering::Relaxed) == 0
    }
}

/// What a leaf holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Nothing, or part of a clone of that leaf.
    Cloning { from: usize },
    /// A repository.
    Whole,
}

pub(crate) struct Leaf {
    pub(crate) index: usize,
    pub(crate) phase: Phase,
    /// `None` only while it is down, or before its clone began.
    pub(crate) repo: Option<Repo>,
    /// The disk, for what the simulation looks up by itself.
    pub(crate) disk: Connection,
    disk_name: String,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) seen: SeenLogins,
    pub(crate) skew_ms: i64,
    /// May exchange private artifacts with others that are.
    pub(crate) is_trusted: bool,
    limits: Limits,
}

/// Disks have names for the whole process.
static DISKS: AtomicU64 = AtomicU64::new(0);

fn new_disk() -> (String, Connection) {
    let number = DISKS.fetch_add(1, Ordering::Relaxed);
    let name = if cfg!(target_arch = "wasm32") {
        format!("sim-{number}.fossil")
    } else {
        format!("file:/sim-{number}.fossil?vfs=memdb")
    };
    let disk = Connection::open(&name).expect("memory is there");
    (name, disk)
}

impl Leaf {
    pub(crate) fn new(index: usize, phase: Phase, limits: Limits) -> Self {
        let (disk_name, disk) = new_disk();
        let fuse = Arc::new(Fuse(AtomicI64::new(-1)));
        let (repo, seen) = (None, SeenLogins::default());
        Self {
            index,
            phase,
            repo,
            disk,
            disk_name,
            fuse,
            seen,
            skew_ms: 0,
            is_trusted: false,
            limits,
        }
    }

    fn connect(&self) -> Connection {
        let mut db = Connection::open(&self.disk_name).expect("memory is there");
        let fuse = Arc::clone(&self.fuse);
        db.progress_handler(FUSE_OPS, Some(move || fuse.burn()))
            .expect("SQLite calls back");
        db
    }

    fn new_repo(&self, now: Timestamp) -> NewRepo {
        NewRepo {
            project_code: project(),
            server_code: ServerCode::from_random([u8::try_from(self.index).expect("few leaves"); 20]),
            project_name: None,
            admin: format!("admin{}", self.index),
            admin_password: PASSWORD.to_owned(),
            now,
        }
    }

    /// Makes a repository of the project, with or without the first check-in.
    pub(crate) fn create(&mut self, now: Timestamp, initial_checkin: bool) -> Result<(), RepoError> {
        let mut repo = Repo::create(self.connect(), &self.new_repo(now))?;
        if initial_checkin {
            let author = Author {
                user: "sim".into(),
                date: now,
            };
            repo.write(|tx| tx.initial_checkin(&author))?;
        }
        self.repo = Some(repo);
        self.phase = Phase::Whole;
        self.add_users(now)
    }

    /// The users that sync: `sim` may read and write, `vip` may have private artifacts as well.
    pub(crate) fn add_users(&mut self, now: Timestamp) -> Result<(), RepoError> {
        let limits = self.limits;
        self.repo().set_limits(limits);
        self.repo().write(|tx| {
            for (login, capabilities) in [("sim", "gioy"), ("vip", "gioxy")] {
                let (password, capabilities) = (Some(PASSWORD), Some(capabilities));
                tx.set_user(
                    login,
                    &UserChange {
                        password,
                        capabilities,
                        info: None,
                    },
                    now,
                )?;
            }
            Ok(())
        })
    }

    /// Begins a clone, or goes on with one.
    pub(crate) fn open_clone(&mut self, now: Timestamp) -> Result<(), RepoError> {
        if self.repo.is_some() {
            return Ok(());
        }
        let is_blank = self.number("SELECT count(*) FROM sqlite_schema") == 0;
        let mut repo = if is_blank {
            Repo::create_for_clone(self.connect(), &self.new_repo(now))?
        } else {
            Repo::open_unfinished(self.connect())?
        };
        repo.set_limits(self.limits);
        self.repo = Some(repo);
        Ok(())
    }

    /// Throws away a clone that came to nothing.
    pub(crate) fn wipe(&mut self) {
        self.repo = None;
        (self.disk_name, self.disk) = new_disk();
    }

    /// Loses everything that is not on the disk.
    pub(crate) fn crash(&mut self) -> Result<(), RepoError> {
        self.repo = None;
        self.fuse.quench();
        self.seen = SeenLogins::default();
        if self.phase == Phase::Whole {
            let mut repo = Repo::open(self.connect())?;
            repo.set_limits(self.limits);
            self.repo = Some(repo);
        }
        Ok(())
    }

    pub(crate) fn repo(&mut self) -> &mut Repo {
        self.repo.as_mut().expect("only leaves that are up are asked")
    }

    pub(crate) fn now(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(self.skew_ms)
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.disk.query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        let mut statement = self.disk.prepare(sql).expect("well-formed SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("text")
    }

    /// Differs after whatever should have changed nothing and did.
    pub(crate) fn fingerprint(&self) -> Vec<i64> {
        if self.number("SELECT count(*) FROM sqlite_schema") == 0 {
            return Vec::new();
        }
        let mut sums =
            vec![self.number("SELECT coalesce(sum(rid*7+size+coalesce(length(content),0)*3), 0) FROM blob")];
        for table in [
            "blob", "delta", "rcvfrom", "event", "mlink", "plink", "tagxref", "leaf", "private",
        ] {
            sums.push(self.number(&format!("SELECT count(*) FROM {table}")));
        }
        for table in [
            "phantom",
            "unsent",
            "unclustered",
            "orphan",
            "config",
            "ticketchng",
            "backlink",
        ] {
            sums.push(self.number(&format!("SELECT count(*) FROM {table}")));
        }
        sums
    }
}
