//! The NATS machines without sockets: subjects, the list of subscriptions, the broker and its links.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::limits::NatsLimits;
use leaf_core::nats::broker::{
    BrokerConfig, BrokerEvent, Close, ConnId, Gate, Grant, NatsBroker, OpenGate, PeerKind, Responses, Visitor,
};
use leaf_core::nats::client::{NatsClient, NatsError, NatsEvent};
use leaf_core::nats::info::{Connect, Rights};
use leaf_core::nats::op::ClientOp;
use leaf_core::nats::{BadOp, Scan, Sublist, scan_client, scan_leaf, scan_server, subject};
use leaf_core::time::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A broker, its connections and what each was told.
struct Bed {
    broker: NatsBroker,
    now: Timestamp,
}

impl Bed {
    fn new() -> Self {
        Self::with("A", NatsLimits::default(), Box::new(OpenGate))
    }

    fn with(id: &str, limits: NatsLimits, gate: Box<dyn Gate>) -> Self {
        let config = BrokerConfig {
            server_id: format!("N{id:A<55}"),
            server_name: id.into(),
            version: "2.10.0".into(),
            leafnode_url: "127.0.0.1:7422".into(),
            mesh: "leaf".into(),
            seed: 1,
            ..BrokerConfig::default()
        };
        Self {
            broker: NatsBroker::new(config, limits, gate),
            now: Timestamp(1_000_000),
        }
    }

    /// A client that has said `CONNECT` and heard everything up to now.
    fn client(&mut self, connect: &str) -> ConnId {
        let id = self
            .broker
            .connect(PeerKind::Client, Visitor::default(), None, self.now);
        self.say(id, &format!("CONNECT {connect}\r\n"));
        self.heard(id);
        id
    }

    fn quiet(&mut self) -> ConnId {
        self.client(r#"{"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"test"}"#)
    }

    fn say(&mut self, id: ConnId, bytes: &str) {
        self.broker.handle_bytes(id, bytes.as_bytes(), self.now);
    }

    fn heard(&mut self, id: ConnId) -> String {
        let text = String::from_utf8(self.broker.transmit(id).to_vec()).expect("text");
        self.broker.sent(id, text.len());
        text
    }
}

#[test]
fn a_subject_is_tokens_and_a_wildcard_is_a_whole_token() {
    for good in ["a", "a.b", "*", ">", "a.*.b", "a.>", "foo*", "a.b>", "$SYS.x"] {
        assert!(subject::is_valid(good.as_bytes()), "{good}");
    }
    for bad in ["", ".", "a.", ".a", "a..b", ">.a", "a b", "a\tb", "a.>.b"] {
        assert!(!subject::is_valid(bad.as_bytes()), "{bad}");
    }
    assert!(subject::is_literal(b"foo*.b") && !subject::is_literal(b"foo.*"));
}

#[test]
fn one_pattern_lies_within_another_only_if_all_its_subjects_do() {
    for (inner, outer, is_within, overlaps) in [
        ("a.b", "a.*", true, true),
        ("a.*", "a.*", true, true),
        ("a.>", "a.*", false, true),
        ("a.*", "a.b", false, true),
        ("a.*.c", "a.>", true, true),
        (">", "a.>", false, true),
        ("a", "a.>", false, false),
        ("b.*", "a.>", false, false),
        ("*.b", "a.*", false, true),
    ] {
        assert_eq!(
            subject::is_within(inner.as_bytes(), outer.as_bytes()),
            is_within,
            "{inner} in {outer}"
        );
        assert_eq!(
            subject::overlaps(inner.as_bytes(), outer.as_bytes()),
            overlaps,
            "{inner} and {outer}"
        );
    }
}

fn pattern() -> impl Strategy<Value = String> {
    let token = prop_oneof![6 => "[ab]", 2 => Just("*".to_owned())];
    (proptest::collection::vec(token, 1..4), any::<bool>()).prop_map(|(mut tokens, is_open)| {
        if is_open {
            tokens.push(">".into());
        }
        tokens.join(".")
    })
}

fn literal() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab]", 1..5).prop_map(|tokens| tokens.join("."))
}

#[derive(Clone, Debug)]
enum Step {
    Add(String, Option<&'static str>),
    Remove(usize),
    Find(String),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (pattern(), prop_oneof![Just(None), Just(Some("q")), Just(Some("r"))])
            .prop_map(|(pattern, queue)| Step::Add(pattern, queue)),
        1 => any::<usize>().prop_map(Step::Remove),
        3 => literal().prop_map(Step::Find),
    ]
}

