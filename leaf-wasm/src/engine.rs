//! One repository, open in this worker, and the commands that are asked of it.
//!
//! Commands that wait (for the network, or to let messages in) borrow the repository only between their waits, so
//! a page can read while a sync is under way. Of those that change everything (clone, sync, import) one runs at a time.

use crate::command;
use crate::failure::Failed;
use crate::host::{Import, Store, Wire, is_aborted, monotonic_ms};
use crate::mesh::Link;
use crate::protocol::{Code, Command, LeafState, Progress};
use js_sys::Function;
use leaf_core::limits::Limits;
use leaf_core::repo::{Repo, RepoError};
use leaf_core::sync::SeenLogins;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

/// Milliseconds between two messages about progress.
const PROGRESS_MS: f64 = 100.0;
/// Expanded bytes of one artifact or message: a tab has less memory than a server.
const BYTES_MAX: usize = 256 << 20;

/// A leaf in this worker.
#[wasm_bindgen]
pub struct Engine {
    leaf: Rc<Leaf>,
}

/// What an [`Engine`] holds.
pub(crate) struct Leaf {
    pub(crate) store: Store,
    pub(crate) wire: Wire,
    /// Connections to NATS servers.
    pub(crate) links: RefCell<Vec<Rc<Link>>>,
    state: RefCell<State>,
    is_busy: Cell<bool>,
    /// Logins that were shown here by leaves that call.
    pub(crate) seen: RefCell<SeenLogins>,
    /// The import under way, by its name.
    pub(crate) import: RefCell<Option<(String, Import)>>,
    /// Exports under way. While there are any, the WAL keeps what is written, and the file stays as it is.
    pub(crate) exports: RefCell<BTreeSet<String>>,
}

enum State {
    Closed,
    Empty,
    Cloning(Repo),
    Ready(Repo),
}

/// One command under way: its name, how it is given up, who hears of its progress.
pub(crate) struct Task {
    /// The same when a command is asked again because its reply was lost.
    pub(crate) id: String,
    pub(crate) signal: Option<AbortSignal>,
    on_progress: Option<Function>,
    last: Cell<f64>,
}

#[wasm_bindgen]
impl Engine {
    /// Takes the storage of the repository `name` for this worker and opens what is there.
    ///
    /// `carry` takes `{url, contentType, body, signal, onBytes}` and resolves to `{contentType, body}`.
    ///
    /// # Errors
    ///
    /// A failure as `Failure` says.
    pub async fn open(name: String, carry: Function) -> Result<Engine, JsValue> {
        let opened = Leaf::open(&name, carry).await;
        opened
            .map(|leaf| Self { leaf: Rc::new(leaf) })
            .map_err(Failed::into_js)
    }

    /// Does one command and resolves to its reply.
    ///
    /// `id` is the same when a command is asked again because its reply was lost.
    ///
    /// # Errors
    ///
    /// A failure as `Failure` says.
    pub async fn run(
        &self,
        command: JsValue,
        id: String,
        signal: Option<AbortSignal>,
        on_progress: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let leaf = Rc::clone(&self.leaf);
        let task = Rc::new(Task {
            id,
            signal,
            on_progress,
            last: Cell::new(0.0),
        });
        let done = match serde_wasm_bindgen::from_value::<Command>(command) {
            Ok(command) => command::run(&leaf, command, &task).await,
            Err(error) => Err(Failed::new(Code::BadArguments, error.to_string())),
        };
        done.map_err(Failed::into_js)
    }

    /// Closes the database. Every command after it fails.
    pub fn close(&self) {
        self.leaf.state.replace(State::Closed);
    }
}

impl Engine {
    /// What it holds.
    pub(crate) fn leaf(&self) -> Rc<Leaf> {
        Rc::clone(&self.leaf)
    }
}

impl Leaf {
    async fn open(name: &str, carry: Function) -> Result<Self, Failed> {
        let leaf = Self {
            store: Store::open(name).await?,
            wire: Wire::new(carry),
            links: RefCell::default(),
            state: RefCell::new(State::Empty),
            is_busy: Cell::new(false),
            seen: RefCell::default(),
            import: RefCell::new(None),
            exports: RefCell::default(),
        };
        if leaf.store.exists()? {
            leaf.reopen()?;
        }
        Ok(leaf)
    }

    /// Opens what is in the storage.
    pub(crate) fn reopen(&self) -> Result<(), Failed> {
        self.state.replace(State::Empty);
        let state = match Repo::open(self.store.connect()?) {
            Ok(repo) => State::Ready(limited(repo)),
            Err(RepoError::UnfinishedClone) => {
                let db = self.store.connect()?;
                Store::relax(&db)?;
                State::Cloning(limited(Repo::open_unfinished(db)?))
            }
            Err(RepoError::NotARepository { .. }) if self.is_blank()? => State::Empty,
            Err(error) => return Err(error.into()),
        };
        self.state.replace(state);
        Ok(())
    }

