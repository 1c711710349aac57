//! Seeded worlds of many leaves: lossy wires, crashes, clocks that disagree, and in two of five a peer that lies.
//!
//! A world is a function of its seed: `LEAF_SIM_SEED=7 cargo test -p leaf-tests --test sim` runs that one again.
//! `LEAF_SIM_SEEDS=5000` tries more than the usual 200, `LEAF_SIM_STEPS=30` stops early, before the healing: a
//! failure tells the least number of steps that still shows it. The same worlds run on wasm32, a few of them.
//!
//! After its steps every world is healed (no more loss, all clocks right) and judged; see [`judge`].

mod edit;
mod evil;
mod heal;
mod judge;
mod leaf;
mod link;
mod rng;
mod world;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use world::World;

/// Worlds of one run.
const SEEDS: u64 = if cfg!(target_arch = "wasm32") { 12 } else { 200 };
/// Steps of one world.
const STEPS: u32 = 120;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs every fourth world, beginning with `quarter`, so that the test harness can run four at a time.
fn try_quarter(quarter: u64) {
    let steps =
        setting("LEAF_SIM_STEPS").map_or(STEPS, |steps| u32::try_from(steps).expect("a small number"));
    if let Some(seed) = setting("LEAF_SIM_SEED") {
        if seed % 4 == quarter {
            try_seed(seed, steps);
        }
        return;
    }
    let seeds = setting("LEAF_SIM_SEEDS").unwrap_or(SEEDS);
    for seed in (0..seeds).filter(|seed| seed % 4 == quarter) {
        try_seed(seed, steps);
    }
}

fn try_seed(seed: u64, steps: u32) {
    let Err(failure) = outcome(seed, steps) else {
        return;
    };
    let fewest = (0..=steps)
        .find(|steps| outcome(seed, *steps).is_err())
        .unwrap_or(steps);
    let of_fewest = outcome(seed, fewest).expect_err("found to fail");
    panic!(
        "seed {seed} fails: {failure}\nLEAF_SIM_SEED={seed} LEAF_SIM_STEPS={fewest} shows it first: {of_fewest}"
    );
}

/// Runs one world to its end; a panic in it is a failure like any other.
fn outcome(seed: u64, steps: u32) -> Result<(), String> {
    let run = move || World::new(seed)?.run(steps);
    match std::panic::catch_unwind(run) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(format!("a panic: {}", text.unwrap_or_default()))
        }
    }
}

#[test]
fn leaves_converge_whatever_the_wire_does() {
    try_quarter(0);
}

#[test]
fn leaves_converge_whatever_crashes() {
    try_quarter(1);
}

#[test]
fn leaves_converge_whatever_their_clocks_say() {
    try_quarter(2);
}

#[test]
fn leaves_converge_whoever_talks_to_whom() {
    try_quarter(3);
}
