//! Which repository a path leads to.
//!
//! A single file answers at every path. Of several files, or of a directory, the first segment of the path names
//! one: the file's name without `.fossil`. A directory is looked at anew for every unknown name, so that files put
//! into it are served without a restart.

use crate::error::CliError;
use crate::repo_pool::RepoPool;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Repositories that are kept open at a time; the one that was idle longest is closed first.
const OPEN_MAX: usize = 64;
/// How the names of repository files end.
const SUFFIX: &str = "fossil";

/// What is served.
#[derive(Debug)]
pub struct Repositories {
    place: Place,
    open: Mutex<Open>,
}

#[derive(Debug)]
enum Place {
    /// One file at every path.
    Single(PathBuf),
    /// Files by name.
    Several(BTreeMap<String, PathBuf>),
    /// Whatever files are in it.
    Directory(PathBuf),
}

/// What is open, with the time of its last use.
#[derive(Debug, Default)]
struct Open {
    pools: BTreeMap<PathBuf, (u64, Arc<RepoPool>)>,
    uses: u64,
}

/// Where a path leads.
#[derive(Debug)]
pub enum Routed {
    /// To a repository.
    Repository(Arc<RepoPool>),
    /// To no repository of this server.
    Nowhere,
    /// To one that cannot be opened.
    Broken(CliError),
}

impl Repositories {
    /// Serves `paths`: one or more files, or one directory.
    ///
    /// # Errors
    ///
    /// When a file is no repository, two have one name, or a directory stands beside something else.
    pub fn new(paths: &[PathBuf]) -> Result<Self, CliError> {
        let place = match paths {
            [] => {
                return Err(CliError::usage("nothing to serve").next_step("name a repository or a directory"));
            }
            [only] if only.is_dir() => Place::Directory(only.clone()),
            [only] => Place::Single(only.clone()),
            several => Place::Several(by_name(several)?),
        };
        let repositories = Self {
            place,
            open: Mutex::default(),
        };
        for file in repositories.files_at_start() {
            repositories.pool(&file)?;
        }
        Ok(repositories)
    }

    fn files_at_start(&self) -> Vec<PathBuf> {
        match &self.place {
            Place::Single(file) => vec![file.clone()],
            Place::Several(files) => files.values().cloned().collect(),
            Place::Directory(_) => Vec::new(),
        }
    }

    /// The names that paths may begin with, sorted; `None` when every path leads to the one repository.
    pub fn names(&self) -> Option<Vec<String>> {
        match &self.place {
            Place::Single(_) => None,
            Place::Several(files) => Some(files.keys().cloned().collect()),
            Place::Directory(directory) => {
                let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
                let mut names: Vec<String> = entries.filter_map(|entry| name_of(&entry.path())).collect();
                names.sort();
                Some(names)
            }
        }
    }

    /// The name of every repository that is there now, and its file.
    pub fn files(&self) -> Vec<(String, PathBuf)> {
        match &self.place {
            Place::Single(file) => {
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                vec![(name.into_owned(), file.clone())]
            }
            Place::Several(files) => files.clone().into_iter().collect(),
            Place::Directory(directory) => {
                let names = self.names().unwrap_or_default().into_iter();
                names
                    .map(|name| (name.clone(), directory.join(format!("{name}.{SUFFIX}"))))
                    .collect()
            }
        }
    }

    /// The name of every repository with the path that leads to it.
    pub fn places(&self) -> Vec<(String, String)> {
        let path = |name: &str| match self.place {
            Place::Single(_) => "/".to_owned(),
            _ => format!("/{name}"),
        };
        let files = self.files().into_iter();
        files.map(|(name, _)| (name.clone(), path(&name))).collect()
    }

    /// Every repository that is there now and can be opened: its name, its file, the way to it. Not more than may be
    /// open at a time.
    pub fn members(&self) -> Vec<(String, PathBuf, Arc<RepoPool>)> {
        let mut files = self.files();
        if files.len() > OPEN_MAX {
            tracing::warn!(
                served = files.len(),
                "only the first {OPEN_MAX} repositories take part in the mesh"
            );
            files.truncate(OPEN_MAX);
        }
        files
            .into_iter()
            .filter_map(|(name, file)| match self.pool(&file) {
                Ok(pool) => Some((name, file, pool)),
                Err(error) => {
                    tracing::error!(
                        name,
                        cause = error.lines().join(": "),
                        "repository cannot be opened"
                    );
                    None
                }
            })
            .collect()
    }

    /// Where `path`, as it stands in the request line, leads.
    pub fn route(&self, path: &str) -> Routed {
        let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let file = match &self.place {
            Place::Single(file) => Some(file.clone()),
            Place::Several(files) => files.get(name).cloned(),
            Place::Directory(directory) if is_name(name) => {
                Some(directory.join(format!("{name}.{SUFFIX}"))).filter(|file| file.is_file())
            }
            Place::Directory(_) => None,
        };
        let Some(file) = file else { return Routed::Nowhere };
        match self.pool(&file) {
            Ok(pool) => Routed::Repository(pool),
            Err(error) => Routed::Broken(error),
        }
    }

    fn pool(&self, file: &Path) -> Result<Arc<RepoPool>, CliError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.uses += 1;
        let now = open.uses;
        if let Some((used, pool)) = open.pools.get_mut(file) {
            *used = now;
            return Ok(Arc::clone(pool));
        }
        let pool = Arc::new(RepoPool::open(file)?);
        if open.pools.len() >= OPEN_MAX {
            let idlest = open
                .pools
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(file, _)| file.clone());
            idlest.and_then(|file| open.pools.remove(&file));
        }
        open.pools.insert(file.to_owned(), (now, Arc::clone(&pool)));
        Ok(pool)
    }
}

fn by_name(files: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, CliError> {
    let mut named = BTreeMap::new();
    for file in files {
        let shown = file.display();
        if file.is_dir() {
            return Err(CliError::usage(format!("{shown} is a directory"))
                .next_step("serve either one directory or any number of files"));
        }
        let name = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|stem| is_name(stem));
        let Some(name) = name else {
            return Err(
                CliError::usage(format!("the name of {shown} cannot be part of a URL"))
                    .next_step("use letters, digits, `.`, `_` and `-`"),
            );
        };
        if named.insert(name.to_owned(), file.clone()).is_some() {
            return Err(
                CliError::usage(format!("two of the files are called {name}")).next_step("rename one")
            );
        }
    }
    Ok(named)
}

fn name_of(file: &Path) -> Option<String> {
    let is_repository = file.extension().is_some_and(|suffix| suffix == SUFFIX) && file.is_file();
    let stem = file.file_stem()?.to_str()?;
    (is_repository && is_name(stem)).then(|| stem.to_owned())
}

/// Whether a segment of a URL may name a file: it cannot lead out of the directory, nor to a hidden file.
fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && !text.starts_with('.') && text.chars().all(good)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_cannot_lead_out_of_the_directory() {
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "%2e%2e", "a b", "\u{e9}"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("my-project_2.0"));
    }
}
