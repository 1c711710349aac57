//! Brokers that are linked: leaf nodes to real servers, of real servers, and the mesh of leaves.
//!
//! Interest travels in its own time: a test waits until a probe comes through and then says byte for byte what
//! is heard.
//!
//! Source: leaf nodes as nats-server 2.9.10 and 2.15.1 speak them; the mesh is ours.

use crate::servers::{Broker, Running, Setup, User};
use crate::wire::Wire;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long a link may take to be there, again if need be: longer than the longest wait before one is made.
const PATIENCE: Duration = Duration::from_mins(3);
/// Between two looks.
const MOMENT: Duration = Duration::from_millis(20);

on_every_pair![
    messages_go_both_ways,
    wildcards_are_wanted_over_a_link,
    requests_with_headers_are_answered,
    who_unsubscribes_hears_no_more,
    a_group_on_both_sides_gets_each_message_once,
    a_mebibyte_passes,
    spokes_hear_each_other,
    a_hub_that_was_killed_is_joined_again,
    a_spoke_that_was_killed_comes_back,
    a_wrong_password_is_refused,
    a_right_password_opens,
    a_client_port_is_no_hub,
    a_circle_is_found,
    of_a_circle_the_older_link_stays,
];

/// Asks again and again, and fails with `what` if the answer is never yes.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        sleep(MOMENT);
    }
}

/// A client that is let in and wants to know if nobody takes its requests.
pub(crate) fn client(name: &'static str, broker: &Running) -> Wire {
    let mut wire = Wire::tcp(name, &broker.address);
    wire.info();
    say(
        &mut wire,
        r#"CONNECT {"verbose":false,"headers":true,"no_responders":true}"#,
    );
    wire.expect_quiet();
    wire
}

pub(crate) fn say(wire: &mut Wire, text: &str) {
    wire.send(format!("{text}\r\n").as_bytes());
}

#[track_caller]
pub(crate) fn hear(wire: &mut Wire, text: &str) {
    wire.expect(format!("{text}\r\n").as_bytes());
}

/// What `to` asked for so far is known where `from` is.
///
/// Two probes: the first tells that there is a way, the second one follows on it what was asked for before.
#[track_caller]
pub(crate) fn settle(from: &mut Wire, to: &mut Wire) {
    static PROBES: AtomicU32 = AtomicU32::new(0);
    for _ in 0..2 {
        let subject = format!("probe.{}", PROBES.fetch_add(1, Ordering::Relaxed));
        say(to, &format!("SUB {subject} probe"));
        wait_until("a probe comes through", || {
            say(from, &format!("PUB {subject} 0\r\n"));
            from.expect_quiet();
            !to.so_far().is_empty()
        });
        say(to, "UNSUB probe");
        to.so_far();
    }
}

/// Both know what the other one asked for so far.
#[track_caller]
fn settle_both(one: &mut Wire, other: &mut Wire) {
    settle(one, other);
    settle(other, one);
}

#[track_caller]
fn wait_for_log(broker: &Running, text: &str) {
    let end = Instant::now() + PATIENCE;
    while !broker.log().contains(text) {
        assert!(
            Instant::now() < end,
            "the log does not say {text:?}:\n{}",
            broker.log()
        );
        sleep(MOMENT);
    }
}

/// A hub and a spoke of it.
fn pair(hub: Broker, spoke: Broker) -> (Running, Running) {
    let hub = hub.start(&Setup::open().named("hub").takes_leafnodes());
    let spoke = spoke.start(&Setup::open().named("spoke").joins(door(&hub)));
    (hub, spoke)
}

/// Where leaf nodes join it.
pub(crate) fn door(hub: &Running) -> &str {
    hub.leafnodes.as_deref().expect("it takes leaf nodes")
}

/// Ports that are free, at the same time, and stay so while nobody listens there: the system gives ports of their
/// own to those that dial and to those that listen at any port, all above these.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| {
        let free = || {
            let any = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let port = any.local_addr().expect("a bound socket").port();
            TcpListener::bind(("127.0.0.1", port / 2)).ok()
        };
        std::iter::repeat_with(free)
            .flatten()
            .next()
            .expect("one of many")
    });
    listeners.map(|listener| listener.local_addr().expect("a bound socket").port())
}

