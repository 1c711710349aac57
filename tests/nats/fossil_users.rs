//! Fossil's users at the broker: who may connect, ask, listen and answer there is what the user tables say.

use crate::sync::{Leaf, run};
use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt;
use leaf_tests::oracle::{assert_same_artifacts, assert_sound, column};
use leaf_tests::peers::{plain, wait_until};
use leaf_tests::scene::small;
use leaf_tests::scratch::Scratch;
use tokio::sync::mpsc;

/// A leaf whose broker knows the users of its repository; `anybody` is what `nobody` may do.
fn guarded(anybody: &str) -> Leaf {
    let scratch = Scratch::new();
    let file = small(&scratch, "served.fossil");
    for special in ["nobody", "anonymous"] {
        scratch.fossil(&["user", "capabilities", special, anybody, "-R", plain(&file)]);
    }
    let settings = scratch.path("leaf.toml");
    std::fs::write(
        &settings,
        "[nats]\nlisten = [\"127.0.0.1:0\"]\nfossil-users = true\n",
    )
    .expect("a file");
    let settings = plain(&settings).to_owned();
    Leaf::of(scratch, file, &["--config", &settings])
}

fn project(leaf: &Leaf) -> String {
    column(&leaf.file, "SELECT value FROM config WHERE name = 'project-code'").remove(0)
}

fn address(leaf: &Leaf) -> String {
    leaf.server.nats().first().expect("it listens").clone()
}

/// A visitor, and what its server complains of.
struct Visitor {
    client: Client,
    complaints: mpsc::UnboundedReceiver<String>,
    asked: u32,
}

impl Visitor {
    async fn new(leaf: &Leaf, login: Option<(&str, &str)>) -> Option<Self> {
        let (told, complaints) = mpsc::unbounded_channel();
        let options = ConnectOptions::new().event_callback(move |event| {
            let told = told.clone();
            async move {
                if let Event::ServerError(error) = event {
                    told.send(error.to_string()).ok();
                }
            }
        });
        let options = match login {
            Some((user, password)) => options.user_and_password(user.into(), password.into()),
            None => options,
        };
        let client = options.connect(address(leaf)).await.ok()?;
        Some(Self {
            client,
            complaints,
            asked: 0,
        })
    }

    /// Whether it may listen there.
    async fn may_listen(&mut self, subject: &str, queue: Option<&str>) -> bool {
        let (subject, queue) = (subject.to_owned(), queue.map(str::to_owned));
        let heard = match queue {
            Some(queue) => self.client.queue_subscribe(subject, queue).await,
            None => self.client.subscribe(subject).await,
        };
        let is_good = self.is_content().await;
        drop(heard);
        is_good
    }

    /// Whether it may publish there.
    async fn may_publish(&mut self, subject: &str) -> bool {
        self.client
            .publish(subject.to_owned(), "x".into())
            .await
            .expect("a good subject");
        self.is_content().await
    }

    /// Whether nothing was complained of, up to a message that is complained of for certain.
    async fn is_content(&mut self) -> bool {
        self.asked += 1;
        let mark = format!("mark.{}", self.asked);
        self.client
            .publish(mark.clone(), "x".into())
            .await
            .expect("a good subject");
        self.client.flush().await.expect("a connection");
        let mut is_content = true;
        loop {
            let complaint = self.complaints.recv().await.expect("a connection").to_lowercase();
            if complaint.contains(&mark) {
                return is_content;
            }
            is_content &= !complaint.contains("permissions violation");
        }
    }
}

#[test]
fn each_user_may_do_at_the_broker_what_it_may_do_in_the_repository() {
    let leaf = guarded("o");
    let project = project(&leaf);
    let subject = |end: &str| format!("fossil.{project}.{end}");
    let queue = format!("sync-{project}");
    let peer = subject(&format!("sync.{}", "a".repeat(40)));
    run(async {
        // Who may read: asks and hears what is new.
        let mut nobody = Visitor::new(&leaf, None).await.expect("nobody may read");
        assert!(nobody.may_publish(&subject("sync")).await);
        assert!(nobody.may_publish("fossil.who").await);
        assert!(nobody.may_listen(&subject("commit"), None).await);
        assert!(!nobody.may_publish(&subject("commit")).await, "a hint");
        assert!(
            !nobody.may_listen(&subject("sync"), Some(&queue)).await,
            "answers"
        );
        assert!(!nobody.may_listen(">", None).await, "everything");
        assert!(
            !nobody.may_listen("_INBOX.>", None).await,
            "what others are answered"
        );
        assert!(!nobody.may_publish("somewhere.else").await);
        // Who may write: answers, too, but listens to nobody else's requests.
        let mut bob = Visitor::new(&leaf, Some(("bob", "bob-pw")))
            .await
            .expect("bob is known");
        assert!(bob.may_publish(&subject("commit")).await);
        assert!(bob.may_listen(&subject("sync"), Some(&queue)).await);
        assert!(bob.may_listen(&peer, None).await);
        assert!(
            !bob.may_listen(&subject("sync"), None).await,
            "outside of the queue"
        );
        assert!(
            !bob.may_listen(&subject("sync.*"), None).await,
            "what others are asked"
        );
        // Who administers may do everything.
        let alice = Visitor::new(&leaf, Some(("alice", "alice-pw")))
            .await
            .expect("alice is known")
            .client;
        let mut all = alice.subscribe(">").await.expect("a good subject");
        alice
            .publish("somewhere.else", "x".into())
            .await
            .expect("a good subject");
        while all.next().await.expect("what was published").subject.as_str() != "somewhere.else" {}
        // Who is wrong about a password is nobody at all.
        assert!(Visitor::new(&leaf, Some(("bob", "wrong"))).await.is_none());
    });
}