proptest! {
    #[test]
    fn the_list_finds_what_comparing_one_by_one_finds(steps in proptest::collection::vec(step(), 1..80)) {
        let mut list = Sublist::default();
        let mut naive: Vec<(u32, String, Option<&str>)> = Vec::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Add(pattern, queue) => {
                    list.insert(pattern.as_bytes(), queue.map(str::as_bytes), next);
                    naive.push((next, pattern, queue));
                    next += 1;
                }
                Step::Remove(at) if !naive.is_empty() => {
                    let (key, pattern, queue) = naive.remove(at % naive.len());
                    list.remove(pattern.as_bytes(), queue.map(str::as_bytes), key);
                }
                Step::Remove(_) => {}
                Step::Find(subject) => {
                    let found = list.find(subject.as_bytes());
                    let mut plain = found.plain.clone();
                    plain.sort_unstable();
                    let mut queued: Vec<(u32, Vec<u8>)> = found
                        .queues
                        .iter()
                        .flat_map(|(name, keys)| keys.iter().map(|key| (*key, name.to_vec())))
                        .collect();
                    queued.sort_unstable();
                    let matching = |queued: bool| {
                        naive
                            .iter()
                            .filter(move |(_, _, queue)| queue.is_some() == queued)
                            .filter(|(_, pattern, _)| subject::is_match(pattern.as_bytes(), subject.as_bytes()))
                    };
                    prop_assert_eq!(plain, matching(false).map(|(key, ..)| *key).collect::<Vec<_>>());
                    let wanted: Vec<(u32, Vec<u8>)> = matching(true)
                        .map(|(key, _, queue)| (*key, queue.unwrap_or_default().as_bytes().to_vec()))
                        .collect();
                    prop_assert_eq!(queued, wanted);
                }
            }
            prop_assert_eq!(list.len(), naive.len());
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic_or_claim_more_than_there_is(
        bytes in proptest::collection::vec(prop_oneof![
            any::<u8>(),
            proptest::sample::select(b"PUBSMGLH+- 0123\r\n|".to_vec())
        ], 0..200)
    ) {
        let limits = NatsLimits::default();
        if let Ok(Scan::Op(_, used)) = scan_client(&bytes, &limits) {
            prop_assert!(used <= bytes.len() && used > 0);
        }
        if let Ok(Scan::Op(_, used)) = scan_server(&bytes, &limits) {
            prop_assert!(used <= bytes.len() && used > 0);
        }
        if let Ok(Scan::Op(_, used)) = scan_leaf(&bytes, &limits) {
            prop_assert!(used <= bytes.len() && used > 0);
        }
    }

    #[test]
    fn a_broker_says_the_same_however_its_bytes_are_cut(cuts in proptest::collection::vec(1_usize..40, 1..40)) {
        let talk = "SUB a.* 1\r\nsub b q 2\r\nPUB a.x 5\r\nhello\r\nHPUB b r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n\
                    PING\r\nUNSUB 1 1\r\nPUB a.y 0\r\n\r\nPUB a.z 1\r\nz\r\nPUB none 0\r\n\r\n";
        let mut whole = Bed::new();
        let id = whole.quiet();
        whole.say(id, talk);
        let wanted = whole.heard(id);
        let mut bed = Bed::new();
        let id = bed.quiet();
        let mut rest = talk;
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            bed.say(id, now);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(bed.heard(id), wanted);
    }
}

#[test]
fn what_is_no_operation_is_told_apart() {
    let limits = NatsLimits {
        payload_bytes_max: 8,
        line_bytes_max: 64,
        ..NatsLimits::default()
    };
    let scan = |text: &[u8]| scan_client(text, &limits).map(|_| ());
    assert_eq!(scan(b"PUB a\r\n"), Err(BadOp::Arguments));
    assert_eq!(scan(b"PUB a -1\r\n"), Err(BadOp::Arguments));
    assert_eq!(scan(b"PUB a 9\r\n"), Err(BadOp::Payload { bytes: 9 }));
    assert_eq!(scan(b"PUB a 1\r\nxy\r\n"), Err(BadOp::Verb));
    assert_eq!(scan(b"GET / HTTP/1.1"), Err(BadOp::Verb));
    assert_eq!(
        scan(&[b"SUB ".as_slice(), &[b'a'; 67]].concat()),
        Err(BadOp::Line)
    );
    assert_eq!(scan(b"PU"), Ok(()));
    assert!(matches!(
        scan_client(b"ping\n", &limits),
        Ok(Scan::Op(ClientOp::Ping, 5))
    ));
}

/// However many blanks are before what a verb has to say: they have to be kept until the line ends.
#[test]
fn a_line_is_too_long_as_a_whole_or_in_pieces() {
    let limits = NatsLimits {
        line_bytes_max: 20,
        ..NatsLimits::default()
    };
    for (blanks, is_good) in [(1, true), (2, false), (15, false), (10_000, false)] {
        let line = format!("SUB{}{} 1\r\n", " ".repeat(blanks), "s".repeat(18));
        let whole = scan_client(line.as_bytes(), &limits);
        assert_eq!(whole.is_ok(), is_good, "{blanks}");
        let pieces: Result<Vec<_>, _> = (1..=line.len())
            .map(|count| scan_client(line.get(..count).expect("ASCII").as_bytes(), &limits))
            .collect();
        assert_eq!(pieces.map(drop), whole.map(drop), "{blanks}");
    }
}

#[test]
fn a_broker_tells_links_the_same_each_time_it_runs() {
    let told = || {
        let mut bed = Bed::new();
        let [first, second] = ["NFIRST", "NSECOND"].map(|id| {
            let link = bed
                .broker
                .connect(PeerKind::Spoke, Visitor::default(), None, bed.now);
            bed.say(link, &format!("CONNECT {{\"server_id\":\"{id}\"}}\r\n"));
            link
        });
        for number in 0..20 {
            bed.say(first, &format!("LS+ subject.{number}\r\n"));
        }
        // Only who has answered is a link; what it asked for is known by then.
        bed.say(second, "PONG\r\n");
        bed.say(first, "PONG\r\n");
        let joined = bed.heard(second);
        bed.broker.disconnect(first);
        [joined, bed.heard(second)]
    };
    let [joined, left] = told();
    assert_eq!(joined.matches("LS+ subject.").count(), 20, "{joined}");
    assert_eq!(left.matches("LS- subject.").count(), 20, "{left}");
    assert_eq!(told(), [joined, left]);
}

#[test]
fn a_subscriber_gets_what_it_asked_for_and_only_that() {
    let mut bed = Bed::new();
    let (one, two) = (bed.quiet(), bed.quiet());
    bed.say(one, "SUB a.* 7\r\n");
    bed.say(two, "PUB a.b 2\r\nhi\r\nPUB b 2\r\nno\r\nPUB a.c re 0\r\n\r\n");
    assert_eq!(bed.heard(one), "MSG a.b 7 2\r\nhi\r\nMSG a.c 7 re 0\r\n\r\n");
    assert_eq!(bed.heard(two), "");
}

#[test]
fn an_absent_key_of_connect_holds() {
    let mut bed = Bed::new();
    let id = bed.client("{}");
    bed.say(id, "SUB a 1\r\nPUB a 1\r\nx\r\nPUB a.* 0\r\n\r\n");
    assert_eq!(
        bed.heard(id),
        "+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n"
    );
}

