//! Shunned artifacts: refused from a client, not given to one.

use crate::pairing::{Options, Pairing};
use leaf_tests::oracle::{artifacts, assert_same_artifacts, column};
use leaf_tests::scene::{self, Checkout};

every_pairing!(
    a_shunned_artifact_does_not_come_back,
    a_shunned_artifact_is_not_cloned
);

/// Shuns the content of `b.txt` and lets stock remove it.
fn shun(pairing: &Pairing, file: &std::path::Path) -> String {
    let name = column(
        file,
        "SELECT blob.uuid FROM mlink JOIN filename USING(fnid) JOIN blob ON blob.rid=mlink.fid WHERE name='b.txt'",
    )
    .pop()
    .expect("the file is in the scene");
    let path = file.to_str().expect("a plain path");
    let sql = format!("INSERT INTO shun(uuid,mtime,scom) VALUES('{name}',1,'');");
    pairing.scratch.fossil(&["sql", "-R", path, &sql]);
    pairing.scratch.fossil(&["rebuild", path]);
    assert!(!artifacts(file).contains(&name), "stock did not remove it");
    name
}

fn a_shunned_artifact_does_not_come_back(pairing: Pairing) {
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    let name = shun(&pairing, &origin);
    Checkout::open(&pairing.scratch, &clone, "alice").commit("more.txt", b"more\n", "More", &[]);
    for _ in 0..2 {
        pairing.transfer_well("sync", &clone, &server.url_of("bob"), Options::PLAIN);
    }
    assert!(
        !artifacts(&origin).contains(&name),
        "the shunned artifact came back"
    );
    assert!(artifacts(&origin).is_subset(&artifacts(&clone)));
}

fn a_shunned_artifact_is_not_cloned(pairing: Pairing) {
    let origin = scene::small(&pairing.scratch, "origin.fossil");
    let name = shun(&pairing, &origin);
    let server = pairing.serve(&origin);
    let clone = pairing.clone(&server.url_of("bob"), "clone.fossil", Options::PLAIN);
    assert!(!artifacts(&clone).contains(&name));
    assert_same_artifacts(&origin, &clone);
}
