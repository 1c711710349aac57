//! Why a command failed, as a page gets it.

replies! {
    /// Who has to act on a failure.
    #[derive(Copy, Eq, PartialEq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum FailureBlame { Caller, Peer, Storage, Network }

    /// Why a command failed. Nothing was changed, unless the message says otherwise.
    #[derive(Eq, PartialEq)]
    pub struct Failure {
        /// Stable; for programs.
        pub code: Code,
        /// Who has to act.
        pub blame: FailureBlame,
        /// For people: what happened, and what to do next.
        pub message: String,
    }

    /// Stable names of failures.
    #[derive(Copy, Eq, PartialEq)]
    pub enum Code {
        /// The caller gave it up.
        Aborted,
        /// The arguments make no sense.
        BadArguments,
        /// Another clone, sync or import is under way.
        Busy,
        /// Something is damaged; verify tells more.
        Damaged,
        /// There is something here already.
        Exists,
        /// Nothing is here yet: clone or create first.
        Empty,
        /// The clone is not finished: go on with it first.
        Cloning,
        /// The check-in would fork its branch: sync first.
        WouldFork,
        /// Nothing would change.
        NothingChanged,
        /// No artifact, file, page, branch or tag of this name.
        NotFound,
        /// The change is refused; the message says why.
        Refused,
        /// The browser gives no more room.
        QuotaExceeded,
        /// This browser, or this context, has no private file system.
        Unsupported,
        /// Another tab or program has the database open.
        Locked,
        /// The server cannot be reached.
        Network,
        /// The server answers, but not as a sync server does.
        NotFossil,
        /// The server refuses: login, capabilities, or what it says.
        Denied,
        /// The server belongs to another project.
        WrongProject,
        /// The server sent what it must not.
        BadPeer,
        /// The database failed.
        Storage,
        /// A mistake of this library; the worker is started anew.
        Internal,
    }
}
