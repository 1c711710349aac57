//! Obeying the cards of one request, in order.
//!
//! Who may do what is decided here, before anything is done. [`super::answer`] says what follows the last card.
//!
//! Source: Fossil `src/xfer.c` `page_xfer()`.

use super::logins::SeenLogins;
use super::receive::receive;
use super::send::{Sender, Sent};
use super::server::{Request, ServeContext, Served};
use super::tables::ServedTables;
use crate::format::fossilize;
use crate::id::{ArtifactHash, ProjectCode, Rid};
use crate::repo::{
    Body, Cap, Capabilities, Incoming, Mark, Origin, Repo, RepoError, RepoTx, Standing, TravelRow,
};
use crate::xfer::{Card, Cards, ContentType, MessageWriter, Pragma, Version, envelope, login};
use std::collections::HashSet;

/// Why a request is not served.
#[derive(Debug)]
pub(super) enum Stop {
    /// The repository failed, or refuses what the client sent.
    Failed(RepoError),
    /// The client may not, or did something wrong.
    Refused(Refusal),
}

/// What the client is told.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    /// Server code and project code, for a client that needs them to log in.
    pub(super) codes: Option<(String, String)>,
    pub(super) user: Option<String>,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            codes: None,
            user: None,
        }
    }
}

impl From<RepoError> for Stop {
    fn from(error: RepoError) -> Self {
        Self::Failed(error)
    }
}

/// One request in the works.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one request"
)]
pub(super) struct Serving<'a> {
    pub(super) repo: &'a Repo,
    /// `None` when the request changes nothing.
    pub(super) tx: Option<&'a RepoTx<'a>>,
    pub(super) context: &'a ServeContext,
    pub(super) out: MessageWriter,
    pub(super) content_type: ContentType,
    pub(super) caps: Capabilities,
    pub(super) sender: Sender,
    pub(super) served: Served,
    pub(super) pulling: bool,
    pub(super) pushing: bool,
    /// A clone of the first version, which is answered like a pull of everything.
    pub(super) clone_all: bool,
    pub(super) gimmes: u64,
    pub(super) catalog: bool,
    pub(super) links: bool,
    /// The client wants to know how many artifacts its clone gets.
    pub(super) count: bool,
    /// Artifacts that the client asked for, so it lacks them.
    pub(super) unknown_there: HashSet<ArtifactHash>,
    /// Private artifacts that the client says are public; it has to show them.
    pub(super) to_prove: Vec<ArtifactHash>,
    /// Artifacts to be crosslinked.
    pub(super) settled: Vec<Rid>,
    pub(super) marks: Marks,
    pub(super) tables: ServedTables,
    pub(super) uv_stored: bool,
    pub(super) uv_catalog_sent: bool,
    /// The client asked for private artifacts and may not have them.
    pub(super) private_denied: bool,
    pub(super) logged_in: bool,
    next_is_private: bool,
    cursor: Option<i64>,
}

/// What the client says of earlier sessions; see [`super::mark`].
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The client is a leaf and wants a mark.
    pub(super) wanted: bool,
    /// Up to which row the client was told before what is here.
    pub(super) told: Option<Rid>,
    /// The client relies on having told before what it has.
    pub(super) relied_on: bool,
    /// It does, but this server is not what it was then.
    pub(super) stale: bool,
    /// What was announced before this request changed anything.
    pub(super) standing: Option<Standing>,
}

impl<'a> Serving<'a> {
    pub(super) fn new(
        repo: &'a Repo,
        tx: Option<&'a RepoTx<'a>>,
        context: &'a ServeContext,
        cursor: Option<i64>,
    ) -> Self {
        Self {
            repo,
            tx,
            context,
            out: MessageWriter::new(context.limits.download_bytes),
            content_type: ContentType::Compressed,
            caps: Capabilities::default(),
            sender: Sender::new(false, context.limits.artifact_bytes_max),
            served: Served::default(),
            pulling: false,
            pushing: false,
            clone_all: false,
            gimmes: 0,
            catalog: false,
            links: false,
            count: false,
            unknown_there: HashSet::new(),
            to_prove: Vec::new(),
            settled: Vec::new(),
            marks: Marks::default(),
            tables: ServedTables::default(),
            uv_stored: false,
            uv_catalog_sent: false,
            private_denied: false,
            logged_in: false,
            next_is_private: false,
            cursor,
        }
    }

