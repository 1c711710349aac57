//! A repository with something of every kind, made by stock Fossil.

use leaf_core::format::hash::md5_hex;
use leaf_tests::scene::{self, Checkout};
use leaf_tests::scratch::Scratch;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A fresh copy, called `name`.
pub(crate) fn everything(scratch: &Scratch, name: &str) -> PathBuf {
    static MADE: OnceLock<(Scratch, PathBuf)> = OnceLock::new();
    let (_, made) = MADE.get_or_init(|| {
        let scratch = Scratch::new();
        let file = Maker::new(&scratch).make();
        (scratch, file)
    });
    let file = scratch.path(name);
    std::fs::copy(made, &file).expect("a copy");
    file
}

struct Maker<'s> {
    scratch: &'s Scratch,
    file: PathBuf,
    at: Checkout<'s>,
}

impl<'s> Maker<'s> {
    fn new(scratch: &'s Scratch) -> Self {
        let file = scene::empty(scratch, "everything.fossil");
        let at = Checkout::open(scratch, &file, "alice");
        // From 2.29 on they are forbidden unless allowed.
        at.fossil(&["settings", "forbid-delta-manifests", "off"]);
        Self { scratch, file, at }
    }

    fn make(self) -> PathBuf {
        self.history();
        self.branches();
        self.tags();
        self.amendments();
        self.pages();
        self.tickets();
        self.attachments();
        self.forum();
        self.private();
        self.oddities();
        self.file.clone()
    }

