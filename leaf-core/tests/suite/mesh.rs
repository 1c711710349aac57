//! Sync over NATS as plain values: whole rounds, rounds in parts, nodes that take no parts, bounds, and the pace.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::id::ProjectCode;
use leaf_core::limits::MeshLimits;
use leaf_core::mesh::{Answer, Ask, Asked, Caller, Card, Desk, Hint, MeshError, Next, Pace, Subjects, Whom};
use leaf_core::nats::client::{Arrival, NatsError};
use leaf_core::sync::{Reply, Served};
use leaf_core::time::Timestamp;
use leaf_core::xfer::ContentType;

const PAYLOAD_MAX: usize = 2_000;
const NOW: Timestamp = Timestamp(1_000_000);

fn subjects() -> Subjects {
    Subjects::new("fossil", &ProjectCode::from_random([7; 20]))
}

fn caller(peer: Option<&str>) -> Caller {
    Caller::new(subjects(), "asker".into(), peer.map(str::to_owned), 1 << 20, 1)
}

fn desk() -> Desk {
    Desk::new("desk".into(), MeshLimits::default(), 5)
}

fn arrival(answer: Answer) -> Arrival {
    Arrival {
        header: answer.header,
        body: answer.body,
        ..Arrival::default()
    }
}

fn reply(bytes: usize, content_type: ContentType) -> Reply {
    Reply {
        body: (0..bytes)
            .map(|at| u8::try_from(at % 251).expect("small"))
            .collect(),
        content_type,
        served: Served::default(),
    }
}

/// Carries one round; gives what the desk was asked, what came back, and how many messages that took.
fn carry(
    caller: &mut Caller,
    desk: &mut Desk,
    message: &[u8],
    answer: &Reply,
) -> Result<(Vec<u8>, (Vec<u8>, ContentType), usize), MeshError> {
    let mut ask = caller.ask(message.to_vec(), PAYLOAD_MAX);
    let (mut asked, mut count) = (Vec::new(), 0);
    loop {
        count += 1;
        assert!(ask.header.len() + ask.body.len() <= PAYLOAD_MAX, "it fits");
        let said = match desk.handle(&ask.header, ask.body, PAYLOAD_MAX, NOW) {
            Asked::Answer(said) => said,
            Asked::Errand(errand) => {
                asked = errand.body;
                desk.answer(errand.from, Ok(answer.clone()), PAYLOAD_MAX, NOW)
            }
        };
        assert!(said.header.len() + said.body.len() <= PAYLOAD_MAX, "it fits");
        match caller.hear(Ok(arrival(said)))? {
            Next::Ask(next) => ask = next,
            Next::Done { body, content_type } => return Ok((asked, (body, content_type), count)),
        }
    }
}

#[test]
fn a_small_round_is_one_message_each_way() {
    let (mut caller, mut desk) = (caller(None), desk());
    let small = reply(100, ContentType::Uncompressed);
    let (asked, back, count) = carry(&mut caller, &mut desk, b"cards", &small).expect("carried");
    assert_eq!((asked.as_slice(), count), (b"cards".as_slice(), 1));
    assert_eq!(back, (small.body.clone(), ContentType::Uncompressed));
    assert_eq!(caller.peer(), Some("desk"), "it is asked from now on");
    let ask = caller.ask(b"more".to_vec(), PAYLOAD_MAX);
    assert_eq!(ask.subject, subjects().sync_with("desk"));
}

#[test]
fn a_large_round_goes_in_parts_both_ways() {
    let large = reply(10_001, ContentType::Compressed);
    let message = reply(7_003, ContentType::Compressed).body;
    for peer in [None, Some("desk")] {
        let (mut caller, mut desk) = (caller(peer), desk());
        let (asked, back, count) = carry(&mut caller, &mut desk, &message, &large).expect("carried");
        assert_eq!(asked, message);
        assert_eq!(back, (large.body.clone(), ContentType::Compressed));
        assert!((11..=12).contains(&count), "{count}");
        assert_eq!(desk.kept_bytes(), 0, "nothing is left behind");
    }
}