    /// Obeys the whole request.
    pub(super) fn run(
        mut self,
        message: &[u8],
        request: &Request<'_>,
        seen: &mut SeenLogins,
    ) -> Result<(Vec<u8>, ContentType, Served), Stop> {
        self.content_type = request.content_type;
        match self.obey(message, request, seen).and_then(|()| self.answer()) {
            Ok(()) => {
                self.served.sent = self.sender.sent;
                Ok((self.out.finish(), self.content_type, self.served))
            }
            Err(Stop::Refused(mut refusal)) => {
                refusal.user = self.served.user;
                Err(Stop::Refused(refusal))
            }
            Err(failed) => Err(failed),
        }
    }

    fn obey(&mut self, message: &[u8], request: &Request<'_>, seen: &mut SeenLogins) -> Result<(), Stop> {
        let context = self.context;
        match &context.guest {
            // As a web server says by REMOTE_USER who has logged in to it.
            Some(guest) => {
                self.caps = self.repo.capabilities_of_guest(guest)?;
                self.served.user = Some(guest.name.clone());
            }
            None => self.caps = self.repo.capabilities_of_nobody()?,
        }
        self.note_origin(None);
        if let Some(cookie) = request.cookie {
            self.login_by_cookie(cookie, message, seen)?;
        }
        for card in Cards::new(message, &self.context.limits) {
            // The scan before has read the whole message already.
            let card =
                card.map_err(|bad| Stop::Refused(Refusal::new(format!("malformed request: {bad}"))))?;
            self.card(card, seen)?;
        }
        Ok(())
    }

    fn card(&mut self, card: Card<'_>, seen: &mut SeenLogins) -> Result<(), Stop> {
        match card {
            Card::Cfile {
                hash,
                source,
                size,
                zblob,
            } => {
                let (zblob, _) = envelope::stock_form(zblob, self.context.limits.artifact_bytes_max)
                    .map_err(|bad| Stop::Refused(Refusal::new(format!("malformed cfile: {bad}"))))?;
                self.store(&hash, source, Body::Stored { zblob: &zblob, size })
            }
            Card::Clone { version, seqno } => self.clone_from(version, self.cursor.unwrap_or(seqno)),
            Card::CloneSeqno(_) | Card::Comment(_) | Card::Cookie(_) | Card::Timestamp(_) => Ok(()),
            Card::Config { name, payload } => self.receive_config(name, payload),
            Card::File {
                hash,
                source,
                content,
            } => self.store(&hash, source, Body::Plain(content)),
            Card::Gimme(hash) => self.give(&hash),
            Card::Igot { hash, private } => self.note_igot(&hash, private),
            Card::Login {
                user,
                nonce,
                signature,
                tail,
            } => self.login(user, nonce, signature, tail, seen),
            Card::Pragma(pragma) => self.pragma(&pragma),
            Card::Private => self.expect_private(),
            Card::Pull { server, project } => self.begin_pull(server, project),
            Card::Push { server, project } => self.begin_push(server, project),
            Card::ReqConfig(name) => self.give_config(name),
            Card::Uvfile {
                name,
                mtime,
                hash,
                size,
                body,
            } => self.store_uv(name, mtime, hash, size, body),
            Card::Uvgimme(name) => self.give_uv(name),
            Card::Row { .. } | Card::Schema { .. } | Card::Xgimme { .. } | Card::Xigot { .. } => {
                self.table_card(&card)
            }
            Card::Error(_) | Card::Message(_) | Card::Unknown(_) | Card::Uvigot { .. } => {
                refuse("bad command")
            }
        }
    }

    fn table_card(&mut self, card: &Card<'_>) -> Result<(), Stop> {
        match *card {
            Card::Schema { table, mtime, json } => self.define_table(table, mtime, json),
            Card::Xgimme { table, key } => self.give_row(table, &key),
            Card::Xigot {
                table, key, mtime, ..
            } => self.note_row(table, &key, mtime),
            Card::Row {
                table,
                key,
                mtime,
                json,
                deleted,
            } => {
                let row = TravelRow {
                    key,
                    mtime,
                    json,
                    deleted,
                };
                self.store_row(table, &row)
            }
            _ => refuse("bad command"),
        }
    }

