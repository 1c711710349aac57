//! Cards: every one round trips, what stock sent is read, and what is no card is refused.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::id::ArtifactHash;
use leaf_core::limits::Limits;
use leaf_core::xfer::envelope::{ContentType, unpack};
use leaf_core::xfer::{BadCard, Card, Cards, MessageWriter, Pragma, UvBody, Version};

fn hash(seed: u8) -> ArtifactHash {
    if seed.is_multiple_of(2) {
        ArtifactHash::Sha1([seed; 20])
    } else {
        ArtifactHash::Sha3([seed; 32])
    }
}

fn read(message: &[u8]) -> Result<Vec<Card<'_>>, BadCard> {
    Cards::new(message, &Limits::default()).collect()
}

/// One of every card and pragma.
#[expect(clippy::too_many_lines, reason = "one of each")]
fn every_card() -> Vec<Card<'static>> {
    let mut cards = vec![
        Card::Cfile {
            hash: hash(1),
            source: None,
            size: 7,
            zblob: b"1234\n",
        },
        Card::Cfile {
            hash: hash(2),
            source: Some(hash(1)),
            size: 7,
            zblob: b"12345",
        },
        Card::Clone { version: 1, seqno: 1 },
        Card::Clone { version: 1, seqno: 0 },
        Card::Clone {
            version: 3,
            seqno: 17,
        },
        Card::CloneSeqno(0),
        Card::Comment(b" random"),
        Card::Config {
            name: "/config",
            payload: b"0 'name' value 'it''s'",
        },
        Card::Schema {
            table: "notes",
            mtime: 5,
            json: br#"{"columns":[],"conflict":"mtime-wins"}"#,
        },
        Card::Row {
            table: "notes",
            key: ArtifactHash::Sha1([5; 20]),
            mtime: -5,
            json: b"{}",
            deleted: true,
        },
        Card::Xgimme {
            table: "_n0",
            key: ArtifactHash::Sha1([5; 20]),
        },
        Card::Xigot {
            table: "notes",
            key: ArtifactHash::Sha1([5; 20]),
            mtime: 6,
            sum: None,
        },
        Card::Xigot {
            table: "notes",
            key: ArtifactHash::Sha1([5; 20]),
            mtime: 6,
            sum: Some(7),
        },
        Card::Row {
            table: "notes",
            key: ArtifactHash::Sha1([5; 20]),
            mtime: 7,
            json: br#"{"id":"a"}"#,
            deleted: false,
        },
        Card::Cookie(b"chocolate"),
        Card::Error(br"not\sauthorized"),
        Card::File {
            hash: hash(3),
            source: None,
            content: b"igot nothing\n",
        },
        Card::File {
            hash: hash(4),
            source: Some(hash(3)),
            content: b"",
        },
        Card::Gimme(hash(5)),
        Card::Igot {
            hash: hash(6),
            private: false,
        },
        Card::Igot {
            hash: hash(7),
            private: true,
        },
        Card::Message(br"pull\sonly"),
        Card::Private,
        Card::Pull {
            server: b"x",
            project: b"y",
        },
        Card::Push {
            server: b"",
            project: b"y",
        },
        Card::ReqConfig("/all"),
        Card::Timestamp(b"2026-11-21T06:58:14 errors 0"),
        Card::Unknown(b"xother table 1"),
        Card::Uvfile {
            name: "a/b",
            mtime: 5,
            hash: Some(hash(8)),
            size: 3,
            body: UvBody::Plain(b"abc"),
        },
        Card::Uvfile {
            name: "a/b",
            mtime: 5,
            hash: Some(hash(8)),
            size: 0,
            body: UvBody::Plain(b""),
        },
        Card::Uvfile {
            name: "a/b",
            mtime: 5,
            hash: None,
            size: 0,
            body: UvBody::Deleted,
        },
        Card::Uvfile {
            name: "ä",
            mtime: -5,
            hash: Some(hash(8)),
            size: 9,
            body: UvBody::Omitted,
        },
        Card::Uvfile {
            name: "a",
            mtime: 5,
            hash: Some(hash(9)),
            size: 9,
            body: UvBody::Stored(b"1234z"),
        },
        Card::Uvgimme("a/b"),
        Card::Uvigot {
            name: "a/b",
            mtime: 5,
            hash: None,
            size: 0,
        },
        Card::Uvigot {
            name: "a/b",
            mtime: 5,
            hash: Some(hash(1)),
            size: 8,
        },
    ];
    cards.extend(every_pragma().into_iter().map(Card::Pragma));
    cards
}

