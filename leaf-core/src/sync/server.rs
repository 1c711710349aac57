//! The server side of a sync: one request in, one reply out, nothing kept between.
//!
//! What the client did wrong is answered by an `error` card, and nothing of its request is kept: stock Fossil
//! keeps what came before the fault, or aborts with a web page.
//!
//! Source: Fossil `src/xfer.c` `page_xfer()`.

use super::SyncError;
use super::logins::SeenLogins;
use super::serving::{Refusal, Serving, Stop};
use crate::Blame;
use crate::format::fossilize;
use crate::id::ProjectCode;
use crate::limits::Limits;
use crate::repo::{Guest, Repo, RepoError};
use crate::time::Timestamp;
use crate::xfer::{BadCard, Card, Cards, ContentType, MessageWriter, Pragma, envelope};

/// One request, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The HTTP body.
    pub body: &'a [u8],
    /// Its type.
    pub content_type: ContentType,
    /// Value of the cookie `x-f-l-c`, still URL-encoded.
    pub cookie: Option<&'a str>,
}

/// What the shell knows and core does not.
#[derive(Clone, Debug)]
pub struct ServeContext {
    /// The time.
    pub now: Timestamp,
    /// Where the request came from, for `rcvfrom.ipaddr`.
    pub peer_address: String,
    /// Whom the transport knows the client to be, before it says anything.
    pub guest: Option<Guest>,
    /// Where clients reach this repository, if known; named in answers to `req-links`.
    pub base_url: Option<String>,
    /// Bounds.
    pub limits: Limits,
}

/// The answer to one request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP body.
    pub body: Vec<u8>,
    /// Its type.
    pub content_type: ContentType,
    /// What was done, for a log.
    pub served: Served,
}

/// What one request did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Served {
    /// Login name; `None` for nobody.
    pub user: Option<String>,
    /// What the client was told is wrong. Nothing of its request was kept then.
    pub error: Option<String>,
    /// Artifacts stored.
    pub received: u64,
    /// Artifacts sent.
    pub sent: u64,
    /// Unversioned files stored.
    pub uv_received: u64,
    /// Unversioned files sent.
    pub uv_sent: u64,
    /// Rows of synced tables stored.
    pub rows_received: u64,
    /// Rows of synced tables sent.
    pub rows_sent: u64,
}

/// Answers one request.
///
/// What the client did wrong is said in the reply (and in [`Served::error`]); the repository is then as it was.
///
/// # Errors
///
/// [`SyncError::Repo`] when the repository failed; it is as it was.
pub fn serve(
    repo: &mut Repo,
    seen: &mut SeenLogins,
    request: &Request<'_>,
    context: &ServeContext,
) -> Result<Reply, SyncError> {
    let content_type = request.content_type;
    let message = match envelope::unpack(request.body, content_type, context.limits.message_bytes_max) {
        Ok(message) => message,
        Err(bad) => {
            return Ok(refuse(
                &Refusal::new(format!("malformed request: {bad}")),
                content_type,
                context,
            ));
        }
    };
    let done = match Scan::of(&message, &context.limits) {
        Ok(scan)
            if scan.writes
                || (scan.pulls && repo.clusters_due()?)
                || (scan.tables && repo.tables_due()?)
                || (scan.unversioned && repo.uv_hash_due()?) =>
        {
            repo.write(|tx| Serving::new(tx, Some(tx), context, scan.cursor).run(&message, request, seen))
        }
        Ok(scan) => {
            repo.read(|repo| Serving::new(repo, None, context, scan.cursor).run(&message, request, seen))
        }
        Err(bad) => Err(Stop::Refused(Refusal::new(format!("malformed request: {bad}")))),
    };
    match done {
        Ok((message, content_type, served)) => Ok(Reply {
            body: envelope::pack(message, content_type),
            content_type,
            served,
        }),
        Err(Stop::Refused(refusal)) => Ok(refuse(&refusal, content_type, context)),
        Err(Stop::Failed(error)) if error.blame() != Blame::Storage => {
            Ok(refuse(&Refusal::new(chain(&error)), content_type, context))
        }
        Err(Stop::Failed(error)) => Err(SyncError::Repo(error)),
    }
}

/// Which project a request says that it is about, when the wire does not say it. Whoever clones names none.
pub fn project_of(body: &[u8], content_type: ContentType, limits: &Limits) -> Option<ProjectCode> {
    let message = envelope::unpack(body, content_type, limits.message_bytes_max).ok()?;
    let mut cards = Cards::new(&message, limits).map_while(Result::ok);
    cards.find_map(|card| match card {
        Card::Pull { project, .. } | Card::Push { project, .. } => ProjectCode::parse(project).ok(),
        _ => None,
    })
}

/// An error with its causes.
fn chain(error: &RepoError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn refuse(refusal: &Refusal, content_type: ContentType, context: &ServeContext) -> Reply {
    let mut out = MessageWriter::new(0);
    if let Some((server, project)) = &refusal.codes {
        out.push(&Card::Push {
            server: server.as_bytes(),
            project: project.as_bytes(),
        });
    }
    out.push(&Card::Error(&fossilize::encode(refusal.message.as_bytes())));
    out.push(&Card::Timestamp(
        format!("{} errors 1", context.now.iso()).as_bytes(),
    ));
    let served = Served {
        user: refusal.user.clone(),
        error: Some(refusal.message.clone()),
        ..Served::default()
    };
    Reply {
        body: envelope::pack(out.finish(), content_type),
        content_type,
        served,
    }
}

/// What is to be known of a request before the first card is obeyed.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a kind of card that was met"
)]
struct Scan {
    /// Some card changes the repository.
    writes: bool,
    /// The client pulls, for which clusters may have to be made.
    pulls: bool,
    /// The client speaks of synced tables, whose hashes may have to be kept.
    tables: bool,
    /// The client compares unversioned files by a hash, which may have to be kept.
    unversioned: bool,
    /// Where a legacy client wants its clone to go on: it says so in a card of its own.
    cursor: Option<i64>,
}

impl Scan {
    fn of(message: &[u8], limits: &Limits) -> Result<Self, BadCard> {
        let mut scan = Self {
            writes: false,
            pulls: false,
            tables: false,
            unversioned: false,
            cursor: None,
        };
        for card in Cards::new(message, limits) {
            match card? {
                Card::Cfile { .. }
                | Card::Config { .. }
                | Card::File { .. }
                | Card::Push { .. }
                | Card::Uvfile { .. }
                | Card::Pragma(Pragma::CiLock { .. } | Pragma::CiUnlock(_) | Pragma::ClientUrl(_)) => {
                    scan.writes = true;
                }
                Card::Pragma(Pragma::LeafTables | Pragma::XtableHash { .. }) => scan.tables = true,
                Card::Pragma(Pragma::UvHash(_)) => scan.unversioned = true,
                Card::Pull { .. } => scan.pulls = true,
                Card::CloneSeqno(seqno) => scan.cursor = Some(seqno),
                _ => {}
            }
        }
        Ok(scan)
    }
}