    fn pragma(&mut self, pragma: &Pragma<'_>) -> Result<(), Stop> {
        match pragma {
            Pragma::CiLock { checkin, client } => self.ci_lock(checkin, client)?,
            Pragma::CiUnlock(client) => {
                if let (Some(tx), true) = (self.tx, self.caps.has(Cap::Write)) {
                    tx.ci_unlock(&String::from_utf8_lossy(client))?;
                }
            }
            Pragma::ClientUrl(url) => {
                if let (Some(tx), true) = (self.tx, self.caps.has(Cap::Write)) {
                    tx.note_peer_url(&String::from_utf8_lossy(url), true, self.context.now)?;
                }
            }
            Pragma::ClientVersion(version) => {
                self.sender.peer = *version;
                if version.date != 0 {
                    self.out.push(&Card::Pragma(Pragma::ServerVersion(Version::OURS)));
                }
            }
            Pragma::LeafCount(None) => self.count = true,
            Pragma::LeafMark { direction, token } => {
                self.marks.wanted = true;
                self.note_mark(direction, token)?;
            }
            Pragma::LeafTables => self.hear_of_tables(),
            Pragma::LeafUvStored => {
                self.uv_stored = true;
                self.out.push(&Card::Pragma(Pragma::LeafUvStored));
            }
            Pragma::ReqClusters if self.may_read() => self.announce_clusters()?,
            Pragma::ReqLinks => self.links = true,
            Pragma::SendCatalog => self.catalog = true,
            // Said and gone on, as the first request of a clone comes before its login.
            Pragma::SendPrivate if !self.caps.has(Cap::Private) => {
                self.out
                    .push(&Card::Error(&fossilize::encode(NO_PRIVATE.as_bytes())));
                self.served.error = Some(NO_PRIVATE.to_owned());
                self.private_denied = true;
            }
            Pragma::SendPrivate => self.sender.private = true,
            Pragma::UvHash(theirs) => self.compare_uv(theirs)?,
            Pragma::XtableHash { table, hash, sum } => self.note_table(table, hash, sum),
            _ => {}
        }
        Ok(())
    }

    // ---- who asks -------------------------------------------------------------------------------------------

    /// Whoever may clone may read what was cloned, as in Fossil from 2.24 on.
    pub(super) fn may_read(&self) -> bool {
        self.caps.has(Cap::Read) || self.caps.has(Cap::Clone)
    }

    pub(super) fn need(&self, cap: Cap, otherwise: &str) -> Result<(), Stop> {
        if self.caps.has(cap) {
            Ok(())
        } else {
            refuse(otherwise)
        }
    }

    fn login_by_cookie(&mut self, cookie: &str, message: &[u8], seen: &mut SeenLogins) -> Result<(), Stop> {
        let mut line = login::from_cookie(cookie).unwrap_or_default();
        line.push(b'\n');
        match Cards::new(&line, &self.context.limits).next() {
            Some(Ok(Card::Login {
                user,
                nonce,
                signature,
                ..
            })) => self.login(user, nonce, signature, message, seen),
            _ => refuse("login failed"),
        }
    }

    fn login(
        &mut self,
        user: &[u8],
        nonce: &[u8],
        signature: &[u8],
        tail: &[u8],
        seen: &mut SeenLogins,
    ) -> Result<(), Stop> {
        if core::mem::replace(&mut self.logged_in, true) {
            return refuse("multiple login cards");
        }
        let user = String::from_utf8(fossilize::decode(user)).unwrap_or_default();
        let expected = login::nonce(tail);
        if !login::equal(expected.as_bytes(), nonce) {
            return refuse("login failed");
        }
        if user == "nobody" || user == "anonymous" {
            return Ok(());
        }
        let Some(caps) = self.repo.check_login(&user, nonce, signature)? else {
            return refuse("login failed");
        };
        let fresh = match ArtifactHash::parse(nonce) {
            Ok(ArtifactHash::Sha1(nonce)) => seen.remember(nonce, self.context.now),
            _ => false,
        };
        if !fresh || self.repo.nonce_is_known(&expected)? {
            return refuse("login failed: this message was sent before");
        }
        self.caps = self.caps.union(caps);
        self.note_origin(Some((&user, &expected)));
        self.served.user = Some(user);
        Ok(())
    }

    fn note_origin(&self, login: Option<(&str, &str)>) {
        if let Some(tx) = self.tx {
            tx.set_origin(Origin {
                user: login.map(|(user, _)| user.to_owned()),
                nonce: login.map(|(_, nonce)| nonce.to_owned()),
                address: Some(self.context.peer_address.clone()),
                time: self.context.now,
            });
        }
    }

    // ---- pull, push, clone ----------------------------------------------------------------------------------

    /// A legacy client names the project first, or nothing else.
    fn check_project(&self, first: &[u8], last: &[u8]) -> Result<(), Stop> {
        let ours: ProjectCode = self.repo.project_code()?;
        let ours = ours.as_str().as_bytes();
        if last == ours || first == ours {
            Ok(())
        } else {
            refuse("wrong project")
        }
    }

