//! Two repositories and a wire between them: what the pair tests stand on, and how artifacts move.
//!
//! Nothing is faked: the session of one side talks to the server function of the other, over packed messages.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::hash::{self, HashKind};
use leaf_core::id::{ArtifactHash, ProjectCode, Rid, ServerCode};
use leaf_core::limits::Limits;
use leaf_core::repo::{Guest, NewRepo, Put, Repo, RepoError};
use leaf_core::sync::{
    Credentials, Goal, Reply, Request, SeenLogins, ServeContext, SyncError, SyncEvent, SyncOptions,
    SyncSession, SyncStats, serve,
};
use leaf_core::time::Timestamp;
use leaf_core::xfer::ContentType;
use leaf_core::xfer::envelope::unpack;
use rusqlite::Connection;

/// Project code of both sides.
pub(crate) const PROJECT: [u8; 20] = [7; 20];
/// When tests happen.
pub(crate) const NOW: Timestamp = Timestamp(1_795_233_600_000);

/// A repository in memory, whose first user is `admin` with password `secret`.
pub(crate) fn repository(server_code: u8) -> Repo {
    let db = Connection::open_in_memory().expect("memory");
    Repo::create(db, &new_repo(server_code)).expect("an empty database")
}

pub(crate) fn new_repo(server_code: u8) -> NewRepo {
    NewRepo {
        project_code: ProjectCode::from_random(PROJECT),
        server_code: ServerCode::from_random([server_code; 20]),
        project_name: None,
        admin: "admin".to_owned(),
        admin_password: "secret".to_owned(),
        now: NOW,
    }
}

/// One client, one server, no sockets.
pub(crate) struct Pair {
    pub(crate) client: Repo,
    pub(crate) server: Repo,
    pub(crate) seen: SeenLogins,
    pub(crate) server_limits: Limits,
    pub(crate) now: Timestamp,
    /// Where the server knows itself to be.
    pub(crate) base_url: Option<String>,
    /// Whom the server's transport knows the client to be.
    pub(crate) guest: Option<Guest>,
    entropy: u8,
    /// What went over the wire in the last session, unpacked: requests and replies.
    pub(crate) wire: Vec<(String, String)>,
}

