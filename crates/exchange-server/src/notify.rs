//! Tells the service manager that started us how we are, if it wants to know.
//!
//! One datagram to the socket that `NOTIFY_SOCKET` names. Nobody waits for it, and nothing depends
//! on it: without a service manager nothing is sent.

/// The exchange takes leads; also after a reload, whatever came of it.
pub(crate) fn ready() {
    send("READY=1");
}

/// The files are being read again.
pub(crate) fn reloading() {
    send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
}

/// The exchange finishes what runs and ends.
pub(crate) fn stopping() {
    send("STOPPING=1");
}

#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "the service manager's own way to be found")]
fn send(state: &str) {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Ok(name) = std::env::var("NOTIFY_SOCKET") else { return };
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&name),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

#[cfg(not(target_os = "linux"))]
fn send(_state: &str) {}

/// Microseconds of the clock that the manager compares with: since the machine was started.
fn monotonic_micros() -> u128 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let first = text.split_whitespace().next().unwrap_or("0");
    let (whole, part) = first.split_once('.').unwrap_or((first, "0"));
    let hundredths = part.get(..2).and_then(|part| part.parse::<u128>().ok()).unwrap_or(0);
    let whole = whole.parse::<u128>().unwrap_or(0);
    // Rounded up: what seems older than the signal is not believed.
    let hundredths = hundredths.saturating_add(1);
    whole.saturating_mul(1_000_000).saturating_add(hundredths.saturating_mul(10_000))
}
