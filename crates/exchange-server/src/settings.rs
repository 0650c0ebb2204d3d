//! Process settings: defaults, then `rialto.toml`, then `RIALTO__SECTION__KEY`, then flags.
//!
//! The `config` crate does the layering only. Values are read here, from their own type: it would
//! take `4.7` for the integer 4. Unknown keys are refused, and every fault names where it came from.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, Environment, File, FileFormat, Value, ValueKind};
use exchange_model::document::parse_duration;

use crate::callbacks::PublicUrl;

/// Process settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The two listeners and the process.
    pub server: ServerSettings,
    /// The database.
    pub store: StoreSettings,
    /// The folder with `verticals/`, `buyers/`, `sellers/`, `trees/`, `tests/` and `lists/`.
    pub routing_dir: PathBuf,
    /// Whether the folder is watched, and a change of it reloaded.
    pub routing_watch: bool,
    /// Secrets of buyers and of the exchange itself.
    pub secrets: SecretSettings,
    /// Limits.
    pub limits: LimitSettings,
    /// Logs.
    pub log: LogSettings,
    /// Whether buyers may live on private and loopback addresses. For tests and the demo.
    pub allow_private_buyers: bool,
}

/// Where the process listens and how it stops.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Sellers post here.
    pub seller_listen: SocketAddr,
    /// Metrics, health and the operator's API; loopback unless you mean it.
    pub operator_listen: SocketAddr,
    /// Where buyers reach the sellers' listener from outside; without it no buyer can call back.
    pub public_url: Option<PublicUrl>,
    /// How long a stopping process waits for its auctions.
    pub drain: Duration,
}

/// The database.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Its file.
    pub path: PathBuf,
    /// With less free space than this, in bytes, no new lead is taken.
    pub min_free: u64,
}

/// Where secrets are.
#[derive(Clone, Debug)]
pub struct SecretSettings {
    /// One file per secret of a buyer.
    pub dir: PathBuf,
    /// The exchange's root key: 64 hexadecimal digits in a file of its own. What is sealed in the
    /// store opens only with it.
    pub root_key: PathBuf,
}

/// Limits of the door.
#[derive(Clone, Debug)]
pub struct LimitSettings {
    /// Most auctions at a time; beyond it sellers are told to come back.
    pub auctions_in_flight: usize,
    /// Most connections of sellers at a time.
    pub connections: usize,
    /// When the oldest write has waited longer than this, no new lead is taken.
    pub queue_age: Duration,
}

/// Logs.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// Their form.
    pub format: LogFormat,
    /// The least level written, or a filter like `info,exchange_server=debug`.
    pub level: String,
}

/// The form of logs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Why settings were refused. All faults at once, one per line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read or is no TOML.
    #[error("{0}")]
    Unreadable(String),
    /// Values that cannot be used.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
}

/// Where the crate `config` says that a variable comes from.
const ENVIRONMENT: &str = "the environment";

const DEFAULTS: &str = r#"
schema = 1
[server]
seller_listen = "127.0.0.1:8080"
operator_listen = "127.0.0.1:9090"
public_url = ""
drain = "20s"
[store]
engine = "sqlite"
path = "rialto.db"
min_free = "512MiB"
[routing]
dir = "config"
watch = false
[secrets]
dir = "secrets"
root_key = "secrets/root.key"
[limits]
auctions_in_flight = 2000
connections = 10000
queue_age = "250ms"
[log]
format = "auto"
level = "info"
[buyers]
allow_private = false
"#;

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn defaults() -> Self {
        Self::load(None, &[]).expect("the defaults are settings")
    }

    /// Reads the layers. `flags` are pairs like `("store.path", "/tmp/x.db")`. A relative path in
    /// the file is relative to the file; elsewhere, to the working directory.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn load(file: Option<&Path>, flags: &[(String, String)]) -> Result<Self, SettingsError> {
        let environment = Environment::with_prefix("RIALTO").prefix_separator("__").separator("__");
        Self::layered(file, environment, flags)
    }

    fn layered(
        file: Option<&Path>,
        environment: Environment,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        let mut layers = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            layers = layers.add_source(File::from(path).format(FileFormat::Toml));
        }
        layers = layers.add_source(environment);
        let mut reader = Reader::new(file);
        for (key, text) in flags {
            layers = layers
                .set_override(key, text.as_str())
                .map_err(|error| SettingsError::Unreadable(error.to_string()))?;
        }
        let layers =
            layers.build().map_err(|error| SettingsError::Unreadable(error.to_string()))?;
        reader.root = Some(layers.cache);
        let settings = reader.settings();
        reader.finish()?;
        settings.ok_or_else(|| SettingsError::Refused(vec!["a setting is missing".to_owned()]))
    }
}

