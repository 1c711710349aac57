//! Users of a repository, what they may do, and how a login is checked.
//!
//! Source: Fossil `src/login.c`, `login_set_capabilities`; `src/xfer.c`, `check_login`; `src/sha1.c`,
//! `sha1_shared_secret`.

use rusqlite::OptionalExtension;

use super::{Repo, RepoError, RepoTx};
use crate::format::hash::sha1_hex;
use crate::time::Timestamp;

/// One right, of those that sync and this program ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cap {
    /// `s`: set up the repository.
    Setup,
    /// `a`: administer users and configuration.
    Admin,
    /// `g`: clone.
    Clone,
    /// `o`: read check-ins, pull.
    Read,
    /// `i`: write check-ins, push.
    Write,
    /// `x`: private artifacts.
    Private,
    /// `y`: write unversioned files.
    WriteUnversioned,
    /// `e`: read e-mail addresses.
    ReadAddresses,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Whether `cap` is among them.
    pub fn has(self, cap: Cap) -> bool {
        self.0 & (1 << cap as u16) != 0
    }

    /// These and those of `other`.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn of(caps: &[Cap]) -> Self {
        Self(caps.iter().fold(0, |bits, cap| bits | 1 << *cap as u16))
    }

    /// The rights that one letter grants; `u` and `v` inherit and are for the caller to look up.
    fn of_letter(letter: u8) -> Self {
        use Cap::{Admin, Clone, Private, Read, ReadAddresses, Setup, Write, WriteUnversioned};
        match letter {
            b's' => Self::of(&[Setup, Admin, Clone, Read, Write, ReadAddresses]),
            b'a' => Self::of(&[Admin, Clone, Read, Write, ReadAddresses]),
            b'g' => Self::of(&[Clone]),
            b'o' => Self::of(&[Read]),
            b'i' => Self::of(&[Read, Write]),
            b'x' => Self::of(&[Private]),
            b'y' => Self::of(&[WriteUnversioned]),
            b'e' => Self::of(&[ReadAddresses]),
            _ => Self::default(),
        }
    }
}

/// A row of the user table, without its password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// Login, case-sensitive.
    pub login: String,
    /// Capability letters.
    pub capabilities: String,
    /// Contact information.
    pub info: String,
    /// Whether a password is set.
    pub has_password: bool,
    /// When the row changed last.
    pub changed: Timestamp,
}

/// Logins that cannot log in: their rights are everybody's, or are inherited.
const SPECIAL: [&str; 4] = ["anonymous", "nobody", "developer", "reader"];

