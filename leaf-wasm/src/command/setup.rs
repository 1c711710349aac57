//! What there is, and what is set.

use super::DEFAULT_USER;
use crate::engine::{Leaf, Task};
use crate::failure::Failed;
use crate::host::{entropy, now};
use crate::mesh;
use crate::protocol::{Configure, Create, Info, LeafState, Status};
use leaf_core::id::{ProjectCode, ServerCode, to_hex};
use leaf_core::repo::{Author, NewRepo, Repo};

/// Config that remembers the remote; stock Fossil reads and writes it, too.
const REMOTE: &str = "last-sync-url";
/// Config that names the request that made this file, in case its reply is lost and it is asked again.
const MADE_BY: &str = "leaf-request";
/// Who one is unless one says.
const GUEST: &str = "guest";

/// What there is.
pub(super) fn info(leaf: &Leaf) -> Result<Info, Failed> {
    let state = leaf.state();
    let mut info = Info {
        state,
        ..Info::default()
    };
    if state == LeafState::Empty {
        return Ok(info);
    }
    leaf.with_any(|repo| {
        info.artifacts = repo.artifact_count()?;
        info.bytes = size(repo)?;
        (info.remote, info.remote_user) = remote(repo)?;
        info.user = repo.config(DEFAULT_USER)?;
        Ok(())
    })?;
    if state == LeafState::Ready {
        leaf.read(|repo| {
            info.project_code = repo.project_code()?.to_string();
            info.project_name = repo.config("project-name")?;
            info.checkins = repo.checkin_count()?;
            info.unsent = repo.unsent_count()?;
            info.missing = repo.phantom_count()?;
            info.main_branch = repo.main_checkin()?.map(|tip| repo.branch_of(tip)).transpose()?;
            Ok(())
        })?;
    }
    Ok(info)
}

/// What of it changes often.
pub(super) fn status(leaf: &Leaf) -> Result<Status, Failed> {
    let state = leaf.state();
    if state != LeafState::Ready {
        return Ok(Status {
            state,
            ..Status::default()
        });
    }
    leaf.read(|repo| {
        let (remote, remote_user) = remote(repo)?;
        Ok(Status {
            state,
            remote,
            remote_user,
            unsent: repo.unsent_count()?,
        })
    })
}

/// Bytes of the database.
pub(super) fn size(repo: &Repo) -> Result<u64, Failed> {
    let number = |name: &str| -> Result<u64, Failed> {
        let value: i64 = repo
            .connection()
            .pragma_query_value(None, name, |row| row.get(0))?;
        Ok(u64::try_from(value).unwrap_or_default())
    };
    Ok(number("page_count")? * number("page_size")?)
}

/// A new repository with its admin; nobody knows the password.
pub(super) fn new_repo(project_name: Option<String>, user: Option<&str>) -> NewRepo {
    NewRepo {
        project_code: ProjectCode::from_random(entropy()),
        server_code: ServerCode::from_random(entropy()),
        project_name,
        admin: user.filter(|user| !user.is_empty()).unwrap_or(GUEST).to_owned(),
        admin_password: to_hex(&entropy()),
        now: now(),
    }
}

/// Makes a new project.
pub(super) fn create(leaf: &Leaf, args: &Create, task: &Task) -> Result<Info, Failed> {
    if is_made_by(leaf, task)? {
        return info(leaf);
    }
    if leaf.state() != LeafState::Empty {
        return Err(Failed::exists());
    }
    let new = new_repo(args.project_name.clone(), args.user.as_deref());
    leaf.import.replace(None);
    let repo = Repo::create_with(leaf.store.connect()?, &new, |tx| {
        tx.set_config(DEFAULT_USER, &new.admin, new.now)?;
        tx.set_config(MADE_BY, &task.id, new.now)?;
        tx.initial_checkin(&Author {
            user: new.admin.clone(),
            date: new.now,
        })?;
        Ok::<_, Failed>(())
    })?;
    leaf.finish(repo);
    info(leaf)
}

/// Whether this very request made the file: then its reply was lost, and it is not made again.
pub(super) fn is_made_by(leaf: &Leaf, task: &Task) -> Result<bool, Failed> {
    if leaf.state() != LeafState::Ready {
        return Ok(false);
    }
    leaf.read(|repo| Ok(repo.config(MADE_BY)?.as_ref() == Some(&task.id)))
}

/// Notes that this request made the file.
pub(super) fn note_maker(repo: &mut Repo, task: &Task) -> Result<(), Failed> {
    Ok(repo.write(|tx| tx.set_config(MADE_BY, &task.id, now()))?)
}

/// Sets what is given.
pub(super) fn configure(leaf: &Leaf, args: &Configure) -> Result<Info, Failed> {
    leaf.with(|repo| {
        let (mut url, mut user) = remote(repo)?;
        repo.write(|tx| {
            if let Some(who) = &args.user {
                tx.set_config(DEFAULT_USER, who, now())?;
            }
            if let Some(name) = &args.project_name {
                tx.set_config("project-name", name, now())?;
            }
            if args.remote.is_some() || args.remote_user.is_some() {
                url = args.remote.clone().or(url);
                user = args.remote_user.clone().or(user);
                if let Some(url) = &url {
                    tx.set_config(REMOTE, &with_user(url, user.as_deref()), now())?;
                }
            }
            Ok::<_, Failed>(())
        })
    })?;
    info(leaf)
}

/// The login, if it is that of one person.
pub(super) fn person(user: Option<&str>) -> Option<&str> {
    user.filter(|user| !matches!(*user, "" | "nobody" | "anonymous"))
}

/// Remembers who one is and with whom to sync, where nothing is remembered yet.
pub(super) fn remember(repo: &mut Repo, url: &str, user: Option<&str>) -> Result<(), Failed> {
    // The mesh is no place to come back to.
    let is_new = repo.config(REMOTE)?.is_none() && !url.starts_with(mesh::OWN);
    repo.write(|tx| {
        if is_new {
            tx.set_config(REMOTE, &with_user(url, user), now())?;
        }
        if tx.config(DEFAULT_USER)?.is_none() {
            tx.set_config(DEFAULT_USER, person(user).unwrap_or(GUEST), now())?;
        }
        Ok(())
    })
}

/// The remote that is remembered, and the login there.
pub(super) fn remote(repo: &Repo) -> Result<(Option<String>, Option<String>), Failed> {
    let Some(url) = repo.config(REMOTE)?.filter(|url| {
        ["http", "ws", "iroh:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
    }) else {
        return Ok((None, None));
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok((None, None));
    };
    let host_end = rest.find('/').unwrap_or(rest.len());
    Ok(match rest.split_at(host_end) {
        (host, path) if host.contains('@') => {
            let (login, host) = host.rsplit_once('@').unwrap_or_default();
            let user = login.split(':').next().unwrap_or_default();
            (Some(format!("{scheme}://{host}{path}")), Some(user.to_owned()))
        }
        _ => (Some(url), None),
    })
}

fn with_user(url: &str, user: Option<&str>) -> String {
    match (url.split_once("://"), user.filter(|user| !user.is_empty())) {
        (Some((scheme, rest)), Some(user)) => format!("{scheme}://{user}@{rest}"),
        _ => url.to_owned(),
    }
}