#[test]
fn a_node_that_is_no_leaf_gets_a_message_it_can_read_or_nothing() {
    let mut desk = desk();
    let Asked::Errand(errand) = desk.handle(b"", b"cards".to_vec(), PAYLOAD_MAX, NOW) else {
        panic!("a whole request");
    };
    assert_eq!(errand.from, None);
    let answer = desk.answer(None, Ok(reply(300, ContentType::Uncompressed)), PAYLOAD_MAX, NOW);
    assert!(answer.header.is_empty());
    assert_eq!(
        answer.body.get(..4),
        Some([0, 0, 1, 44].as_slice()),
        "size, then zlib"
    );
    let too_large = desk.answer(None, Ok(reply(5_000, ContentType::Compressed)), PAYLOAD_MAX, NOW);
    assert!(too_large.body.is_empty(), "which it knows as a failure");
    let failed = desk.answer(None, Err("disk".into()), PAYLOAD_MAX, NOW);
    assert!(failed.body.is_empty());
}

#[test]
fn a_node_that_is_no_leaf_is_asked_in_one_message_or_not_at_all() {
    let mut caller = caller(None);
    caller.ask(b"cards".to_vec(), PAYLOAD_MAX);
    let plain = |body: &[u8]| {
        Ok(Arrival {
            body: body.to_vec(),
            ..Arrival::default()
        })
    };
    let next = caller.hear(plain(b"reply")).expect("a reply");
    assert_eq!(
        next,
        Next::Done {
            body: b"reply".to_vec(),
            content_type: ContentType::Compressed
        }
    );
    caller.ask(b"cards".to_vec(), PAYLOAD_MAX);
    assert_eq!(caller.hear(plain(b"")), Err(MeshError::PeerFailed));
    caller.ask(vec![1; 5_000], PAYLOAD_MAX);
    assert_eq!(
        caller.hear(plain(b"reply")),
        Err(MeshError::PeerTakesNoParts {
            bytes: 5_000,
            max: PAYLOAD_MAX
        })
    );
}

#[test]
fn a_peer_that_lies_about_parts_is_found_out() {
    let lies = ["Leaf-Part: 1 0 99999999", "Leaf-Part: 1 4 10", "Leaf-Part: 1 0 3"];
    for lie in lies {
        let mut caller = caller(Some("desk"));
        caller.ask(b"cards".to_vec(), PAYLOAD_MAX);
        let heard = caller.hear(Ok(Arrival {
            header: format!("NATS/1.0\r\nLeaf-From: desk\r\n{lie}\r\n\r\n").into_bytes(),
            body: b"12345".to_vec(),
            ..Arrival::default()
        }));
        let is_found_out = matches!(
            heard,
            Err(MeshError::PeerProtocol(_) | MeshError::TooLarge { .. })
        );
        assert!(is_found_out, "{lie}: {heard:?}");
    }
    let mut caller = caller(Some("desk"));
    assert!(matches!(
        caller.hear(Ok(Arrival::default())),
        Err(MeshError::PeerProtocol(_))
    ));
    caller.ask(b"cards".to_vec(), PAYLOAD_MAX);
    assert_eq!(
        caller.hear(Err(NatsError::TimedOut)),
        Err(MeshError::Nats(NatsError::TimedOut))
    );
}

fn part_of(desk: &mut Desk, from: &str, part: &str, body: &[u8], now: Timestamp) -> Asked {
    let header = format!("NATS/1.0\r\nLeaf-From: {from}\r\nLeaf-Part: {part}\r\n\r\n");
    desk.handle(header.as_bytes(), body.to_vec(), PAYLOAD_MAX, now)
}

#[track_caller]
fn assert_refused(asked: Asked) {
    match asked {
        Asked::Answer(answer) => {
            let header = String::from_utf8(answer.header).expect("text");
            assert!(header.contains("Leaf-Error: "), "{header}");
            assert!(answer.body.is_empty());
        }
        Asked::Errand(errand) => panic!("not refused: {errand:?}"),
    }
}

