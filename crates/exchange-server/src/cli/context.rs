//! What every command needs: the config folder, the settings, the compiled exchange.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use buyer_connectors::Secrets;
use exchange_model::{Currency, Document, Findings, SourceFile};
use jiff::tz::TimeZone;

use crate::cli::diagnostics::{self, Look};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::load::{Exchange, load_with};
use crate::settings::Settings;

/// The process settings' file in a config folder.
pub(crate) const SETTINGS_FILE: &str = "rialto.toml";
/// Rounds of naming secrets that are absent: a second connector may show only once a first is read.
const SECRET_ROUNDS: usize = 3;

/// What every command is given.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The folder that holds `rialto.toml` and the routing.
    pub(crate) config: PathBuf,
    /// Where it prints.
    pub(crate) out: Output,
}

impl Context {
    /// The process settings, with these flags over file and environment.
    pub(crate) fn settings(&self, flags: &[(String, String)]) -> Result<Settings, Failure> {
        let file = self.config.join(SETTINGS_FILE);
        if !self.config.is_dir() {
            let message = format!("there is no config folder `{}`", self.config.display());
            return Err(Failure::bad_config(message)
                .help("name the folder that holds rialto.toml: --config DIR"));
        }
        let file = file.is_file().then_some(file);
        let mut settings = Settings::load(file.as_deref(), flags).map_err(Failure::bad_config)?;
        settings.routing_dir = tidy(&settings.routing_dir);
        settings.store.path = tidy(&settings.store.path);
        settings.secrets.dir = tidy(&settings.secrets.dir);
        settings.secrets.root_key = tidy(&settings.secrets.root_key);
        Ok(settings)
    }

    /// The settings of a folder whose own cannot be used, for looking at its routing all the same.
    pub(crate) fn default_settings(&self) -> Settings {
        let mut settings = Settings::defaults();
        settings.routing_dir = tidy(&self.config);
        settings.secrets.dir = self.config.join("secrets");
        settings
    }

    /// The clock of the books: statements cut their days by it.
    pub(crate) fn time_zone(&self) -> Result<TimeZone, Failure> {
        let name = self.of_books("time_zone")?.unwrap_or_else(|| "UTC".to_owned());
        TimeZone::get(&name).map_err(|_unknown| {
            Failure::bad_config(format!("books.main.time_zone: there is no time zone `{name}`"))
        })
    }

    /// The currency of the books.
    pub(crate) fn currency(&self) -> Result<Currency, Failure> {
        match self.of_books("currency")? {
            Some(code) => Currency::new(&code).map_err(Failure::bad_config),
            None => Ok(Currency::USD),
        }
    }

    fn of_books(&self, key: &'static str) -> Result<Option<String>, Failure> {
        let file = self.config.join(SETTINGS_FILE);
        let Ok(text) = std::fs::read_to_string(&file) else { return Ok(None) };
        let mut findings = Findings::new();
        let source = SourceFile { path: file.display().to_string(), text };
        let document = Document::parse(Arc::new(source), &mut findings);
        let read = document.and_then(|document| {
            let mut books = document.reader().table("books", &mut findings)?;
            let mut main = books.table("main", &mut findings)?;
            main.string(key, "\"...\"", &mut findings).map(|text| text.value.to_owned())
        });
        if findings.has_errors() {
            diagnostics::print(&findings, Look::Full, self.out)?;
            return Err(Failure::silent(Exit::BadConfig));
        }
        Ok(read)
    }

    /// The compiled exchange, for commands that send nothing: absent secrets do not matter to them.
    /// Errors are printed.
    pub(crate) fn exchange(&self) -> Result<Exchange, Failure> {
        let settings = self.settings(&[])?;
        let (exchange, findings) = load_without_secrets(&settings);
        match exchange {
            Some(exchange) => Ok(exchange),
            None => {
                diagnostics::print(&findings, Look::Full, self.out)?;
                Err(Failure::silent(Exit::BadConfig))
            }
        }
    }
}

/// Loads with a stand-in for every secret that config names.
pub(crate) fn load_without_secrets(settings: &Settings) -> (Option<Exchange>, Findings) {
    let mut stand_ins: Vec<(String, &str)> = Vec::new();
    let mut rounds = 0..SECRET_ROUNDS;
    loop {
        let mut findings = Findings::new();
        let secrets = Secrets::from_pairs(stand_ins.iter().cloned());
        let exchange = load_with(settings, &secrets, &mut findings);
        let absent = absent_secrets(&findings);
        if absent.is_empty() || rounds.next().is_none() {
            return (exchange, findings);
        }
        stand_ins.extend(absent.into_iter().map(|name| (name, "stand-in")));
    }
}

/// Names of the secrets that config names and nobody has put down.
pub(crate) fn absent_secrets(findings: &Findings) -> Vec<String> {
    let absent = findings.sorted().into_iter().filter(|finding| finding.code == "no_secret");
    let name = |text: &str| text.split('`').nth(1).map(str::to_owned);
    absent.filter_map(|finding| name(&finding.message)).collect()
}

/// The path without its `.` parts.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}