#[test]
fn of_a_queue_group_one_member_gets_a_message() {
    let mut bed = Bed::new();
    let members: Vec<ConnId> = (0..4).map(|_| bed.quiet()).collect();
    for id in &members {
        bed.say(*id, "SUB work q 1\r\n");
    }
    let sender = bed.quiet();
    for _ in 0..400 {
        bed.say(sender, "PUB work 0\r\n\r\n");
    }
    let counts: Vec<usize> = members
        .iter()
        .map(|id| bed.heard(*id).matches("MSG").count())
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), 400);
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}

#[test]
fn a_request_that_nobody_hears_is_answered_with_503() {
    let mut bed = Bed::new();
    let id = bed.quiet();
    bed.say(id, "SUB inbox 1\r\nPUB nobody inbox 0\r\n\r\n");
    assert_eq!(
        bed.heard(id),
        "HMSG inbox 1 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\n"
    );
}

#[test]
fn a_subscription_ends_after_as_many_messages_as_were_said() {
    let mut bed = Bed::new();
    let (one, two) = (bed.quiet(), bed.quiet());
    bed.say(one, "SUB a 1\r\nUNSUB 1 2\r\n");
    bed.say(two, "PUB a 0\r\n\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\n");
    assert_eq!(bed.heard(one).matches("MSG").count(), 2);
    assert_eq!(bed.broker.stat().subscriptions, 0);
}

#[test]
fn who_does_not_read_is_let_go_and_the_others_go_on() {
    let limits = NatsLimits {
        pending_bytes_max: 1000,
        ..NatsLimits::default()
    };
    let mut bed = Bed::with("A", limits, Box::new(OpenGate));
    let (slow, quick, sender) = (bed.quiet(), bed.quiet(), bed.quiet());
    bed.say(slow, "SUB a 1\r\n");
    bed.say(quick, "SUB a 1\r\n");
    for _ in 0..20 {
        bed.say(sender, &format!("PUB a 100\r\n{:100}\r\n", ""));
        assert_eq!(bed.heard(quick).matches("MSG").count(), 1);
    }
    assert_eq!(bed.broker.closed(slow), Some(&Close::Slow));
    assert_eq!(bed.broker.closed(quick), None);
    assert_eq!(bed.broker.stat().slow_consumers, 1);
    assert_eq!(bed.heard(slow), "", "nothing is kept for it");
}

#[test]
fn who_is_silent_is_asked_and_then_let_go() {
    let mut bed = Bed::new();
    let id = bed.quiet();
    let mut asked = 0;
    while bed.broker.closed(id).is_none() {
        bed.now = bed.broker.poll_timeout().expect("a deadline");
        bed.broker.handle_timeout(bed.now);
        asked += bed.heard(id).matches("PING").count();
    }
    assert_eq!(asked, 2);
    assert_eq!(bed.broker.closed(id), Some(&Close::Stale));
    bed.broker.disconnect(id);
    bed.broker.handle_timeout(Timestamp(i64::MAX));
    assert_eq!(bed.broker.poll_timeout(), None);
}

/// Lets in whoever says the word, with fixed rights.
struct Word(Grant);

impl Gate for Word {
    fn is_guarded(&self, _: &Visitor) -> bool {
        true
    }

    fn admit(&mut self, _: &Visitor, connect: &Connect) -> Option<Grant> {
        (connect.auth_token.as_deref() == Some("word")).then(|| self.0.clone())
    }
}

#[test]
fn a_guarded_broker_hears_nothing_before_the_word() {
    let bed = || Bed::with("A", NatsLimits::default(), Box::new(Word(Grant::default())));
    for wrong in [
        "PING\r\n",
        "SUB a 1\r\n",
        "CONNECT {\"auth_token\":\"no\"}\r\n",
        "CONNECT {}\r\n",
    ] {
        let mut bed = bed();
        let id = bed
            .broker
            .connect(PeerKind::Client, Visitor::default(), None, bed.now);
        assert!(bed.heard(id).contains("\"auth_required\":true"));
        bed.say(id, wrong);
        assert_eq!(bed.heard(id), "-ERR 'Authorization Violation'\r\n", "{wrong}");
        assert_eq!(bed.broker.closed(id), Some(&Close::Authorization));
    }
    let mut bed = bed();
    let id = bed
        .broker
        .connect(PeerKind::Client, Visitor::default(), None, bed.now);
    bed.heard(id);
    bed.now.0 += 2_000;
    bed.broker.handle_timeout(bed.now);
    assert_eq!(bed.heard(id), "-ERR 'Authentication Timeout'\r\n");
}

#[test]
fn rights_hold_for_what_is_published_asked_for_and_delivered() {
    let rights = |allow: &[&str], deny: &[&str]| Rights {
        allow: (!allow.is_empty()).then(|| allow.iter().map(ToString::to_string).collect()),
        deny: deny.iter().map(ToString::to_string).collect(),
    };
    let grant = Grant {
        publish: rights(&["up.>"], &["up.no"]),
        subscribe: rights(&["down.>", "asked"], &["down.secret"]),
        responses: Some(Responses {
            count_max: 1,
            age_ms_max: 1000,
        }),
        ..Grant::default()
    };
    let mut bed = Bed::with("A", NatsLimits::default(), Box::new(Word(grant)));
    let connect = r#"{"auth_token":"word","verbose":false,"lang":"test"}"#;
    let id = bed.client(connect);
    bed.say(
        id,
        "PUB up.no 0\r\n\r\nPUB other 0\r\n\r\nPUB up.a _R_.x 0\r\n\r\nSUB up.a 1\r\nSUB down.secret 2\r\n",
    );
    assert_eq!(
        bed.heard(id),
        "-ERR 'Permissions Violation for Publish to \"up.no\"'\r\n\
         -ERR 'Permissions Violation for Publish to \"other\"'\r\n\
         -ERR 'Permissions Violation for Publish with Reply of \"_R_.x\"'\r\n\
         -ERR 'Permissions Violation for Subscription to \"up.a\"'\r\n\
         -ERR 'Permissions Violation for Subscription to \"down.secret\"'\r\n"
    );
    // A wildcard over what is denied is allowed, and what is denied is not delivered.
    bed.say(id, "SUB down.* 3\r\nSUB asked 4\r\n");
    let gate_free = bed
        .broker
        .connect(PeerKind::Hub, Visitor::default(), None, bed.now);
    bed.say(gate_free, "INFO {\"leafnode_urls\":[],\"server_id\":\"X\"}\r\n");
    bed.heard(gate_free);
    bed.say(
        gate_free,
        "LMSG down.secret 0\r\n\r\nLMSG down.x 0\r\n\r\nLMSG asked inbox 0\r\n\r\n",
    );
    assert_eq!(bed.heard(id), "MSG down.x 3 0\r\n\r\nMSG asked 4 inbox 0\r\n\r\n");
    // It may answer who asked, once.
    bed.say(id, "PUB inbox 0\r\n\r\nPUB inbox 0\r\n\r\n");
    assert_eq!(
        bed.heard(id),
        "-ERR 'Permissions Violation for Publish to \"inbox\"'\r\n"
    );
}

