//! What a session is asked to do.
//!
//! Source: Fossil `src/xfer.c`, the `SYNC_` flags of `client_sync`; `src/sync.c`, `process_sync_args`.

use crate::id::{ArtifactHash, ProjectCode};
use crate::limits::Limits;
use crate::repo::ConfigGroup;

/// Which way artifacts move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Goal {
    /// Everything, into a repository that was made for it.
    Clone,
    /// None move: the session is about configuration or unversioned files alone.
    NoArtifacts,
    /// From the server.
    Pull,
    /// To the server.
    Push,
    /// Both ways.
    Sync,
}

/// Who asks.
#[derive(Clone, Eq, PartialEq)]
pub struct Credentials {
    /// Login name on the server.
    pub user: String,
    /// Password, or the 40 hex digits that Fossil stores for it.
    pub password: String,
}

impl core::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A check-in that the client is about to commit on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CiLock {
    /// The parent-to-be; `None` releases every lock of `client`.
    pub checkin: Option<ArtifactHash>,
    /// Shape: 40 lower-case hex digits, kept by the working copy.
    pub client: String,
}

/// Everything a [`SyncSession`](super::SyncSession) is told at its start.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of one command"
)]
pub struct SyncOptions {
    /// Which way artifacts move.
    pub goal: Goal,
    /// Who asks; `None` is Fossil's `nobody`.
    pub login: Option<Credentials>,
    /// Private artifacts, too. The server must grant it.
    pub private: bool,
    /// Unversioned files, too.
    pub unversioned: bool,
    /// Synced tables, too.
    pub tables: bool,
    /// With `unversioned`: the server is right, whatever the times say; nothing is sent.
    pub unversioned_revert: bool,
    /// Announce and hear of every artifact, not only of those that are in no cluster; ignores marks.
    pub verily: bool,
    /// When pulling: hear of other repositories of the project, and keep what is heard.
    pub share_links: bool,
    /// Configuration to receive.
    pub config_pull: Vec<ConfigGroup>,
    /// Configuration to send. The server must grant it.
    pub config_push: Vec<ConfigGroup>,
    /// A lock to take or release.
    pub ci_lock: Option<CiLock>,
    /// Of a clone: the project, where it is known beforehand. A legacy peer names it in another place.
    pub project: Option<ProjectCode>,
    /// Log in by cookie where the server can, instead of by card.
    pub cookie_login: bool,
    /// Send uncompressed messages, as `fossil --httptrace` does.
    pub debug: bool,
    /// The remote: names the marks that are kept for it. Without a password.
    pub url: String,
    /// Bounds.
    pub limits: Limits,
}

impl SyncOptions {
    /// Plain `goal` with `url`, as nobody; synced tables come along, as they cost a server without any one line.
    pub fn new(goal: Goal, url: impl Into<String>) -> Self {
        Self {
            goal,
            login: None,
            private: false,
            tables: true,
            unversioned: false,
            unversioned_revert: false,
            verily: false,
            share_links: false,
            config_pull: Vec::new(),
            config_push: Vec::new(),
            ci_lock: None,
            project: None,
            cookie_login: false,
            debug: false,
            url: url.into(),
            limits: Limits::default(),
        }
    }
}
