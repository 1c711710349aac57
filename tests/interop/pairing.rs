//! Either program in either role, under one interface; and the macro that makes four tests of one.

use leaf_tests::leaf::LeafServer;
use leaf_tests::scene;
use leaf_tests::scratch::{Said, Scratch};
use leaf_tests::stock::StockServer;
use std::path::{Path, PathBuf};

/// Which program plays a role.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    /// The one under test.
    Leaf,
    /// Stock Fossil.
    Stock,
}

/// One test per pairing: `leaf_from_stock` has `leaf` as client and stock as server, and so on.
macro_rules! every_pairing {
    ($($test:ident),+ $(,)?) => {
        mod leaf_client_stock_server {
            $(#[test] fn $test() { super::$test($crate::pairing::Pairing::new($crate::pairing::Program::Leaf, $crate::pairing::Program::Stock)) })+
        }
        mod stock_client_leaf_server {
            $(#[test] fn $test() { super::$test($crate::pairing::Pairing::new($crate::pairing::Program::Stock, $crate::pairing::Program::Leaf)) })+
        }
        mod leaf_client_leaf_server {
            $(#[test] fn $test() { super::$test($crate::pairing::Pairing::new($crate::pairing::Program::Leaf, $crate::pairing::Program::Leaf)) })+
        }
        mod stock_client_stock_server {
            $(#[test] fn $test() { super::$test($crate::pairing::Pairing::new($crate::pairing::Program::Stock, $crate::pairing::Program::Stock)) })+
        }
    };
}

/// A server of either program.
pub(crate) enum Server {
    Leaf(LeafServer),
    Stock(StockServer),
}

impl Server {
    /// Serves `target`, a file or a folder.
    pub(crate) fn start(program: Program, scratch: &Scratch, target: &Path) -> Self {
        match program {
            Program::Leaf => Self::Leaf(LeafServer::start(scratch, target)),
            Program::Stock => Self::Stock(StockServer::start(scratch, target)),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Leaf(server) => server.url(),
            Self::Stock(server) => server.url(),
        }
    }

    /// The URL of one of the [`scene::USERS`], password included.
    pub(crate) fn url_of(&self, login: &str) -> String {
        let (_, password, _) = scene::USERS
            .iter()
            .find(|user| user.0 == login)
            .expect("a user of the scene");
        self.url_as(login, password)
    }

    pub(crate) fn url_as(&self, login: &str, password: &str) -> String {
        match self {
            Self::Leaf(server) => server.url_as(login, password),
            Self::Stock(server) => server.url_as(login, password),
        }
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Leaf(server) => server.address(),
            Self::Stock(server) => server.address(),
        }
    }
}

/// A client program, a server program, and the folder they work in.
pub(crate) struct Pairing {
    pub client: Program,
    pub server: Program,
    pub scratch: Scratch,
}

impl Pairing {
    pub(crate) fn new(client: Program, server: Program) -> Self {
        Self {
            client,
            server,
            scratch: Scratch::new(),
        }
    }

    /// A small repository under `name`, served.
    pub(crate) fn serve_small(&self, name: &str) -> (PathBuf, Server) {
        let file = scene::small(&self.scratch, name);
        let server = self.serve(&file);
        (file, server)
    }

    pub(crate) fn serve(&self, target: &Path) -> Server {
        Server::start(self.server, &self.scratch, target)
    }

    /// Clones, with `options` in the client's own spelling; must succeed.
    #[track_caller]
    pub(crate) fn clone(&self, url: &str, name: &str, options: Options) -> PathBuf {
        let file = self.scratch.path(name);
        let said = self.clone_any(url, &file, options);
        assert!(file.exists(), "no clone: {}", said.text());
        said.well();
        file
    }

    /// Clones, however that ends.
    pub(crate) fn clone_any(&self, url: &str, file: &Path, options: Options) -> Said {
        let file = file.to_str().expect("a plain path");
        match self.client {
            Program::Leaf => self
                .scratch
                .leaf_any(&[&["clone", url, file][..], &options.words(Program::Leaf)].concat()),
            Program::Stock => {
                let args = ["clone", "--no-open", "--admin-user", "alice"];
                self.scratch
                    .fossil_any(&[&args[..], &options.words(Program::Stock), &[url, file]].concat())
            }
        }
    }

    /// `sync`, `pull` or `push` of `file` with `url`. Stock's exit code says little: look at the files.
    pub(crate) fn transfer(&self, verb: &str, file: &Path, url: &str, options: Options) -> Said {
        let file = file.to_str().expect("a plain path");
        match self.client {
            Program::Leaf => self
                .scratch
                .leaf_any(&[&[verb, url, "-R", file][..], &options.words(Program::Leaf)].concat()),
            Program::Stock => {
                let args = [verb, url, "--once", "-R", file];
                self.scratch
                    .fossil_any(&[&args[..], &options.words(Program::Stock)].concat())
            }
        }
    }

    /// The same, and it must have worked.
    #[track_caller]
    pub(crate) fn transfer_well(&self, verb: &str, file: &Path, url: &str, options: Options) -> Said {
        let said = self.transfer(verb, file, url, options).well();
        assert!(!said.text().contains("Error:"), "{}", said.text());
        said
    }
}

/// What both programs can be asked for on top.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub unversioned: bool,
    pub private: bool,
    pub share_links: bool,
}

impl Options {
    pub(crate) const PLAIN: Self = Self {
        unversioned: false,
        private: false,
        share_links: false,
    };
    pub(crate) const UNVERSIONED: Self = Self {
        unversioned: true,
        ..Self::PLAIN
    };
    pub(crate) const PRIVATE: Self = Self {
        private: true,
        ..Self::PLAIN
    };
    pub(crate) const SHARE_LINKS: Self = Self {
        share_links: true,
        ..Self::PLAIN
    };

    fn words(self, program: Program) -> Vec<&'static str> {
        let unversioned = if program == Program::Leaf {
            "--unversioned"
        } else {
            "-u"
        };
        let chosen = [
            (self.unversioned, unversioned),
            (self.private, "--private"),
            (self.share_links, "--share-links"),
        ];
        chosen
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, word)| word)
            .collect()
    }
}
