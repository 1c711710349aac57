//! Who holds a project, known to each repository of it.

use crate::servers::{Broker, Setup};
use leaf_tests::leaf::LeafServer;
use leaf_tests::oracle::assert_sound;
use leaf_tests::peers::plain;
use leaf_tests::scene::small;
use leaf_tests::scratch::Scratch;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Serves `file` as the leaf called `name`, a client of the broker at `url`, which asks the others every second.
fn serve(scratch: &Scratch, file: &Path, name: &str, url: &str) -> LeafServer {
    let settings = scratch.path("leaf.toml");
    let text = format!("[nats]\nservers = [{url:?}]\nname = {name:?}\n\n[sync]\nevery-s = 1\n");
    std::fs::write(&settings, text).expect("a file");
    LeafServer::start_with(scratch, file, &["--config", plain(&settings)])
}

/// What a repository says of the leaves that hold its project.
fn known(scratch: &Scratch, file: &Path) -> Vec<serde_json::Value> {
    let said = scratch.leaf(&["peers", plain(file), "--json"]).text();
    serde_json::from_str(&said).expect("a list")
}

#[test]
fn two_leaves_that_serve_one_project_are_in_each_others_registry() {
    let broker = Broker::Nats2_15.start(&Setup::open());
    let url = format!("nats://{}", broker.address);
    let (first, second) = (Scratch::new(), Scratch::new());
    let served = small(&first, "served.fossil");
    let copy = second.path("copy.fossil");
    let server = LeafServer::start(&first, &served);
    second.leaf(&["clone", &server.url(), plain(&copy)]);
    assert_eq!(server.stop(), Some(0));
    assert!(known(&first, &served).is_empty());
    let kitchen = serve(&first, &served, "kitchen", &url);
    let cellar = serve(&second, &copy, "cellar", &url);
    for (scratch, file) in [(&first, &served), (&second, &copy)] {
        let end = Instant::now() + PATIENCE;
        let peers = loop {
            let peers = known(scratch, file);
            if peers.len() == 2 {
                break peers;
            }
            assert!(Instant::now() < end, "in vain: {peers:?}");
            sleep(Duration::from_millis(100));
        };
        let all = |key: &str| -> Vec<String> { peers.iter().map(|peer| peer[key].to_string()).collect() };
        assert_eq!(all("leaf"), ["\"cellar\"", "\"kitchen\""]);
        assert_eq!(all("repository"), ["\"copy\"", "\"served\""]);
        assert_eq!(all("kind"), ["\"native\"", "\"native\""]);
        assert_eq!(all("nats_subject"), ["\"fossil\"", "\"fossil\""]);
        let transports = "[\"serve-http\",\"serve-nats\",\"pull\"]";
        assert_eq!(all("transports"), [transports, transports]);
        let text = scratch.leaf(&["peers", "-R", plain(file)]).text();
        assert!(
            text.contains("kitchen/served") && text.contains("2 leaves"),
            "{text}"
        );
        assert_sound(scratch, file);
    }
    assert_eq!((kitchen.stop(), cellar.stop()), (Some(0), Some(0)));
}

#[test]
fn whoever_serves_without_nats_leaves_no_trace_in_the_file() {
    let scratch = Scratch::new();
    let served = small(&scratch, "served.fossil");
    let server = LeafServer::start(&scratch, &served);
    let copy = scratch.path("copy.fossil");
    scratch.leaf(&["clone", &server.url(), plain(&copy)]);
    scratch.leaf(&["sync", "-R", plain(&copy)]);
    assert_eq!(server.stop(), Some(0));
    for file in [&served, &copy] {
        let sql = "SELECT name FROM sqlite_schema WHERE name GLOB 'x_*' OR name GLOB '_sync*'";
        assert_eq!(leaf_tests::oracle::column(file, sql), [""; 0]);
    }
}
