//! Stand-ins for what sync needs and is not here yet. Each goes as the real one comes.
#![allow(missing_docs, clippy::all, unused)]
use super::{Repo, RepoError, RepoTx};
use crate::id::{ArtifactHash, Rid};
use crate::time::Timestamp;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigGroup {
    User,
    Subscriber,
    Email,
    Project,
}
impl ConfigGroup {
    pub const ALL: [Self; 4] = [Self::User, Self::Subscriber, Self::Email, Self::Project];
    pub fn matching(name: &str) -> Vec<Self> {
        todo!()
    }
    pub fn name(self) -> &'static str {
        todo!()
    }
}
#[derive(Default, Clone, Copy, Debug)]
pub struct Capabilities;
#[derive(Clone, Copy, Debug)]
pub enum Cap {
    Clone,
    Read,
    Write,
    Private,
    WriteUnversioned,
    Admin,
    ReadAddresses,
}
impl Capabilities {
    pub fn has(self, c: Cap) -> bool {
        todo!()
    }
    pub fn union(self, o: Self) -> Self {
        todo!()
    }
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UvVerdict {
    Unknown,
    Pull,
    PullTime,
    Same,
    PushTime,
    Push,
}
pub enum UvBody<'a> {
    Deleted,
    Omitted,
    Plain(&'a [u8]),
    Stored { zblob: &'a [u8], size: u64 },
}
pub struct UvStored {
    pub name: String,
    pub mtime: i64,
    pub hash: Option<ArtifactHash>,
    pub size: u64,
    pub compressed: bool,
    pub content: Option<Vec<u8>>,
}
impl UvStored {
    pub fn expand(&self) -> Result<Vec<u8>, RepoError> {
        todo!()
    }
}
pub struct UvEntry {
    pub name: String,
    pub mtime: i64,
    pub hash: Option<ArtifactHash>,
    pub size: u64,
}
impl Repo {
    pub fn clusters_due(&self) -> Result<bool, RepoError> {
        todo!()
    }
    pub fn capabilities_of_nobody(&self) -> Result<Capabilities, RepoError> {
        todo!()
    }
    pub fn check_login(&self, u: &str, n: &[u8], s: &[u8]) -> Result<Option<Capabilities>, RepoError> {
        todo!()
    }
    pub fn config_cards(&self, g: ConfigGroup, s: i64) -> Result<Vec<(String, Vec<u8>)>, RepoError> {
        todo!()
    }
    pub fn uv_list(&self) -> Result<Vec<UvEntry>, RepoError> {
        todo!()
    }
    pub fn uv_stored(&self, n: &str) -> Result<Option<UvStored>, RepoError> {
        todo!()
    }
    pub fn uv_hash(&self) -> Result<String, RepoError> {
        todo!()
    }
    pub fn uv_status(&self, n: &str, m: i64, h: Option<&ArtifactHash>) -> Result<UvVerdict, RepoError> {
        todo!()
    }
}
impl RepoTx<'_> {
    pub fn mark_sent(&self, r: Rid) -> Result<(), RepoError> {
        todo!()
    }
    pub fn make_clusters(&self, n: Timestamp) -> Result<u32, RepoError> {
        todo!()
    }
    pub fn crosslink(&self, r: &[Rid]) -> Result<(), RepoError> {
        todo!()
    }
    pub fn apply_config(&self, n: &str, p: &[u8], g: &[ConfigGroup], t: Timestamp) -> Result<(), RepoError> {
        todo!()
    }
    pub fn uv_receive(
        &self,
        n: &str,
        m: i64,
        h: Option<&ArtifactHash>,
        b: UvBody<'_>,
        t: Timestamp,
    ) -> Result<(), RepoError> {
        todo!()
    }
    pub fn uv_tombstone(&self, n: &str, m: i64) -> Result<(), RepoError> {
        todo!()
    }
    pub fn uv_touch(&self, n: &str, m: i64) -> Result<(), RepoError> {
        todo!()
    }
    pub fn uv_forget(&self, n: &str) -> Result<(), RepoError> {
        todo!()
    }
}
