//! Wiki pages, tickets, technotes and forum posts: made on one side, known on the other without a rebuild.

use crate::pairing::{Options, Pairing};
use leaf_tests::oracle::{assert_same_artifacts, assert_sound, column, derived_differences};
use leaf_tests::scene::Checkout;
use std::path::Path;

every_pairing!(
    a_wiki_edit_is_known_on_both_sides,
    a_ticket_and_its_change_are_known_on_both_sides,
    a_technote_is_known_on_both_sides,
    a_forum_thread_is_known_on_both_sides,
    tags_and_amendments_take_effect_on_both_sides,
);

/// Lets `edit` work in a clone and another one at the origin, syncs, and compares all that is derived.
fn both_ways(pairing: &Pairing, edit: impl Fn(&Checkout<'_>, &str)) -> [Vec<String>; 2] {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    edit(&Checkout::open(&pairing.scratch, &clone, "alice"), "clone");
    edit(&Checkout::open(&pairing.scratch, &origin, "alice"), "origin");
    pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    assert_same_artifacts(&origin, &clone);
    for file in [&origin, &clone] {
        assert_sound(&pairing.scratch, file);
        assert_eq!(
            derived_differences(&pairing.scratch, file),
            [""; 0],
            "{}",
            file.display()
        );
    }
    [comments(&origin), comments(&clone)]
}

fn comments(file: &Path) -> Vec<String> {
    column(
        file,
        "SELECT type||' '||coalesce(ecomment,comment) FROM event ORDER BY mtime, 1",
    )
}

#[track_caller]
fn assert_both_know([origin, clone]: [Vec<String>; 2], wanted: &[&str]) {
    for want in wanted {
        assert!(
            origin.iter().any(|said| said.contains(want)),
            "{want:?} is not at the origin: {origin:#?}"
        );
        assert!(
            clone.iter().any(|said| said.contains(want)),
            "{want:?} is not in the clone: {clone:#?}"
        );
    }
}

fn a_wiki_edit_is_known_on_both_sides(pairing: Pairing) {
    let known = both_ways(&pairing, |checkout, side| {
        checkout.wiki(&format!("Page of {side}"), "first\n");
        checkout.wiki(&format!("Page of {side}"), "second, see [Home]\n");
    });
    assert_both_know(
        known,
        &[
            "+Page of clone",
            ":Page of clone",
            "+Page of origin",
            ":Page of origin",
        ],
    );
}

fn a_ticket_and_its_change_are_known_on_both_sides(pairing: Pairing) {
    let known = both_ways(&pairing, |checkout, side| {
        checkout.ticket(&format!("Ticket of {side}"));
        let list =
            "SELECT tkt_uuid FROM ticket WHERE title LIKE 'Ticket of %' ORDER BY tkt_mtime DESC LIMIT 1;";
        let ticket = checkout
            .fossil(&["sql", list])
            .trim()
            .trim_matches('\'')
            .to_string();
        checkout.fossil(&["ticket", "set", &ticket, "status", "Fixed", "+comment", "done"]);
    });
    assert_both_know(known, &["Ticket of clone", "Ticket of origin"]);
}

fn a_technote_is_known_on_both_sides(pairing: Pairing) {
    let known = both_ways(&pairing, |checkout, side| {
        checkout.technote(&format!("Technote of {side}\n"));
    });
    assert_both_know(known, &["Technote of clone", "Technote of origin"]);
}

fn a_forum_thread_is_known_on_both_sides(pairing: Pairing) {
    let known = both_ways(&pairing, |checkout, side| {
        checkout.forum_post(&format!("Thread of {side}"), "hello\n");
    });
    assert_both_know(known, &["Post: Thread of clone", "Post: Thread of origin"]);
}

fn tags_and_amendments_take_effect_on_both_sides(pairing: Pairing) {
    let known = both_ways(&pairing, |checkout, side| {
        checkout.commit(
            "tagged.txt",
            side.as_bytes(),
            &format!("Commit of {side}"),
            &["--tag", side],
        );
        checkout.fossil(&[
            "amend",
            side,
            "-m",
            &format!("Amended at {side}"),
            "--bgcolor",
            "#ffe0e0",
            "--close",
        ]);
        checkout.fossil(&["tag", "add", &format!("extra-{side}"), side]);
    });
    assert_both_know(known, &["Amended at clone", "Amended at origin"]);
}