/// Several brokers and the streams between them.
struct World {
    beds: Vec<Bed>,
    wires: Vec<[(usize, ConnId); 2]>,
}

impl World {
    fn new(count: usize) -> Self {
        let bed = |at: usize| Bed::with(["A", "B", "C"][at], NatsLimits::default(), Box::new(OpenGate));
        Self {
            beds: (0..count).map(bed).collect(),
            wires: Vec::new(),
        }
    }

    fn link(&mut self, from: usize, to: usize, kind: PeerKind) {
        self.dial(from, to, kind);
        self.settle();
    }

    /// A stream on which nothing was said so far.
    fn dial(&mut self, from: usize, to: usize, kind: PeerKind) {
        let other = match kind {
            PeerKind::Hub => PeerKind::Spoke,
            _ => PeerKind::Client,
        };
        let now = self.beds[0].now;
        let near = self.beds[from]
            .broker
            .connect(kind, Visitor::default(), None, now);
        let far = self.beds[to].broker.connect(other, Visitor::default(), None, now);
        self.wires.push([(from, near), (to, far)]);
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            let mut is_moved = false;
            for [near, far] in self.wires.clone() {
                for ((from, source), (to, sink)) in [(near, far), (far, near)] {
                    let bytes = self.beds[from].heard(source);
                    is_moved |= !bytes.is_empty();
                    self.beds[to].say(sink, &bytes);
                }
            }
            if !is_moved {
                return;
            }
        }
        panic!("the brokers never stop talking");
    }
}

const MESH: PeerKind = PeerKind::Mesh { is_ours: true };

#[test]
fn three_leaves_linked_all_to_all_deliver_each_message_once() {
    let mut world = World::new(3);
    let clients: Vec<ConnId> = (0..3).map(|at| world.beds[at].quiet()).collect();
    for (at, id) in clients.iter().enumerate() {
        world.beds[at].say(*id, "SUB news.> 1\r\n");
    }
    // Everybody dials everybody: six dials, of which three links remain.
    for from in 0..3 {
        for to in (0..3).filter(|to| *to != from) {
            world.link(from, to, MESH);
        }
    }
    for from in 0..3 {
        world.beds[from].say(clients[from], "PUB news.x 2\r\nhi\r\n");
        world.settle();
        for (at, id) in clients.iter().enumerate() {
            assert_eq!(
                world.beds[at].heard(*id),
                "MSG news.x 1 2\r\nhi\r\n",
                "from {from} to {at}"
            );
        }
    }
    let open: Vec<usize> = open_links(&world).iter().map(Vec::len).collect();
    assert_eq!(open, [2, 2, 2]);
}

/// Which of the connections of each broker are open links.
fn open_links(world: &World) -> Vec<Vec<ConnId>> {
    let of_bed = |bed: &Bed| {
        let stats = bed.broker.conn_stats();
        let links = stats.iter().filter(|conn| conn.kind != PeerKind::Client);
        links.map(|conn| conn.id).collect()
    };
    world.beds.iter().map(of_bed).collect()
}

#[test]
fn a_good_link_of_the_mesh_stays_whoever_dials_again() {
    for (first, second) in [(0, 1), (1, 0)] {
        let mut world = World::new(2);
        world.link(first, second, MESH);
        let before = open_links(&world);
        assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
        world.link(second, first, MESH);
        world.link(first, second, MESH);
        assert_eq!(open_links(&world), before);
    }
}

#[test]
fn of_links_dialled_at_the_same_moment_one_stays() {
    let mut world = World::new(2);
    let clients: Vec<ConnId> = (0..2).map(|at| world.beds[at].quiet()).collect();
    for (at, id) in clients.iter().enumerate() {
        world.beds[at].say(*id, "SUB news 1\r\n");
    }
    world.dial(0, 1, MESH);
    world.dial(1, 0, MESH);
    world.settle();
    let open: Vec<usize> = open_links(&world).iter().map(Vec::len).collect();
    assert_eq!(open, [1, 1]);
    world.beds[0].say(clients[0], "PUB news 2\r\nhi\r\n");
    world.settle();
    for (at, id) in clients.iter().enumerate() {
        assert_eq!(world.beds[at].heard(*id), "MSG news 1 2\r\nhi\r\n", "at {at}");
    }
}

#[test]
fn of_a_mesh_one_joins_a_hub_and_stays() {
    // C is the hub; A goes before B, whatever comes first.
    let (to_a, to_b, mesh) = ((0, 2, PeerKind::Hub), (1, 2, PeerKind::Hub), (0, 1, MESH));
    for order in [[to_a, to_b, mesh], [mesh, to_b, to_a], [to_b, mesh, to_a]] {
        let mut world = World::new(3);
        for (from, to, kind) in order {
            world.link(from, to, kind);
        }
        let before = open_links(&world);
        assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1]);
        // The other one tries again, and no other link is hurt.
        world.link(1, 2, PeerKind::Hub);
        assert_eq!(open_links(&world), before);
    }
}