impl Repo {
    /// All users, by login.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn users(&self) -> Result<Vec<User>, RepoError> {
        let mut statement = self.db.prepare_cached(
            "SELECT login, coalesce(cap, ''), coalesce(info, ''), length(coalesce(pw, '')) > 0, coalesce(mtime, 0)
               FROM user WHERE login IS NOT NULL ORDER BY login",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(User {
                login: row.get(0)?,
                capabilities: row.get(1)?,
                info: row.get(2)?,
                has_password: row.get(3)?,
                changed: Timestamp::from_unix(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What anybody may do without a login: the rights of `nobody` and `anonymous`.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn capabilities_of_nobody(&self) -> Result<Capabilities, RepoError> {
        Ok(self
            .capabilities_of("nobody")?
            .union(self.capabilities_of("anonymous")?))
    }

    /// What the letters of `login` grant, inheritance followed; nothing when there is no such user.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn capabilities_of(&self, login: &str) -> Result<Capabilities, RepoError> {
        self.capabilities_by(&self.letters_of(login)?)
    }

    /// What `letters` grant, inheritance followed.
    pub(super) fn capabilities_by(&self, letters: &str) -> Result<Capabilities, RepoError> {
        let mut all = granted(letters);
        for (letter, from) in [('u', "reader"), ('v', "developer")] {
            if letters.contains(letter) {
                all = all.union(granted(&self.letters_of(from)?));
            }
        }
        Ok(all)
    }

    fn letters_of(&self, login: &str) -> Result<String, RepoError> {
        let mut statement = self.db.prepare_cached("SELECT cap FROM user WHERE login = ?1")?;
        let letters: Option<Option<String>> = statement.query_row([login], |row| row.get(0)).optional()?;
        Ok(letters.flatten().unwrap_or_default())
    }

    /// Checks the signature of a login card; `None` when it is wrong. What the user may do includes what
    /// anybody may. Logins of `nobody` and `anonymous` pass and gain nothing.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`], [`RepoError::Damaged`].
    pub fn check_login(
        &self,
        user: &str,
        nonce: &[u8],
        signature: &[u8],
    ) -> Result<Option<Capabilities>, RepoError> {
        let everybody = self.capabilities_of_nobody()?;
        if user == "nobody" || user == "anonymous" {
            return Ok(Some(everybody));
        }
        let mut statement = self.db.prepare_cached("SELECT pw FROM user WHERE login = ?1")?;
        let stored: Option<Option<String>> = statement.query_row([user], |row| row.get(0)).optional()?;
        let stored = stored.flatten().unwrap_or_default();
        // Somebody unknown costs the same work as somebody with a wrong password.
        let usable = !stored.is_empty() && !SPECIAL.contains(&user);
        let project = self.project_code()?;
        let secret = sha1_hex(format!("{project}/{user}/{stored}").as_bytes());
        let as_stored = is_signature(signature, nonce, &stored);
        let as_clear = stored.len() != 40 && is_signature(signature, nonce, &secret);
        Ok(match usable && (as_stored || as_clear) {
            true => Some(everybody.union(self.capabilities_of(user)?)),
            false => None,
        })
    }

    /// As [`check_login`](Self::check_login), where the password itself is told.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`], [`RepoError::Damaged`].
    pub fn check_password(&self, user: &str, password: &str) -> Result<Option<Capabilities>, RepoError> {
        let secret = sha1_hex(format!("{}/{user}/{password}", self.project_code()?).as_bytes());
        self.check_login(user, b"", sha1_hex(secret.as_bytes()).as_bytes())
    }
}

impl RepoTx<'_> {
    /// Adds a user, or changes the parts that are given. A password is kept as its shared secret.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn set_user(&self, login: &str, change: &UserChange<'_>, now: Timestamp) -> Result<(), RepoError> {
        let secret = match change.password {
            Some(password) => {
                let text = format!("{}/{login}/{password}", self.project_code()?);
                Some(sha1_hex(text.as_bytes()))
            }
            None => None,
        };
        self.db
            .prepare_cached("INSERT OR IGNORE INTO user(login, pw, cap, info) VALUES (?1, '', '', '')")?
            .execute([login])?;
        self.db
            .prepare_cached(
                "UPDATE user SET pw = coalesce(?2, pw), cap = coalesce(?3, cap), info = coalesce(?4, info),
                        mtime = ?5 WHERE login = ?1",
            )?
            .execute((login, secret, change.capabilities, change.info, now.unix()))?;
        Ok(())
    }

    /// Removes a user. `false` when there was none.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn remove_user(&self, login: &str) -> Result<bool, RepoError> {
        Ok(self
            .db
            .prepare_cached("DELETE FROM user WHERE login = ?1")?
            .execute([login])?
            > 0)
    }
}

/// What [`RepoTx::set_user`] changes; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange<'a> {
    /// Password in clear.
    pub password: Option<&'a str>,
    /// Capability letters.
    pub capabilities: Option<&'a str>,
    /// Contact information.
    pub info: Option<&'a str>,
}

fn granted(letters: &str) -> Capabilities {
    letters
        .bytes()
        .map(Capabilities::of_letter)
        .fold(Capabilities::default(), Capabilities::union)
}

/// Whether `signature` is the one that `secret` makes of `nonce`, in a time that does not tell how far it fits.
fn is_signature(signature: &[u8], nonce: &[u8], secret: &str) -> bool {
    let ours = sha1_hex(&[nonce, secret.as_bytes()].concat());
    let differences = ours.bytes().zip(signature).fold(0, |sum, (a, b)| sum | (a ^ b));
    ours.len() == signature.len() && differences == 0
}