fn messages_go_both_ways(hub: Broker, spoke: Broker) {
    let (hub, spoke) = pair(hub, spoke);
    let (mut above, mut below) = (client("above", &hub), client("below", &spoke));
    say(&mut above, "SUB up 1");
    say(&mut below, "SUB down 2");
    settle_both(&mut above, &mut below);
    for _ in 0..3 {
        say(&mut above, "PUB down 5\r\nhello");
        hear(&mut below, "MSG down 2 5\r\nhello");
        say(&mut below, "PUB up reply 3\r\nwhy");
        hear(&mut above, "MSG up 1 reply 3\r\nwhy");
    }
    above.expect_quiet();
    below.expect_quiet();
}

fn wildcards_are_wanted_over_a_link(hub: Broker, spoke: Broker) {
    let (hub, spoke) = pair(hub, spoke);
    let (mut above, mut below) = (client("above", &hub), client("below", &spoke));
    say(&mut above, "SUB a.*.c 1");
    say(&mut below, "SUB a.> 2");
    settle_both(&mut above, &mut below);
    // Each hears what the other publishes and fits, in the order of it, and what it publishes itself.
    say(&mut above, "PUB a 0\r\n\r\nPUB a.b 1\r\n1\r\nPUB a.b.c 1\r\n2");
    hear(&mut below, "MSG a.b 2 1\r\n1\r\nMSG a.b.c 2 1\r\n2");
    hear(&mut above, "MSG a.b.c 1 1\r\n2");
    say(&mut below, "PUB a.b.d 1\r\n3\r\nPUB a.x.c 1\r\n4");
    hear(&mut below, "MSG a.b.d 2 1\r\n3\r\nMSG a.x.c 2 1\r\n4");
    hear(&mut above, "MSG a.x.c 1 1\r\n4");
    above.expect_quiet();
    below.expect_quiet();
}

fn requests_with_headers_are_answered(hub: Broker, spoke: Broker) {
    let (hub, spoke) = pair(hub, spoke);
    let (mut above, mut below) = (client("above", &hub), client("below", &spoke));
    say(&mut above, "SUB _INBOX.above.* 3\r\nSUB service.above 2");
    say(&mut below, "SUB _INBOX.below.* 3\r\nSUB service.below 2");
    settle_both(&mut above, &mut below);
    is_answered(&mut above, "above", &mut below, "below");
    is_answered(&mut below, "below", &mut above, "above");
}

/// A request with a header, and its answer with another one. Both have an inbox and a service by their name.
#[track_caller]
fn is_answered(asks: &mut Wire, who: &str, serves: &mut Wire, whom: &str) {
    let (question, answer) = ("NATS/1.0\r\nQ: 1\r\n\r\n", "NATS/1.0\r\nA: 22\r\n\r\n");
    say(
        asks,
        &format!("HPUB service.{whom} _INBOX.{who}.7 18 22\r\n{question}what"),
    );
    hear(
        serves,
        &format!("HMSG service.{whom} 2 _INBOX.{who}.7 18 22\r\n{question}what"),
    );
    say(serves, &format!("HPUB _INBOX.{who}.7 19 23\r\n{answer}that"));
    hear(asks, &format!("HMSG _INBOX.{who}.7 3 19 23\r\n{answer}that"));
    asks.expect_quiet();
    serves.expect_quiet();
}

fn who_unsubscribes_hears_no_more(hub: Broker, spoke: Broker) {
    let (above, below) = pair(hub, spoke);
    let (mut above, mut below) = (client("above", &above), client("below", &below));
    stops_hearing(&mut above, hub, &mut below);
    stops_hearing(&mut below, spoke, &mut above);
}

/// `hears` unsubscribes, plainly and of a group: requests of `asks` come back as taken by nobody.
#[track_caller]
fn stops_hearing(asks: &mut Wire, at: Broker, hears: &mut Wire) {
    let none = match at {
        Broker::Nats2_9 => "HMSG inbox 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
        // These say what nobody took.
        _ => "HMSG inbox 1 36 36\r\nNATS/1.0 503\r\nNats-Subject: news\r\n\r\n\r\n",
    };
    say(asks, "SUB inbox 1");
    for sub in ["SUB news 5", "SUB news crew 5"] {
        say(hears, sub);
        settle(asks, hears);
        say(asks, "PUB news inbox 2\r\nhi");
        hear(hears, "MSG news 5 inbox 2\r\nhi");
        asks.expect_quiet();
        say(hears, "UNSUB 5");
        hears.expect_quiet();
        wait_until("nobody takes the request", || {
            say(asks, "PUB news inbox 2\r\nhi");
            let heard = asks.so_far();
            assert!(
                heard.is_empty() || heard == none.as_bytes(),
                "{}",
                heard.escape_ascii()
            );
            !heard.is_empty()
        });
        hears.expect_quiet();
    }
    say(asks, "UNSUB 1");
}

