//! What a page gives with a command.

use super::Bytes;

arguments! {
    /// A new project.
    pub struct Create {
        /// What its people call it.
        pub project_name: Option<String>,
        /// Who makes check-ins here.
        pub user: Option<String>,
    }

    /// Where from, and what.
    pub struct Clone {
        /// `https://[user@]host[:port][/path]`.
        pub url: String,
        /// Login at the server; default: the one in the URL, else nobody.
        pub user: Option<String>,
        /// Its password.
        pub password: Option<String>,
        /// Keep the password on this device, for later syncs.
        pub remember: Option<bool>,
        /// Private branches, too.
        pub private: Option<bool>,
        /// Unversioned files, too; default: yes.
        pub unversioned: Option<bool>,
    }

    /// A NATS server, and as whom it is called.
    pub struct Connect {
        /// `wss://host[:port][/path]`, or `ws:` on this machine.
        pub nats: String,
        /// Login at the NATS server.
        pub user: Option<String>,
        /// Its password.
        pub password: Option<String>,
        /// A token that is enough by itself.
        pub token: Option<String>,
        /// What subjects begin with; default: `fossil`.
        pub prefix: Option<String>,
    }

    /// Which way.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum Direction { Pull, Push, Both }

    /// With whom, and what.
    pub struct Sync {
        /// Default: both.
        pub direction: Option<Direction>,
        /// Default: the remote.
        pub url: Option<String>,
        /// Login at the server; default: the one that is kept, or in the URL.
        pub user: Option<String>,
        /// Its password; default: the one that is kept.
        pub password: Option<String>,
        /// Private branches, too.
        pub private: Option<bool>,
        /// Unversioned files, too; default: yes.
        pub unversioned: Option<bool>,
    }

    /// What a check-in does to one file.
    pub enum FileChange {
        /// Adds a file, or replaces what it holds.
        Put {
            /// Path from the root of the tree.
            path: String,
            /// All of it.
            bytes: Bytes,
            /// May be run as a program; default: as before.
            executable: Option<bool>,
        },
        /// Takes a file away.
        Remove {
            /// Path from the root of the tree.
            path: String,
        },
        /// Gives a file another name.
        Rename {
            /// The name in the parent.
            from: String,
            /// The new name.
            to: String,
        },
    }

    /// A check-in to be made.
    pub struct Commit {
        /// Why.
        pub message: String,
        /// What happens to the parent's files, in this order.
        pub changes: Vec<FileChange>,
        /// The check-in or branch to build on; default: the tip of `branch`, else of the main branch.
        pub parent: Option<String>,
        /// The branch: the parent's own, or a new one. One that exists gives the parent, unless that is named.
        pub branch: Option<String>,
        /// Tags on the check-in.
        pub tags: Option<Vec<String>>,
        /// Check-ins merged in.
        pub merges: Option<Vec<String>>,
        /// The format of the message, if it is not Fossil's own: `text/x-markdown`, `text/plain`.
        pub mimetype: Option<String>,
        /// Go ahead where the branch would fork.
        pub allow_fork: Option<bool>,
        /// Keep it out of sync.
        pub private: Option<bool>,
        /// Close the branch with it.
        pub close: Option<bool>,
    }

    /// Which entries.
    pub struct Timeline {
        /// At most so many; default 50, at most 1,000.
        pub limit: Option<u32>,
        /// The `next` of the page before.
        pub after: Option<String>,
        /// Only check-ins.
        pub checkins: Option<bool>,
        /// Only check-ins of this branch.
        pub branch: Option<String>,
        /// Only by this user.
        pub user: Option<String>,
    }

    /// A name: a hash or its first digits, a tag, a branch, a date, `tip`.
    pub struct Name {
        /// Default: the tip of the main branch.
        pub name: Option<String>,
    }

    /// A file of a check-in.
    pub struct FileName {
        /// Path from the root of the tree.
        pub path: String,
        /// Which check-in; default: the tip of the main branch.
        pub checkin: Option<String>,
    }

    /// A file, whatever its version.
    pub struct FileHistory {
        /// Path from the root of the tree.
        pub path: String,
        /// At most so many; default 100, at most 1,000.
        pub limit: Option<u32>,
    }

    /// What to compare.
    pub struct Diff {
        /// The old check-in; default: the first parent of `to`.
        pub from: Option<String>,
        /// The new check-in.
        pub to: String,
        /// Only this file.
        pub path: Option<String>,
        /// Unchanged lines around a change; default 5.
        pub context: Option<u32>,
    }

    /// What happens to a branch.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum BranchAction { Start, Close, Reopen }

    /// A branch, and what happens to it.
    pub struct EditBranch {
        /// What happens.
        pub action: BranchAction,
        /// Its name.
        pub name: String,
        /// To start one: where; default: the tip of the main branch.
        pub basis: Option<String>,
        /// To start one: kept out of sync.
        pub private: Option<bool>,
    }

    /// A tag, and what happens to it.
    pub struct EditTag {
        /// Its name.
        pub name: String,
        /// The check-in.
        pub checkin: String,
        /// Take it off instead of putting it on.
        pub remove: Option<bool>,
    }

    /// A title.
    pub struct Title {
        /// As it is listed.
        pub title: String,
    }

    /// A wiki page to be written.
    pub struct WikiWrite {
        /// Its title.
        pub title: String,
        /// The whole text; empty deletes the page.
        pub text: String,
        /// Default: `text/x-markdown`.
        pub mimetype: Option<String>,
    }

    /// The name of an unversioned file.
    pub struct UvName {
        /// As it is listed.
        pub name: String,
    }

    /// An unversioned file to be written.
    pub struct UvWrite {
        /// Its name.
        pub name: String,
        /// All of it.
        pub bytes: Bytes,
    }

    /// A leaf that may call.
    pub struct GuestId {
        /// Its key.
        pub id: String,
    }

    /// An invitation to be kept.
    pub struct AddInvite {
        /// The public half of what the ticket stands for.
        pub key: String,
        /// What to call the guest; empty: as it calls itself.
        pub name: String,
        /// What it may do, in Fossil's letters.
        pub capabilities: String,
        /// Until when it may come.
        pub expires: f64,
    }

    /// Somebody who calls by key.
    pub struct Caller {
        /// Its key.
        pub peer: String,
        /// It comes with a ticket.
        pub joins: bool,
    }

    /// Somebody who has proved that it holds a ticket.
    pub struct Admit {
        /// Its key.
        pub peer: String,
        /// The public half of what the ticket stands for.
        pub invite: String,
        /// What it calls itself.
        pub name: String,
    }

    /// A sync message.
    pub struct Answer {
        /// The key of whoever sent it.
        pub peer: String,
        /// For which project, as it says; absent: the only one.
        pub place: Option<String>,
        /// How it is packed.
        pub content_type: String,
        /// All of it.
        pub body: Bytes,
    }

    /// What to set. What is left out stays as it is; null takes it away.
    #[derive(Default)]
    pub struct Configure {
        /// Who makes check-ins here.
        pub user: Option<String>,
        /// Where to sync with; a login in it is taken over.
        pub remote: Option<String>,
        /// Login at the remote.
        pub remote_user: Option<String>,
        /// Its password, kept on this device; empty forgets it.
        pub password: Option<String>,
        /// What its people call the project.
        pub project_name: Option<String>,
    }

    /// An export or import. What follows of it has to say the same name: another tab may have begun another one.
    pub struct Transfer {
        /// Any name that nobody else makes up.
        pub transfer: String,
    }

    /// The end of an export.
    pub struct ExportEnd {
        /// Which; default: all.
        pub transfer: Option<String>,
    }

    /// A piece of an export.
    pub struct ExportRead {
        /// Of which.
        pub transfer: String,
        /// Bytes from the begin of the file.
        pub offset: u64,
        /// Bytes, at most 16 MiB; fewer come at the end of the file.
        pub length: u32,
    }

    /// A file to be imported.
    pub struct ImportBegin {
        /// Its name from now on; one that was under way is given up.
        pub transfer: String,
        /// Bytes.
        pub size: u64,
    }

    /// A piece of an import.
    pub struct ImportWrite {
        /// Of which.
        pub transfer: String,
        /// The next bytes.
        pub bytes: Bytes,
    }
}
