//! Tickets: one lets one leaf in, once, in time, and nobody else.

use crate::leaf::{Guest, Host, commit, plain};
use leaf_core::peer::Ticket;
use leaf_tests::oracle::{assert_same_artifacts, assert_sound, column};
use std::process::{Command, Stdio};

/// The six digits in a text behind the word that announces them.
fn code<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no code: {text}"));
    rest.trim_start_matches(['=', '"', ' '])
        .get(..7)
        .expect("six digits")
}

#[test]
fn a_ticket_lets_a_leaf_in_and_both_show_the_same_code() {
    let (host, guest) = (Host::start(), Guest::new());
    let ticket = host.invite(&["--cap", "gio", "--name", "ann's laptop"]);
    let said = guest
        .scratch
        .leaf(&["join", &ticket, "clone.fossil", "--user", "alice"]);
    assert_same_artifacts(&host.file, &guest.file());
    assert_sound(&guest.scratch, &guest.file());
    host.says("joined;");
    assert_eq!(code(&said.stderr, "same code:"), code(&host.log(), "code="));
    commit(&guest.scratch, &guest.file(), "from the guest");
    guest.syncs(&[]);
    assert_same_artifacts(&host.file, &guest.file());
    let list = host
        .scratch
        .leaf(&["peers", "list", "-R", plain(&host.file)])
        .stdout;
    assert!(
        list.contains("ann's laptop") && list.contains(&guest.id()),
        "{list}"
    );
}

