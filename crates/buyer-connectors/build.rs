//! Embeds every file of `presets/`: a preset is data, and a new one needs no line of code.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=presets");
    let mut list = String::from("&[\n");
    for path in files(&folder("CARGO_MANIFEST_DIR").join("presets")) {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("a preset is a text file");
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        let title = title(&text).unwrap_or_else(|| panic!("{name}: no line `title = \"...\"`"));
        writeln!(
            list,
            "Preset {{ name: {name:?}, title: {title:?}, text: include_str!({:?}) }},",
            path.display().to_string()
        )
        .expect("writing to a string");
    }
    list.push(']');
    fs::write(folder("OUT_DIR").join("presets.rs"), list).expect("the build folder is writable");
}

/// Cargo tells a build script its folders so.
fn folder(variable: &str) -> PathBuf {
    std::env::var_os(variable).expect("set by cargo").into()
}

/// In order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("presets/ is beside this file")
        .map(|entry| entry.expect("presets/ is readable").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    files.sort();
    files
}

fn title(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("title = \"")?.strip_suffix('"'))
}