/// How a session went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) rounds: u32,
    pub(crate) events: Vec<SyncEvent>,
    pub(crate) stats: SyncStats,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::of(repository(1), repository(2))
    }

    pub(crate) fn of(client: Repo, server: Repo) -> Self {
        Self {
            client,
            server,
            seen: SeenLogins::default(),
            server_limits: Limits::default(),
            now: NOW,
            base_url: None,
            guest: None,
            entropy: 0,
            wire: Vec::new(),
        }
    }

    /// Options of a session as the admin of the server.
    pub(crate) fn options(goal: Goal) -> SyncOptions {
        let mut options = SyncOptions::new(goal, "http://server/");
        options.login = Some(Credentials {
            user: "admin".to_owned(),
            password: "secret".to_owned(),
        });
        options
    }

    pub(crate) fn sync(&mut self, goal: Goal) -> Outcome {
        self.run(Self::options(goal)).expect("honest peers")
    }

    /// Runs a session to its end over a wire that loses nothing.
    pub(crate) fn run(&mut self, options: SyncOptions) -> Result<Outcome, SyncError> {
        self.run_losing(options, &mut |_| Loss::Nothing)
    }

    /// Runs a session to its end; `loss` says what happens to the messages of each attempt, counted from 1.
    pub(crate) fn run_losing(
        &mut self,
        options: SyncOptions,
        loss: &mut dyn FnMut(u32) -> Loss,
    ) -> Result<Outcome, SyncError> {
        self.wire.clear();
        let mut session = SyncSession::new(options);
        let mut attempt = 0;
        loop {
            let entropy = self.entropy();
            let Some(transmit) = session.poll_transmit(&mut self.client, entropy)? else {
                break;
            };
            attempt += 1;
            let lost = loss(attempt);
            if lost == Loss::Request {
                session.handle_lost();
                continue;
            }
            let reply = self.serve(&transmit.body, transmit.content_type, transmit.cookie.as_deref());
            if lost == Loss::Reply {
                session.handle_lost();
                continue;
            }
            session.handle_reply(&mut self.client, &reply.body, reply.content_type, self.now)?;
        }
        let events: Vec<_> = std::iter::from_fn(|| session.poll_event()).collect();
        let rounds = events.iter().find_map(|event| match event {
            SyncEvent::Done { rounds } => Some(*rounds),
            _ => None,
        });
        let rounds = rounds.expect("a session that ends well says so");
        Ok(Outcome {
            rounds,
            events,
            stats: *session.stats(),
        })
    }

    /// Serves one packed request and notes both messages.
    pub(crate) fn serve(&mut self, body: &[u8], content_type: ContentType, cookie: Option<&str>) -> Reply {
        let context = ServeContext {
            now: self.now,
            peer_address: "127.0.0.1".to_owned(),
            guest: self.guest.clone(),
            base_url: self.base_url.clone(),
            limits: self.server_limits,
        };
        let request = Request {
            body,
            content_type,
            cookie,
        };
        let reply =
            serve(&mut self.server, &mut self.seen, &request, &context).expect("the server's repository");
        self.wire
            .push((plain(body, content_type), plain(&reply.body, reply.content_type)));
        reply
    }

    /// Serves a packed request that may not be one.
    pub(crate) fn serve_damaged(&mut self, body: &[u8]) -> Reply {
        let context = ServeContext {
            now: self.now,
            peer_address: "127.0.0.1".to_owned(),
            guest: self.guest.clone(),
            base_url: None,
            limits: self.server_limits,
        };
        let request = Request {
            body,
            content_type: ContentType::Compressed,
            cookie: None,
        };
        serve(&mut self.server, &mut self.seen, &request, &context).expect("the server's repository")
    }

    /// Serves cards written by hand; gives the reply as text.
    pub(crate) fn ask(&mut self, cards: &str) -> String {
        self.ask_bytes(cards.as_bytes())
    }

    pub(crate) fn ask_bytes(&mut self, cards: &[u8]) -> String {
        let reply = self.serve(cards, ContentType::Debug, None);
        String::from_utf8_lossy(&reply.body).into_owned()
    }

    /// All that went over the wire in the last session.
    pub(crate) fn said(&self) -> String {
        self.wire
            .iter()
            .flat_map(|(request, reply)| [request.as_str(), reply.as_str()])
            .collect()
    }

    /// 20 bytes never seen before.
    pub(crate) fn entropy(&mut self) -> [u8; 20] {
        self.entropy = self.entropy.wrapping_add(1);
        [self.entropy; 20]
    }

    /// How often `card` begins a line in the requests and in the replies of the last session.
    pub(crate) fn count(&self, card: &str) -> (usize, usize) {
        let count = |text: &String| text.lines().filter(|line| line.starts_with(card)).count();
        (
            self.wire.iter().map(|(request, _)| count(request)).sum(),
            self.wire.iter().map(|(_, reply)| count(reply)).sum(),
        )
    }
}

/// What the wire does to one exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Loss {
    Nothing,
    Request,
    Reply,
}

fn plain(body: &[u8], content_type: ContentType) -> String {
    let message = unpack(body, content_type, 1 << 30).expect("a message");
    String::from_utf8_lossy(&message).into_owned()
}

/// Content number `seed`: different in every seed, and of some size.
pub(crate) fn content(seed: u32) -> Vec<u8> {
    let line = format!("line {seed} of a file that nobody has to read\n");
    line.repeat(3 + usize::try_from(seed % 5).expect("small"))
        .into_bytes()
}

pub(crate) fn name_of(content: &[u8]) -> ArtifactHash {
    hash::name(HashKind::Sha3, content)
}

/// Puts contents into a repository as a local command would.
pub(crate) fn put(repo: &mut Repo, seeds: core::ops::Range<u32>) -> Vec<ArtifactHash> {
    seeds
        .map(|seed| {
            put_as(
                repo,
                &content(seed),
                Put {
                    private: false,
                    unsent: true,
                },
            )
        })
        .collect()
}

pub(crate) fn put_as(repo: &mut Repo, content: &[u8], how: Put) -> ArtifactHash {
    let stored = repo.write(|tx| {
        let (rid, hash) = tx.put(content, how)?;
        tx.crosslink(&[rid])?;
        Ok::<_, RepoError>(hash)
    });
    stored.expect("a sound repository")
}

