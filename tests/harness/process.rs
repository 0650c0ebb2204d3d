//! The running binary: started, watched, stopped and killed by its own id only.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::binary::rialto;
use super::site::Site;
use super::waiting::{PATIENCE, eventually, now};

/// One `rialto serve`. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    child: Child,
}

impl Serving {
    /// Starts the exchange of this site and waits until it takes leads.
    pub(crate) async fn start(site: &Site) -> Self {
        let mut serving = Self::spawn(site);
        serving.until_ready(site).await;
        serving
    }

    /// Starts the exchange of this site.
    pub(crate) fn spawn(site: &Site) -> Self {
        Self::spawn_with(site, &[])
    }

    /// Starts a second exchange on the same store, at other addresses.
    pub(crate) fn spawn_elsewhere(site: &Site) -> Self {
        let anywhere = "127.0.0.1:0";
        Self::spawn_with(site, &["--seller-listen", anywhere, "--operator-listen", anywhere])
    }

    fn spawn_with(site: &Site, options: &[&str]) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(site.log_path()).unwrap();
        let child = command(site.config())
            .args(["serve", "--lab-hosts"])
            .arg(site.path("hosts.json"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Waits until `/readyz` says yes; a process that ends first fails the test with its log.
    pub(crate) async fn until_ready(&mut self, site: &Site) {
        let client = reqwest_client();
        let url = format!("http://{}/readyz", site.operator);
        let began = now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the exchange ended with {status}:\n{}", tail(&site.log()));
            }
            if client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "not ready:\n{}", tail(&site.log()));
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Asks it to stop, as an init system does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Asks it to read its config again, as an init system does.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, which: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([which, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it at once, without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        // A process that has ended cannot be killed, and needs not be.
        drop(self.child.kill());
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually("the exchange to end", || {
            let ended = self.child.try_wait().unwrap();
            async move { ended }
        })
        .await
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `rialto` for this config, without what the tester's own environment says about it.
pub(crate) fn command(config: &Path) -> Command {
    let mut command = Command::new(rialto());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("RIALTO")) {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1").arg("--config").arg(config);
    command
}

/// The last lines of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

fn reqwest_client() -> reqwest::Client {
    super::seller::client()
}