#[test]
fn a_request_over_the_mesh_and_over_a_hub_is_answered() {
    for kinds in [
        [MESH, MESH],
        [PeerKind::Hub, PeerKind::Hub],
        [PeerKind::Hub, MESH],
    ] {
        let mut world = World::new(3);
        // B in the middle: A and C are its spokes, or members of its mesh.
        world.link(0, 1, kinds[0]);
        world.link(2, 1, kinds[1]);
        let asker = world.beds[0].quiet();
        let far = if kinds == [MESH, MESH] { 1 } else { 2 };
        let servant = world.beds[far].quiet();
        world.beds[far].say(servant, "SUB work q 1\r\n");
        world.settle();
        world.beds[0].say(asker, "SUB inbox 1\r\nPUB work inbox 1\r\n?\r\n");
        world.settle();
        assert_eq!(
            world.beds[far].heard(servant),
            "MSG work 1 inbox 1\r\n?\r\n",
            "{kinds:?}"
        );
        world.beds[far].say(servant, "HPUB inbox 12 13\r\nNATS/1.0\r\n\r\n!\r\n");
        world.settle();
        assert_eq!(
            world.beds[0].heard(asker),
            "HMSG inbox 1 12 13\r\nNATS/1.0\r\n\r\n!\r\n",
            "{kinds:?}"
        );
        // When the servant leaves, interest goes back the whole way and nobody is told to wait.
        world.beds[far].broker.disconnect(servant);
        world.settle();
        world.beds[0].say(asker, "PUB work inbox 1\r\n?\r\n");
        assert!(
            world.beds[0]
                .heard(asker)
                .starts_with("HMSG inbox 1 36 36\r\nNATS/1.0 503"),
            "{kinds:?}"
        );
    }
}

#[test]
fn one_member_of_a_group_that_spans_links_gets_a_message_and_near_ones_are_preferred() {
    let mut world = World::new(3);
    world.link(0, 1, MESH);
    world.link(0, 2, MESH);
    let mut members = Vec::new();
    for at in 1..3 {
        let id = world.beds[at].quiet();
        world.beds[at].say(id, "SUB work q 1\r\n");
        members.push((at, id));
    }
    world.settle();
    let sender = world.beds[0].quiet();
    for _ in 0..100 {
        world.beds[0].say(sender, "PUB work 0\r\n\r\n");
    }
    world.settle();
    let counts: Vec<usize> = members
        .iter()
        .map(|(at, id)| world.beds[*at].heard(*id).matches("MSG").count())
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), 100);
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
    let near = world.beds[0].quiet();
    world.beds[0].say(near, "SUB work q 1\r\n");
    for _ in 0..10 {
        world.beds[0].say(sender, "PUB work 0\r\n\r\n");
    }
    assert_eq!(world.beds[0].heard(near).matches("MSG").count(), 10);
}

#[test]
fn a_spoke_keeps_to_what_its_hub_lets_it_do() {
    let mut bed = Bed::new();
    let id = bed.quiet();
    bed.say(id, "SUB in.> 1\r\nSUB other 2\r\n");
    let hub = bed
        .broker
        .connect(PeerKind::Hub, Visitor::default(), None, bed.now);
    bed.say(
        hub,
        "INFO {\"server_id\":\"X\",\"leafnode_urls\":[],\"import\":{\"allow\":[\"in.news\"]},\
         \"export\":{\"deny\":[\"out.no\"]}}\r\nPONG\r\n",
    );
    let told = bed.heard(hub);
    assert!(
        told.contains("LS+ in.>\r\n") && !told.contains("LS+ other"),
        "{told}"
    );
    bed.say(hub, "LS+ out.>\r\n");
    bed.say(id, "PUB out.no 0\r\n\r\nPUB out.yes 0\r\n\r\n");
    assert_eq!(bed.heard(hub), "LMSG out.yes 0\r\n\r\n");
}

#[test]
fn nothing_goes_from_hub_to_hub() {
    let mut bed = Bed::new();
    let hubs: Vec<ConnId> = (0..2)
        .map(|_| {
            bed.broker
                .connect(PeerKind::Hub, Visitor::default(), None, bed.now)
        })
        .collect();
    for (at, hub) in hubs.iter().enumerate() {
        bed.say(
            *hub,
            &format!("INFO {{\"server_id\":\"{at}\",\"leafnode_urls\":[]}}\r\nLS+ news\r\nPONG\r\n"),
        );
        bed.heard(*hub);
    }
    let id = bed.quiet();
    bed.say(id, "SUB news 1\r\n");
    for hub in &hubs {
        assert_eq!(bed.heard(*hub), "LS+ news\r\n");
    }
    bed.say(hubs[0], "LMSG news 2\r\nhi\r\n");
    assert_eq!(bed.heard(id), "MSG news 1 2\r\nhi\r\n");
    assert_eq!(bed.heard(hubs[1]), "");
}

#[test]
fn of_a_circle_of_leaf_nodes_the_link_that_came_last_is_cut() {
    let mut world = World::new(3);
    world.link(0, 1, PeerKind::Hub);
    world.link(1, 2, PeerKind::Hub);
    let before = open_links(&world);
    for (from, to) in [(2, 0), (1, 0), (2, 1)] {
        for _ in 0..3 {
            world.link(from, to, PeerKind::Hub);
            assert_eq!(open_links(&world), before, "from {from} to {to}");
        }
    }
    let of_loops = world.beds.iter_mut().map(|bed| {
        std::iter::from_fn(|| bed.broker.poll_event())
            .filter(|event| matches!(event, BrokerEvent::Closed { why: Close::Loop, .. }))
            .count()
    });
    assert!(of_loops.sum::<usize>() >= 9);
}