fn a_group_on_both_sides_gets_each_message_once(hub: Broker, spoke: Broker) {
    const COUNT: usize = 40;
    let (hub, spoke) = pair(hub, spoke);
    let (mut above, mut below) = (client("above", &hub), client("below", &spoke));
    let (mut over, mut under) = (client("over", &hub), client("under", &spoke));
    for member in [&mut above, &mut below] {
        say(member, "SUB work crew 1\r\nSUB end 2");
    }
    // All that publish know of all that listen.
    settle(&mut over, &mut below);
    settle(&mut over, &mut above);
    settle(&mut under, &mut above);
    settle(&mut under, &mut below);
    for publisher in [&mut over, &mut under] {
        for _ in 0..COUNT {
            say(publisher, "PUB work 1\r\nx");
        }
        say(publisher, "PUB end 0\r\n");
        let heard = messages_before_end(&mut above) + messages_before_end(&mut below);
        assert_eq!(heard, COUNT, "of a group one member gets a message");
    }
    // Who is left gets all of it, from either side, and a plain listener besides hears each message once.
    say(&mut above, "UNSUB 1");
    above.expect_quiet();
    say(&mut below, "SUB work 3");
    settle(&mut over, &mut above);
    settle(&mut over, &mut below);
    settle(&mut above, &mut below);
    for publisher in [&mut over, &mut under] {
        // What the one still knows of the member that left is forgotten in its own time.
        wait_until("all is for who is left", || {
            say(publisher, "PUB work 1\r\nx\r\nPUB end 0\r\n");
            assert_eq!(messages_before_end(&mut above), 0, "it left the group");
            messages_before_end(&mut below) == 2
        });
        for _ in 0..COUNT {
            say(publisher, "PUB work 1\r\nx");
        }
        say(publisher, "PUB end 0\r\n");
        assert_eq!(messages_before_end(&mut below), 2 * COUNT);
        assert_eq!(messages_before_end(&mut above), 0);
    }
}

/// How many of `work` come before `end`.
#[track_caller]
fn messages_before_end(wire: &mut Wire) -> usize {
    let mut count = 0;
    loop {
        let line = wire.line("a message");
        wire.line("its payload");
        match line.as_str() {
            "MSG work 1 1" | "MSG work 3 1" => count += 1,
            "MSG end 2 0" => return count,
            other => panic!("not asked for: {other}"),
        }
    }
}

fn a_mebibyte_passes(hub: Broker, spoke: Broker) {
    let (hub, spoke) = pair(hub, spoke);
    let (mut above, mut below) = (client("above", &hub), client("below", &spoke));
    say(&mut above, "SUB up 1");
    say(&mut below, "SUB down 1");
    settle_both(&mut above, &mut below);
    // Each line is another one: nothing can be missing or twice unseen.
    let payload: String = (0..1 << 16).map(|at| format!("{at:015}\n")).collect();
    for _ in 0..3 {
        say(&mut above, &format!("PUB down 1048576\r\n{payload}"));
        say(&mut below, &format!("PUB up 1048576\r\n{payload}"));
        hear(&mut below, &format!("MSG down 1 1048576\r\n{payload}"));
        hear(&mut above, &format!("MSG up 1 1048576\r\n{payload}"));
    }
    above.expect_quiet();
    below.expect_quiet();
}

