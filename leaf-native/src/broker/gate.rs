//! Who may use the broker: a token, users with passwords, users with keys, Fossil's users.
//!
//! Source: NATS authentication (docs.nats.io, `securing_nats/auth_intro`).

use super::fossil::{FossilUsers, Lookup};
use leaf_core::nats::broker::{Gate, Grant, Known, Responses, Visitor};
use leaf_core::nats::info::{Connect, Rights};
use serde::Deserialize;

/// Everybody who may connect. Nobody known means that nobody has to say who they are.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// The users of the served repositories, each with the rights that it has there.
    pub fossil: Option<FossilUsers>,
    /// A secret that is enough by itself, and allows everything.
    pub token: Option<String>,
    /// Users.
    pub users: Vec<User>,
}

/// One user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// The name, unless a key is enough.
    pub name: String,
    /// As it is, or as bcrypt keeps it (`$2a$..`).
    pub password: Option<String>,
    /// A public key, `U..`, that signs what the broker asks it to.
    pub nkey: Option<String>,
    /// What it may publish to.
    pub publish: Rights,
    /// What it may subscribe to.
    pub subscribe: Rights,
    /// It may answer whoever asks it, and how often and how long.
    pub responses: Answers,
}

/// How much a user may answer where it may not publish: `true`, or `{ count = 1, age-ms = 120000 }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum Answers {
    /// As much as is usual, or nothing.
    Usual(bool),
    /// As much as is said.
    Said {
        /// Messages to one reply subject.
        count: u32,
        /// How long after the request. Units: milliseconds.
        #[serde(rename = "age-ms")]
        age_ms: i64,
    },
}

impl Default for Answers {
    fn default() -> Self {
        Self::Usual(false)
    }
}

impl Answers {
    fn rule(self) -> Option<Responses> {
        match self {
            Self::Usual(false) => None,
            // What nats-server allows unless told otherwise.
            Self::Usual(true) => Some(Responses {
                count_max: 1,
                age_ms_max: 120_000,
            }),
            Self::Said { count, age_ms } => Some(Responses {
                count_max: count,
                age_ms_max: age_ms,
            }),
        }
    }
}

/// Why a user cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum BadAccount {
    /// Neither password nor key.
    #[error("user {0} has neither password nor nkey")]
    Bare(String),
    /// Not a public key of a user.
    #[error("{0} is no public nkey of a user (U and 55 letters and digits)")]
    Key(String),
}

impl Accounts {
    /// Whether nobody has to say who they are.
    pub fn is_empty(&self) -> bool {
        self.token.is_none() && self.users.is_empty() && self.fossil.is_none()
    }

    /// Whether all users can be told apart from strangers.
    ///
    /// # Errors
    ///
    /// [`BadAccount`], for the first that cannot.
    pub fn check(&self) -> Result<(), BadAccount> {
        for user in &self.users {
            match &user.nkey {
                None if user.password.is_none() => return Err(BadAccount::Bare(user.name.clone())),
                Some(key) if nkeys::KeyPair::from_public_key(key).is_err() || !key.starts_with('U') => {
                    return Err(BadAccount::Key(key.clone()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn find(&self, visitor: &Visitor, connect: &Connect) -> Option<&User> {
        self.users
            .iter()
            .find(|user| match (&user.nkey, &connect.nkey, &connect.user) {
                (Some(own), Some(claimed), _) => own == claimed && is_signed(own, visitor, connect),
                (None, _, Some(name)) => {
                    *name == user.name
                        && is_password(
                            user.password.as_deref().unwrap_or_default(),
                            connect.pass.as_deref().unwrap_or_default(),
                        )
                }
                _ => false,
            })
    }
}

/// Asks whoever comes.
pub(super) struct Doorkeeper {
    accounts: Accounts,
    fossil: Option<Lookup>,
}

impl Doorkeeper {
    pub(super) fn new(accounts: Accounts) -> Self {
        let fossil = accounts.fossil.clone().map(Lookup::new);
        Self { accounts, fossil }
    }
}

impl Gate for Doorkeeper {
    fn is_guarded(&self, visitor: &Visitor) -> bool {
        !self.accounts.is_empty() && matches!(visitor.known, Known::Stranger)
    }

    fn wants_signatures(&self) -> bool {
        self.accounts.users.iter().any(|user| user.nkey.is_some())
    }

    fn admit(&mut self, visitor: &Visitor, connect: &Connect) -> Option<Grant> {
        match &visitor.known {
            Known::Itself => Some(Grant::default()),
            // There is no telling who is behind a link.
            Known::Peer(grant) if connect.is_link() && !grant.is_everything() => None,
            Known::Peer(grant) => Some(Grant::clone(grant)),
            Known::Stranger if self.accounts.is_empty() => Some(Grant::default()),
            Known::Stranger => {
                let named = self.accounts.admit(visitor, connect);
                named.or_else(|| self.fossil.as_mut()?.admit(connect))
            }
        }
    }
}

impl Accounts {
    fn admit(&self, visitor: &Visitor, connect: &Connect) -> Option<Grant> {
        let is_token = |token: &String| {
            let said = connect.auth_token.as_deref().unwrap_or_default();
            is_same(token.as_bytes(), said.as_bytes())
        };
        if self.token.as_ref().is_some_and(is_token) {
            return Some(Grant::default());
        }
        let user = self.find(visitor, connect)?;
        let responses = user.responses.rule();
        Some(Grant {
            user: match user.name.is_empty() {
                true => user.nkey.clone().unwrap_or_default(),
                false => user.name.clone(),
            },
            publish: match (&user.publish.allow, responses) {
                // Who may only answer may not publish anywhere else.
                (None, Some(_)) => Rights {
                    allow: Some(Vec::new()),
                    ..user.publish.clone()
                },
                _ => user.publish.clone(),
            },
            subscribe: user.subscribe.clone(),
            named: Vec::new(),
            responses,
        })
    }
}

fn is_password(kept: &str, said: &str) -> bool {
    match kept.starts_with("$2") {
        true => bcrypt::verify(said, kept).unwrap_or(false),
        false => is_same(kept.as_bytes(), said.as_bytes()),
    }
}

/// Takes as long whatever is different.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    left.ct_eq(right).into()
}

fn is_signed(key: &str, visitor: &Visitor, connect: &Connect) -> bool {
    let Some(signature) = connect.sig.as_deref().and_then(unbase64) else {
        return false;
    };
    nkeys::KeyPair::from_public_key(key)
        .is_ok_and(|key| key.verify(visitor.nonce.as_bytes(), &signature).is_ok())
}

/// Clients differ in the alphabet and in whether they pad.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
