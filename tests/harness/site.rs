//! The folder of one exchange: config, secrets, hosts, database, log.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;
use tempfile::TempDir;

use super::binary::repository;

/// Where addresses of the tests' exchanges are looked for: below the ports that connections of the
/// same machine take for themselves, so that a restart finds its address free again.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// One exchange on disk. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Site {
    dir: TempDir,
    pub(crate) seller: SocketAddr,
    pub(crate) operator: SocketAddr,
}

/// What a test writes into the process settings.
#[derive(Clone, Debug)]
pub(crate) struct SiteSettings {
    /// Lines of `[limits]`.
    pub(crate) limits: String,
    /// The level of the log.
    pub(crate) log_level: String,
}

impl Default for SiteSettings {
    fn default() -> Self {
        // Twenty tests share two cores and one disk: a write may well wait for a while.
        Self { limits: "queue_age = \"20s\"".to_owned(), log_level: "debug".to_owned() }
    }
}

impl Site {
    /// A folder with process settings and nothing to route yet.
    pub(crate) fn new(settings: &SiteSettings) -> Self {
        let dir = tempfile::Builder::new().prefix("rialto-test-").tempdir().unwrap();
        let site = Self { dir, seller: free_address(), operator: free_address() };
        for folder in ["verticals", "buyers", "sellers", "trees", "lists", "secrets", "var"] {
            std::fs::create_dir_all(site.path(folder)).unwrap();
        }
        site.write("rialto.toml", &site.process_settings(settings));
        site
    }

    /// A copy of the sample exchange, whatever the time of day: without hours and caps.
    pub(crate) fn of_sample(settings: &SiteSettings) -> Self {
        let site = Self::new(settings);
        for folder in ["verticals", "buyers", "sellers", "trees", "lists"] {
            for entry in std::fs::read_dir(repository().join("config").join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                let name = path.file_name().unwrap().to_str().unwrap();
                let always = if folder == "buyers" { without_hours_and_caps(&text) } else { text };
                site.write(&format!("{folder}/{name}"), &always);
            }
        }
        exchange_lab::mock_buyers::write_sample_secrets(&site.path("secrets")).unwrap();
        site
    }

    fn process_settings(&self, settings: &SiteSettings) -> String {
        let Self { seller, operator, .. } = self;
        let SiteSettings { limits, log_level } = settings;
        format!(
            r#"schema = 1
[server]
seller_listen = "{seller}"
operator_listen = "{operator}"
public_url = "http://{seller}"
drain = "10s"
[store]
engine = "sqlite"
path = "var/rialto.db"
min_free = "1MiB"
[routing]
dir = "."
[secrets]
dir = "secrets"
root_key = "var/root.key"
[limits]
{limits}
[log]
format = "json"
level = "{log_level}"
[buyers]
allow_private = true
"#
        )
    }

    /// A path within the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder itself: what `--config` takes.
    pub(crate) fn config(&self) -> &Path {
        self.dir.path()
    }

    /// The log of every run of this exchange.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.path("var/rialto.log")
    }

    /// The log's text.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Writes a file of the folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Writes a secret that only its owner reads.
    pub(crate) fn write_secret(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(&format!("secrets/{name}"), text);
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.path(&format!("secrets/{name}")), owner_only).unwrap();
    }

    /// Writes the table of hosts that the dialler uses instead of names.
    pub(crate) fn write_hosts(&self, hosts: &BTreeMap<String, SocketAddr>) {
        let hosts: BTreeMap<&String, String> =
            hosts.iter().map(|(host, addr)| (host, addr.to_string())).collect();
        self.write("hosts.json", &json!({ "hosts": hosts }).to_string());
    }

    /// The database, for reading only.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let only_read = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        rusqlite::Connection::open_with_flags(self.path("var/rialto.db"), only_read).unwrap()
    }

    /// How many rows there are behind this `FROM`.
    pub(crate) fn rows(&self, from: &str) -> u64 {
        let query = format!("SELECT count(*) FROM {from}");
        let rows: i64 = self.database().query_row(&query, [], |row| row.get(0)).unwrap();
        u64::try_from(rows).unwrap()
    }

    /// Copies the sample's dictionary of auto insurance, with further tables.
    pub(crate) fn write_sample_vertical_and(&self, tables: &str) {
        let name = "verticals/auto_insurance.toml";
        let text = std::fs::read_to_string(repository().join("config").join(name)).unwrap();
        self.write(name, &format!("{text}\n{tables}"));
    }
}

/// An address nobody listens on. The listener that asked is gone before the exchange takes it, and
/// no other test of this process is given the same.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    let spread = u16::try_from(std::process::id() % u32::from(span)).unwrap_or(0);
    for _ in 0..span {
        let port = PORTS.start + (spread + NEXT.fetch_add(1, Ordering::Relaxed)) % span;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr().unwrap();
        }
    }
    panic!("no address is free");
}

/// The sample's buyers buy at any time and any number.
fn without_hours_and_caps(text: &str) -> String {
    let mut kept = Vec::new();
    let mut in_hours = false;
    for line in text.lines() {
        if line.starts_with('[') {
            in_hours = line.starts_with("[campaign.hours]");
        }
        let dropped = in_hours || line.starts_with("hours = ") || line.starts_with("caps = ");
        if !dropped {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}