    fn fossil(&self, args: &[&str]) -> String {
        self.at.fossil(args)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.at.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("inside the checkout")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Commits and returns the hash of the check-in.
    fn commit(&self, date: &str, message: &str, more: &[&str]) -> String {
        let fixed = [
            "commit",
            "--no-warnings",
            "--nosign",
            "--allow-fork",
            "--allow-empty",
            "--allow-older",
            "--hash",
            "--date-override",
            date,
            "-m",
            message,
        ];
        self.fossil(&[&fixed[..], more].concat());
        self.tip()
    }

    fn tip(&self) -> String {
        let said = self.fossil(&["info"]);
        let line = said.lines().find(|line| line.starts_with("checkout:"));
        let hash = line.and_then(|line| line.split_whitespace().nth(1));
        hash.expect("fossil info names the check-in").to_owned()
    }

    fn history(&self) {
        let long: String = (0..60).fold(String::new(), |mut text, line| {
            writeln!(text, "line {line} of a file").expect("a string takes all");
            text
        });
        for name in ["a.txt", "b.txt", "dir/c.txt", "run.sh", "with space.txt"] {
            self.write(name, &format!("{name}\n{long}"));
        }
        std::os::unix::fs::symlink("a.txt", self.at.folder().join("link")).expect("a link");
        self.fossil(&["settings", "allow-symlinks", "on"]);
        self.fossil(&["add", "."]);
        let first = self.commit("2024-01-01T00:00:00", "First [a.txt], no link", &[]);
        self.write("a.txt", &format!("changed\n{long}"));
        self.commit("2024-01-01T00:00:01", &format!("Follows [{}]", &first[..12]), &[]);
        self.fossil(&["mv", "--hard", "b.txt", "renamed.txt"]);
        self.commit("2024-01-01T00:00:01.500", "Rename b", &[]);
        self.fossil(&["rm", "--hard", "dir/c.txt"]);
        self.commit("2024-01-01T00:00:01.600", "Remove c", &[]);
        let run = self.at.folder().join("run.sh");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(run, mode).expect("a mode");
        self.commit("2024-01-02T00:00:00", "Executable", &[]);
        for day in 3..9 {
            self.write("a.txt", &format!("day {day}\n{long}"));
            self.commit(&format!("2024-01-0{day}T12:00:00"), &format!("Day {day}"), &[]);
        }
        self.commit("2024-01-08T12:00:00", "Nothing changed, same time", &[]);
    }

    fn branches(&self) {
        let base = self.tip();
        self.write("side.txt", "from the side\n");
        self.fossil(&["add", "side.txt"]);
        self.commit(
            "2024-02-01T00:00:00",
            "Side",
            &["--branch", "side", "--bgcolor", "#d0c0ff"],
        );
        self.write("a.txt", "side's own\n");
        let picked = self.commit("2024-02-02T00:00:00", "Side again", &[]);
        self.fossil(&["update", "trunk"]);
        self.write("renamed.txt", "trunk's own\n");
        self.commit("2024-02-03T00:00:00", "Trunk goes on", &[]);
        self.fossil(&["merge", "side"]);
        self.commit("2024-02-04T00:00:00", "Merge side", &[]);
        self.fossil(&["update", &base]);
        self.fossil(&["merge", "--cherrypick", "-f", &picked]);
        self.commit("2024-02-05T00:00:00", "Pick", &["--branch", "picked"]);
        self.fossil(&["merge", "--backout", "-f", &picked]);
        self.commit("2024-02-06T00:00:00", "Back out", &[]);
        self.fossil(&["update", &base]);
        self.write("fork.txt", "a fork\n");
        self.fossil(&["add", "fork.txt"]);
        self.commit("2024-02-07T00:00:00", "A fork of trunk", &[]);
        self.fossil(&["update", "picked"]);
        self.fossil(&["merge", "trunk"]);
        self.fossil(&["merge", "side"]);
        self.commit("2024-02-08T00:00:00", "Two merges", &["--delta"]);
        self.write("a.txt", "on a delta\n");
        self.commit("2024-02-09T00:00:00", "Delta again", &["--delta"]);
        self.fossil(&["rm", "--hard", "fork.txt", "with space.txt"]);
        self.commit("2024-02-10T00:00:00", "Delta with removal", &["--delta"]);
        self.write("fork.txt", "back again\n");
        self.fossil(&["add", "fork.txt"]);
        self.commit("2024-02-11T00:00:00", "Delta with return", &["--delta"]);
        self.fossil(&[
            "branch",
            "new",
            "empty-branch",
            "trunk",
            "--nosign",
            "--date-override",
            "2024-02-12",
        ]);
    }

    fn tags(&self) {
        let tag = |args: &[&str]| self.fossil(&[&["tag"], args].concat());
        tag(&["add", "release-1", "side"]);
        tag(&["add", "--propagate", "nightly", "trunk"]);
        tag(&["add", "--raw", "size", "trunk", "large"]);
        tag(&["cancel", "release-1", "side"]);
        tag(&["add", "again", "picked"]);
        tag(&["cancel", "again", "picked"]);
        tag(&["add", "again", "picked"]);
        tag(&["add", "--raw", "--propagate", "bgcolor", "picked", "#ffeeaa"]);
        tag(&["cancel", "--raw", "bgcolor", "side"]);
    }

    fn amendments(&self) {
        let of = |message: &str| {
            let sql = format!("SELECT uuid FROM event JOIN blob ON rid=objid WHERE comment='{message}'");
            leaf_tests::oracle::column(&self.file, &sql).remove(0)
        };
        let amend = |hash: &str, args: &[&str]| self.fossil(&[&["amend", hash], args].concat());
        amend(&of("Day 3"), &["-m", "Edited once"]);
        amend(&of("Day 4"), &["--author", "bob <b>"]);
        amend(&of("Day 5"), &["--date", "2024-01-05T18:30:00"]);
        amend(&of("Day 6"), &["--bgcolor", "#abcdef"]);
        amend(&of("Day 7"), &["--branch", "moved"]);
        amend(&of("Day 8"), &["--tag", "eighth", "--cancel", "nightly"]);
        amend(&of("Back out"), &["--close"]);
        amend(&of("Side again"), &["--hide"]);
        amend(&of("Day 3"), &["-m", "Edited twice, [other]"]);
    }

    fn pages(&self) {
        let hash = self.tip();
        let link = &hash[..16];
        self.at.wiki(
            "Home",
            &format!("See [{link}] and <verbatim>[{}]</verbatim>.\n", &hash[..20]),
        );
        self.at.wiki(
            "Home",
            &format!("Only [/info/{}|this] now, [Home].\n", &hash[..24]),
        );
        self.at.wiki("Gone", "soon\n");
        self.at.wiki("Gone", "");
        self.write(
            "../md.txt",
            &format!("A [link](/info/{link}) and `[no]({link})`.\n\n[ref]: {link}\n\n[ref]\n"),
        );
        self.fossil(&[
            "wiki",
            "create",
            "Marked",
            "../md.txt",
            "--mimetype",
            "text/x-markdown",
        ]);
        for (when, text) in [
            ("2024-03-01 00:00:00", "first\n"),
            ("2024-03-02 00:00:00", "another\n"),
        ] {
            self.write("../note.txt", text);
            self.fossil(&[
                "wiki",
                "create",
                text.trim(),
                "../note.txt",
                "-t",
                when,
                "--technote-tags",
                "x,y",
            ]);
        }
        self.write("../note.txt", "edited\n");
        self.fossil(&[
            "wiki",
            "commit",
            "first",
            "../note.txt",
            "-t",
            "2024-03-01 00:00:00",
        ]);
    }

    fn tickets(&self) {
        self.at.ticket("The <first> ticket");
        self.at.ticket("The second");
        let ids = leaf_tests::oracle::column(&self.file, "SELECT tkt_uuid FROM ticket ORDER BY tkt_id");
        let set = |id: &str, args: &[&str]| self.fossil(&[&["ticket", "set", id], args].concat());
        set(&ids[0], &["status", "Fixed", "resolution", "Fixed"]);
        set(
            &ids[0],
            &["+comment", &format!("more of [{}]", &self.tip()[..12])],
        );
        set(&ids[0], &["title", "Renamed & edited"]);
        set(&ids[1], &["status", "Closed"]);
        set(
            &ids[1],
            &["icomment", "a remark", "mimetype", "text/x-fossil-wiki"],
        );
    }

    fn attachments(&self) {
        self.write("../file.bin", "attached\n");
        self.fossil(&["attachment", "add", "Home", "../file.bin"]);
        self.write("../file.bin", "attached again\n");
        self.fossil(&["attachment", "add", "Home", "../file.bin"]);
        self.fossil(&["attachment", "add", "-t", "2024-03-02 00:00:00", "../file.bin"]);
        let id =
            leaf_tests::oracle::column(&self.file, "SELECT tkt_uuid FROM ticket ORDER BY tkt_id").remove(0);
        let content = leaf_tests::oracle::column(&self.file, "SELECT src FROM attachment").remove(0);
        self.put(&format!(
            "A shot.png {id} {content}\nD 2024-04-01T00:00:00\nU bob\n"
        ));
        self.put(&format!("A shot.png {id}\nD 2024-04-02T00:00:00\nU bob\n"));
        self.put("A file.bin Home\nC Taken\\saway\nD 2034-04-03T00:00:00\nU alice\n");
    }

    /// Stores an artifact with its checksum added, and lets stock make something of it. Returns its hash.
    fn put(&self, cards: &str) -> String {
        let text = format!("{cards}Z {}\n", md5_hex(cards.as_bytes()));
        self.put_plain(&text)
    }

    fn put_plain(&self, text: &str) -> String {
        self.write("../put", text);
        self.fossil(&["test-content-put", "../put"]);
        let last = "SELECT uuid FROM blob ORDER BY rid DESC LIMIT 1";
        let hash = leaf_tests::oracle::column(&self.file, last).remove(0);
        self.fossil(&["rebuild"]);
        hash
    }

    fn forum(&self) {
        let link = &self.tip()[..12];
        let body = |text: &str| format!("W {}\n{text}\n", text.len());
        let root = self.put(&format!(
            "D 2024-05-01T00:00:00\nH A\\squestion\nN text/x-markdown\nU alice\n{}",
            body(&format!("see [this]({link})"))
        ));
        let reply = self.put(&format!(
            "D 2024-05-02T00:00:00\nG {root}\nI {root}\nU bob\n{}",
            body(&format!("an answer [{link}]"))
        ));
        self.put(&format!(
            "D 2024-05-03T00:00:00\nG {root}\nI {root}\nP {reply}\nU bob\n{}",
            body("an edited answer")
        ));
        self.put(&format!(
            "D 2024-05-04T00:00:00\nG {root}\nH A\\sbetter\\squestion\nP {root}\nU alice\n{}",
            body("edited")
        ));
        self.put("D 2024-05-05T00:00:00\nH Alone\nU carol\nW 1\nx\n");
    }

    fn private(&self) {
        self.fossil(&["update", "trunk"]);
        self.write("secret.txt", "not for all\n");
        self.fossil(&["add", "secret.txt"]);
        self.commit("2024-06-01T00:00:00", "Private", &["--private"]);
        self.write("secret.txt", "still not\n");
        self.commit("2024-06-02T00:00:00", "Private too", &[]);
        self.fossil(&["update", "trunk"]);
    }

    /// What no command makes: artifacts that refer to what is not here, and a file that reads as an artifact.
    fn oddities(&self) {
        let missing = "1".repeat(40);
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        let known = "SELECT uuid FROM event JOIN blob ON rid=objid WHERE type='ci' ORDER BY rid LIMIT 1";
        let known = leaf_tests::oracle::column(&self.file, known).remove(0);
        self.put(&format!(
            "D 2024-07-01T00:00:00\nT +sym-lost {missing}\nU alice\n"
        ));
        self.put(&format!(
            "C Child\\sof\\swhat\\sis\\snot\\shere\nD 2024-07-02T00:00:00\nP {} {known}\nR {md5}\nU alice\n",
            "2".repeat(64)
        ));
        self.put(&format!(
            "B {}\nC Orphan\nD 2024-07-03T00:00:00\nF x.txt {missing}\nP {known}\nU alice\n",
            "3".repeat(40)
        ));
        self.put(&format!(
            "C Root\\sof\\sits\\sown\nD 2024-07-04T00:00:00\nF lost.txt {}\nF x.txt {missing} x\nU alice\nT +closed *\n",
            "4".repeat(40)
        ).replace("U alice\nT +closed *\n", "T +closed *\nU alice\n"));
        self.put(&format!(
            "C Merge\\sof\\sa\\sghost\nD 2024-07-05T00:00:00\nF x.txt {missing}\nP {known} {}\nQ +{}\nU alice\n",
            "5".repeat(40),
            "6".repeat(40)
        ));
        let mut members: Vec<String> = leaf_tests::oracle::artifacts(&self.file)
            .into_iter()
            .take(9)
            .collect();
        members.push("7".repeat(40));
        members.sort();
        let cards: String = members.iter().fold(String::new(), |mut text, hash| {
            writeln!(text, "M {hash}").expect("a string takes all");
            text
        });
        self.put(&cards);
        let tag = format!("D 2024-07-06T00:00:00\nT *hidden {known}\nU mallory\n");
        self.write("looks.txt", &format!("{tag}Z {}\n", md5_hex(tag.as_bytes())));
        self.fossil(&["add", "looks.txt"]);
        self.commit("2024-07-07T00:00:00", "A file that reads as an artifact", &[]);
        self.scratch.fossil(&["rebuild", path(&self.file)]);
    }
}

fn path(file: &Path) -> &str {
    file.to_str().expect("a plain path")
}
