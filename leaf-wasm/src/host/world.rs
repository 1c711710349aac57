//! The clock, the dice, and the event loop.

use js_sys::{Function, Promise, Reflect, global};
use leaf_core::time::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let ms = js_sys::Date::now() as i64;
    Timestamp(ms)
}

/// Milliseconds since some moment, for measuring; it never goes back.
pub(crate) fn monotonic_ms() -> f64 {
    let performance = Reflect::get(&global(), &"performance".into());
    let performance = performance
        .ok()
        .and_then(|value| value.dyn_into::<web_sys::Performance>().ok());
    performance.map_or_else(js_sys::Date::now, |performance| performance.now())
}

/// Twenty random bytes: a project code, or what makes one message unlike any other.
pub(crate) fn entropy() -> [u8; 20] {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).expect("every host has crypto.getRandomValues");
    bytes
}

/// A random number: names that nobody else makes up, and waits unlike those of others.
pub(crate) fn seed() -> u64 {
    getrandom::u64().expect("every host has crypto.getRandomValues")
}

/// Lets messages in: a command that computes for long hears of its end only between two of its steps.
pub(crate) async fn breathe() {
    sleep(0).await;
}

/// Waits. Units: milliseconds.
pub(crate) async fn sleep(ms: i32) {
    let later = Promise::new(&mut |resolve, _| {
        let timer = Reflect::get(&global(), &"setTimeout".into()).map(JsCast::unchecked_into::<Function>);
        let started = timer.and_then(|timer| timer.call2(&JsValue::UNDEFINED, &resolve, &ms.into()));
        debug_assert!(started.is_ok(), "every host has setTimeout");
    });
    // It is never rejected.
    drop(JsFuture::from(later).await);
}

/// Whether the caller has given up.
pub(crate) fn is_aborted(signal: Option<&AbortSignal>) -> bool {
    signal.is_some_and(AbortSignal::aborted)
}