#[test]
fn a_new_link_carries_nothing_before_the_other_side_has_answered() {
    let mut bed = Bed::new();
    let client = bed.quiet();
    bed.say(client, "SUB here 1\r\n");
    let old = bed
        .broker
        .connect(PeerKind::Hub, Visitor::default(), None, bed.now);
    bed.say(
        old,
        "INFO {\"server_id\":\"X\",\"leafnode_urls\":[]}\r\nLS+ $LDS.X\r\nPONG\r\n",
    );
    bed.heard(old);
    let new = bed
        .broker
        .connect(PeerKind::Spoke, Visitor::default(), None, bed.now);
    bed.heard(new);
    bed.say(new, "CONNECT {\"server_id\":\"Y\"}\r\nLS+ $LDS.Y\r\nLS+ far\r\n");
    bed.say(client, "PUB far 0\r\n\r\n");
    // It hears of circles alone, and the others nothing of it.
    let (own, number) = (format!("$LDS.N{:A<22}", "A"), new.number());
    assert_eq!(
        bed.heard(new),
        format!("LS+ {own}\r\nLS+ {own}.{number}\r\nLS+ $LDS.X\r\nPING\r\n")
    );
    assert_eq!(bed.heard(old), "");
    bed.say(new, "PONG\r\n");
    assert_eq!(bed.heard(new), "LS+ here\r\n");
    let mut told: Vec<String> = bed.heard(old).lines().map(str::to_owned).collect();
    told.sort();
    assert_eq!(told, ["LS+ $LDS.Y", "LS+ far"]);
    bed.say(client, "PUB far 2\r\nhi\r\n");
    assert_eq!(bed.heard(new), "LMSG far 2\r\nhi\r\n");
}

/// What goes over which wire, which way, and how much of it.
fn moves() -> impl Strategy<Value = Vec<(usize, bool, usize)>> {
    proptest::collection::vec((0_usize..2, any::<bool>(), 1_usize..300), 0..60)
}

proptest! {
    #[test]
    fn of_two_that_are_hubs_of_each_other_both_keep_the_same_link(order in any::<bool>(), moves in moves()) {
        let mut world = World::new(2);
        let clients: Vec<ConnId> = (0..2).map(|at| world.beds[at].quiet()).collect();
        for (at, id) in clients.iter().enumerate() {
            world.beds[at].say(*id, "SUB news 1\r\n");
        }
        let (first, second) = if order { (0, 1) } else { (1, 0) };
        world.dial(first, second, PeerKind::Hub);
        world.dial(second, first, PeerKind::Hub);
        for (wire, is_back, count) in moves {
            let [near, far] = world.wires[wire];
            let ((from, source), (to, sink)) = if is_back { (far, near) } else { (near, far) };
            let bytes = world.beds[from].broker.transmit(source);
            let bytes = String::from_utf8_lossy(&bytes[..count.min(bytes.len())]).into_owned();
            world.beds[from].broker.sent(source, bytes.len());
            world.beds[to].say(sink, &bytes);
        }
        world.settle();
        let kept = |world: &World| -> Vec<Vec<usize>> {
            let is_open = |(at, id): (usize, ConnId)| world.beds[at].broker.closed(id).is_none();
            let wires = world.wires.iter().map(|ends| ends.iter().filter(|end| is_open(**end)).count());
            vec![wires.collect()]
        };
        let before = kept(&world);
        prop_assert!(matches!(before[0][..], [2, 0] | [0, 2]), "{:?}", before);
        for (at, id) in clients.iter().enumerate() {
            world.beds[at].say(*id, "PUB news 2\r\nhi\r\n");
            world.settle();
            for (at, id) in clients.iter().enumerate() {
                prop_assert_eq!(world.beds[at].heard(*id), "MSG news 1 2\r\nhi\r\n");
            }
        }
    }

    #[test]
    fn a_real_server_and_this_one_that_are_hubs_of_each_other_keep_one_link(
        is_hub_first in any::<bool>(),
        is_one_old in any::<bool>(),
        moves in moves(),
    ) {
        let mut pair = Pair::new();
        pair.dial(is_hub_first);
        if is_one_old {
            pair.settle();
        }
        pair.dial(!is_hub_first);
        for (wire, is_back, count) in moves {
            pair.carry(wire, is_back, count);
        }
        pair.settle();
        let open = pair.open();
        prop_assert!(matches!(open[..], [[true, true], [false, false]] | [[false, false], [true, true]]), "{:?}", open);
        prop_assert!(open[0][0] || !is_one_old, "the old link was cut");
        // Whoever is refused tries again and again.
        for _ in 0..3 {
            let refused = pair.open().iter().position(|ends| !ends[0]).expect("one is");
            pair.dial(if refused == 0 { is_hub_first } else { !is_hub_first });
            pair.settle();
            prop_assert_eq!(&pair.open()[..2], &open[..]);
            prop_assert_eq!(pair.open()[2], [false, false]);
            pair.wires.pop();
        }
    }
}

/// A leaf node connection of a real server.
#[derive(Default)]
struct RealLink {
    /// It accepted.
    is_hub: bool,
    is_open: bool,
    is_closed: bool,
    heard: BTreeSet<String>,
    told: BTreeSet<String>,
    unread: String,
    out: String,
}

/// One of ours and a plain imitation of a real server: whatever is asked for on one link it asks for on the others
/// at once, and it cuts a link over which its own subject comes back.
struct Pair {
    ours: Bed,
    wires: Vec<(ConnId, RealLink)>,
}

impl Pair {
    fn new() -> Self {
        let mut ours = Bed::new();
        let client = ours.quiet();
        ours.say(client, "SUB here 1\r\n");
        Self {
            ours,
            wires: Vec::new(),
        }
    }

    fn dial(&mut self, is_hub: bool) {
        let kind = if is_hub { PeerKind::Hub } else { PeerKind::Spoke };
        let id = self
            .ours
            .broker
            .connect(kind, Visitor::default(), None, self.ours.now);
        let mut link = RealLink {
            is_hub,
            ..RealLink::default()
        };
        if is_hub {
            link.out
                .push_str("INFO {\"server_id\":\"REAL\",\"leafnode_urls\":[]}\r\n");
        }
        self.wires.push((id, link));
    }