    fn begin_pull(&mut self, server: &[u8], project: &[u8]) -> Result<(), Stop> {
        self.check_project(server, project)?;
        if !self.may_read() {
            return refuse("not authorized to read");
        }
        self.pulling = true;
        Ok(())
    }

    fn begin_push(&mut self, server: &[u8], project: &[u8]) -> Result<(), Stop> {
        self.check_project(server, project)?;
        match (self.caps.has(Cap::Write), self.pulling) {
            (true, _) => self.pushing = true,
            (false, true) => self
                .out
                .push(&Card::Message(br"pull\sonly\s-\snot\sauthorized\sto\spush")),
            (false, false) => return refuse("not authorized to write"),
        }
        Ok(())
    }

    /// Judged here, before this request changes anything: what it changes, the client knows.
    fn note_mark(&mut self, direction: &[u8], token: &[u8]) -> Result<(), Stop> {
        if self.marks.standing.is_none() {
            self.marks.standing = Some(self.repo.standing(self.sender.private)?);
        }
        let standing = self.marks.standing.as_ref();
        let mark = Mark::parse(token).filter(|mark| standing.is_some_and(|standing| standing.fits(mark)));
        match direction {
            b"pull" => self.marks.told = mark.map(|mark| mark.rid_max),
            b"push" => (self.marks.relied_on, self.marks.stale) = (true, mark.is_none()),
            _ => {}
        }
        Ok(())
    }

    // ---- artifacts ------------------------------------------------------------------------------------------

    /// The transaction of a request that stores something: [`super::server::serve`] opens one for each.
    pub(super) fn writer(&self) -> &'a RepoTx<'a> {
        self.tx
            .expect("a request with cards that store something has a transaction")
    }

    fn expect_private(&mut self) -> Result<(), Stop> {
        self.need(Cap::Private, NO_PRIVATE)?;
        self.next_is_private = true;
        Ok(())
    }

    fn store(
        &mut self,
        hash: &ArtifactHash,
        source: Option<ArtifactHash>,
        body: Body<'_>,
    ) -> Result<(), Stop> {
        let private = core::mem::take(&mut self.next_is_private);
        match (self.pushing, self.pulling) {
            (true, _) => {}
            // The client was told to pull only, but its request had left by then.
            (false, true) if !self.caps.has(Cap::Write) => return Ok(()),
            (false, _) => return refuse("not authorized to write"),
        }
        let received = receive(
            self.writer(),
            &Incoming {
                hash: *hash,
                source,
                body,
                private,
            },
        )?;
        self.sender.on_remote.extend(received.rid);
        self.settled.extend(received.settled);
        self.served.received += u64::from(received.new);
        Ok(())
    }

    fn give(&mut self, hash: &ArtifactHash) -> Result<(), Stop> {
        self.gimmes += 1;
        self.unknown_there.insert(*hash);
        if !self.pulling {
            return Ok(());
        }
        if let Some(rid) = self.repo.rid_of(hash)? {
            let sent = self.sender.send(self.repo, &mut self.out, rid, hash)?;
            if sent == Sent::TooNew {
                return refuse("Fossil version 2.0 or later required.");
            }
        }
        Ok(())
    }

    /// The client holds an artifact: it need not be told of it, and can be asked for it.
    fn note_igot(&mut self, hash: &ArtifactHash, private: bool) -> Result<(), Stop> {
        if !self.pushing {
            // Stock overlooks this; a Go node goes on for 100 rounds when it is told of what it has named itself.
            self.sender.on_remote.extend(self.repo.rid_of(hash)?);
            return Ok(());
        }
        let (tx, trusted) = (self.writer(), self.caps.has(Cap::Private));
        let known = tx.rid_of(hash)?;
        let rid = match known {
            Some(rid) => {
                tx.doubt(rid)?;
                rid
            }
            None if private && !trusted => return Ok(()),
            None => match tx.phantom(hash, private)? {
                Some(rid) => rid,
                None => return Ok(()),
            },
        };
        self.sender.on_remote.insert(rid);
        let phantom = !tx.holds(rid)?;
        match (private, tx.is_private(rid)?) {
            (false, true) if phantom || trusted => tx.set_public(rid)?,
            // Whoever may not see private artifacts could make them public by their names: ask for a proof.
            (false, true) => self.to_prove.push(*hash),
            _ => {}
        }
        Ok(())
    }
}

/// To whoever lacks the right to private artifacts.
pub(super) const NO_PRIVATE: &str = "not authorized to sync private content";

/// Ends the request with a message to the client.
pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Refused(Refusal::new(message)))
}