/// From a spoke through its hub to another spoke, of the same kind and of the other one.
fn spokes_hear_each_other(hub: Broker, spoke: Broker) {
    let middle = hub.start(&Setup::open().named("hub").takes_leafnodes());
    let first = spoke.start(&Setup::open().named("first").joins(door(&middle)));
    let second = spoke.start(&Setup::open().named("second").joins(door(&middle)));
    let third = Broker::Ours.start(&Setup::open().named("third").joins(door(&middle)));
    let mut left = client("left", &first);
    for (name, broker) in [("right", &second), ("third", &third)] {
        let mut right = client(name, broker);
        say(&mut left, "SUB _INBOX.left.* 3\r\nSUB service.left 2");
        say(&mut right, "SUB _INBOX.right.* 3\r\nSUB service.right 2");
        settle_both(&mut left, &mut right);
        is_answered(&mut left, "left", &mut right, "right");
        is_answered(&mut right, "right", &mut left, "left");
        say(&mut left, "UNSUB 3\r\nUNSUB 2");
        say(&mut right, "UNSUB 3\r\nUNSUB 2");
        right.expect_quiet();
    }
}

fn a_hub_that_was_killed_is_joined_again(hub: Broker, spoke: Broker) {
    let [port] = free_ports();
    let setup = Setup::open().named("hub").leafnodes_at(port);
    let first = hub.start(&setup);
    let spoke = spoke.start(&Setup::open().named("spoke").joins(door(&first)));
    let mut below = client("below", &spoke);
    say(&mut below, "SUB down 1\r\nSUB inbox 2");
    settle(&mut client("above", &first), &mut below);
    drop(first);
    // Meanwhile its own clients are served, and nobody else is there.
    say(&mut below, "PUB down 1\r\n1");
    hear(&mut below, "MSG down 1 1\r\n1");
    wait_until("the hub is gone", || {
        say(&mut below, "PUB nobody inbox 0\r\n");
        !below.so_far().is_empty()
    });
    let second = hub.start(&setup);
    let mut above = client("above", &second);
    say(&mut above, "SUB up 1");
    settle_both(&mut above, &mut below);
    say(&mut above, "PUB down 1\r\n2");
    hear(&mut below, "MSG down 1 1\r\n2");
    say(&mut below, "PUB up 1\r\n3");
    hear(&mut above, "MSG up 1 1\r\n3");
    above.expect_quiet();
    below.expect_quiet();
}

fn a_spoke_that_was_killed_comes_back(hub: Broker, spoke: Broker) {
    let (hub, first) = pair(hub, spoke);
    let mut above = client("above", &hub);
    say(&mut above, "SUB up 1\r\nSUB inbox 2");
    let mut below = client("below", &first);
    say(&mut below, "SUB down 1");
    settle_both(&mut above, &mut below);
    drop(first);
    // What those behind it asked for is forgotten.
    wait_until("nobody takes the request", || {
        say(&mut above, "PUB down inbox 0\r\n");
        !above.so_far().is_empty()
    });
    let second = spoke.start(&Setup::open().named("spoke").joins(door(&hub)));
    let mut below = client("below", &second);
    say(&mut below, "SUB down 1");
    settle_both(&mut above, &mut below);
    say(&mut above, "PUB down 1\r\n2");
    hear(&mut below, "MSG down 1 1\r\n2");
    say(&mut below, "PUB up 1\r\n3");
    hear(&mut above, "MSG up 1 1\r\n3");
    above.expect_quiet();
    below.expect_quiet();
}

/// A hub that asks for a password, and a spoke that says `password`.
fn guarded_pair(hub: Broker, spoke: Broker, password: &str) -> (Running, Running) {
    let users = Setup::users([User::new("ann", "right")]);
    let hub = hub.start(&users.named("hub").takes_leafnodes());
    let place = format!("ann:{password}@{}", door(&hub));
    let spoke = spoke.start(&Setup::open().named("spoke").joins(&place));
    (hub, spoke)
}

fn a_wrong_password_is_refused(hub: Broker, spoke: Broker) {
    let (hub, spoke) = guarded_pair(hub, spoke, "wrong");
    wait_for_log(&spoke, "Authorization Violation");
    // A real one calls it an authentication error where it refuses.
    wait_until("the hub tells it", || {
        let log = hub.log();
        log.contains("Authorization Violation") || log.contains("authentication error")
    });
}

fn a_right_password_opens(hub: Broker, spoke: Broker) {
    let (hub, spoke) = guarded_pair(hub, spoke, "right");
    let mut above = Wire::tcp("above", &hub.address);
    above.info();
    say(
        &mut above,
        r#"CONNECT {"verbose":false,"user":"ann","pass":"right"}"#,
    );
    let mut below = client("below", &spoke);
    settle_both(&mut above, &mut below);
}

