//! What goes wrong around a broker: readers that are slow, processes that stand still, peers that are gone without a
//! word, and very many subscriptions. Each on ours as on real servers.
//!
//! Slow readers and silent peers by TCP are cases of `table::liveness`; a broker that is killed is one of
//! `rust_client`, and so is a hub or a spoke of `links`.
//!
//! Source: what `nats-server` 2.9.10 and 2.15.1 do.

use crate::links::{client, door, hear, say, settle, wait_until};
use crate::servers::{Broker, Running, Setup};
use crate::wire::Wire;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Duration;

on_each![
    a_slow_page_is_cut_and_the_others_go_on,
    a_spoke_that_stands_still_holds_up_nobody_and_comes_back,
    a_client_that_is_gone_without_a_word_is_forgotten,
    a_page_that_is_gone_without_a_word_is_forgotten,
    a_spoke_that_is_gone_without_a_word_is_forgotten,
    ten_thousand_subscriptions_of_one_connection,
];

/// Together more than the operating system takes on its way.
const PIECES: usize = 600;
const PIECE: usize = 60_000;

fn that_cuts_slow_readers() -> Setup {
    Setup::open()
        .max_payload(100_000)
        .max_pending(1_000_000)
        .write_deadline(Duration::from_secs(2))
}

/// Publishes all pieces; one who listens hears each.
#[track_caller]
fn flood(from: &mut Wire, to: &mut Wire) {
    let piece = "x".repeat(PIECE);
    for _ in 0..PIECES {
        say(from, &format!("PUB flood {PIECE}\r\n{piece}"));
        hear(to, &format!("MSG flood 1 {PIECE}\r\n{piece}"));
    }
    from.expect_quiet();
    to.expect_quiet();
}

/// A client, already let in, that hears the flood.
fn reader(name: &'static str, broker: &Running) -> Wire {
    let mut reader = client(name, broker);
    say(&mut reader, "SUB flood 1");
    reader.expect_quiet();
    reader
}

fn a_slow_page_is_cut_and_the_others_go_on(kind: Broker) {
    let broker = kind.start(&that_cuts_slow_readers());
    let mut page = Wire::websocket("page", &broker.websocket);
    page.info();
    say(&mut page, "CONNECT {\"verbose\":false}\r\nSUB flood 1");
    page.expect_quiet();
    let (mut publisher, mut other) = (client("publisher", &broker), reader("other", &broker));
    flood(&mut publisher, &mut other);
    let heard = page.rest();
    assert!(heard.len() < PIECES * PIECE, "a page that read nothing got all");
}

/// Sends a signal to the process of a broker.
fn signal(broker: &Running, signal: Signal) {
    let pid = broker.pid().try_into().ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process"), signal).expect("our own child");
}

/// A client that hears the flood as fast as it comes, and counts its bytes until it hears `after`.
fn counter(broker: &Running) -> JoinHandle<usize> {
    let mut stream = TcpStream::connect(&broker.address).expect("the broker listens");
    let asks = b"CONNECT {\"verbose\":false}\r\nSUB flood 1\r\nSUB after 2\r\nPING\r\n";
    stream.write_all(asks).expect("an open socket");
    let mut count_to = move |end: &[u8]| {
        let (mut count, mut unread, mut buffer) = (0, Vec::new(), vec![0; 0x1_0000]);
        while !unread.windows(end.len()).any(|bytes| bytes == end) {
            // What the end may have begun with stays.
            unread.drain(..unread.len().saturating_sub(end.len()));
            let more = stream.read(&mut buffer).expect("an open socket");
            assert_ne!(more, 0, "it was cut off");
            unread.extend_from_slice(buffer.split_at(more).0);
            count += more;
        }
        count
    };
    count_to(b"PONG\r\n");
    std::thread::spawn(move || count_to(b"MSG after 2 4\r\n"))
}

fn a_spoke_that_stands_still_holds_up_nobody_and_comes_back(kind: Broker) {
    let hub = kind.start(&that_cuts_slow_readers().named("hub").takes_leafnodes());
    // What comes at once when it goes on is more than its own client may be behind by default.
    let patient = Setup::open().max_pending(64_000_000).named("spoke");
    let spoke = Broker::Ours.start(&patient.joins(door(&hub)));
    let counted = counter(&spoke);
    let (mut publisher, mut below) = (client("publisher", &hub), client("below", &spoke));
    say(&mut below, "SUB after 2");
    settle(&mut publisher, &mut below);
    signal(&spoke, Signal::STOP);
    let mut beside = reader("beside", &hub);
    flood(&mut publisher, &mut beside);
    signal(&spoke, Signal::CONT);
    wait_until("the spoke comes back", || {
        say(&mut publisher, "PUB after 4\r\nback");
        publisher.expect_quiet();
        !below.so_far().is_empty()
    });
    let counted = counted.join().expect("it heard the end");
    // The newest server keeps everything for a link, whatever its limits; the others cut it off.
    let is_cut = counted < PIECES * PIECE;
    assert_eq!(is_cut, kind != Broker::Nats2_15, "{counted} bytes");
}

