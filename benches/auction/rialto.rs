//! The real `rialto`, built, configured and started as an operator would.

pub(crate) mod config;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::child::{Child, Errors, Placement};
use crate::options::Options;
use crate::sellers::Door;
use crate::{Ran, say};

/// What a seller is paid for a lead that the best bidder bought: 80 % of 1.90.
const PAYOUT: &str = "1.52";

/// The program.
#[derive(Debug)]
pub(crate) struct Rialto {
    program: PathBuf,
}

/// What `rialto key new --json` prints, as far as it is read.
#[derive(Deserialize)]
struct NewKey {
    key: String,
}

impl Rialto {
    /// The program that was named, or a fresh one in the profile of this benchmark.
    pub(crate) fn find(options: &Options) -> Ran<Self> {
        let program = match &options.rialto {
            Some(program) => program.clone(),
            None => build()?,
        };
        let program = program.canonicalize();
        Ok(Self { program: program.map_err(|error| format!("there is no rialto: {error}"))? })
    }

    /// Writes a config into `home`, makes a key, serves.
    pub(crate) fn start(
        &self,
        placement: Placement,
        home: &Path,
        buyers: &[SocketAddr],
    ) -> Ran<(Child, Door)> {
        config::write(home, buyers)?;
        let key = self.key(home)?;
        let mut command = placement.command(&self.program);
        configured(&mut command, home).arg("serve");
        let child = Child::start("rialto serve", command, Errors::Read)?;
        let address = child.line(seller_address)?;
        let sold = [r#""status":"sold""#.to_owned(), format!(r#""price":"{PAYOUT}""#)];
        Ok((child, Door { address, key, sold: sold.to_vec() }))
    }

    fn key(&self, home: &Path) -> Ran<String> {
        let mut command = Command::new(&self.program);
        configured(&mut command, home).args(["--json", "key", "new", config::SOURCE]);
        let output = command.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let [data, told] = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b));
            return Err(format!("`rialto key new` failed:\n{told}{data}").into());
        }
        let made: NewKey = serde_json::from_slice(&output.stdout)?;
        Ok(made.key)
    }
}

/// Config from `home` and from nowhere else.
fn configured<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("RIALTO__")) {
            command.env_remove(name);
        }
    }
    command.current_dir(home).arg("--config").arg(home)
}

/// The address in `sellers    http://127.0.0.1:40001/v1/leads`.
fn seller_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.strip_suffix("/v1/leads")?.parse().ok()
}

fn build() -> Ran<PathBuf> {
    let (profile, folder) =
        if cfg!(debug_assertions) { ("dev", "debug") } else { ("release", "release") };
    say(&format!("building rialto ({profile})"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("a package is in a workspace")?;
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--package", "exchange-server"]);
    command.args(["--bin", "rialto", "--profile", profile]).current_dir(root);
    if !command.status()?.success() {
        return Err("rialto cannot be built".into());
    }
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("it is in a target folder")?;
    Ok(target.join(folder).join("rialto"))
}
