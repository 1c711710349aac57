//! What people do to a leaf: check-ins, tags, branches, wiki pages, tickets, unversioned files.

use crate::world::{World, chain};
use leaf_core::format::artifact::{FilePerm, TagKind, TicketField};
use leaf_core::id::{ArtifactHash, Rid, to_hex};
use leaf_core::repo::{
    Author, FileChange, NewAttachment, NewBranch, NewCheckin, NewTag, NewTechNote, NewTicketChange,
    NewWikiPage, RepoError, RepoTx,
};

/// A change, decided before the repository is asked.
enum Change {
    Checkin(NewCheckin),
    Branch {
        name: String,
        basis: Rid,
        private: bool,
    },
    Tag {
        target: Rid,
        name: &'static str,
        kind: TagKind,
    },
    Wiki {
        title: &'static str,
        text: Vec<u8>,
    },
    Attach {
        target: &'static str,
        content: Option<Vec<u8>>,
    },
    Ticket(NewTicketChange),
    TechNote {
        id: ArtifactHash,
        text: Vec<u8>,
    },
    UvPut {
        name: &'static str,
        content: Vec<u8>,
    },
    UvDelete {
        name: &'static str,
    },
}

const PATHS: [&str; 6] = [
    "README",
    "src/main.c",
    "src/deep/er/x.c",
    "b.bin",
    "notes.txt",
    "z",
];
const PAGES: [&str; 3] = ["Home", "To Do", "Wishes"];
const UV: [&str; 4] = ["a.zip", "download/b.tar", "c", "latest"];

impl World {
    /// Somebody changes something somewhere, or the leaf crashes while they do.
    pub(crate) fn edit(&mut self) -> Result<(), String> {
        let at = self.any_whole();
        let change = self.change(at);
        let author = Author {
            user: format!("user{at}"),
            date: self.clock(at),
        };
        self.endanger(at);
        let leaf = self.leaf(at);
        let before = leaf.fingerprint();
        let last = leaf.number("SELECT coalesce(max(rid), 0) FROM blob");
        let made = leaf.repo().write(|tx| change.make(tx, &author));
        let is_burnt = leaf.fuse.quench();
        match made {
            Ok(()) => {
                self.acknowledge(at, last, &change);
                Ok(())
            }
            Err(_) if is_burnt => {
                self.crash(at)?;
                self.as_before(at, &before)
            }
            // A closed branch, a fork, nothing to change: people are told so.
            Err(RepoError::Change(_)) => self.as_before(at, &before),
            Err(error) => Err(format!("leaf {at} does not take a change: {}", chain(&error))),
        }
    }

    fn as_before(&mut self, at: usize, before: &[i64]) -> Result<(), String> {
        match self.leaf(at).fingerprint() == before {
            true => Ok(()),
            false => Err(format!("leaf {at} refused a change and changed")),
        }
    }

    /// What is new on a leaf is in the books from now on.
    fn acknowledge(&mut self, at: usize, last: i64, change: &Change) {
        let leaf = self.leaf(at);
        let names = |is: &str| {
            // A check-in on top of a lie names files that nobody has: those are not promised to anybody.
            let sql = format!(
                "SELECT uuid FROM blob WHERE rid>{last} AND size>=0 AND rid {is} IN (SELECT rid FROM private)"
            );
            leaf.column(&sql)
                .iter()
                .map(|uuid| uuid.parse().expect("a name"))
                .collect::<Vec<ArtifactHash>>()
        };
        let (public, private) = (names("NOT"), names(""));
        self.ledger.public.extend(public);
        self.ledger.private.extend(private);
        match change {
            Change::UvPut { name, .. } => drop(self.ledger.uv_put.insert((*name).to_owned())),
            Change::UvDelete { name } => drop(self.ledger.uv_deleted.insert((*name).to_owned())),
            _ => {}
        }
    }

    fn change(&mut self, at: usize) -> Change {
        self.made += 1;
        let checkins = self.rids(at, "SELECT objid FROM event WHERE type='ci'");
        let kind = self.rng.below(100);
        let Some(&any) = self.rng.pick(&checkins).filter(|_| kind < 60) else {
            return self.loose_change(kind);
        };
        match kind {
            0..40 => self.checkin(at),
            40..48 => {
                let private = self.leaf(at).is_trusted && self.rng.in_100(50);
                Change::Branch {
                    name: format!("branch{}", self.rng.below(5)),
                    basis: any,
                    private,
                }
            }
            _ => {
                let kinds = [TagKind::Add, TagKind::Propagate, TagKind::Cancel];
                let name = *self
                    .rng
                    .pick(&["sym-release", "sym-good", "bgcolor", "closed", "hidden"])
                    .expect("five");
                Change::Tag {
                    target: any,
                    name,
                    kind: *self.rng.pick(&kinds).expect("three"),
                }
            }
        }
    }

