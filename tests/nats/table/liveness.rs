//! Who is still there: PING of the broker, connections without an answer, and consumers that are too slow.
//!
//! Source: `server/client.go` `processPingTimer()`, `setFirstPingTimer()`, `queueOutbound()`.

use crate::case::{A, B, C, Case, then};
use crate::servers::Setup;
use std::thread::sleep;
use std::time::{Duration, Instant};

on_every_broker![
    a_silent_client_is_asked_and_then_cut,
    who_answers_stays,
    the_first_ping_comes_whatever_the_client_sends,
    what_a_client_sends_puts_off_later_pings,
    what_a_client_gets_does_not_put_off_the_ping,
    pong_without_ping_is_passed_over,
    a_consumer_that_is_too_slow_is_cut_without_a_word,
    a_slow_consumer_does_not_keep_another_waiting,
];

/// Often enough to test, rarely enough for a busy machine.
const INTERVAL: Duration = Duration::from_millis(250);

fn a_silent_client_is_asked_and_then_cut() -> Case {
    Case::on(
        Setup::open().pings(INTERVAL, 2),
        [
            A.joins(),
            A.hears("PING"),
            A.hears("PING"),
            A.is_told("Stale Connection"),
            A.is_cut(),
        ],
    )
}

fn who_answers_stays() -> Case {
    let answers = || [A.hears("PING"), A.sends("PONG")];
    let steps = std::iter::once(A.joins()).chain((0..5).flat_map(|_| answers()));
    Case::on(Setup::open().pings(INTERVAL, 1), steps.collect::<Vec<_>>())
}

/// By it the way is measured; later ones are only for who is silent.
fn the_first_ping_comes_whatever_the_client_sends() -> Case {
    Case::on(
        Setup::open().pings(INTERVAL, 1),
        [
            A.joins(),
            then("A sends often and is asked", |stage| {
                for _ in 0..1000 {
                    stage.wire(A).send(b"PUB one 0\r\n\r\nPING\r\n");
                    if stage.wire(A).line("PONG or PING") == "PING" {
                        return;
                    }
                    sleep(Duration::from_millis(10));
                }
                panic!("A was never asked");
            }),
        ],
    )
}

fn what_a_client_sends_puts_off_later_pings() -> Case {
    Case::on(
        Setup::open().pings(Duration::from_secs(1), 1),
        [
            A.joins(),
            A.hears("PING"),
            A.sends("PONG"),
            then("A sends often and hears nothing", |stage| {
                // Longer than two intervals: the second PING would be an end.
                let end = Instant::now() + Duration::from_millis(2500);
                while Instant::now() < end {
                    stage.wire(A).send(b"PUB one 0\r\n\r\n");
                    sleep(Duration::from_millis(20));
                }
            }),
            A.is_quiet(),
        ],
    )
}

fn what_a_client_gets_does_not_put_off_the_ping() -> Case {
    Case::on(
        Setup::open().pings(INTERVAL, 1),
        [
            A.joins(),
            A.sends("SUB one 1"),
            A.is_quiet(),
            then("A gets messages until it is asked", |stage| {
                stage.open(B);
                stage.wire(B).send(b"CONNECT {\"verbose\":false}\r\n");
                for _ in 0..1000 {
                    stage.wire(B).send(b"PUB one 2\r\nhi\r\n");
                    let line = stage.wire(A).line("MSG or PING");
                    if line == "PING" {
                        return;
                    }
                    assert_eq!(line, "MSG one 1 2");
                    stage.wire(A).expect(b"hi\r\n");
                    sleep(Duration::from_millis(10));
                }
                panic!("A was never asked");
            }),
        ],
    )
}

fn pong_without_ping_is_passed_over() -> Case {
    Case::new([A.joins(), A.sends("PONG\r\nPONG\r\nPONG"), A.is_quiet()])
}

/// Together more than the operating system takes on its way.
const PIECES: usize = 600;
const PIECE: usize = 60_000;

/// Real servers see that too much is pending, and hang up when the write that is under way gave up.
fn that_cuts_slow_consumers() -> Setup {
    Setup::open()
        .max_payload(100_000)
        .max_pending(1_000_000)
        .write_deadline(Duration::from_secs(2))
}

/// The word is for the log alone: who does not read would not read it either.
fn a_consumer_that_is_too_slow_is_cut_without_a_word() -> Case {
    let message = format!("PUB one {PIECE}\r\n{}\r\n", "x".repeat(PIECE));
    Case::on(
        that_cuts_slow_consumers(),
        [
            A.joins(),
            A.sends("SUB one 1"),
            A.is_quiet(),
            B.joins(),
            then("B publishes, A does not listen", move |stage| {
                for _ in 0..PIECES {
                    stage.wire(B).send(message.as_bytes());
                }
            }),
            B.is_quiet(),
            then("A gets a part and no word", move |stage| {
                let heard = stage.wire(A).rest();
                assert!(heard.len() < PIECES * PIECE, "A got all");
                let is_error = |bytes: &[u8]| bytes == b"-ERR";
                assert!(!heard.windows(4).any(is_error), "A was told an error");
            }),
            // Its place is free again, and nobody waits for it.
            A.joins(),
            A.sends("SUB one 1"),
            A.is_quiet(),
            B.sends("PUB one 2\r\nhi"),
            B.is_quiet(),
            A.hears("MSG one 1 2\r\nhi"),
        ],
    )
}

fn a_slow_consumer_does_not_keep_another_waiting() -> Case {
    let payload = "x".repeat(PIECE);
    let (sent, heard) = (
        format!("PUB one {PIECE}\r\n{payload}\r\n"),
        format!("MSG one 1 {PIECE}\r\n{payload}\r\n"),
    );
    Case::on(
        that_cuts_slow_consumers(),
        [
            A.joins(),
            A.sends("SUB one 1"),
            A.is_quiet(),
            C.joins(),
            C.sends("SUB one 1"),
            C.is_quiet(),
            B.joins(),
            then("B publishes, C hears each, A does not listen", move |stage| {
                for _ in 0..PIECES {
                    stage.wire(B).send(sent.as_bytes());
                    stage.wire(C).expect(heard.as_bytes());
                }
                assert!(stage.wire(A).rest().len() < PIECES * PIECE, "A got all");
            }),
            B.is_quiet(),
            C.is_quiet(),
        ],
    )
}