#[test]
fn a_ticket_is_good_for_one() {
    let (host, guest, other) = (Host::start(), Guest::new(), Guest::new());
    let ticket = host.invite(&[]);
    guest
        .scratch
        .leaf(&["join", &ticket, "clone.fossil", "--user", "alice"]);
    let said = other.scratch.leaf_any(&["join", &ticket, "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(
        said.stderr.contains("this ticket was used before"),
        "{}",
        said.stderr
    );
    assert!(!other.file().exists());
}

#[test]
fn a_ticket_that_is_past_lets_nobody_in() {
    let (host, guest) = (Host::start(), Guest::new());
    let ticket = host.invite(&["--hours", "0"]);
    let said = guest.scratch.leaf_any(&["join", &ticket, "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("this ticket has expired"), "{}", said.stderr);
    let list = host
        .scratch
        .leaf(&["peers", "list", "-R", plain(&host.file)])
        .stdout;
    assert!(list.contains("0 peers"), "{list}");
}

#[test]
fn a_ticket_of_another_leaf_is_unknown_here() {
    let (host, elsewhere, guest) = (Host::start(), Host::start(), Guest::new());
    host.invite(&[]);
    let id = |host: &Host| host.scratch.leaf(&["id"]).stdout.trim().to_owned();
    assert_ne!(id(&host), id(&elsewhere));
    let place = host.server.by_key();
    let address = place
        .split("addr=")
        .nth(1)
        .expect("an address")
        .replace("%3A", ":");
    // Made there, with a place that leads here: the key in it does not.
    let forged = elsewhere.invite(&["--addr", &address]);
    let said = guest.scratch.leaf_any(&["join", &forged, "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("no connection to"), "{}", said.stderr);
    // Made here for a repository that forgot it.
    let ticket = host.invite(&[]);
    host.scratch.leaf(&["invite", plain(&host.file), "--quiet"]);
    let sql = "SELECT name FROM config WHERE name GLOB 'leaf-invite:*'";
    let rows = column(&host.file, sql);
    assert_eq!(rows.len(), 3, "{rows:?}");
    host.scratch.fossil(&[
        "sql",
        "-R",
        plain(&host.file),
        "DELETE FROM config WHERE name IN (SELECT name FROM config WHERE name GLOB 'leaf-invite:*' ORDER BY mtime, name)",
    ]);
    host.scratch.leaf(&["invite", plain(&host.file), "--quiet"]);
    let said = guest.scratch.leaf_any(&["join", &ticket, "clone.fossil"]);
    assert!(
        said.stderr.contains("this ticket is unknown here"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_leaf_that_invited_nobody_opens_no_door_for_tickets() {
    let (host, guest) = (Host::start(), Guest::new());
    let ticket = host.invite(&[]);
    host.scratch.fossil(&[
        "sql",
        "-R",
        plain(&host.file),
        "DELETE FROM config WHERE name GLOB 'leaf-invite:*'",
    ]);
    let said = guest.scratch.leaf_any(&["join", &ticket, "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("it has invited nobody"), "{}", said.stderr);
}

#[test]
fn a_ticket_leads_by_a_relay_where_nothing_goes_directly() {
    let relayed = ["--iroh", "--relay", "--relay-only"];
    let (host, guest) = (Host::start_with(&relayed), Guest::new());
    let ticket = host.invite(&[]);
    let join = [
        "join",
        ticket.as_str(),
        "clone.fossil",
        "--relay-only",
        "--user",
        "alice",
    ];
    guest.scratch.leaf(&join);
    assert_same_artifacts(&host.file, &guest.file());
}

#[test]
fn neither_the_log_nor_the_repository_holds_the_secret() {
    let (host, guest) = (Host::start(), Guest::new());
    let ticket = host.invite(&[]);
    guest
        .scratch
        .leaf(&["join", &ticket, "clone.fossil", "--user", "alice"]);
    host.says("joined;");
    let letters = ticket.strip_prefix("leaf1").expect("a ticket").to_uppercase();
    let bytes = data_encoding::BASE32_NOPAD
        .decode(letters.as_bytes())
        .expect("base32");
    let secret = &bytes[32..48];
    let hex = data_encoding::HEXLOWER.encode(secret);
    let mut places = vec![host.log().into_bytes()];
    for scratch in [&host.scratch, &guest.scratch] {
        for entry in std::fs::read_dir(scratch.root()).expect("a folder").flatten() {
            if entry.path().is_file() {
                places.push(std::fs::read(entry.path()).expect("a file"));
            }
        }
    }
    for place in places {
        for wanted in [
            secret,
            hex.as_bytes(),
            ticket.as_bytes(),
            &letters.as_bytes()[51..78],
        ] {
            let found = place.windows(wanted.len()).any(|window| window == wanted);
            assert!(!found, "the secret is written somewhere");
        }
    }
}

#[test]
fn a_slip_in_a_ticket_is_said_before_anybody_is_called() {
    let guest = Guest::new();
    let said = guest.scratch.leaf_any(&["join", "leaf1abcdefgh", "clone.fossil"]);
    assert_eq!(said.code, Some(2), "{}", said.text());
    assert!(said.stderr.contains("ticket"), "{}", said.stderr);
}

/// What a command says on a terminal of so many columns, without colours.
fn on_terminal(host: &Host, columns: u32, args: &[&str]) -> String {
    let leaf = host.scratch.leaf_command();
    let program = leaf.get_program().to_str().expect("a plain path").to_owned();
    let line = format!("stty cols {columns} rows 50; {program} {}", args.join(" "));
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
    for (name, value) in leaf.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.env("TERM", "xterm").env("SHELL", "/bin/sh");
    let said = terminal.output().expect("script runs");
    let said = String::from_utf8(said.stdout).expect("text");
    let mut plain = String::new();
    for (at, part) in said.split("\u{1b}[").enumerate() {
        plain += match at {
            0 => part,
            _ => part.split_once('m').map_or("", |(_, rest)| rest),
        };
    }
    plain.replace('\r', "")
}

/// What a QR code of half blocks says.
fn read_code(text: &str) -> Option<String> {
    let is_row = |line: &&str| !line.is_empty() && line.chars().all(|c| " ▀▄█".contains(c));
    let mut dark = Vec::new();
    for line in text.lines().filter(is_row) {
        dark.push(line.chars().map(|c| "▀█".contains(c)).collect::<Vec<bool>>());
        dark.push(line.chars().map(|c| "▄█".contains(c)).collect());
    }
    let (columns, rows) = (dark.first()?.len(), dark.len());
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(columns * 4, rows * 4, |x, y| {
        let is_dark = dark[y / 4].get(x / 4) == Some(&true);
        if is_dark { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    let (_, said) = grids.first()?.decode().ok()?;
    Some(said)
}

#[test]
fn a_ticket_is_shown_as_a_qr_code_on_a_terminal_that_has_room_for_it() {
    let host = Host::start_with(&["--iroh=127.0.0.1:0", "--relay"]);
    let invite = ["invite", plain(&host.file)];
    let said = on_terminal(&host, 100, &invite);
    let ticket = said.lines().find(|line| line.starts_with("leaf1"));
    let ticket = ticket.unwrap_or_else(|| panic!("no ticket: {said}"));
    let code = read_code(&said).unwrap_or_else(|| panic!("no code: {said}"));
    assert_eq!(Ticket::parse(&code), Ticket::parse(ticket));
    let guest = Guest::new();
    guest
        .scratch
        .leaf(&["join", &code, "clone.fossil", "--user", "alice"]);
    assert_same_artifacts(&host.file, &guest.file());

    assert_eq!(read_code(&on_terminal(&host, 30, &invite)), None, "no room");
    let elsewhere = host.scratch.leaf(&invite).stdout;
    assert!(elsewhere.is_ascii(), "{elsewhere}");
    for quiet in ["--json", "--quiet"] {
        let said = on_terminal(&host, 100, &[invite.as_slice(), &[quiet]].concat());
        assert!(said.contains("leaf1") && said.is_ascii(), "{said}");
    }
}