    /// Whether the file has no tables: a worker died between making the file and its first transaction.
    fn is_blank(&self) -> Result<bool, Failed> {
        let db = self.store.connect()?;
        let version: i64 = db.pragma_query_value(None, "schema_version", |row| row.get(0))?;
        drop(db);
        if version == 0 {
            self.store.remove()?;
        }
        Ok(version == 0)
    }

    /// How far it is.
    pub(crate) fn state(&self) -> LeafState {
        match *self.state.borrow() {
            State::Closed | State::Empty => LeafState::Empty,
            State::Cloning(_) => LeafState::Cloning,
            State::Ready(_) => LeafState::Ready,
        }
    }

    /// Becomes an unfinished clone.
    pub(crate) fn begin_clone(&self, repo: Repo) {
        self.state.replace(State::Cloning(limited(repo)));
    }

    /// Becomes a finished repository.
    pub(crate) fn finish(&self, repo: Repo) {
        self.state.replace(State::Ready(limited(repo)));
    }

    /// Takes everything away.
    pub(crate) fn clear(&self) -> Result<(), Failed> {
        self.state.replace(State::Empty);
        self.store.remove()
    }

    /// Reads from the repository.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Repo) -> Result<T, Failed>) -> Result<T, Failed> {
        match &*self.state.borrow() {
            State::Ready(repo) => repo.read(work),
            other => Err(not_ready(other)),
        }
    }

    /// Works with the repository, to change it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Repo) -> Result<T, Failed>) -> Result<T, Failed> {
        match &mut *self.state.borrow_mut() {
            State::Ready(repo) => work(repo),
            other => Err(not_ready(other)),
        }
    }

    /// Works with the repository or with the unfinished clone, whichever there is.
    pub(crate) fn with_any<T>(&self, work: impl FnOnce(&mut Repo) -> Result<T, Failed>) -> Result<T, Failed> {
        match &mut *self.state.borrow_mut() {
            State::Ready(repo) | State::Cloning(repo) => work(repo),
            other => Err(not_ready(other)),
        }
    }

    /// Keeps other commands that change everything out, as long as the result lives.
    pub(crate) fn occupy(self: &Rc<Self>) -> Result<Occupied, Failed> {
        if self.is_busy.replace(true) {
            return Err(Failed::new(
                Code::Busy,
                "a clone, sync or import is under way; wait for its end",
            ));
        }
        Ok(Occupied(Rc::clone(self)))
    }
}

/// The right to change everything.
pub(crate) struct Occupied(Rc<Leaf>);

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.is_busy.set(false);
    }
}

impl Task {
    /// Fails when the caller has given up.
    pub(crate) fn go_on(&self) -> Result<(), Failed> {
        if is_aborted(self.signal.as_ref()) {
            return Err(Failed::new(Code::Aborted, "given up; what has arrived is kept"));
        }
        Ok(())
    }

    /// Tells the page how far it is, unless it was told just now.
    pub(crate) fn progress(&self, progress: impl FnOnce() -> Progress) {
        let Some(listener) = &self.on_progress else { return };
        let now = monotonic_ms();
        if now - self.last.get() < PROGRESS_MS {
            return;
        }
        self.last.set(now);
        // A listener that throws harms nobody but itself.
        if let Ok(progress) = to_js(&progress()) {
            drop(listener.call1(&JsValue::UNDEFINED, &progress));
        }
    }
}

/// Puts the bounds of a tab on it.
fn limited(mut repo: Repo) -> Repo {
    repo.set_limits(limits());
    repo
}

/// The bounds of a tab.
pub(crate) fn limits() -> Limits {
    Limits {
        artifact_bytes_max: BYTES_MAX,
        message_bytes_max: BYTES_MAX,
        ..Limits::default()
    }
}

fn not_ready(state: &State) -> Failed {
    match state {
        State::Closed => Failed::new(Code::Empty, "this leaf is closed; open it again"),
        State::Cloning(_) => Failed::new(
            Code::Cloning,
            "the clone is not finished; clone again to go on with it",
        ),
        _ => Failed::new(
            Code::Empty,
            "nothing is here yet; clone a repository or create one",
        ),
    }
}

/// A value as the page gets it.
pub(crate) fn to_js(value: &impl Serialize) -> Result<JsValue, Failed> {
    let serializer = serde_wasm_bindgen::Serializer::new()
        .serialize_missing_as_null(true)
        .serialize_maps_as_objects(true);
    value
        .serialize(&serializer)
        .map_err(|error| Failed::new(Code::Internal, error.to_string()))
}

impl Failed {
    /// The failure as the page gets it.
    pub(crate) fn into_js(self) -> JsValue {
        to_js(&self.0).unwrap_or_else(|error| JsValue::from_str(&error.0.message))
    }
}

#[cfg(test)]
mod tests;