fn every_pragma() -> Vec<Pragma<'static>> {
    vec![
        Pragma::AvoidDeltaManifests,
        Pragma::CiLock {
            checkin: hash(1),
            client: b"me",
        },
        Pragma::CiLockFail {
            user: br"bob\sb",
            since: 1_795_233_861,
        },
        Pragma::CiUnlock(b"me"),
        Pragma::ClientUrl(b"http://example.org/"),
        Pragma::ClientVersion(Version::OURS),
        Pragma::LeafCount(None),
        Pragma::LeafCount(Some(12_345)),
        Pragma::LeafMark {
            direction: b"",
            token: b"5.abc",
        },
        Pragma::LeafMark {
            direction: b"pull",
            token: b"-",
        },
        Pragma::LeafMarkStale,
        Pragma::LeafTables,
        Pragma::LeafUvStored,
        Pragma::Link {
            url: b"http://example.org",
            arg: b"{}",
            mtime: 4,
        },
        Pragma::ReqClusters,
        Pragma::ReqLinks,
        Pragma::SendCatalog,
        Pragma::SendPrivate,
        Pragma::ServerVersion(Version {
            number: 22_100,
            date: 20_230_226,
            time: 192_424,
        }),
        Pragma::Unknown(b"of the future x y"),
        Pragma::UvHash(b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        Pragma::UvPullOnly,
        Pragma::UvPushOk,
        Pragma::XtableHash {
            table: "notes",
            hash: b"-",
            sum: b"",
        },
        Pragma::XtableHash {
            table: "notes",
            hash: b"1",
            sum: b"2",
        },
    ]
}

