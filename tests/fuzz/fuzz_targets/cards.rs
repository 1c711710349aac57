//! Messages: any bytes read as cards, written, and read again.
//!
//! Requests and replies have one reader, so one input is both. What is read borrows from the message, so that no
//! message makes the reader allocate.
#![no_main]

use leaf_core::limits::Limits;
use leaf_core::xfer::{BadCard, Card, Cards, MessageWriter, UvBody, login};
use leaf_fuzz::within;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    small_limits_hold(message);
    what_is_written_reads_back_as_it_was(message);
    // A login card goes as a cookie, too.
    let cookie = login::to_cookie(message);
    assert_eq!(login::from_cookie(&cookie).as_deref(), Some(message));
    let _ = core::str::from_utf8(message).map(login::from_cookie);
});

fn small_limits_hold(message: &[u8]) {
    let limits = Limits {
        artifact_bytes_max: 256,
        card_bytes_max: 128,
        cards_max: 20,
        ..Limits::default()
    };
    let mut cards = Cards::new(message, &limits);
    let mut last = None;
    let mut count = 0;
    while let Some(card) = within(0, || cards.next()) {
        assert!(last < Some(cards.offset()));
        assert!(cards.offset() < message.len());
        last = Some(cards.offset());
        let Ok(card) = card else {
            assert_eq!(cards.next(), None);
            return;
        };
        count += 1;
        assert!(count <= limits.cards_max);
        assert!(payload(&card).is_none_or(|bytes| bytes.len() <= limits.artifact_bytes_max));
    }
}

fn payload<'a>(card: &Card<'a>) -> Option<&'a [u8]> {
    match *card {
        Card::Cfile { zblob, .. } => Some(zblob),
        Card::File { content, .. } => Some(content),
        Card::Config { payload, .. } => Some(payload),
        Card::Uvfile {
            body: UvBody::Plain(bytes) | UvBody::Stored(bytes),
            ..
        } => Some(bytes),
        _ => None,
    }
}

fn what_is_written_reads_back_as_it_was(message: &[u8]) {
    let (cards, _) = read(message);
    let mut writer = MessageWriter::new(message.len());
    for card in &cards {
        writer.push(card);
    }
    let written = writer.finish();
    let (again, bad) = read(&written);
    for (again, card) in again.iter().zip(&cards) {
        assert_eq!(again, card);
    }
    assert_eq!((again.len(), bad), (cards.len(), None));
}

/// The cards before the first bad one, and what is wrong with that.
fn read(message: &[u8]) -> (Vec<Card<'_>>, Option<BadCard>) {
    let mut cards = Vec::new();
    for card in Cards::new(message, &Limits::default()) {
        match card {
            Ok(card) => cards.push(without_tail(card)),
            Err(bad) => return (cards, Some(bad)),
        }
    }
    (cards, None)
}

/// The tail of a login is the rest of the message, byte by byte, which has more than one form.
fn without_tail(mut card: Card<'_>) -> Card<'_> {
    if let Card::Login { tail, .. } = &mut card {
        *tail = &[];
    }
    card
}