#[test]
fn whoever_may_do_nothing_is_not_let_in() {
    let leaf = guarded("");
    run(async {
        assert!(Visitor::new(&leaf, None).await.is_none());
        assert!(Visitor::new(&leaf, Some(("carol", "carol-pw"))).await.is_some());
    });
}

#[test]
fn leaves_clone_answer_and_announce_as_users_of_the_repository() {
    let leaf = guarded("");
    let as_user = |login: &str| format!("nats://{login}@{}", address(&leaf));
    let scratch = Scratch::new();
    let copy = scratch.path("copy.fossil");
    let url = as_user("bob:bob-pw");
    wait_until("somebody answers", || {
        scratch
            .leaf_any(&["peers", &url, "--json"])
            .text()
            .contains("project_code")
    });
    scratch.leaf(&["clone", &url, plain(&copy)]);
    assert_same_artifacts(&leaf.file, &copy);
    // Another leaf takes part as bob: it hears of a check-in, and others hear of its own.
    scratch.fossil(&["user", "capabilities", "nobody", "go", "-R", plain(&copy)]);
    let settings = scratch.path("leaf.toml");
    std::fs::write(&settings, "[sync]\nuser = \"bob\"\npassword = \"bob-pw\"\n").expect("a file");
    let settings = plain(&settings).to_owned();
    let other = Leaf::of(scratch, copy, &["--nats", &url, "--config", &settings]);
    wait_until("both are there", || {
        let said = leaf.scratch.leaf_any(&["peers", &url, "--json"]).text();
        said.matches("project_code").count() == 2
    });
    let sql = |message: &str| format!("SELECT comment FROM event WHERE comment = '{message}'");
    leaf.commit("from the one");
    wait_until("it is there", || {
        !column(&other.file, &sql("from the one")).is_empty()
    });
    other.commit("from the other");
    wait_until("it is here", || {
        !column(&leaf.file, &sql("from the other")).is_empty()
    });
    assert_same_artifacts(&leaf.file, &other.file);
    assert_sound(&other.scratch, &other.file);
}

#[test]
fn only_an_administrator_links_a_broker_with_this_one() {
    let leaf = guarded("o");
    let linked = |login: &str| {
        let url = format!("nats://{login}{}", address(&leaf));
        let scratch = Scratch::new();
        let copy = scratch.path("copy.fossil");
        scratch.leaf(&["clone", &leaf.server.url_as("bob", "bob-pw"), plain(&copy)]);
        Leaf::of(scratch, copy, &["--nats", "127.0.0.1:0", "--peer", &url])
    };
    let (stranger, known) = (linked(""), linked("alice:alice-pw@"));
    // Whoever is linked sees what both serve.
    wait_until("the administrator's is linked", || {
        let said = known.scratch.leaf_any(&["peers", &known.url(), "--json"]).text();
        said.matches("project_code").count() == 2
    });
    wait_until("the stranger's is refused", || {
        stranger.log().to_lowercase().contains("authorization violation")
    });
    let said = stranger
        .scratch
        .leaf(&["peers", &stranger.url(), "--json"])
        .text();
    assert_eq!(said.matches("project_code").count(), 1, "{said}");
}

#[test]
fn a_broker_that_others_reach_asks_for_users_of_the_repository() {
    let scratch = Scratch::new();
    let file = small(&scratch, "served.fossil");
    let leaf = Leaf::of(scratch, file, &["--nats", "0.0.0.0:0"]);
    let port = address(&leaf).rsplit(':').next().expect("a port").to_owned();
    run(async {
        let here = format!("127.0.0.1:{port}");
        let client = ConnectOptions::new()
            .user_and_password("bob".into(), "wrong".into())
            .connect(&here)
            .await;
        assert!(client.is_err(), "it lets anybody in");
        let bob = ConnectOptions::new()
            .user_and_password("bob".into(), "bob-pw".into())
            .connect(&here)
            .await
            .expect("bob is known");
        let mut news = bob
            .subscribe(format!("fossil.{}.commit", project(&leaf)))
            .await
            .expect("a subject");
        bob.flush().await.expect("a connection");
        leaf.commit("news");
        assert!(news.next().await.is_some());
    });
}