/// Reads values strictly and collects every fault.
struct Reader<'a> {
    root: Option<Value>,
    file: Option<&'a Path>,
    known: BTreeSet<&'static str>,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(file: Option<&'a Path>) -> Self {
        Self { root: None, file, known: BTreeSet::new(), faults: Vec::new() }
    }

    fn settings(&mut self) -> Option<Settings> {
        self.exactly("schema", "1");
        self.exactly("store.engine", "sqlite");
        // Read by the commands that print books.
        self.known.extend(["books.main.currency", "books.main.time_zone"]);
        let server = self.server();
        let store = self.store();
        let routing_dir = self.path("routing.dir");
        let routing_watch = self.boolean("routing.watch");
        let secrets = self.secrets();
        let limits = self.limits();
        let log = self.log();
        let allow_private_buyers = self.boolean("buyers.allow_private");
        Some(Settings {
            server: server?,
            store: store?,
            routing_dir: routing_dir?,
            routing_watch: routing_watch?,
            secrets: secrets?,
            limits: limits?,
            log: log?,
            allow_private_buyers: allow_private_buyers?,
        })
    }

    fn server(&mut self) -> Option<ServerSettings> {
        let seller = self.parsed("server.seller_listen", "an address like 0.0.0.0:8080");
        let operator = self.parsed("server.operator_listen", "an address like 127.0.0.1:9090");
        let public_url = self.public_url();
        let drain = self.duration("server.drain");
        Some(ServerSettings {
            seller_listen: seller?,
            operator_listen: operator?,
            public_url: public_url?,
            drain: drain?,
        })
    }

    /// Empty is none.
    fn public_url(&mut self) -> Option<Option<PublicUrl>> {
        const KEY: &str = "server.public_url";
        let text = self.text(KEY)?;
        if text.is_empty() {
            return Some(None);
        }
        let read = PublicUrl::parse(&text);
        if read.is_none() {
            self.fault(KEY, PublicUrl::WANTED);
        }
        read.map(Some)
    }

    fn store(&mut self) -> Option<StoreSettings> {
        let path = self.path("store.path");
        let min_free = self.bytes("store.min_free");
        Some(StoreSettings { path: path?, min_free: min_free? })
    }

    fn secrets(&mut self) -> Option<SecretSettings> {
        let dir = self.path("secrets.dir");
        let root_key = self.path("secrets.root_key");
        Some(SecretSettings { dir: dir?, root_key: root_key? })
    }

    fn limits(&mut self) -> Option<LimitSettings> {
        let auctions_in_flight = self.count("limits.auctions_in_flight");
        let connections = self.count("limits.connections");
        let queue_age = self.duration("limits.queue_age");
        Some(LimitSettings {
            auctions_in_flight: auctions_in_flight?,
            connections: connections?,
            queue_age: queue_age?,
        })
    }

    fn log(&mut self) -> Option<LogSettings> {
        let level = self.text("log.level");
        let format = self.text("log.format").and_then(|word| match word.as_str() {
            "auto" => Some(LogFormat::Auto),
            "pretty" => Some(LogFormat::Pretty),
            "json" => Some(LogFormat::Json),
            _ => {
                self.fault("log.format", "`auto`, `pretty` or `json`");
                None
            }
        });
        Some(LogSettings { format: format?, level: level? })
    }

    fn value(&mut self, key: &'static str) -> Option<Value> {
        self.known.insert(key);
        let mut value = self.root.clone()?;
        for part in key.split('.') {
            let ValueKind::Table(mut table) = value.kind else { return None };
            value = table.remove(part)?;
        }
        Some(value)
    }

    fn origin(&self, key: &str) -> String {
        let mut value = self.root.as_ref();
        for part in key.split('.') {
            value = match value.map(|v| &v.kind) {
                Some(ValueKind::Table(table)) => table.get(part),
                _ => None,
            };
        }
        self.shown(value.and_then(Value::origin))
    }

    /// Where a value came from, with the file named as it was given to us.
    fn shown(&self, origin: Option<&str>) -> String {
        match (origin, self.file) {
            (Some(ENVIRONMENT), _) => format!(" in {ENVIRONMENT}"),
            (Some(_), Some(file)) => format!(" in {}", file.display()),
            (Some(_) | None, _) => String::new(),
        }
    }

    fn fault(&mut self, key: &str, wanted: &str) {
        let origin = self.origin(key);
        self.faults.push(format!("setting `{key}`{origin}: expected {wanted}"));
    }

    /// The text, as the file or the environment has it.
    fn text(&mut self, key: &'static str) -> Option<String> {
        match self.value(key).map(|value| value.kind) {
            Some(ValueKind::String(text)) => Some(text),
            _ => {
                self.fault(key, "a text in quotes");
                None
            }
        }
    }

    /// A whole number: an integer of the file, or the digits of a variable or flag.
    fn count(&mut self, key: &'static str) -> Option<usize> {
        let number = match self.value(key).map(|value| value.kind) {
            Some(ValueKind::I64(number)) => usize::try_from(number).ok(),
            Some(ValueKind::String(digits)) => digits.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| *number > 0);
        if number.is_none() {
            self.fault(key, "a whole number above 0");
        }
        number
    }

    fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let yes = match self.value(key).map(|value| value.kind) {
            Some(ValueKind::Boolean(yes)) => Some(yes),
            Some(ValueKind::String(word)) => word.parse().ok(),
            _ => None,
        };
        if yes.is_none() {
            self.fault(key, "true or false");
        }
        yes
    }

    fn parsed<T: std::str::FromStr>(&mut self, key: &'static str, wanted: &str) -> Option<T> {
        let read = self.text(key)?.parse().ok();
        if read.is_none() {
            self.fault(key, wanted);
        }
        read
    }

    fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let read = parse_duration(&self.text(key)?).ok();
        if read.is_none() {
            self.fault(key, "a whole number and a unit, like \"20s\"");
        }
        read
    }

    fn bytes(&mut self, key: &'static str) -> Option<u64> {
        let read = parse_bytes(&self.text(key)?);
        if read.is_none() {
            self.fault(key, "a whole number and a unit, like \"512MiB\"");
        }
        read
    }

    fn exactly(&mut self, key: &'static str, only: &str) {
        let is = self.value(key).is_some_and(|value| match value.kind {
            ValueKind::I64(number) => number.to_string() == only,
            ValueKind::String(text) => text == only,
            _ => false,
        });
        if !is {
            self.fault(key, &format!("`{only}`"));
        }
    }

    /// A path; one from the file is relative to the file.
    fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let origin = self.value(key)?.origin().map(str::to_owned);
        let path = PathBuf::from(self.text(key)?);
        // Defaults and flags have no origin, and the file's is written as seen from where we are.
        let from_file = self.file.filter(|_| origin.is_some_and(|origin| origin != ENVIRONMENT));
        match from_file.and_then(Path::parent) {
            Some(beside) => Some(beside.join(path)),
            None => Some(path),
        }
    }

    fn finish(mut self) -> Result<(), SettingsError> {
        let mut keys = Vec::new();
        if let Some(root) = &self.root {
            leaves("", root, &mut keys);
        }
        for (key, origin) in keys {
            if !self.known.contains(key.as_str()) {
                let near = exchange_model::finding::nearest(&key, self.known.iter().copied());
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let origin = self.shown(origin.as_deref());
                self.faults.push(format!("setting `{key}`{origin} is not known{hint}"));
            }
        }
        if self.faults.is_empty() { Ok(()) } else { Err(SettingsError::Refused(self.faults)) }
    }
}

