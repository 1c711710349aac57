//! Configuration as it travels: which settings form which group, and their cards.
//!
//! A payload is a row: its time, its key, then column names and values in turn, the values as SQL literals.
//! They are parsed here and bound; nothing a peer sends is ever run as SQL. Of two rows with the same key the
//! later stays.
//!
//! Source: Fossil `src/configure.c`, `configure_send_group`, `configure_receive`.

use rusqlite::types::{Value, ValueRef};

use super::sql_literal::{self, Token};
use super::{Repo, RepoError, RepoTx};
use crate::time::Timestamp;

/// A set of settings that is asked for by one name.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ConfigGroup {
    /// Style sheet.
    Css,
    /// Appearance of the web interface.
    Skin,
    /// Ticket set-up and reports.
    Ticket,
    /// Name, description and settings of the project.
    Project,
    /// Banned artifacts.
    Shun,
    /// Users, with their password secrets.
    User,
    /// Concealed e-mail addresses.
    Email,
    /// Transfer set-up.
    Xfer,
    /// URL aliases.
    Alias,
    /// Subscribers to e-mail notifications.
    Subscriber,
    /// Prefixes of links to other wikis.
    Interwiki,
}

/// Settings that are rows of `config`, with their groups.
const SETTINGS: [(ConfigGroup, &[&str]); 5] = [
    (ConfigGroup::Css, &["css"]),
    (
        ConfigGroup::Skin,
        &[
            "header",
            "mainmenu",
            "footer",
            "details",
            "js",
            "logo-mimetype",
            "logo-image",
            "background-mimetype",
            "background-image",
            "icon-mimetype",
            "icon-image",
            "timeline-block-markup",
            "timeline-date-format",
            "timeline-default-style",
            "timeline-dwelltime",
            "timeline-closetime",
            "timeline-max-comment",
            "timeline-plaintext",
            "timeline-truncate-at-blank",
            "timeline-tslink-info",
            "timeline-utc",
            "adunit",
            "adunit-omit-if-admin",
            "adunit-omit-if-user",
            "default-csp",
            "sitemap-extra",
            "safe-html",
        ],
    ),
    (
        ConfigGroup::Project,
        &[
            "project-name",
            "short-project-name",
            "project-description",
            "index-page",
            "manifest",
            "binary-glob",
            "clean-glob",
            "ignore-glob",
            "keep-glob",
            "crlf-glob",
            "crnl-glob",
            "encoding-glob",
            "empty-dirs",
            "dotfiles",
            "parent-project-code",
            "parent-project-name",
            "hash-policy",
            "comment-format",
            "mimetypes",
            "forbid-delta-manifests",
            "mv-rm-files",
        ],
    ),
    (
        ConfigGroup::Ticket,
        &[
            "ticket-table",
            "ticket-common",
            "ticket-change",
            "ticket-newpage",
            "ticket-viewpage",
            "ticket-editpage",
            "ticket-reportlist",
            "ticket-report-template",
            "ticket-key-template",
            "ticket-title-expr",
            "ticket-closed-expr",
        ],
    ),
    (
        ConfigGroup::Xfer,
        &[
            "xfer-common-script",
            "xfer-push-script",
            "xfer-commit-script",
            "xfer-ticket-script",
        ],
    ),
];

/// A kind of configuration card: the table it speaks of.
struct Kind {
    /// Name in the card.
    card: &'static str,
    table: &'static str,
    key: &'static str,
    fields: &'static [&'static str],
    /// `None` for `config`, whose rows belong to groups one by one.
    group: Option<ConfigGroup>,
}