    /// Whether each link is open, at our end and at the other one.
    fn open(&self) -> Vec<[bool; 2]> {
        let is_open = |(id, link): &(ConnId, RealLink)| {
            let is_ours = self.ours.broker.conn_stats().iter().any(|conn| conn.id == *id);
            [is_ours, link.is_open]
        };
        self.wires.iter().map(is_open).collect()
    }

    fn carry(&mut self, wire: usize, is_back: bool, count: usize) -> bool {
        let (id, link) = &mut self.wires[wire];
        if is_back {
            let bytes: String = link.out.drain(..count.min(link.out.len())).collect();
            self.ours.say(*id, &bytes);
            return !bytes.is_empty();
        }
        let bytes = self.ours.broker.transmit(*id);
        let bytes = String::from_utf8_lossy(&bytes[..count.min(bytes.len())]).into_owned();
        self.ours.broker.sent(*id, bytes.len());
        link.unread.push_str(&bytes);
        while let Some((line, rest)) = self.wires[wire].1.unread.split_once("\r\n") {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            self.wires[wire].1.unread = rest;
            self.hear(wire, &line);
        }
        !bytes.is_empty()
    }

    fn hear(&mut self, wire: usize, line: &str) {
        let link = &mut self.wires[wire].1;
        if link.is_closed {
            return;
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "INFO" => {
                link.out
                    .push_str("CONNECT {\"server_id\":\"REAL\",\"cluster\":\"real\"}\r\n");
                link.is_open = true;
            }
            "CONNECT" => link.is_open = true,
            "PING" => link.out.push_str("PONG\r\n"),
            "LS+" if rest == "$LDS.REAL" => {
                link.out.push_str("-ERR 'Loop detected'\r\n");
                Self::close(link);
            }
            "LS+" => drop(link.heard.insert(rest.to_owned())),
            "LS-" => drop(link.heard.remove(rest)),
            "-ERR" => Self::close(link),
            _ => {}
        }
        let carry = self.wires.iter().filter(|(_, link)| link.heard.contains("here"));
        assert!(carry.count() < 2, "a message would come twice");
        self.tell_all();
    }

    fn close(link: &mut RealLink) {
        (link.is_open, link.is_closed) = (false, true);
        link.heard.clear();
    }

    /// A hub tells all, a spoke what is wanted below it.
    fn tell_all(&mut self) {
        for at in 0..self.wires.len() {
            let is_hub = self.wires[at].1.is_hub;
            let others = self.wires.iter().enumerate();
            let wanted: BTreeSet<String> = others
                .filter(|(other, (_, link))| *other != at && (is_hub || link.is_hub))
                .flat_map(|(_, (_, link))| link.heard.iter().cloned())
                .chain(["$LDS.REAL".to_owned(), "there".to_owned()])
                .collect();
            let link = &mut self.wires[at].1;
            if !link.is_open {
                continue;
            }
            let news = wanted
                .difference(&link.told)
                .map(|subject| format!("LS+ {subject}\r\n"));
            let olds = link
                .told
                .difference(&wanted)
                .map(|subject| format!("LS- {subject}\r\n"));
            let lines: String = news.chain(olds).collect();
            link.out.push_str(&lines);
            link.told = wanted;
        }
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            let mut is_moved = false;
            for wire in 0..self.wires.len() {
                for is_back in [false, true] {
                    is_moved |= self.carry(wire, is_back, usize::MAX);
                }
            }
            if !is_moved {
                return;
            }
        }
        panic!("they never stop talking");
    }
}

#[test]
fn a_port_that_is_another_kind_of_port_is_named() {
    let mut bed = Bed::new();
    let id = bed
        .broker
        .connect(PeerKind::Hub, Visitor::default(), None, bed.now);
    bed.say(id, "INFO {\"server_id\":\"X\",\"headers\":true}\r\n");
    let why = bed.broker.closed(id).expect("closed").to_string();
    assert!(why.contains("leaf node port"), "{why}");

    let id = bed.broker.connect(MESH, Visitor::default(), None, bed.now);
    bed.say(id, "INFO {\"server_id\":\"X\",\"headers\":true}\r\n");
    let why = bed.broker.closed(id).expect("closed").to_string();
    assert!(why.contains("--leafnode"), "{why}");

    let id = bed
        .broker
        .connect(PeerKind::Spoke, Visitor::default(), None, bed.now);
    bed.heard(id);
    bed.say(id, "CONNECT {\"lang\":\"go\"}\r\n");
    assert_eq!(bed.heard(id), "-ERR 'attempted to connect to leaf node port'\r\n");
}

/// A client and the broker it is connected to.
struct Call {
    bed: Bed,
    client: NatsClient,
    id: Option<ConnId>,
}

impl Call {
    fn new() -> Self {
        let bed = Bed::new();
        let client = NatsClient::new(Connect::default(), None, NatsLimits::default(), 7, bed.now);
        let mut call = Self {
            bed,
            client,
            id: None,
        };
        call.dial();
        call
    }

    fn dial(&mut self) {
        self.bed.now = self
            .client
            .poll_dial()
            .expect("wants to connect")
            .max(self.bed.now);
        self.client.handle_connected(self.bed.now);
        let kind = PeerKind::Client;
        self.id = Some(
            self.bed
                .broker
                .connect(kind, Visitor::default(), None, self.bed.now),
        );
        self.settle();
    }

    fn settle(&mut self) {
        let Some(id) = self.id else { return };
        for _ in 0..20 {
            let heard = self.bed.heard(id);
            self.client.handle_bytes(heard.as_bytes(), self.bed.now);
            let said = self.client.poll_transmit().unwrap_or_default();
            self.bed.broker.handle_bytes(id, &said, self.bed.now);
        }
    }

    fn events(&mut self) -> Vec<NatsEvent> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }
}

