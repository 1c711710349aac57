//! What Fossil's capabilities allow at a NATS broker: the subjects of the project, and nothing else there.
//!
//! ```text
//!   o or g   asks who there is, asks for a sync
//!   o        hears what is new
//!   i        says what is new, answers others
//!   a or s   everything of the project; of every project that is served: everything
//! ```
//!
//! What a sync may read and write is decided again by whoever answers it, from the login in its messages.
//!
//! Source: Fossil capabilities (`src/capabilities.c`); permissions of NATS (docs.nats.io, `securing_nats/authorization`).

use super::Subjects;
use crate::nats::broker::{Grant, Responses};
use crate::nats::info::Rights;
use crate::repo::{Cap, Capabilities};

/// An answer is one message, soon: what nats-server allows where it allows answers and nothing more is said.
const ANSWERS: Responses = Responses {
    count_max: 1,
    age_ms_max: 120_000,
};

/// Puts together what one user may do with several projects.
#[derive(Debug, Default)]
pub struct MeshRights {
    publish: Vec<String>,
    subscribe: Vec<String>,
    named: Vec<String>,
    may_answer: bool,
    projects: usize,
    administered: usize,
}

impl MeshRights {
    /// Adds a project, in which the user has `caps`.
    pub fn add(&mut self, prefix: &str, subjects: &Subjects, caps: Capabilities) {
        self.projects += 1;
        let any_of = |subject: &str| format!("{subject}.*");
        if caps.has(Cap::Setup) || caps.has(Cap::Admin) {
            self.administered += 1;
            let all = format!("{prefix}.{}.>", subjects.project());
            self.publish.push(all.clone());
            self.subscribe.push(all);
        }
        if caps.has(Cap::Read) || caps.has(Cap::Clone) {
            self.publish.push(Subjects::who(prefix));
            self.publish.push(subjects.sync());
            self.publish.push(any_of(&subjects.sync()));
        }
        if caps.has(Cap::Read) {
            self.subscribe.push(subjects.commit());
        }
        if caps.has(Cap::Write) {
            self.publish.push(subjects.commit());
            self.subscribe.push(Subjects::who(prefix));
            // In the queue only: whoever else listened there would hear what others send.
            self.subscribe
                .push(format!("{} {}", subjects.sync(), subjects.queue()));
            self.named.push(subjects.sync());
            self.may_answer = true;
        }
    }

    /// The user is an administrator wherever there is something: such a one may link its broker with this one.
    pub fn is_everything(&self) -> bool {
        self.projects > 0 && self.administered == self.projects
    }

    /// The permissions; `None` when there is nothing to be permitted.
    pub fn grant(mut self, user: String) -> Option<Grant> {
        if self.is_everything() {
            return Some(Grant {
                user,
                ..Grant::default()
            });
        }
        if self.publish.is_empty() {
            return None;
        }
        self.named.push("_INBOX".to_owned());
        let only = |mut subjects: Vec<String>| {
            subjects.sort_unstable();
            subjects.dedup();
            Rights {
                allow: Some(subjects),
                deny: Vec::new(),
            }
        };
        Some(Grant {
            user,
            publish: only(self.publish),
            subscribe: only(self.subscribe),
            named: self.named,
            responses: self.may_answer.then_some(ANSWERS),
        })
    }
}
