//! Peers that call by key: lines, tickets, invitations, and what a peer may do.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{NOW, PROJECT, Pair, has, put, repository};
use crate::pair_rights::close;
use leaf_core::id::ProjectCode;
use leaf_core::peer::{
    Answer, Ask, BadLine, BadTicket, Here, JoinAnswer, JoinAsk, Ticket, invite_seed, join_text, short_code,
};
use leaf_core::repo::{Guest, GuestState, Invite, NotAdmitted, Repo};
use leaf_core::sync::{Goal, SyncError, SyncOptions};
use leaf_core::time::Timestamp;
use leaf_core::xfer::ContentType;

fn guest(capabilities: &str) -> Guest {
    Guest {
        id: "ab".repeat(32),
        name: "ann's laptop".to_owned(),
        capabilities: capabilities.to_owned(),
        added: NOW,
        seen: None,
        place: String::new(),
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").expect("a line ends")
}

#[test]
fn lines_are_read_as_they_were_written() {
    for place in [None, Some("my project".to_owned()), Some("7".repeat(40))] {
        let ask = Ask {
            place,
            content_type: ContentType::Uncompressed,
            bytes: 1_234,
        };
        assert_eq!(Ask::parse(without_end(&ask.write())), Ok(ask));
    }
    let here = Here {
        place: Some("my project".to_owned()),
        url: "iroh://ab?addr=192.0.2.7%3A4433".to_owned(),
    };
    assert_eq!(Here::parse(without_end(&here.write())), Ok(here));
    assert_eq!(Here::parse(b"here -"), Err(BadLine));
    let message = Answer::Message {
        content_type: ContentType::Compressed,
        bytes: 0,
    };
    assert_eq!(Answer::parse(without_end(&message.write())), Ok(message));
    let refused = Answer::Refused("no such\nproject".to_owned());
    assert_eq!(Answer::parse(without_end(&refused.write())), Ok(refused));
    let join = JoinAsk {
        invite: [3; 32],
        signature: [4; 64],
        name: "ann's laptop".to_owned(),
    };
    assert_eq!(JoinAsk::parse(without_end(&join.write())), Ok(join));
    let joined = JoinAnswer::Joined {
        project: ProjectCode::from_random(PROJECT),
        capabilities: "oi".to_owned(),
    };
    assert_eq!(JoinAnswer::parse(without_end(&joined.write())), Ok(joined));
}

#[test]
fn a_line_that_is_none_is_refused() {
    for bad in [
        "",
        "sync",
        "sync - application/x-fossil",
        "sync - application/x-fossil -1",
        "sync - text/html 5",
        "ok application/x-fossil 5",
        "sync - application/x-fossil 5 6",
    ] {
        assert_eq!(Ask::parse(bad.as_bytes()), Err(BadLine), "{bad}");
    }
    assert_eq!(Answer::parse(b"\xff"), Err(BadLine));
    let short = format!("join {} {} ann", "a".repeat(64), "b".repeat(126));
    assert_eq!(JoinAsk::parse(short.as_bytes()), Err(BadLine));
}

#[test]
fn the_name_of_a_guest_is_made_fit_to_be_shown() {
    let join = JoinAsk {
        invite: [3; 32],
        signature: [4; 64],
        name: format!("\u{1b}[31mann{}", "n".repeat(500)),
    };
    let read = JoinAsk::parse(without_end(&join.write())).expect("a line");
    assert!(
        read.name.starts_with("[31mann") && read.name.len() <= 64,
        "{}",
        read.name
    );
}

fn ticket() -> Ticket {
    Ticket {
        endpoint: [1; 32],
        secret: [2; 16],
        project: ProjectCode::from_random(PROJECT),
        addresses: vec![
            "192.0.2.7:4433".parse().expect("an address"),
            "[2001:db8::1]:99".parse().expect("an address"),
        ],
        relays: vec!["https://relay.example.org/".to_owned()],
    }
}

#[test]
fn a_ticket_is_read_in_small_letters_and_in_capitals() {
    let text = ticket().write();
    assert_eq!(Ticket::parse(&text), Ok(ticket()));
    assert_eq!(
        Ticket::parse(&format!(" {}\n", text.to_uppercase())),
        Ok(ticket())
    );
    let bare = Ticket {
        addresses: Vec::new(),
        relays: Vec::new(),
        ..ticket()
    };
    assert_eq!(Ticket::parse(&bare.write()), Ok(bare));
}

#[test]
fn a_slip_in_a_ticket_is_noticed_wherever_it_is() {
    let text = ticket().write();
    for at in 5..text.len() {
        let mut slip = text.clone().into_bytes();
        slip[at] = if slip[at] == b'a' { b'b' } else { b'a' };
        let slip = String::from_utf8(slip).expect("letters");
        assert!(Ticket::parse(&slip).is_err(), "letter {at}");
        assert!(Ticket::parse(&text[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(Ticket::parse("http://example.org/"), Err(BadTicket::Shape));
    assert_eq!(Ticket::parse("leaf1"), Err(BadTicket::Check));
    assert_eq!(Ticket::parse("leaf1\u{e9}"), Err(BadTicket::Check));
}

#[test]
fn what_shows_a_ticket_to_a_programmer_shows_no_secret() {
    assert!(!format!("{:?}", ticket()).contains("2, 2"));
}

#[test]
fn the_code_to_compare_depends_on_all_three() {
    let code = short_code(&[1; 32], &[2; 32], &[3; 32]);
    assert_eq!(code.len(), 7, "{code}");
    assert!(
        code.chars()
            .enumerate()
            .all(|(at, c)| c.is_ascii_digit() == (at != 3))
    );
    assert_ne!(code, short_code(&[2; 32], &[1; 32], &[3; 32]));
    assert_ne!(code, short_code(&[1; 32], &[2; 32], &[4; 32]));
    assert_ne!(invite_seed(&[1; 16]), invite_seed(&[2; 16]));
    assert_ne!(join_text(&[1; 32], &[2; 32]), join_text(&[2; 32], &[1; 32]));
}

#[test]
fn a_peer_is_kept_changed_seen_and_revoked() {
    let mut repo = repository(1);
    let ann = guest("oi");
    repo.write(|tx| tx.set_guest(&ann, NOW)).expect("a peer");
    assert_eq!(repo.guest(&ann.id).expect("query"), Some(ann.clone()));
    let later = NOW.plus_ms(7_200_000);
    assert!(ann.is_seen_again(later));
    repo.write(|tx| tx.note_guest_seen(&ann.id, later))
        .expect("noted");
    let seen = repo.guest(&ann.id).expect("query").expect("still one");
    assert_eq!(seen.seen.map(Timestamp::unix), Some(later.unix()));
    assert!(!seen.is_seen_again(later.plus_ms(60_000)));
    assert_eq!(repo.guests().expect("query"), [seen]);
    assert!(repo.write(|tx| tx.remove_guest(&ann.id)).expect("removed"));
    assert!(!repo.write(|tx| tx.remove_guest(&ann.id)).expect("none left"));
    assert_eq!(repo.guest(&ann.id).expect("query"), None);
}

#[test]
fn a_peer_may_do_what_its_letters_say_and_no_more() {
    let mut pair = Pair::new();
    close(&mut pair.server);
    let (theirs, ours) = (put(&mut pair.server, 0..3), put(&mut pair.client, 10..12));
    let options = |goal| SyncOptions::new(goal, "iroh:a-key");
    let refused = pair.run(options(Goal::Pull)).expect_err("nobody may read");
    assert!(matches!(refused, SyncError::PeerSaid { .. }), "{refused}");
    pair.guest = Some(guest("o"));
    pair.run(options(Goal::Sync)).expect("a reader pulls");
    assert!(theirs.iter().all(|hash| has(&pair.client, hash)));
    assert!(!ours.iter().any(|hash| has(&pair.server, hash)));
    pair.guest = Some(guest("i"));
    pair.run(options(Goal::Sync)).expect("a writer pushes");
    assert!(ours.iter().all(|hash| has(&pair.server, hash)));
}

#[test]
fn how_it_stands_with_a_guest_is_kept_until_it_is_revoked_and_believed_for_a_while() {
    let mut repo = repository(1);
    let ann = guest("gio");
    let state = GuestState {
        at: NOW,
        since: NOW.plus_ms(-60_000),
        connections: 2,
        is_relayed: true,
        rtt_us: 12_345,
        sent: 1 << 40,
        received: 7,
    };
    let note = |repo: &mut Repo| repo.write(|tx| tx.note_guest_state(&ann.id, &state));
    note(&mut repo).expect("nothing to note");
    assert_eq!(repo.guest_state(&ann.id).expect("query"), None, "no guest yet");
    repo.write(|tx| tx.set_guest(&ann, NOW)).expect("added");
    note(&mut repo).expect("noted");
    let read = repo.guest_state(&ann.id).expect("query").expect("noted");
    assert_eq!(read, state);
    let guests = repo.guests().expect("query");
    assert_eq!(guests, std::slice::from_ref(&ann), "no guest more");
    assert!(read.is_connected(NOW.plus_ms(100_000)));
    assert!(!read.is_connected(NOW.plus_ms(200_000)), "who noted it is gone");
    assert!(
        !GuestState {
            connections: 0,
            ..read
        }
        .is_connected(NOW)
    );
    repo.write(|tx| tx.remove_guest(&ann.id)).expect("revoked");
    assert_eq!(repo.guest_state(&ann.id).expect("query"), None);
}

fn invited(repo: &mut Repo, expires: Timestamp) -> Invite {
    let invite = Invite {
        key: "cd".repeat(32),
        name: String::new(),
        capabilities: "oi".to_owned(),
        expires,
        used_by: None,
    };
    repo.write(|tx| tx.add_invite(&invite, NOW))
        .expect("an invitation");
    invite
}

#[test]
fn an_invitation_lets_one_in_and_nobody_else() {
    let mut repo = repository(1);
    let invite = invited(&mut repo, NOW.plus_ms(60_000));
    assert!(repo.awaits_guests(NOW).expect("query"));
    let (ann, bob) = ("ab".repeat(32), "ba".repeat(32));
    let mut admit = |id: &str| {
        repo.write(|tx| tx.admit(&invite.key, id, "ann", NOW))
            .expect("query")
    };
    let guest = admit(&ann).expect("she was invited");
    assert_eq!((guest.name.as_str(), guest.capabilities.as_str()), ("ann", "oi"));
    assert_eq!(admit(&ann), Ok(guest), "her answer was lost");
    assert_eq!(admit(&bob), Err(NotAdmitted::Used));
    assert!(!repo.awaits_guests(NOW).expect("query"));
    repo.write(|tx| tx.remove_guest(&ann)).expect("revoked");
    let again = repo.write(|tx| tx.admit(&invite.key, &ann, "ann", NOW));
    assert_eq!(
        again.expect("query"),
        Err(NotAdmitted::Used),
        "revoked is revoked"
    );
    assert_eq!(repo.guests().expect("query"), []);
}

#[test]
fn an_invitation_that_is_expired_or_unknown_lets_nobody_in() {
    let mut repo = repository(1);
    let invite = invited(&mut repo, NOW);
    assert!(!repo.awaits_guests(NOW).expect("query"));
    let mut admit = |key: &str| {
        repo.write(|tx| tx.admit(key, &"ab".repeat(32), "ann", NOW))
            .expect("query")
    };
    assert_eq!(admit(&invite.key), Err(NotAdmitted::Expired));
    assert_eq!(admit(&"ef".repeat(32)), Err(NotAdmitted::Unknown));
    assert_eq!(repo.guests().expect("query"), []);
}
