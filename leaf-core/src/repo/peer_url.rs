//! Where other repositories of the project are: config rows `syncwith:URL`, `syncfrom:URL` and `link:URL`.
//!
//! Source: Fossil `src/xfer.c` `xfer_syncwith()`, pragmas `client-url`, `req-links` and `link`;
//! `src/stat.c` `public_url()`.

use super::{Repo, RepoError, RepoTx};
use crate::json::Writer;
use crate::time::Timestamp;
use rusqlite::params;

/// Links older than this are not passed on. Units: seconds.
const LINK_AGE_MAX_S: i64 = 31 * 86_400;
/// A peer is noted again after so long: a sync that moves nothing is not to write. Units: seconds.
const NOTED_AGAIN_S: i64 = 86_400;

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
        let note = "INSERT INTO config (name, value, mtime) VALUES (?1, '{}', ?2) ON CONFLICT (name)
             DO UPDATE SET value = excluded.value, mtime = excluded.mtime WHERE abs(excluded.mtime - coalesce(mtime, 0)) > ?3";
        self.db
            .prepare_cached(note)?
            .execute(params![name, now.unix(), NOTED_AGAIN_S])?;
        Ok(())
    }

    /// Keeps what a server says of another repository, unless something newer is kept; whether it is a link.
    ///
    /// Anything but a public `http` URL that somebody has seen is none.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository failed.
    pub fn note_link(&self, link: &PeerLink) -> Result<bool, RepoError> {
        let Some(url) = public_url(&link.url).filter(|_| link.mtime > 0) else {
            return Ok(false);
        };
        let note = "INSERT INTO config (name, value, mtime) VALUES ('link:' || ?1, ?2, ?3) ON CONFLICT (name)
             DO UPDATE SET value = excluded.value, mtime = excluded.mtime WHERE coalesce(mtime, 0) < excluded.mtime";
        self.db
            .prepare_cached(note)?
            .execute(params![url, link.arg, link.mtime])?;
        Ok(true)
    }
}

impl Repo {
    /// Where others reach this repository: `email-url`, once it was served there. `None` if nobody could use it.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn own_url(&self) -> Result<Option<String>, RepoError> {
        let Some(url) = self.config("email-url")? else {
            return Ok(None);
        };
        let was_served = self.config(&format!("baseurl:{url}"))?.is_some();
        Ok(public_url(&url).filter(|_| was_served))
    }

    /// The peers of the last month.
    ///
    /// # Errors
    ///
    /// [`RepoError`] when the repository cannot be read.
    pub fn peer_links(&self, base_url: &str, now: Timestamp) -> Result<Vec<PeerLink>, RepoError> {
        let peers = "SELECT substr(name, 10) AS url, max(mtime) FROM config
             WHERE (name GLOB 'syncwith:http*' OR name GLOB 'syncfrom:http*') AND mtime > ?1
             GROUP BY url ORDER BY url";
        let mut peers = self.db.prepare_cached(peers)?;
        let since = now.unix().saturating_sub(LINK_AGE_MAX_S);
        let mut arg = Writer::default();
        arg.text("src", base_url);
        let arg = String::from_utf8(arg.end()).unwrap_or_default();
        let rows = peers.query_map([since], |row| {
            Ok(PeerLink {
                url: row.get(0)?,
                arg: arg.clone(),
                mtime: row.get(1)?,
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
