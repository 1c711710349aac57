//! Repositories in memory, and what tests compare of them.

use leaf_core::id::{ArtifactHash, ProjectCode, ServerCode};
use leaf_core::repo::{NewRepo, Repo};
use leaf_core::time::Timestamp;
use rusqlite::Connection;

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// What [`repo`] starts from.
pub(crate) fn new_repo() -> NewRepo {
    NewRepo {
        project_code: ProjectCode::from_random([7; 20]),
        server_code: ServerCode::from_random([9; 20]),
        project_name: None,
        admin: "alice".into(),
        admin_password: "secret".into(),
        now: NOW,
    }
}

/// An empty repository in memory.
pub(crate) fn repo() -> Repo {
    let db = Connection::open_in_memory().expect("memory is there");
    Repo::create(db, &new_repo()).expect("an empty database becomes a repository")
}

/// The SHA3 name of `content`.
pub(crate) fn named(content: &[u8]) -> ArtifactHash {
    leaf_core::format::hash::name(leaf_core::format::hash::HashKind::Sha3, content)
}

/// Everything that a repository holds, table by table, as text.
pub(crate) fn dump(repo: &mut Repo) -> String {
    let empty = Connection::open_in_memory().expect("memory is there");
    let placeholder = Repo::create(empty, &new_repo()).expect("an empty database becomes a repository");
    let db = std::mem::replace(repo, placeholder).into_connection();
    let mut text = String::new();
    {
        let mut tables = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .expect("a schema is there");
        let names: Vec<String> = tables
            .query_map([], |row| row.get(0))
            .expect("a query without parameters")
            .collect::<Result<_, _>>()
            .expect("names are text");
        for name in names {
            let mut rows = db
                .prepare(&format!("SELECT * FROM \"{name}\""))
                .expect("the table is there");
            let columns = rows.column_count();
            let mut rows = rows.query([]).expect("a query without parameters");
            while let Some(row) = rows.next().expect("readable") {
                let values: Vec<String> = (0..columns)
                    .map(|at| format!("{:?}", row.get_ref(at).expect("a column")))
                    .collect();
                text.push_str(&format!("{name}: {}\n", values.join(" ")));
            }
        }
    }
    *repo = Repo::open(db).expect("it was a repository");
    text
}