    /// A change that needs no check-in.
    fn loose_change(&mut self, kind: usize) -> Change {
        let lines = 1 + self.rng.below(40);
        let text = self.content(lines);
        match kind {
            0..72 => Change::Wiki {
                title: PAGES[self.rng.below(3)],
                text,
            },
            72..76 => Change::Attach {
                target: PAGES[self.rng.below(3)],
                content: self.rng.in_100(70).then_some(text),
            },
            76..82 => Change::Ticket(self.ticket()),
            82..87 => Change::TechNote {
                id: ArtifactHash::Sha1([u8::from(self.rng.in_100(50)); 20]),
                text,
            },
            87..96 => Change::UvPut {
                name: UV[self.rng.below(4)],
                content: text,
            },
            _ => Change::UvDelete {
                name: UV[self.rng.below(4)],
            },
        }
    }

    fn rids(&mut self, at: usize, sql: &str) -> Vec<Rid> {
        let texts = self.leaf(at).column(&format!(
            "SELECT CAST(rid AS TEXT) FROM (SELECT objid AS rid FROM ({sql}))"
        ));
        texts
            .iter()
            .map(|text| Rid(text.parse().expect("a number")))
            .collect()
    }

    /// Text that nobody else ever wrote.
    fn content(&mut self, lines: usize) -> Vec<u8> {
        let mut text = format!("number {}\n", self.made).into_bytes();
        text.extend(self.rng.text(lines));
        text
    }

    fn checkin(&mut self, at: usize) -> Change {
        let leaves = self.rids(at, "SELECT rid AS objid FROM leaf");
        let parent = self.rng.pick(&leaves).copied();
        let mut changes = Vec::new();
        for _ in 0..=self.rng.below(3) {
            let path = PATHS[self.rng.below(PATHS.len())].as_bytes().to_vec();
            self.made += 1;
            let lines = *self.rng.pick(&[1, 10, 60]).expect("three");
            let perm = if self.rng.in_100(10) {
                FilePerm::Executable
            } else {
                FilePerm::Regular
            };
            changes.push(match self.rng.below(10) {
                0 => FileChange::Remove { path },
                _ => FileChange::Put {
                    path,
                    content: self.content(lines),
                    perm,
                },
            });
        }
        let date = self.clock(at);
        let author = Author {
            user: format!("user{at}"),
            date,
        };
        let mut new = NewCheckin::new(parent, changes, &format!("Change {}", self.made), author);
        new.allow_fork = self.rng.in_100(50);
        new.private = self.leaf(at).is_trusted && self.rng.in_100(15);
        if new.private || self.rng.in_100(10) {
            new.branch = Some(format!("line{}", self.made % 1_000_003));
        }
        if self.rng.in_100(15) {
            let merged = self
                .rng
                .pick(&leaves)
                .copied()
                .filter(|merged| Some(*merged) != parent);
            // A merge of what is private would tell its name.
            let repo = self.leaf(at).repo();
            new.merges
                .extend(merged.filter(|rid| !new.private && !repo.is_private(*rid).unwrap_or(true)));
        }
        new.close = self.rng.in_100(3);
        Change::Checkin(new)
    }

    fn ticket(&mut self) -> NewTicketChange {
        let field = |name: &str, value: String| TicketField {
            append: false,
            name: name.into(),
            value: value.into(),
        };
        NewTicketChange {
            ticket: to_hex(&[u8::try_from(self.rng.below(3)).expect("small"); 20]),
            fields: vec![
                field(
                    "status",
                    (*self.rng.pick(&["Open", "Fixed", "Closed"]).expect("three")).to_owned(),
                ),
                field("title", format!("Ticket change {}", self.made)),
            ],
        }
    }
}

impl Change {
    fn make(&self, tx: &RepoTx<'_>, author: &Author) -> Result<(), RepoError> {
        match self {
            Self::Checkin(new) => tx.checkin(new).map(drop),
            Self::Branch { name, basis, private } => tx
                .branch_new(
                    &NewBranch {
                        name,
                        basis: *basis,
                        bgcolor: None,
                        private: *private,
                    },
                    author,
                )
                .map(drop),
            Self::Tag { target, name, kind } => {
                let value = (*name == "bgcolor").then_some("#abcdef");
                tx.tag(
                    &NewTag {
                        target: *target,
                        name,
                        kind: *kind,
                        value,
                    },
                    author,
                )
                .map(drop)
            }
            Self::Wiki { title, text } => tx
                .wiki_put(
                    &NewWikiPage {
                        title,
                        text,
                        mimetype: None,
                    },
                    author,
                )
                .map(drop),
            Self::Attach { target, content } => {
                let content = content.as_deref();
                tx.attach(
                    &NewAttachment {
                        target,
                        filename: "note",
                        content,
                        comment: "as asked",
                    },
                    author,
                )
                .map(drop)
            }
            Self::Ticket(change) => tx.ticket_change(change, author).map(drop),
            Self::TechNote { id, text } => {
                let new = NewTechNote {
                    id: *id,
                    event_date: author.date,
                    comment: "Something happened",
                    text,
                    mimetype: None,
                    tags: &[],
                    bgcolor: None,
                };
                tx.technote_put(&new, author).map(drop)
            }
            Self::UvPut { name, content } => tx.uv_put(name, content, author.date),
            Self::UvDelete { name } => tx.uv_delete(name, author.date).map(drop),
        }
    }
}