fn a_client_port_is_no_hub(hub: Broker, spoke: Broker) {
    let at = hub.start(&Setup::open().named("hub"));
    let lost = spoke.start(&Setup::open().named("spoke").joins(&at.address));
    match spoke {
        Broker::Ours => wait_for_log(&lost, "this is a port for clients"),
        // What these say of themselves.
        _ => wait_for_log(&lost, "attempted to connect to wrong port"),
    }
    client("somebody else", &at).expect_quiet();
}

/// A way to the leaf node port of a broker that can be shut to those that come, and leaves those be that are there.
struct Way {
    address: String,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_shut: AtomicBool,
    /// Connections that were let through so far, and those that ended.
    begun: AtomicU32,
    ended: AtomicU32,
}

impl Way {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket").to_string();
        let gate = Arc::new(Gate::default());
        let keeper = Arc::clone(&gate);
        // Waits for the next one for as long as the tests run.
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if keeper.is_shut.load(Ordering::SeqCst) {
                    continue;
                }
                if let Ok(far) = TcpStream::connect(("127.0.0.1", port)) {
                    keeper.begun.fetch_add(1, Ordering::SeqCst);
                    let gate = Arc::clone(&keeper);
                    thread::spawn(move || {
                        carry(near, far);
                        gate.ended.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Self { address, gate }
    }

    fn shut(&self, is_shut: bool) {
        self.gate.is_shut.store(is_shut, Ordering::SeqCst);
    }

    fn begun(&self) -> u32 {
        self.gate.begun.load(Ordering::SeqCst)
    }

    /// How many go through now.
    fn open(&self) -> u32 {
        let ended = self.gate.ended.load(Ordering::SeqCst);
        self.begun().saturating_sub(ended)
    }
}

/// Carries bytes both ways until both ends are done.
fn carry(near: TcpStream, far: TcpStream) {
    let one_way = |mut from: TcpStream, mut to: TcpStream| {
        // One end may break off: the other one is told just so.
        drop(io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Write));
    };
    let (from, to) = (
        near.try_clone().expect("a socket"),
        far.try_clone().expect("a socket"),
    );
    let there = thread::spawn(move || one_way(from, to));
    one_way(far, near);
    there.join().expect("it only copies");
}

/// Two brokers, each hub of the other one by a way of its own.
struct Circle {
    left: Running,
    right: Running,
    /// To the right one, dialled by the left one, and the other way round.
    ways: [Way; 2],
}

impl Circle {
    /// `is_late` says which way is shut at first.
    fn of(one: Broker, other: Broker, is_late: [bool; 2]) -> Self {
        let ports: [u16; 2] = free_ports();
        let [left_port, right_port] = ports;
        let ways = [Way::to(right_port), Way::to(left_port)];
        for (way, is_late) in ways.iter().zip(is_late) {
            way.shut(is_late);
        }
        let left = Setup::open().named("left").leafnodes_at(left_port);
        let right = Setup::open().named("right").leafnodes_at(right_port);
        let left = one.start(&left.joins(&ways[0].address));
        let right = other.start(&right.joins(&ways[1].address));
        Self { left, right, ways }
    }

    /// Waits until one link stays and the other one was refused, and lets nobody try again: while a refused link is
    /// dialled again, real servers on both ends might pass what is said twice.
    fn settle(&self) {
        wait_until("of two links one stays", || {
            let is_tried = self.ways.iter().all(|way| way.begun() > 0);
            if !is_tried || self.ways.iter().map(Way::open).sum::<u32>() != 1 {
                return false;
            }
            for way in &self.ways {
                way.shut(true);
            }
            // One that was on its way through the gate, or the last one, may have changed that.
            sleep(MOMENT);
            let is_over = self.ways.iter().map(Way::open).sum::<u32>() == 1;
            for way in &self.ways {
                way.shut(is_over);
            }
            is_over
        });
    }

