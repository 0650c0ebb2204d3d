//! The operating system's random numbers, for ids, keys and nonces. Nothing is decided by them.

/// Random bytes.
///
/// # Panics
/// When the operating system has none to give: nothing safe can be done then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes
}
