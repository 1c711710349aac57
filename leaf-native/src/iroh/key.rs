//! The key that an endpoint is known by: 32 secret bytes in a file that nobody else can read.
//!
//! It is made on first use, and complete when it is there: written under another name, then given its own, which
//! fails if another process was first. EdgeSync nodes keep theirs in the same form.
//!
//! Source: Ed25519, RFC 8032 section 5.1.5; the folder: XDG Base Directory Specification, `XDG_DATA_HOME`.

use crate::error::CliError;
use crate::world;
use iroh::{EndpointId, SecretKey};
use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// A leaf's own key.
#[derive(Clone)]
pub struct NodeKey(SecretKey);

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.id())
    }
}

impl NodeKey {
    /// The key in `file`, or in the usual one; made if there is none.
    ///
    /// # Errors
    ///
    /// When others may read the file, it holds no key, or it cannot be read or made.
    pub fn open(file: Option<&Path>) -> Result<Self, CliError> {
        let file = file.map_or_else(usual_file, |file| Ok(file.to_owned()))?;
        let shown = file.display();
        if !file.exists() {
            create(&file)
                .map_err(|error| CliError::storage(format!("cannot make the key {shown}"), &error))?;
        }
        let unreadable = |error: io::Error| CliError::storage(format!("cannot read the key {shown}"), &error);
        let mode = fs::metadata(&file).map_err(unreadable)?.mode();
        if mode & OTHERS != 0 {
            return Err(
                CliError::usage(format!("others may read the key {shown}")).next_step(format!(
                    "if nobody did: chmod 600 {shown}; else delete it, and be invited anew"
                )),
            );
        }
        let bytes = fs::read(&file).map_err(unreadable)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| {
            CliError::usage(format!("{shown} holds no key: one has 32 bytes"))
                .next_step("name another file with --key")
        })?;
        Ok(Self(SecretKey::from_bytes(&bytes)))
    }

    /// What others know it by.
    pub fn id(&self) -> EndpointId {
        self.0.public()
    }

    /// The key itself, for the endpoint.
    pub(super) fn secret(&self) -> SecretKey {
        self.0.clone()
    }
}

fn usual_file() -> Result<PathBuf, CliError> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    data.map(|data| data.join("leaf/key")).ok_or_else(|| {
        CliError::usage("it is not known where your files are")
            .next_step("say where the key is: --key FILE, or set $HOME")
    })
}

fn create(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(format!(".{:x}.part", world::seed()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut part| {
            part.write_all(&SecretKey::generate().to_bytes())?;
            part.sync_all()
        })
        .and_then(|()| fs::hard_link(&unfinished, file));
    // Whatever it is good for, it is in `file` now, or nowhere.
    fs::remove_file(&unfinished).ok();
    match written {
        // Another process was first: its key is the one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}
