//! Names that nobody can fill do not keep true artifacts from being asked for.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::pair::{Pair, content, has, name_of, put, put_as, rid, signed};
use leaf_core::id::ArtifactHash;
use leaf_core::repo::{Put, Repo, RepoError};
use leaf_core::sync::Goal;

/// Makes `count` phantoms that nobody has.
fn flood(repo: &mut Repo, count: u32, private: bool) {
    let made = repo.write(|tx| {
        for number in 0..count {
            let name = ArtifactHash::parse(format!("{number:040x}").as_bytes()).expect("forty digits");
            tx.phantom(&name, private)?;
        }
        Ok::<_, RepoError>(())
    });
    made.expect("a sound repository");
}

#[test]
fn what_the_server_announced_is_asked_for_before_names_that_nobody_has() {
    let mut pair = Pair::new();
    flood(&mut pair.client, 1_000, false);
    let there = put(&mut pair.server, 0..3);
    let mut options = Pair::options(Goal::Pull);
    options.limits.gimmes_max = 3;
    options.limits.vain_gimmes_max = 3;
    let outcome = pair.run(options).expect("an honest server");
    assert!(there.iter().all(|hash| has(&pair.client, hash)));
    assert!(outcome.rounds <= 3, "{} rounds", outcome.rounds);
}

#[test]
fn a_phantom_that_nobody_announced_is_asked_for_behind_a_thousand_that_nobody_has() {
    let mut pair = Pair::new();
    flood(&mut pair.client, 1_000, false);
    let there = put(&mut pair.server, 0..3);
    // The client is told of them, the reply that would bring them is lost, and no one says their names again.
    pair.sync(Goal::Pull);
    let late = put_as(&mut pair.server, &content(9), Put::default());
    pair.client
        .write(|tx| tx.phantom(&late, false).map(drop))
        .expect("a phantom");
    let mark = pair.server.standing(false).expect("a sound repository").mark();
    let own = pair.client.standing(false).expect("a sound repository").mark();
    pair.client
        .write(|tx| {
            tx.set_config(
                "leaf-mark-pull:http://server/",
                &format!("{mark} {own}"),
                pair.now,
            )
        })
        .expect("a row");
    let mut options = Pair::options(Goal::Pull);
    options.limits.gimmes_max = 10;
    let outcome = pair.run(options).expect("an honest server");
    assert_eq!(pair.count("igot ").1, 0, "nothing was announced");
    assert!(has(&pair.client, &late) && there.iter().all(|hash| has(&pair.client, hash)));
    assert!(outcome.rounds <= 10, "windows grow: {} rounds", outcome.rounds);
}

#[test]
fn what_nobody_has_is_asked_for_once_in_a_session() {
    let mut pair = Pair::new();
    flood(&mut pair.client, 500, false);
    let there = put(&mut pair.server, 0..400);
    pair.sync(Goal::Pull);
    assert!(there.iter().all(|hash| has(&pair.client, hash)));
    let asked: Vec<&str> = pair
        .wire
        .iter()
        .flat_map(|(request, _)| request.lines().filter(|line| line.starts_with("gimme 0000")))
        .collect();
    let mut once = asked.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(asked.len(), once.len());
}

#[test]
fn a_server_asks_first_for_what_the_client_announces() {
    let mut pair = Pair::new();
    flood(&mut pair.server, 1_000, false);
    pair.server_limits.server_gimmes_max = 5;
    let here = put_as(&mut pair.client, &content(1), Put::default());
    pair.sync(Goal::Push);
    assert!(has(&pair.server, &here));
}

#[test]
fn a_name_called_private_is_asked_for_once_it_is_announced_in_public() {
    let mut pair = Pair::new();
    let there = put_as(&mut pair.server, &content(1), Put::default());
    pair.client
        .write(|tx| tx.phantom(&there, true).map(drop))
        .expect("a phantom");
    pair.sync(Goal::Pull);
    assert!(has(&pair.client, &there));
}

#[test]
fn calling_a_phantom_private_does_not_hide_it() {
    let mut pair = Pair::new();
    let name = name_of(&content(1));
    pair.server
        .write(|tx| tx.phantom(&name, false).map(drop))
        .expect("a phantom");
    let code = pair.server.project_code().expect("a project");
    let said = format!("push 0 {code}\nigot {name} 1\n");
    let reply = pair.ask_bytes(&signed(said.as_bytes(), ""));
    assert!(reply.contains(&format!("gimme {name}")), "{reply}");
    assert!(!pair.server.is_private(rid(&pair.server, &name)).expect("a row"));
}