const KINDS: [Kind; 6] = [
    Kind {
        card: "/config",
        table: "config",
        key: "name",
        fields: &["value"],
        group: None,
    },
    Kind {
        card: "/user",
        table: "user",
        key: "login",
        fields: &["pw", "cap", "info", "photo", "jx"],
        group: Some(ConfigGroup::User),
    },
    Kind {
        card: "/shun",
        table: "shun",
        key: "uuid",
        fields: &["scom"],
        group: Some(ConfigGroup::Shun),
    },
    Kind {
        card: "/reportfmt",
        table: "reportfmt",
        key: "title",
        fields: &["owner", "cols", "sqlcode", "jx"],
        group: Some(ConfigGroup::Ticket),
    },
    Kind {
        card: "/concealed",
        table: "concealed",
        key: "hash",
        fields: &["content"],
        group: Some(ConfigGroup::Email),
    },
    Kind {
        card: "/subscriber",
        table: "subscriber",
        key: "semail",
        fields: &["suname", "sdigest", "sdonotcall", "ssub", "sctime", "smip"],
        group: Some(ConfigGroup::Subscriber),
    },
];

impl ConfigGroup {
    /// All groups.
    pub const ALL: [Self; 11] = [
        Self::Css,
        Self::Skin,
        Self::Ticket,
        Self::Project,
        Self::Shun,
        Self::User,
        Self::Email,
        Self::Xfer,
        Self::Alias,
        Self::Subscriber,
        Self::Interwiki,
    ];

    /// The name in a `reqconfig` card.
    pub fn name(self) -> &'static str {
        match self {
            Self::Css => "/css",
            Self::Skin => "/skin",
            Self::Ticket => "/ticket",
            Self::Project => "/project",
            Self::Shun => "/shun",
            Self::User => "/user",
            Self::Email => "/email",
            Self::Xfer => "/xfer",
            Self::Alias => "/alias",
            Self::Subscriber => "/subscriber",
            Self::Interwiki => "/interwiki",
        }
    }

    /// The groups that `name` asks for: one by its name or the beginning of it, or `/all`. The skin includes
    /// the style sheet. Empty when no group has such a name.
    pub fn matching(name: &str) -> Vec<Self> {
        let name = name.strip_prefix('/').unwrap_or(name);
        if name.is_empty() {
            return Vec::new();
        }
        if name == "all" {
            return Self::ALL.to_vec();
        }
        let found = Self::ALL
            .into_iter()
            .find(|group| group.name()[1..].starts_with(name));
        match found {
            Some(Self::Skin) => vec![Self::Skin, Self::Css],
            Some(group) => vec![group],
            None => Vec::new(),
        }
    }

    /// The group of a row of `config`; `None` when that setting does not travel.
    fn of_setting(name: &str) -> Option<Self> {
        if name.starts_with("walias:/") {
            return Some(Self::Alias);
        }
        if name.starts_with("interwiki:") {
            return Some(Self::Interwiki);
        }
        SETTINGS
            .iter()
            .find(|(_, names)| names.contains(&name))
            .map(|(group, _)| *group)
    }
}

impl Repo {
    /// The cards of a group: name and payload of each row changed at or after `since` (seconds since 1970).
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn config_cards(&self, group: ConfigGroup, since: i64) -> Result<Vec<(String, Vec<u8>)>, RepoError> {
        let mut cards = Vec::new();
        for kind in &KINDS {
            if kind.group.is_none_or(|of| of == group) && self.db.table_exists(Some("main"), kind.table)? {
                self.rows_as_cards(kind, group, since, &mut cards)?;
            }
        }
        Ok(cards)
    }

    fn rows_as_cards(
        &self,
        kind: &Kind,
        group: ConfigGroup,
        since: i64,
        cards: &mut Vec<(String, Vec<u8>)>,
    ) -> Result<(), RepoError> {
        let Kind {
            table, key, fields, ..
        } = kind;
        let sql = format!(
            "SELECT CAST(mtime AS INTEGER), {key}, {} FROM {table} WHERE mtime >= ?1 ORDER BY {key}",
            fields.join(", ")
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query([since])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(1)?;
            if kind.group.is_none() {
                let name = name.as_str_or_null().ok().flatten().unwrap_or_default();
                if ConfigGroup::of_setting(name) != Some(group) {
                    continue;
                }
            }
            let mut payload = row.get::<_, i64>(0)?.to_string().into_bytes();
            payload.push(b' ');
            sql_literal::write(name, &mut payload);
            for (index, field) in fields.iter().enumerate() {
                let value = row.get_ref(index + 2)?;
                // Shun comments and settings are sent even when there is none, as stock does.
                if value == ValueRef::Null && fields.len() > 1 {
                    continue;
                }
                payload.extend_from_slice(format!(" {field} ").as_bytes());
                sql_literal::write(value, &mut payload);
            }
            cards.push((kind.card.to_owned(), payload));
        }
        Ok(())
    }
}

