//! Names of files in a repository.
//!
//! Source: Fossil `src/file.c`, `file_is_simple_pathname`, `file_is_reserved_name`.

/// The name of a file in a check-in.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes `name` if it is a simple path: relative, no empty, `.` or `..` segment, no NUL.
    pub fn parse(name: &[u8]) -> Option<Self> {
        is_simple(name).then(|| Self(name.to_vec()))
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether Fossil takes `name` as that of a file in a manifest.
pub fn is_simple(name: &[u8]) -> bool {
    let simple = |segment: &[u8]| !matches!(segment, b"" | b"." | b"..");
    !name.contains(&0) && name.split(|&byte| byte == b'/').all(simple)
}