/// Often enough to test, and rarely enough that a peer is seen before it is forgotten.
fn that_misses_the_gone() -> Setup {
    Setup::open().pings(Duration::from_millis(700), 2).named("hub")
}

/// One that asks who hears `half.open`.
struct Asker(Wire);

impl Asker {
    fn new(broker: &Running) -> Self {
        let mut wire = client("asker", broker);
        say(&mut wire, "SUB answer 1");
        Self(wire)
    }

    #[track_caller]
    fn is_heard(&mut self) -> bool {
        say(&mut self.0, "PUB half.open answer 0\r\n");
        let answers = self.0.so_far();
        !answers.windows(3).any(|bytes| bytes == b"503")
    }
}

/// `gone` asks for `half.open` by `subscribe` and from then on says nothing, not even PONG. Requests go to it; when
/// the broker has given it up, to nobody.
#[track_caller]
fn is_forgotten(broker: &Running, gone: &mut Wire, subscribe: &str) {
    // Until now it answered: only thus a link of ours is known to close no circle.
    gone.so_far();
    gone.hear_pings();
    let mut asker = Asker::new(broker);
    assert!(!asker.is_heard());
    say(gone, subscribe);
    wait_until("somebody hears", || asker.is_heard());
    // Meanwhile nothing is sent to it: that would put off the end on the older server.
    let rest = gone.rest();
    let is_told = rest.windows(5).any(|bytes| bytes == b"Stale");
    assert!(is_told, "{}", rest.escape_ascii());
    let mut asker = Asker::new(broker);
    wait_until("nobody hears any more", || !asker.is_heard());
}

fn a_client_that_is_gone_without_a_word_is_forgotten(kind: Broker) {
    let broker = kind.start(&that_misses_the_gone());
    let mut gone = client("gone", &broker);
    is_forgotten(&broker, &mut gone, "SUB half.open 1");
}

fn a_page_that_is_gone_without_a_word_is_forgotten(kind: Broker) {
    let broker = kind.start(&that_misses_the_gone());
    let mut gone = Wire::websocket("gone", &broker.websocket);
    gone.info();
    say(&mut gone, "CONNECT {\"verbose\":false}");
    is_forgotten(&broker, &mut gone, "SUB half.open 1");
}

fn a_spoke_that_is_gone_without_a_word_is_forgotten(kind: Broker) {
    let broker = kind.start(&that_misses_the_gone().takes_leafnodes());
    let mut gone = Wire::tcp("gone", door(&broker));
    gone.info();
    say(
        &mut gone,
        r#"CONNECT {"version":"2.9.10","name":"gone","server_id":"GONE","headers":true}"#,
    );
    is_forgotten(&broker, &mut gone, "LS+ half.open");
}

fn ten_thousand_subscriptions_of_one_connection(kind: Broker) {
    const COUNT: usize = 10_000;
    let broker = kind.start(&Setup::open());
    let (mut hears, mut says) = (client("hears", &broker), client("says", &broker));
    let of_each = |text: &dyn Fn(usize) -> String| -> String { (0..COUNT).map(text).collect() };
    // In another order than they were made: this number and theirs have no divisor in common.
    let mixed = |number: usize| number * 7919 % COUNT;
    hears.send(of_each(&|number| format!("SUB many.{number} {number}\r\n")).as_bytes());
    hears.expect_quiet();
    let messages = of_each(&|number| format!("PUB many.{} 0\r\n\r\n", mixed(number)));
    says.send(messages.as_bytes());
    let heard = of_each(&|number| format!("MSG many.{0} {0} 0\r\n\r\n", mixed(number)));
    hears.expect(heard.as_bytes());
    hears.expect_quiet();
    hears.send(of_each(&|number| format!("UNSUB {}\r\n", mixed(number))).as_bytes());
    hears.expect_quiet();
    says.send(messages.as_bytes());
    says.expect_quiet();
    hears.expect_quiet();
    // The connection is as good as new.
    say(&mut hears, "SUB many.1 again");
    hears.expect_quiet();
    say(&mut says, "PUB many.1 2\r\nhi");
    hear(&mut hears, "MSG many.1 again 2\r\nhi");
}