fn write(cards: &[Card<'_>]) -> Vec<u8> {
    let mut out = MessageWriter::new(usize::MAX);
    for card in cards {
        out.push(card);
    }
    out.finish()
}

#[test]
fn every_card_is_read_as_it_was_written() {
    let cards = every_card();
    let message = write(&cards);
    assert_eq!(read(&message).expect("our own"), cards);
}

#[test]
fn a_message_cut_inside_a_card_is_an_error() {
    for card in every_card() {
        let message = write(std::slice::from_ref(&card));
        for cut in 1..message.len() {
            match read(&message[..cut]) {
                Err(_) => {}
                // The newline behind a payload is no part of the card.
                Ok(read) => {
                    let newline = matches!(
                        card,
                        Card::Cfile { .. } | Card::Config { .. } | Card::Row { .. } | Card::Schema { .. }
                    );
                    assert!(
                        newline && cut + 1 == message.len() && read == [card.clone()],
                        "{card:?} at {cut}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_clone_reply_of_stock_is_read_whole() {
    let message = include_bytes!("../../../tests/fixtures/xfer/reply_clone");
    let cards = read(message).expect("stock wrote it");
    let files = cards
        .iter()
        .filter(|card| matches!(card, Card::Cfile { .. }))
        .count();
    assert_eq!(files, 9);
    let rest = cards.get(files + 1..).expect("cards behind the files");
    assert!(
        matches!(rest, [Card::CloneSeqno(0), Card::Push { .. }, Card::Timestamp(_)]),
        "{cards:?}"
    );
}

#[test]
fn the_configuration_and_unversioned_files_of_stock_are_read_whole() {
    let packed = include_bytes!("../../../tests/fixtures/xfer/reply_config");
    let message = unpack(packed, ContentType::Compressed, 1 << 20).expect("stock wrote it");
    let cards = read(&message).expect("stock wrote it");
    assert!(
        cards
            .iter()
            .any(|card| matches!(card, Card::Config { name: "/config", .. })),
        "{cards:?}"
    );
    assert!(cards.contains(&Card::Pragma(Pragma::UvPushOk)));
    assert!(cards.iter().any(|card| matches!(
        card,
        Card::Uvigot {
            name: "u.txt",
            size: 3_888,
            ..
        }
    )));
    let packed = include_bytes!("../../../tests/fixtures/xfer/reply_uv");
    let message = unpack(packed, ContentType::Compressed, 1 << 20).expect("stock wrote it");
    let cards = read(&message).expect("stock wrote it");
    let is_file = |card: &Card<'_>| matches!(card, Card::Uvfile { body: UvBody::Plain(content), .. } if content.len() == 3_888);
    assert!(cards.iter().any(is_file));
}

#[test]
fn a_cfile_is_followed_by_a_newline_only_where_it_has_none() {
    let cfile = |zblob| Card::Cfile {
        hash: hash(2),
        source: None,
        size: 1,
        zblob,
    };
    assert!(write(&[cfile(b"ab")]).ends_with(b"ab\n"));
    assert!(write(&[cfile(b"a\n")]).ends_with(b"a\n"));
    assert!(!write(&[cfile(b"a\n")]).ends_with(b"\n\n"));
}

#[test]
fn a_file_is_followed_by_no_newline_as_servers_take_blank_lines_ill() {
    assert!(
        write(&[Card::File {
            hash: hash(2),
            source: None,
            content: b"ab"
        }])
        .ends_with(b" 2\nab")
    );
}

#[test]
fn blank_lines_between_cards_are_skipped() {
    assert_eq!(
        read(b"\n\nprivate\n\n\nprivate\n\n").expect("two cards"),
        [Card::Private, Card::Private]
    );
}

#[test]
fn words_are_split_at_any_run_of_white_space() {
    assert_eq!(
        read(b"  uvgimme \t a  \n").expect("one card"),
        [Card::Uvgimme("a")]
    );
}

#[test]
fn known_cards_with_bad_arguments_are_refused_where_they_stand() {
    for bad in [
        "igot 123",
        "gimme ABCDEF0123456789ABCDEF0123456789ABCDEF01",
        "file 0123456789012345678901234567890123456789 x",
        "file 0123456789012345678901234567890123456789 -1",
        "file 0123456789012345678901234567890123456789 +1",
        "cfile 0123456789012345678901234567890123456789 1",
        "clone 3",
        "clone 3 x",
        "clone_seqno",
        "login bob",
        "uvgimme a\\b",
        "uvigot a 1 - x",
        "uvfile a 1 - 0 0",
        "uvfile a 1 - 0 16",
        "config /x y",
        "reqconfig",
        "pull",
        "push",
        "schema notes 1 x 5",
        "schema Notes 1 x 5 0",
        "schema x;drop 1 x 5 0",
        "xgimme notes",
        "xgimme 1notes 0123456789012345678901234567890123456789",
        "xgimme notes 0123456789012345678901234567890123456789012345678901234567890123",
        "xigot notes 0123456789012345678901234567890123456789",
        "xigot notes 0123456789012345678901234567890123456789 1 x",
        "xigot notes\" 0123456789012345678901234567890123456789 1",
        "xrow notes 0123 1 0",
        "xdelete notes 0123456789012345678901234567890123456789 x 0",
        "pragma xtable-hash no-tes -",
        "pragma ci-lock x y",
    ] {
        let message = format!("private\n{bad}\n");
        let error = read(message.as_bytes()).expect_err(bad);
        assert_eq!(error, BadCard::Arguments { offset: 8 }, "{bad}");
    }
}

#[test]
fn limits_hold() {
    let limits = Limits {
        card_bytes_max: 20,
        cards_max: 3,
        artifact_bytes_max: 4,
        ..Limits::default()
    };
    let read = |message: &[u8]| {
        Cards::new(message, &limits)
            .collect::<Result<Vec<_>, _>>()
            .map(|cards| cards.len())
    };
    assert_eq!(read(b"# 345678901234567890\n"), Err(BadCard::Line { offset: 0 }));
    assert_eq!(read(b"private\nprivate"), Err(BadCard::Line { offset: 8 }));
    assert_eq!(read(b"private\nprivate\nprivate\n"), Ok(3));
    assert_eq!(
        read(b"private\nprivate\nprivate\nprivate\n"),
        Err(BadCard::TooMany { max: 3 })
    );
    assert_eq!(read(b"config /a 4\nabcd\n"), Ok(1));
    assert_eq!(
        read(b"config /a 5\nabcde\n"),
        Err(BadCard::PayloadTooLarge { offset: 0, bytes: 5 })
    );
    assert_eq!(read(b"config /a 4\nabc"), Err(BadCard::Truncated { offset: 0 }));
    let rows = Limits {
        row_bytes_max: 2,
        ..Limits::default()
    };
    let card = "xrow notes 0123456789012345678901234567890123456789 1";
    let error = |text: String| {
        let mut cards = Cards::new(text.as_bytes(), &rows);
        cards.next().expect("a card").err()
    };
    assert_eq!(error(format!("{card} 2\n{{}}\n")), None);
    assert_eq!(
        error(format!("{card} 3\n{{ }}\n")),
        Some(BadCard::PayloadTooLarge { offset: 0, bytes: 3 })
    );
    let huge = u64::MAX.to_string();
    let huge_card = format!("config / {huge}\n");
    let limits = Limits {
        card_bytes_max: 64,
        ..limits
    };
    let error = Cards::new(huge_card.as_bytes(), &limits).next().expect("a card");
    assert_eq!(
        error,
        Err(BadCard::PayloadTooLarge {
            offset: 0,
            bytes: u64::MAX
        })
    );
}

#[test]
fn reading_ends_at_the_first_error() {
    let limits = Limits::default();
    let mut cards = Cards::new(b"igot x\nprivate\n", &limits);
    assert!(cards.next().expect("a card").is_err());
    assert_eq!(cards.next(), None);
}

#[test]
fn no_flipped_bit_makes_reading_panic_or_run_on() {
    let message = write(&every_card());
    for byte in 0..message.len() {
        for bit in 0..8 {
            let mut flipped = message.clone();
            flipped[byte] ^= 1 << bit;
            let limits = Limits::default();
            assert!(Cards::new(&flipped, &limits).count() <= message.len());
        }
    }
}

#[test]
fn versions_say_what_a_peer_can_do() {
    let stock = Version {
        number: 22_100,
        date: 20_230_226,
        time: 192_424,
    };
    assert!(stock.reads_sha3() && stock.hears_private_igots() && !stock.takes_cookie_login());
    assert!(Version::OURS.reads_sha3() && Version::OURS.takes_cookie_login());
    let eve = Version {
        number: 22_700,
        date: 20_250_727,
        time: 110_459,
    };
    assert!(!eve.takes_cookie_login());
    assert!(Version { time: 110_500, ..eve }.takes_cookie_login());
    assert!(!Version::default().reads_sha3());
}