impl RepoTx<'_> {
    /// Takes a configuration card, if it is of one of `groups` and later than what is here. A card of another
    /// shape than the protocol gives it is passed over, as stock does. `true` when something changed.
    ///
    /// # Errors
    ///
    /// [`RepoError::Sqlite`].
    pub fn apply_config(
        &self,
        card: &str,
        payload: &[u8],
        groups: &[ConfigGroup],
        now: Timestamp,
    ) -> Result<bool, RepoError> {
        let Some(kind) = KINDS.iter().find(|kind| kind.card == card) else {
            return Ok(false);
        };
        let Some(row) = parse_row(kind, payload) else {
            return Ok(false);
        };
        let group = match (&kind.group, &row.key) {
            (Some(group), _) => Some(*group),
            (None, Value::Text(name)) => ConfigGroup::of_setting(name),
            (None, _) => None,
        };
        if !group.is_some_and(|group| groups.contains(&group))
            || !self.db.table_exists(Some("main"), kind.table)?
        {
            return Ok(false);
        }
        let mtime = row.mtime.min(now.plus_ms(self.limits.future_ms_max).unix());
        self.merge_row(kind, mtime, &row)
    }

    fn merge_row(&self, kind: &Kind, mtime: i64, row: &Row) -> Result<bool, RepoError> {
        let Kind { table, key, .. } = kind;
        let columns: String = row.fields.iter().map(|(field, _)| format!(", {field}")).collect();
        let marks: String = (0..row.fields.len())
            .map(|index| format!(", ?{}", index + 3))
            .collect();
        let changes: String = row
            .fields
            .iter()
            .enumerate()
            .map(|(i, (field, _))| format!(", {field} = ?{}", i + 3))
            .collect();
        let values = || {
            let head = [Value::Integer(mtime), row.key.clone()];
            rusqlite::params_from_iter(head.into_iter().chain(row.fields.iter().map(|(_, v)| v.clone())))
        };
        let inserted = self
            .db
            .prepare(&format!(
                "INSERT OR IGNORE INTO {table}(mtime, {key}{columns}) VALUES (?1, ?2{marks})"
            ))?
            .execute(values())?;
        if inserted > 0 {
            return Ok(true);
        }
        let updated = self
            .db
            .prepare(&format!(
                "UPDATE {table} SET mtime = ?1{changes} WHERE {key} = ?2 AND mtime < ?1"
            ))?
            .execute(values())?;
        Ok(updated > 0)
    }
}

/// A parsed payload.
struct Row {
    mtime: i64,
    key: Value,
    fields: Vec<(&'static str, Value)>,
}

fn parse_row(kind: &Kind, payload: &[u8]) -> Option<Row> {
    let mut tokens = sql_literal::Tokens::new(payload);
    let Token::Word(mtime) = tokens.next()? else {
        return None;
    };
    let mtime = mtime
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| mtime.parse().ok())??;
    let key = tokens.next()?.value()?;
    let mut fields: Vec<(&'static str, Value)> = Vec::new();
    while let Some(token) = tokens.next() {
        let Token::Word(name) = token else {
            return None;
        };
        let value = tokens.next()?.value()?;
        let known = kind.fields.iter().find(|field| **field == name);
        if let Some(field) = known
            && fields.iter().all(|(other, _)| other != field)
        {
            fields.push((field, value));
        }
    }
    Some(Row { mtime, key, fields })
}
