//! Clone and sync by key, directly; who is on the list, and who is not.

use crate::leaf::{Guest, Host, commit, plain, wait_until};
use leaf_tests::oracle::{artifacts, assert_same_artifacts, assert_sound};

#[test]
fn a_repository_is_cloned_and_synced_by_key() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    commit(&guest.scratch, &guest.file(), "from the guest");
    commit(&host.scratch, &host.file, "from the host");
    guest.syncs(&[]);
    assert_same_artifacts(&host.file, &guest.file());
    assert_sound(&host.scratch, &host.file);
    let list = host
        .scratch
        .leaf(&["peers", "list", "-R", plain(&host.file)])
        .stdout;
    assert!(list.contains("ann") && !list.contains("never seen"), "{list}");
}

#[test]
fn a_key_that_is_not_on_the_list_gets_nothing() {
    let (host, guest) = (Host::start(), Guest::new());
    let said = guest
        .scratch
        .leaf_any(&["clone", host.server.by_key(), "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("has not listed our key"), "{}", said.stderr);
    assert!(
        said.stderr.contains(&guest.id()),
        "it says whom to list: {}",
        said.stderr
    );
    assert!(!guest.file().exists());
    host.says("refused: not on the list of peers");
    assert!(!host.log().contains("request by key"), "{}", host.log());
}

#[test]
fn a_peer_that_may_only_read_sends_nothing() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "go");
    guest.clones(host.server.by_key(), &host.file, &[]);
    let before = artifacts(&host.file);
    commit(&guest.scratch, &guest.file(), "not wanted there");
    let said = guest.syncs(&[]);
    assert!(said.contains("takes nothing from us"), "{said}");
    assert_eq!(artifacts(&host.file), before);
}

#[test]
fn a_peer_that_is_revoked_gets_nothing_more() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    host.scratch
        .leaf(&["peers", "revoke", "ann", "-R", plain(&host.file)]);
    let said = guest.scratch.leaf_any(&["sync", "-R", "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("has not listed our key"), "{}", said.stderr);
}

#[test]
fn nobody_else_is_taken_for_the_leaf_that_was_called() {
    let (host, guest, other) = (Host::start(), Guest::new(), Guest::new());
    host.allow(&guest, "gio");
    let id = host.scratch.leaf(&["id"]).stdout;
    let elsewhere = host.server.by_key().replace(id.trim(), &other.id());
    let said = guest.scratch.leaf_any(&["clone", &elsewhere, "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    assert!(said.stderr.contains("no connection to"), "{}", said.stderr);
}

#[test]
fn a_large_artifact_goes_both_ways() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    let mut seed = leaf_tests::seed::Seed::new(5);
    let large = seed.bytes(20 << 20);
    std::fs::write(guest.scratch.path("large.bin"), &large).expect("a file");
    let args = ["commit", "-R", "clone.fossil", "-m", "large", "--user", "alice"];
    guest
        .scratch
        .leaf(&[args.as_slice(), &["large.bin=large.bin"]].concat());
    guest.syncs(&[]);
    assert_same_artifacts(&host.file, &guest.file());
    let again = Guest::new();
    host.allow(&again, "gio");
    again.clones(host.server.by_key(), &host.file, &[]);
}

#[test]
fn a_leaf_that_ends_tells_whoever_is_connected() {
    let (host, guest) = (Host::start(), Guest::new());
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    assert_eq!(host.server.stop(), Some(0));
    let said = guest.scratch.leaf_any(&["sync", "-R", "clone.fossil"]);
    assert_eq!(said.code, Some(3), "{}", said.text());
    wait_until("the file is whole", || {
        host.scratch.leaf_any(&["verify", plain(&host.file)]).code == Some(0)
    });
}

#[test]
fn settings_of_the_file_count_until_the_command_line_says_more() {
    let settings = leaf_tests::scratch::Scratch::new();
    let file = settings.path("leaf.toml");
    let key = settings.path("my.key");
    let id = settings.leaf(&["id", "--key", plain(&key)]).stdout;
    let text = format!("[iroh]\nlisten = \"127.0.0.1:0\"\nkey = {:?}\n", plain(&key));
    std::fs::write(&file, text).expect("a file");
    settings.leaf(&["config-check", plain(&file)]);
    let (host, guest) = (Host::start_with(&["--config", plain(&file)]), Guest::new());
    assert!(
        host.server.by_key().contains(id.trim()),
        "{}",
        host.server.by_key()
    );
    host.allow(&guest, "gio");
    guest.clones(host.server.by_key(), &host.file, &[]);
    let both = ["--config", plain(&file), "--key", "other.key"];
    let other = Host::start_with(&both);
    assert!(!other.server.by_key().contains(id.trim()));
    assert!(other.server.by_key().starts_with("iroh://"));
}

#[test]
fn a_relay_for_nobody_is_refused() {
    let scratch = leaf_tests::scratch::Scratch::new();
    scratch.leaf(&["new", "a.fossil"]);
    let said = scratch.leaf_any(&["serve", "a.fossil", "--http", "127.0.0.1:0", "--relay"]);
    assert_eq!(said.code, Some(2), "{}", said.text());
    assert!(
        said.stderr.contains("a relay is for leaves that call by key"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_clone_whose_leaf_is_killed_goes_on_when_that_is_back() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let listen = format!("--iroh={}", socket.local_addr().expect("bound"));
    drop(socket);
    let args = [listen.as_str()];
    let (mut host, mut seed) = (Host::start_with(&args), leaf_tests::seed::Seed::new(6));
    for number in 0..6 {
        let large = host.scratch.path("large.bin");
        std::fs::write(&large, seed.bytes(6 << 20)).expect("a file");
        let content = format!("{number}.bin={}", plain(&large));
        let commit = [
            "commit",
            "-R",
            plain(&host.file),
            "-m",
            "large",
            "--user",
            "alice",
        ];
        host.scratch.leaf(&[commit.as_slice(), &[&content]].concat());
    }
    // A machine that is fast enough is done before it can be struck: then once more.
    let struck = (0..20).any(|_| {
        let guest = Guest::new();
        host.allow(&guest, "gio");
        let mut clone = guest.scratch.leaf_command();
        clone.args([
            "clone",
            host.server.by_key(),
            "clone.fossil",
            "--user",
            "alice",
            "--timeout",
            "5",
        ]);
        clone
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null());
        let mut clone = clone.spawn().expect("the built leaf runs");
        let size = |name: &str| std::fs::metadata(guest.scratch.path(name)).map_or(0, |file| file.len());
        wait_until("something has come", || {
            let is_done = clone.try_wait().expect("our own child").is_some();
            is_done || size("clone.fossil") + size("clone.fossil-wal") > 8 << 20
        });
        host.server.kill();
        let was_struck = clone.wait().expect("our own child").code() == Some(3);
        host.start_again(&args);
        if was_struck {
            let said =
                guest
                    .scratch
                    .leaf(&["clone", host.server.by_key(), "clone.fossil", "--user", "alice"]);
            assert!(said.stderr.contains("going on with the clone"), "{}", said.stderr);
            assert_same_artifacts(&host.file, &guest.file());
            assert_sound(&guest.scratch, &guest.file());
        }
        was_struck
    });
    assert!(struck, "no clone was cut off");
}