fn leaves(prefix: &str, value: &Value, into: &mut Vec<(String, Option<String>)>) {
    if let ValueKind::Table(table) = &value.kind {
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| key.as_str());
        for (key, inner) in keys {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            leaves(&path, inner, into);
        }
    } else {
        into.push((prefix.to_owned(), value.origin().map(str::to_owned)));
    }
}

/// `512MiB`, `64KiB`, `1GiB` or plain bytes `4096B`.
fn parse_bytes(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(split);
    let factor = match unit {
        "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "GiB" => 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rialto.toml");
        std::fs::write(&path, file).unwrap();
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let environment = Environment::with_prefix("RIALTO")
            .prefix_separator("__")
            .separator("__")
            .source(Some(variables));
        Settings::layered(Some(&path), environment, &[])
            .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "rialto.toml"))
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let settings = read(
            "[limits]\nauctions_in_flight = 7\nconnections = 8\n[store]\npath = \"a.db\"\n",
            &[("RIALTO__LIMITS__CONNECTIONS", "9")],
        )
        .unwrap();
        assert_eq!((settings.limits.auctions_in_flight, settings.limits.connections), (7, 9));
        assert!(settings.store.path.is_absolute(), "relative to the file");
        assert_eq!(settings.server.drain, Duration::from_secs(20));
    }

    #[test]
    fn a_fraction_is_no_whole_number_and_unknown_keys_are_named() {
        let faults = read("[limits]\nauctions_in_flight = 4.7\nconections = 3\n", &[]).unwrap_err();
        assert_eq!(
            faults,
            "setting `limits.auctions_in_flight` in rialto.toml: expected a whole number above 0\n\
             setting `limits.conections` in rialto.toml is not known; did you mean \
             `limits.connections`?"
        );
    }
}
