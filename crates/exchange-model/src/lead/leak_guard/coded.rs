//! What stands in a text as base64 or as hex.

/// Shortest run worth decoding: four letters are six characters of base64 without its padding.
const RUN_MIN: usize = 6;

/// Every run that decodes to readable text, decoded, each behind a line break.
pub(super) fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in text.split(|b| !is_coded(*b)).filter(|run| run.len() >= RUN_MIN) {
        read(run, &mut out);
        if run.iter().any(|b| is_joint(*b)) {
            for piece in run.split(|b| is_joint(*b)).filter(|piece| piece.len() >= RUN_MIN) {
                read(piece, &mut out);
            }
        }
    }
    out
}

fn is_coded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || is_joint(byte)
}

/// Characters of base64 that join words just as well.
fn is_joint(byte: u8) -> bool {
    matches!(byte, b'/' | b'-' | b'_')
}

fn read(run: &[u8], out: &mut Vec<u8>) {
    keep_readable(out, |out| base64(run, out));
    keep_readable(out, |out| hex(run, out));
}

/// Keeps what `decode` wrote if it is text without control characters.
fn keep_readable(out: &mut Vec<u8>, decode: impl FnOnce(&mut Vec<u8>) -> Option<()>) {
    let before = out.len();
    out.push(b'\n');
    let start = out.len();
    let written = decode(out).and_then(|()| std::str::from_utf8(out.get(start..)?).ok());
    if written.is_none_or(|text| text.chars().any(char::is_control)) {
        out.truncate(before);
    }
}

/// Nothing when the first letters already are no text: most words end here.
fn base64(run: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if run.len() % 4 == 1 {
        return None;
    }
    for four in run.chunks(4) {
        let mut bits = 0_u32;
        for c in four {
            bits = bits << 6 | u32::from(sextet(*c)?);
        }
        let missing = 4_usize.saturating_sub(four.len());
        let [_, bytes @ ..] = (bits << (6 * u32::try_from(missing).ok()?)).to_be_bytes();
        let bytes = bytes.get(..3_usize.saturating_sub(missing))?;
        if bytes.iter().any(u8::is_ascii_control) {
            return None;
        }
        out.extend_from_slice(bytes);
    }
    Some(())
}

fn sextet(c: u8) -> Option<u8> {
    match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn hex(run: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if !run.len().is_multiple_of(2) || !run.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let start = out.len();
    out.resize(start.checked_add(run.len() / 2)?, 0);
    hex::decode_to_slice(run, out.get_mut(start..)?).ok()
}