#[test]
fn what_a_desk_keeps_is_bounded_in_bytes_number_and_time() {
    let limits = MeshLimits {
        kept_bytes_max: 1_000,
        kept_max: 3,
        kept_ms_max: 500,
        ..MeshLimits::default()
    };
    let mut desk = Desk::new("desk".into(), limits, 5);
    assert_refused(part_of(&mut desk, "a", "1 0 1001", b"x", NOW));
    for token in 1..=3 {
        let asked = part_of(&mut desk, "a", &format!("{token} 0 100"), b"x", NOW);
        assert!(matches!(asked, Asked::Answer(answer) if answer.header.ends_with(b"1 100\r\n\r\n")));
    }
    assert_eq!(desk.kept_bytes(), 300);
    assert_refused(part_of(&mut desk, "b", "9 0 100", b"x", NOW));
    let later = Timestamp(NOW.0 + 501);
    let asked = part_of(&mut desk, "b", "9 0 100", b"x", later);
    assert!(matches!(asked, Asked::Answer(_)));
    assert_eq!(desk.kept_bytes(), 100, "the old ones are forgotten");
    assert_refused(part_of(&mut desk, "a", "1 1 100", b"y", later));
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    for (part, body) in [
        ("1 5 10", "xxxxx"),
        ("1 1 9", "x"),
        ("1 1 10", ""),
        ("1 1 10", "xxxxxxxxxxxx"),
    ] {
        let mut desk = desk();
        assert!(matches!(
            part_of(&mut desk, "a", "1 0 10", b"x", NOW),
            Asked::Answer(_)
        ));
        assert_refused(part_of(&mut desk, "a", part, body.as_bytes(), NOW));
        assert_eq!(desk.kept_bytes(), 0);
    }
    // One leaf's parts are not another's.
    let mut desk = desk();
    part_of(&mut desk, "a", "1 0 10", b"x", NOW);
    assert_refused(part_of(&mut desk, "b", "1 1 10", b"xxxxxxxxx", NOW));
    let header = b"NATS/1.0\r\nLeaf-From: a\r\nLeaf-More: 77 0\r\n\r\n";
    assert_refused(desk.handle(header, Vec::new(), PAYLOAD_MAX, NOW));
}

#[test]
fn a_peer_that_fails_says_why_to_leaves() {
    let (mut caller, mut desk) = (caller(None), desk());
    let Ask { header, body, .. } = caller.ask(b"cards".to_vec(), PAYLOAD_MAX);
    let Asked::Errand(errand) = desk.handle(&header, body, PAYLOAD_MAX, NOW) else {
        panic!("a whole request");
    };
    let answer = desk.answer(errand.from, Err("the disk\r\nis full".into()), PAYLOAD_MAX, NOW);
    assert_eq!(
        caller.hear(Ok(arrival(answer))),
        Err(MeshError::PeerSays("the disk  is full".into()))
    );
}