#[test]
fn a_client_asks_and_is_answered_or_told_that_nobody_hears() {
    let mut call = Call::new();
    assert!(matches!(call.events().as_slice(), [NatsEvent::Ready { .. }]));
    let servant = call.bed.quiet();
    call.bed.say(servant, "SUB ask 1\r\n");
    let deadline = Timestamp(call.bed.now.0 + 5_000);
    let request = call.client.request(b"ask", b"", b"?", deadline).expect("sent");
    call.settle();
    let asked = call.bed.heard(servant);
    let reply = asked.split(' ').nth(3).expect("a reply subject").to_owned();
    call.bed.say(servant, &format!("PUB {reply} 1\r\n!\r\n"));
    call.settle();
    match call.events().as_slice() {
        [
            NatsEvent::Reply {
                request: got,
                reply: Ok(arrival),
            },
        ] => {
            assert_eq!((*got, arrival.body.as_slice()), (request, b"!".as_slice()));
        }
        other => panic!("{other:?}"),
    }
    call.client.request(b"nobody", b"", b"?", deadline).expect("sent");
    call.settle();
    assert!(matches!(
        call.events().as_slice(),
        [NatsEvent::Reply {
            reply: Err(NatsError::NoResponders),
            ..
        }]
    ));
    call.client.request(b"ask", b"", b"?", deadline).expect("sent");
    call.client.handle_timeout(deadline);
    assert!(matches!(
        call.events().as_slice(),
        [NatsEvent::Reply {
            reply: Err(NatsError::TimedOut),
            ..
        }]
    ));
}

#[test]
fn a_client_that_lost_its_connection_asks_for_everything_again() {
    let mut call = Call::new();
    let sid = call.client.subscribe(b"news.*", None);
    call.settle();
    call.events();
    let deadline = Timestamp(call.bed.now.0 + 5_000);
    call.client.request(b"news.x", b"", b"", deadline).expect("sent");
    call.client.handle_disconnected(call.bed.now);
    assert!(matches!(
        call.events().as_slice(),
        [
            NatsEvent::Reply {
                reply: Err(NatsError::Away),
                ..
            },
            NatsEvent::Lost(NatsError::Away)
        ]
    ));
    assert_eq!(
        call.client.request(b"news.x", b"", b"", deadline),
        Err(NatsError::Away)
    );
    let before = call.bed.now;
    call.dial();
    assert!(call.bed.now > before, "not at once: others were cut off, too");
    let sender = call.bed.quiet();
    call.bed.say(sender, "PUB news.y 2\r\nhi\r\n");
    call.settle();
    let events = call.events();
    assert!(
        matches!(&events[..], [NatsEvent::Ready { .. }, NatsEvent::Message(arrival)]
            if arrival.sid == sid && arrival.body == b"hi"),
        "{events:?}"
    );
}

#[test]
fn attempts_come_later_and_later_but_never_too_late() {
    let mut now = Timestamp(0);
    let mut client = NatsClient::new(Connect::default(), None, NatsLimits::default(), 3, now);
    let mut waits = Vec::new();
    for _ in 0..12 {
        client.handle_connected(now);
        client.handle_disconnected(now);
        let due = client.poll_dial().expect("tries again");
        waits.push(due.0 - now.0);
        now = due;
    }
    assert!(waits[0] <= 250 && waits[11] > 7_000, "{waits:?}");
    assert!(
        waits.iter().all(|wait| (100..=15_000).contains(wait)),
        "{waits:?}"
    );
}

#[test]
fn what_a_server_says_last_is_why_a_connection_was_lost() {
    let lost = |said: &str| {
        let mut client = NatsClient::new(Connect::default(), None, NatsLimits::default(), 3, Timestamp(0));
        client.handle_connected(Timestamp(0));
        client.handle_bytes(said.as_bytes(), Timestamp(0));
        match client.poll_event() {
            Some(NatsEvent::Lost(why)) => why,
            other => panic!("{said}: {other:?}"),
        }
    };
    assert_eq!(
        lost("INFO {}\r\n-ERR 'Authorization Violation'\r\n"),
        NatsError::Denied("Authorization Violation".into())
    );
    assert_eq!(lost("INFO {\"leafnode_urls\":[\"x\"]}\r\n"), NatsError::WrongPort);
    assert_eq!(
        lost("HTTP/1.1 400 Bad Request\r\n"),
        NatsError::PeerProtocol(BadOp::Verb)
    );
    assert_eq!(
        lost("INFO {}\r\n-ERR 'Stale Connection'\r\n"),
        NatsError::PeerSays("Stale Connection".into())
    );
}

#[test]
fn a_connection_that_gives_no_sign_of_life_when_it_is_asked_out_of_turn_is_gone() {
    let mut client = NatsClient::new(Connect::default(), None, NatsLimits::default(), 3, Timestamp(0));
    client.probe(Timestamp(0));
    assert_eq!(client.poll_transmit(), None, "there is nobody to be asked");
    client.handle_connected(Timestamp(0));
    client.handle_bytes(b"INFO {}\r\nPONG\r\n", Timestamp(0));
    client.poll_transmit();
    client.probe(Timestamp(1_000));
    assert_eq!(client.poll_transmit().as_deref(), Some(b"PING\r\n".as_slice()));
    client.handle_bytes(b"PONG\r\n", Timestamp(1_500));
    client.handle_timeout(client.poll_timeout().expect("a deadline"));
    assert!(client.is_ready());
    client.probe(Timestamp(200_000));
    let due = client.poll_timeout().expect("a deadline");
    assert!(due < Timestamp(210_000), "soon: {due:?}");
    client.handle_timeout(due);
    assert!(client.is_away());
}

#[test]
fn a_message_that_the_server_would_not_take_is_not_sent() {
    let mut client = NatsClient::new(Connect::default(), None, NatsLimits::default(), 3, Timestamp(0));
    client.handle_connected(Timestamp(0));
    client.handle_bytes(b"INFO {\"max_payload\":4}\r\nPONG\r\n", Timestamp(0));
    client.poll_transmit();
    let sent = client.request(b"a", b"", b"12345", Timestamp(9));
    assert_eq!(sent, Err(NatsError::PayloadTooLarge { bytes: 5, max: 4 }));
    assert_eq!(client.poll_transmit(), None);
}