pub(crate) fn rid(repo: &Repo, hash: &ArtifactHash) -> Rid {
    repo.rid_of(hash)
        .expect("a sound repository")
        .expect("a known artifact")
}

/// Whether `repo` holds the content of `hash`.
pub(crate) fn has(repo: &Repo, hash: &ArtifactHash) -> bool {
    match repo.rid_of(hash).expect("a sound repository") {
        Some(rid) => repo.content(rid).expect("a sound repository").is_some(),
        None => false,
    }
}

/// The names of all public artifacts.
pub(crate) fn names(repo: &Repo) -> Vec<ArtifactHash> {
    let mut names = Vec::new();
    repo.each_available(&mut |_, hash| names.push(*hash))
        .expect("a sound repository");
    names.sort_unstable();
    names
}

#[test]
fn a_sync_leaves_both_sides_with_the_union() {
    let mut pair = Pair::new();
    let here = put(&mut pair.client, 0..30);
    let there = put(&mut pair.server, 20..60);
    let outcome = pair.sync(Goal::Sync);
    for hash in here.iter().chain(&there) {
        assert!(has(&pair.client, hash) && has(&pair.server, hash), "{hash}");
    }
    assert_eq!(names(&pair.client), names(&pair.server));
    assert!(outcome.rounds <= 3, "{} rounds", outcome.rounds);
    assert_eq!(outcome.stats.artifacts_sent, 30);
}

#[test]
fn a_pull_sends_nothing_and_a_push_receives_nothing() {
    let mut pair = Pair::new();
    let here = put(&mut pair.client, 0..5);
    let there = put(&mut pair.server, 5..10);
    assert_eq!(pair.sync(Goal::Pull).stats.artifacts_sent, 0);
    assert!(there.iter().all(|hash| has(&pair.client, hash)));
    assert!(!here.iter().any(|hash| has(&pair.server, hash)));
    let later = put(&mut pair.server, 10..12);
    let pushed = pair.sync(Goal::Push);
    assert_eq!(
        (pushed.stats.artifacts_sent, pushed.stats.artifacts_received),
        (5, 0)
    );
    assert!(here.iter().all(|hash| has(&pair.server, hash)));
    assert!(!later.iter().any(|hash| has(&pair.client, hash)));
}

#[test]
fn a_push_of_a_thousand_new_artifacts_takes_one_round() {
    let mut pair = Pair::new();
    let new = put(&mut pair.client, 0..1000);
    let outcome = pair.sync(Goal::Push);
    assert_eq!((outcome.rounds, outcome.stats.artifacts_sent), (1, 1000));
    assert!(new.iter().all(|hash| has(&pair.server, hash)));
    assert!(
        pair.client
            .unsent_artifacts()
            .expect("a sound repository")
            .is_empty()
    );
}

#[test]
fn a_push_beyond_the_budget_goes_on_until_all_is_there() {
    let mut pair = Pair::new();
    let new = put(&mut pair.client, 0..100);
    let mut options = Pair::options(Goal::Push);
    options.limits.upload_bytes = 4_000;
    let outcome = pair.run(options).expect("honest peers");
    assert!(outcome.rounds > 3, "{} rounds", outcome.rounds);
    assert!(new.iter().all(|hash| has(&pair.server, hash)));
    assert!(
        pair.wire
            .iter()
            .all(|(request, _)| request.len() < 4_000 + 12_000),
        "a budget and names"
    );
}

#[test]
fn a_pull_beyond_the_budget_goes_on_until_all_is_there() {
    let mut pair = Pair::new();
    let new = put(&mut pair.server, 0..90);
    pair.server_limits.download_bytes = 2_000;
    let mut options = Pair::options(Goal::Pull);
    options.limits.gimmes_max = 20;
    let outcome = pair.run(options).expect("honest peers");
    assert!(outcome.rounds > 3, "{} rounds", outcome.rounds);
    assert!(new.iter().all(|hash| has(&pair.client, hash)));
}