#[test]
fn hints_and_cards_are_read_with_suspicion() {
    let hint = Hint {
        rid: 7,
        uuid: "a".repeat(40),
        peer_id: "hub-1".into(),
    };
    assert_eq!(Hint::read(&hint.write()), Some(hint.clone()));
    let nameless = br#"{"rid":7,"uuid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
    let of_an_old_hub = Hint {
        peer_id: String::new(),
        ..hint
    };
    assert_eq!(Hint::read(nameless), Some(of_an_old_hub));
    let bad = [
        r#"{"rid":7,"uuid":"aa","peer_id":"hub"}"#,
        r#"{"rid":7,"peer_id":"hub"}"#,
        r#"{"rid":7,"uuid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","peer_id":"a.>"}"#,
        "nonsense",
    ];
    for bad in bad {
        assert_eq!(Hint::read(bad.as_bytes()), None, "{bad}");
    }
    let card = Card {
        peer_id: "p".into(),
        leaf: "kitchen".into(),
        ..Card::default()
    };
    assert_eq!(Card::read(&card.write()), Some(card));
    assert_eq!(Card::read(br#"{"peer_id":"a b"}"#), None);
}

#[test]
fn a_hint_of_unversioned_files_is_known_by_their_catalogue() {
    let mut repo = crate::pair::repository(1);
    let hint = |repo: &leaf_core::repo::Repo| Hint {
        rid: 0,
        uuid: repo.uv_hash().expect("sound"),
        peer_id: "hub-1".into(),
    };
    let before = hint(&repo);
    assert!(before.is_known(&repo).expect("sound"));
    repo.write(|tx| tx.uv_put("note.txt", b"text", NOW))
        .expect("a good name");
    assert!(!before.is_known(&repo).expect("sound"), "it has changed");
    let after = hint(&repo);
    assert!(after.is_known(&repo).expect("sound"));
    let kept = repo.config("uv-hash").expect("sound");
    assert_eq!(kept, None, "who looks writes nothing");
}

fn peer(name: &str) -> Whom {
    Whom::Peer(name.into())
}

#[test]
fn news_is_fetched_at_once_and_each_peer_is_asked_once() {
    let mut pace = Pace::new(60_000, 1, 42, NOW);
    assert_eq!(pace.begin(NOW), None, "not before its time");
    for name in ["a", "b", "a"] {
        pace.want(name, NOW);
    }
    assert_eq!(pace.due(NOW), Some(NOW));
    assert_eq!(pace.begin(NOW), Some(peer("a")));
    pace.want("a", NOW);
    assert_eq!(pace.begin(NOW), None, "one at a time");
    pace.done(&peer("a"), true, NOW);
    assert_eq!(pace.begin(NOW), Some(peer("b")));
    pace.done(&peer("b"), true, NOW);
    assert_eq!(pace.begin(NOW), Some(peer("a")), "it came while a was asked");
    pace.done(&peer("a"), true, NOW);
    assert_eq!(pace.begin(NOW), None);
    pace.want("", NOW);
    assert_eq!(
        pace.begin(NOW),
        Some(Whom::Anybody),
        "a hub without a name has something"
    );
}

#[test]
fn a_peer_that_fails_is_left_alone_and_holds_up_nobody() {
    let mut pace = Pace::new(60_000, 2, 42, NOW);
    pace.want("hung", NOW);
    pace.want("good", NOW);
    assert_eq!(pace.begin(NOW), Some(peer("hung")));
    pace.want("hung", NOW);
    assert_eq!(
        pace.begin(NOW),
        Some(peer("good")),
        "while the other is waited for"
    );
    assert_eq!(pace.due(NOW), None, "no more than two");
    pace.done(&peer("good"), true, NOW);
    assert_eq!(pace.begin(NOW), None, "nobody is asked twice at a time");
    pace.done(&peer("hung"), false, NOW);
    assert_eq!(
        pace.begin(NOW),
        Some(peer("hung")),
        "what it said while it was asked"
    );
    pace.done(&peer("hung"), false, NOW);
    for wait in [59_999, 0] {
        pace.want("hung", NOW.plus_ms(wait));
        assert_eq!(pace.begin(NOW), None, "it failed twice");
    }
    pace.want("hung", NOW.plus_ms(60_000));
    assert_eq!(pace.begin(NOW), Some(peer("hung")));
    pace.done(&peer("hung"), true, NOW);
    pace.want("hung", NOW);
    assert_eq!(pace.begin(NOW), Some(peer("hung")), "it answered");
    // Names that are made up are forgotten, one for each that is added.
    for number in 0..200 {
        let name = format!("made up {number}");
        pace.want(&name, NOW);
        if let Some(whom) = pace.begin(NOW) {
            pace.done(&whom, false, NOW);
        }
    }
    let due = pace.due(NOW).expect("a time");
    assert!(due.0 - NOW.0 <= 1_000, "peers that fail put off nobody else");
}

#[test]
fn everybody_is_asked_now_and_then_and_less_often_when_that_fails() {
    let mut pace = Pace::new(60_000, 1, 42, NOW);
    let due = pace.due(NOW).expect("a time");
    assert!(due.0 - NOW.0 <= 1_000);
    assert_eq!(pace.begin(due), Some(Whom::Anybody));
    assert_eq!(pace.due(due), None, "while it is asked");
    pace.done(&Whom::Anybody, true, due);
    let wait = pace.due(due).expect("a time").0 - due.0;
    assert!((30_000..=60_000).contains(&wait), "{wait}");
    let mut now = due;
    for _ in 0..9 {
        now = pace.due(now).expect("a time");
        assert_eq!(pace.begin(now), Some(Whom::Anybody));
        pace.done(&Whom::Anybody, false, now);
    }
    let wait = pace.due(now).expect("a time").0 - now.0;
    assert!((480_000..=960_000).contains(&wait), "{wait}");
    pace.hurry(now);
    assert!(pace.due(now).expect("a time").0 - now.0 <= 1_000);
}
