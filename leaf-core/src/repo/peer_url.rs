//! Where other repositories of the project are: config rows `syncwith:URL` and `syncfrom:URL`.
//!
//! Source: Fossil `src/xfer.c` `xfer_syncwith()` and pragma `req-links`.

use super::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;
use rusqlite::params;

/// Links older than this are not passed on. Units: seconds.
const LINK_AGE_MAX_S: i64 = 31 * 86_400;

/// Another repository of the project, to be told to a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerLink {
    /// Where, without user and password.
    pub url: String,
    /// JSON object that says who told.
    pub arg: String,
    /// Units: seconds since 1970.
    pub mtime: i64,
}

impl RepoTx<'_> {
    /// Remembers a peer's URL, `from` when the peer called us. Anything but a public `http` URL is ignored.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository failed.
    pub fn note_peer_url(&self, url: &str, from: bool, now: Timestamp) -> Result<(), RepoError> {
        let Some(url) = public_url(url) else { return Ok(()) };
        let name = format!("sync{}:{url}", if from { "from" } else { "with" });
        let note = "REPLACE INTO config (name, value, mtime) VALUES (?1, '{}', ?2)";
        self.db.prepare_cached(note)?.execute(params![name, now.unix()])?;
        Ok(())
    }
}

impl Repo {
    /// The peers of the last month.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn peer_links(&self, base_url: &str, now: Timestamp) -> Result<Vec<PeerLink>, RepoError> {
        let peers = "SELECT substr(name, 10) AS url, json_object('src', ?1), max(mtime) FROM config
             WHERE (name GLOB 'syncwith:http*' OR name GLOB 'syncfrom:http*') AND mtime > ?2
             GROUP BY url ORDER BY url";
        let mut peers = self.db.prepare_cached(peers)?;
        let since = now.unix().saturating_sub(LINK_AGE_MAX_S);
        let rows = peers.query_map(params![base_url, since], |row| {
            Ok(PeerLink {
                url: row.get(0)?,
                arg: row.get(1)?,
                mtime: row.get(2)?,
            })
        })?;
        let links = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(links
            .into_iter()
            .filter(|link| public_url(&link.url).is_some())
            .collect())
    }
}

/// `url` without user and password, if it is one that others could use, too.
fn public_url(url: &str) -> Option<String> {
    let (scheme, rest) = url
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
    let plain = !url.contains(|c: char| c.is_whitespace() || c.is_control());
    (plain && !host.contains("localhost")).then(|| format!("{scheme}://{host}{path}"))
}
