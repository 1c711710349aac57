//! Configuration: groups pulled and pushed, and refused to those who may not.

use crate::pairing::{Pairing, Program, Server};
use leaf_tests::oracle::column;
use leaf_tests::scratch::Said;
use std::path::Path;

every_pairing!(
    the_project_group_is_pulled,
    an_administrator_pushes_the_shun_list,
    others_do_not_push_configuration,
);

fn config(pairing: &Pairing, verb: &str, group: &str, file: &Path, url: &str) -> Said {
    let file = file.to_str().expect("a plain path");
    match pairing.client {
        Program::Leaf => pairing
            .scratch
            .leaf_any(&["config", verb, group, url, "-R", file]),
        Program::Stock => pairing
            .scratch
            .fossil_any(&["config", verb, group, url, "-R", file]),
    }
}

fn clone(pairing: &Pairing, server: &Server) -> std::path::PathBuf {
    pairing.clone(
        &server.url_of("bob"),
        "clone.fossil",
        crate::pairing::Options::PLAIN,
    )
}

fn name_project(pairing: &Pairing, file: &Path, name: &str, mtime: &str) {
    let sql = format!("REPLACE INTO config(name,value,mtime) VALUES('project-name','{name}',{mtime});");
    pairing
        .scratch
        .fossil(&["sql", "-R", file.to_str().expect("a plain path"), &sql]);
}

fn project_name(file: &Path) -> Vec<String> {
    column(file, "SELECT value FROM config WHERE name='project-name'")
}

fn the_project_group_is_pulled(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = clone(&pairing, &server);
    name_project(
        &pairing,
        &origin,
        "A name with ''quotes''",
        "strftime('%s','now')+5",
    );
    config(&pairing, "pull", "project", &clone, &server.url_of("bob")).well();
    assert_eq!(project_name(&clone), ["A name with 'quotes'"]);
}

fn shun(pairing: &Pairing, file: &Path) {
    let sql = "INSERT INTO shun(uuid,mtime,scom) VALUES(printf('%040d',7),strftime('%s','now'),'it''s so');";
    pairing
        .scratch
        .fossil(&["sql", "-R", file.to_str().expect("a plain path"), sql]);
}

fn an_administrator_pushes_the_shun_list(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = clone(&pairing, &server);
    shun(&pairing, &clone);
    config(&pairing, "push", "shun", &clone, &server.url_of("alice")).well();
    assert_eq!(
        column(&origin, "SELECT uuid||scom FROM shun"),
        [format!("{:040}it's so", 7)]
    );
}

fn others_do_not_push_configuration(pairing: Pairing) {
    let (origin, server) = pairing.serve_small("origin.fossil");
    let clone = clone(&pairing, &server);
    shun(&pairing, &clone);
    config(&pairing, "push", "shun", &clone, &server.url_of("bob"));
    assert_eq!(column(&origin, "SELECT uuid FROM shun"), [""; 0]);
}