#[test]
fn what_is_lost_is_said_again_and_nothing_is_lost() {
    for pattern in 0_u32..64 {
        let mut pair = Pair::new();
        put(&mut pair.client, 0..20);
        put(&mut pair.server, 15..40);
        let mut options = Pair::options(Goal::Sync);
        options.limits.upload_bytes = 1_500;
        pair.server_limits.download_bytes = 1_500;
        let outcome = pair.run_losing(options, &mut |attempt| match pattern >> (2 * (attempt % 3)) & 3 {
            1 if attempt < 12 => Loss::Request,
            2 if attempt < 12 => Loss::Reply,
            _ => Loss::Nothing,
        });
        outcome.expect("honest peers");
        assert_eq!(names(&pair.client), names(&pair.server), "pattern {pattern}");
        assert_eq!(names(&pair.client).len(), 40, "pattern {pattern}");
    }
}

#[test]
fn a_second_sync_moves_nothing_in_one_round() {
    let mut pair = Pair::new();
    put(&mut pair.client, 0..30);
    put(&mut pair.server, 30..60);
    pair.sync(Goal::Sync);
    let outcome = pair.sync(Goal::Sync);
    assert_eq!(outcome.rounds, 1);
    assert_eq!(
        (outcome.stats.artifacts_sent, outcome.stats.artifacts_received),
        (0, 0)
    );
}

#[test]
fn a_pull_makes_clusters_and_the_client_takes_them() {
    let mut pair = Pair::new();
    let many = put(&mut pair.server, 0..250);
    pair.sync(Goal::Pull);
    let clusters = pair.server.announced().expect("a sound repository");
    assert_eq!(clusters.len(), 1, "everything else is in it");
    assert!(many.iter().all(|hash| has(&pair.client, hash)));
    assert_eq!(names(&pair.client), names(&pair.server));
    assert_eq!(pair.client.announced().expect("a sound repository").len(), 1);
}

#[test]
fn phantoms_that_nobody_has_do_not_keep_a_session_going() {
    let mut pair = Pair::new();
    let nowhere = name_of(b"nobody has this");
    let phantom = |repo: &mut Repo| {
        repo.write(|tx| tx.phantom(&nowhere, false))
            .expect("a sound repository");
    };
    phantom(&mut pair.client);
    phantom(&mut pair.server);
    put(&mut pair.client, 0..2);
    put(&mut pair.server, 2..4);
    let outcome = pair.sync(Goal::Sync);
    assert!(outcome.rounds <= 3, "{} rounds", outcome.rounds);
    assert_eq!(pair.sync(Goal::Sync).rounds, 1);
}

#[test]
fn a_delta_comes_before_its_source_and_is_kept_until_the_source_is_there() {
    let mut pair = Pair::new();
    let (old, new) = (content(1), [content(1), b"one more line\n".to_vec()].concat());
    let delta = leaf_core::format::delta::create(&old, &new);
    let (old_name, new_name) = (name_of(&old), name_of(&new));
    let head = format!(
        "pragma client-version 22100 20230226 192424\npush x {}\n",
        ProjectCode::from_random(PROJECT)
    );
    let dangling = [
        format!("file {new_name} {old_name} {}\n", delta.len()).into_bytes(),
        delta,
    ]
    .concat();
    let reply = pair.ask_bytes(&signed(&dangling, &head));
    assert!(reply.contains(&format!("gimme {old_name}\n")), "{reply}");
    assert!(!has(&pair.server, &new_name));
    let source = [format!("file {old_name} {}\n", old.len()).into_bytes(), old].concat();
    let reply = pair.ask_bytes(&signed(&source, &head));
    assert!(!reply.contains("gimme"), "{reply}");
    assert!(has(&pair.server, &new_name));
}

#[test]
fn verily_announces_everything() {
    let mut pair = Pair::new();
    put(&mut pair.server, 0..150);
    pair.sync(Goal::Pull);
    let mut options = Pair::options(Goal::Sync);
    options.verily = true;
    pair.run(options).expect("honest peers");
    let (announced_here, announced_there) = pair.count("igot ");
    assert_eq!(announced_here, 151);
    assert_eq!(
        announced_there, 0,
        "what the client announces the server need not"
    );
}

/// `head` and `tail`, signed by the admin.
pub(crate) fn signed(tail: &[u8], head: &str) -> Vec<u8> {
    let message = [head.as_bytes(), tail].concat();
    let project = ProjectCode::from_random(PROJECT);
    let secret = leaf_core::xfer::login::secret(&project, "admin", "secret");
    let mut signed = leaf_core::xfer::login::card("admin", &secret, &message);
    signed.push(b'\n');
    signed.extend_from_slice(&message);
    signed
}