    /// Both hear what each says, once.
    fn is_whole(&self) {
        let (mut west, mut east) = (client("west", &self.left), client("east", &self.right));
        say(&mut west, "SUB both 1");
        say(&mut east, "SUB both 1");
        settle_both(&mut west, &mut east);
        for _ in 0..20 {
            say(&mut west, "PUB both 1\r\nw");
            hear(&mut west, "MSG both 1 1\r\nw");
            hear(&mut east, "MSG both 1 1\r\nw");
            say(&mut east, "PUB both 1\r\ne");
            hear(&mut east, "MSG both 1 1\r\ne");
            hear(&mut west, "MSG both 1 1\r\ne");
        }
        // What goes round would be back by now.
        settle_both(&mut west, &mut east);
        west.expect_quiet();
        east.expect_quiet();
    }
}

/// Each is hub of the other one, from the same moment. One of the two links stays, which one nobody knows.
fn a_circle_is_found(one: Broker, other: Broker) {
    let circle = Circle::of(one, other, [false, false]);
    circle.settle();
    assert!(circle.left.log().contains("Loop detected") || circle.right.log().contains("Loop detected"));
    circle.is_whole();
}

/// Each becomes hub of the other one while it is its spoke: the link that was there is not hurt, and each message
/// comes once even while the other one is dialled.
fn of_a_circle_the_older_link_stays(one: Broker, other: Broker) {
    for is_late in [[false, true], [true, false]] {
        let circle = Circle::of(one, other, is_late);
        let [old, new] = match is_late {
            [_, true] => [&circle.ways[0], &circle.ways[1]],
            _ => [&circle.ways[1], &circle.ways[0]],
        };
        circle.is_whole();
        assert_eq!((old.begun(), new.begun()), (1, 0));
        new.shut(false);
        wait_until("the new link is tried", || new.begun() > 0);
        circle.is_whole();
        wait_until("the new link is refused", || new.open() == 0);
        circle.is_whole();
        assert_eq!(
            (old.begun(), old.open()),
            (1, 1),
            "the old link is another one\n{}\n{}",
            circle.left.log(),
            circle.right.log()
        );
    }
}

/// A link to a member of the mesh that is none.
fn is_no_member(real: Broker) {
    let real = real.start(&Setup::open());
    let ours = Broker::Ours.start(&Setup::open().links(&real.address));
    wait_for_log(&ours, "this is no leaf");
    wait_for_log(&ours, "--leafnode");
}

#[test]
fn nats_2_9_is_no_member_of_the_mesh() {
    is_no_member(Broker::Nats2_9);
}

#[test]
fn nats_2_15_is_no_member_of_the_mesh() {
    is_no_member(Broker::Nats2_15);
}

#[test]
fn a_client_at_the_port_of_leaf_nodes_is_told() {
    let ours = Broker::Ours.start(&Setup::open().takes_leafnodes());
    let mut lost = Wire::tcp("lost", door(&ours));
    lost.info();
    say(
        &mut lost,
        r#"CONNECT {"verbose":false,"lang":"rust","version":"1"}"#,
    );
    hear(&mut lost, "-ERR 'attempted to connect to leaf node port'");
    lost.expect_closed();
    wait_for_log(&ours, "attempted to connect to leaf node port");
}

#[test]
fn a_member_with_a_wrong_password_is_refused() {
    let users = Setup::users([User::new("ann", "right")]);
    let guarded = Broker::Ours.start(&users.named("guarded"));
    let place = format!("ann:wrong@{}", guarded.address);
    let refused = Broker::Ours.start(&Setup::open().named("refused").links(&place));
    wait_for_log(&refused, "Authorization Violation");
    wait_for_log(&guarded, "Authorization Violation");
    let place = format!("ann:right@{}", guarded.address);
    let linked = Broker::Ours.start(&Setup::open().named("linked").links(&place));
    wait_for_log(&linked, "link open");
}

/// A member of the mesh with all the others as peers.
fn member(own: u16, all: &[u16]) -> Running {
    let setup = Setup::open().named("member").clients_at(own);
    let others = all.iter().filter(|port| **port != own);
    Broker::Ours.start(&others.fold(setup, |setup, port| setup.links(&format!("127.0.0.1:{port}"))))
}

/// Everybody publishes, everybody hears each message once, and a request of each is answered by each.
#[track_caller]
fn all_hear_each_other_once(clients: &mut [Wire]) {
    let pairs = |count: usize| (0..count).flat_map(move |from| (0..count).map(move |to| (from, to)));
    for client in clients.iter_mut() {
        say(client, "SUB all 1");
    }
    for (from, to) in pairs(clients.len()).filter(|(from, to)| from != to) {
        let [from, to] = clients.get_disjoint_mut([from, to]).expect("two of them");
        settle(from, to);
    }
    for from in 0..clients.len() {
        let publisher = clients.get_mut(from).expect("one of them");
        for at in 0..20 {
            say(publisher, &format!("PUB all 4\r\n{from}:{at:02}"));
        }
        for heard in clients.iter_mut() {
            for at in 0..20 {
                hear(heard, &format!("MSG all 1 4\r\n{from}:{at:02}"));
            }
        }
    }
    for (asks, serves) in pairs(clients.len()).filter(|(asks, serves)| asks != serves) {
        let [asks, serves] = clients.get_disjoint_mut([asks, serves]).expect("two of them");
        say(asks, "SUB _INBOX.asks.* 3");
        say(serves, "SUB service.serves 2");
        settle_both(asks, serves);
        is_answered(asks, "asks", serves, "serves");
        say(asks, "UNSUB 3");
        say(serves, "UNSUB 2");
        serves.expect_quiet();
        asks.expect_quiet();
    }
    for client in clients {
        client.expect_quiet();
        say(client, "UNSUB 1");
        client.expect_quiet();
    }
}

#[test]
fn all_members_of_the_mesh_hear_each_other_once() {
    let ports: [u16; 3] = free_ports();
    let members = ports.map(|port| member(port, &ports));
    let mut clients: Vec<Wire> = members.iter().map(|member| client("member", member)).collect();
    all_hear_each_other_once(&mut clients);
}

#[test]
fn a_member_that_was_killed_joins_again() {
    let ports: [u16; 3] = free_ports();
    let [first, second, third] = ports.map(|port| member(port, &ports));
    let mut clients: Vec<Wire> = [&first, &second, &third]
        .map(|member| client("member", member))
        .into();
    all_hear_each_other_once(&mut clients);
    clients.pop();
    drop(third);
    all_hear_each_other_once(&mut clients);
    let third = member(ports[2], &ports);
    clients.push(client("again", &third));
    all_hear_each_other_once(&mut clients);
}

/// A mesh of two of which each has a spoke: what one spoke says is heard by all, once.
fn a_mesh_carries_its_spokes(kind: Broker) {
    let ports: [u16; 2] = free_ports();
    let members = ports.map(|port| {
        let other = ports.iter().find(|other| **other != port).expect("two of them");
        let setup = Setup::open().named("member").clients_at(port).takes_leafnodes();
        Broker::Ours.start(&setup.links(&format!("127.0.0.1:{other}")))
    });
    let names = ["left", "right"];
    let spokes: Vec<Running> = members
        .iter()
        .zip(names)
        .map(|(hub, name)| kind.start(&Setup::open().named(name).joins(door(hub))))
        .collect();
    let brokers = members.iter().chain(&spokes);
    let mut clients: Vec<Wire> = brokers.map(|broker| client("anywhere", broker)).collect();
    all_hear_each_other_once(&mut clients);
}

#[test]
fn a_mesh_carries_nats_2_9() {
    a_mesh_carries_its_spokes(Broker::Nats2_9);
}

#[test]
fn a_mesh_carries_nats_2_15() {
    a_mesh_carries_its_spokes(Broker::Nats2_15);
}

/// Two of a mesh join the same hub, which is a circle: one of them stays away and is reached by the other.
fn a_mesh_joins_a_hub_once(kind: Broker) {
    let hub = kind.start(&Setup::open().named("hub").takes_leafnodes());
    let ports: [u16; 2] = free_ports();
    let members = ports.map(|port| {
        let other = ports.iter().find(|other| **other != port).expect("two of them");
        let setup = Setup::open().named("member").clients_at(port).joins(door(&hub));
        Broker::Ours.start(&setup.links(&format!("127.0.0.1:{other}")))
    });
    wait_until("a log tells of the loop", || {
        members
            .iter()
            .any(|member| member.log().contains("Loop detected"))
    });
    let brokers = members.iter().chain([&hub]);
    let mut clients: Vec<Wire> = brokers.map(|broker| client("anywhere", broker)).collect();
    all_hear_each_other_once(&mut clients);
}

#[test]
fn a_mesh_joins_nats_2_9_once() {
    a_mesh_joins_a_hub_once(Broker::Nats2_9);
}

#[test]
fn a_mesh_joins_nats_2_15_once() {
    a_mesh_joins_a_hub_once(Broker::Nats2_15);
}
