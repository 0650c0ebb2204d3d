//! The repository keeps its own rules: the direction of dependencies, what is absent where, module
//! docs, inherited lints, licences, and who may call the two guarded constructors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every edge that may stand in a manifest, after the figure in ARCHITECTURE.md.
const EDGES: &[(&str, &[&str])] = &[
    ("exchange-model", &[]),
    ("ping-tree", &["exchange-model"]),
    ("exchange-core", &["ping-tree", "exchange-model"]),
    ("buyer-connectors", &["exchange-model"]),
    ("settlement-ledger", &["exchange-model"]),
    ("exchange-store", &["exchange-core", "settlement-ledger", "exchange-model"]),
    (
        "exchange-lab",
        &[
            "exchange-model",
            "ping-tree",
            "exchange-core",
            "buyer-connectors",
            "settlement-ledger",
            "exchange-store",
        ],
    ),
    (
        "exchange-server",
        &[
            "exchange-model",
            "ping-tree",
            "exchange-core",
            "buyer-connectors",
            "settlement-ledger",
            "exchange-store",
            "exchange-lab",
        ],
    ),
];

/// Crates that decide and do no IO, and what they must not reach, however indirectly.
const PURE: &[&str] = &["exchange-model", "ping-tree", "exchange-core", "settlement-ledger"];
const BANNED: &[&str] = &["tokio", "hyper", "reqwest", "axum", "rusqlite", "tokio-postgres", "mio"];

/// Packages that the project must use, each with a job of its own.
const REQUIRED: &[&str] = &[
    "tokio",
    "hyper",
    "reqwest",
    "serde",
    "rust_decimal",
    "dashmap",
    "metrics",
    "metrics-exporter-prometheus",
    "tracing",
    "config",
];

const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The graph of this platform only: other platforms' crates were perhaps never downloaded.
fn resolved() -> Value {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    metadata(&["--filter-platform", host])
}

fn sources(under: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(under)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn crates_depend_on_each_other_in_one_direction_only() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for package in metadata(&["--no-deps"])["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(allowed) = allowed.get(name) else { continue };
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let ours = EDGES.iter().any(|(ours, _)| *ours == to);
            assert!(!ours || allowed.contains(&to), "`{name}` must not depend on `{to}`");
        }
    }
}

#[test]
fn what_decides_does_no_io() {
    let graph = resolved();
    let names: BTreeMap<&str, &str> = graph["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["id"].as_str().unwrap(), p["name"].as_str().unwrap()))
        .collect();
    let nodes: BTreeMap<&str, &Value> = graph["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    for pure in PURE {
        let start = names.iter().find(|(_, name)| *name == pure).unwrap().0;
        let mut seen = BTreeSet::new();
        let mut open = vec![*start];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            assert!(!BANNED.contains(&names[id]), "`{pure}` reaches `{}`", names[id]);
            for dep in nodes[id]["deps"].as_array().unwrap() {
                let normal =
                    dep["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null());
                if normal {
                    open.push(dep["pkg"].as_str().unwrap());
                }
            }
        }
        assert!(seen.len() > 3, "the walk saw the graph of `{pure}`");
    }
}

#[test]
fn every_package_inherits_the_lints_and_the_licence() {
    for package in metadata(&["--no-deps"])["packages"].as_array().unwrap() {
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        let name = &package["name"];
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} inherits no lints");
        assert_eq!(package["license"], "Apache-2.0", "{name}");
    }
}

#[test]
fn required_packages_are_used() {
    let declared: BTreeSet<String> = metadata(&["--no-deps"])["packages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|p| p["dependencies"].as_array().unwrap().clone())
        .filter(|d| d["kind"].is_null())
        .map(|d| d["name"].as_str().unwrap().to_owned())
        .collect();
    let code: String = sources("crates").into_iter().map(|(_, text)| text).collect();
    for package in REQUIRED {
        assert!(declared.contains(*package), "`{package}` is declared by no crate");
        let path = format!("{}::", package.replace('-', "_"));
        assert!(code.contains(&path), "`{package}` is declared but used nowhere");
    }
}

#[test]
fn dependencies_have_known_licences_and_come_from_the_registry() {
    for package in resolved()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let source = package["source"].as_str();
        assert!(source.is_none_or(|s| s.starts_with("registry+")), "{name}: {source:?}");
        let licence = package["license"].as_str().unwrap_or("").replace('/', " OR ");
        let known = licence
            .replace(['(', ')'], "")
            .split(" OR ")
            .any(|choice| choice.split(" AND ").all(|one| LICENCES.contains(&one.trim())));
        assert!(known, "`{name}` is licensed `{licence}`");
    }
}

#[test]
fn every_module_says_what_it_is() {
    for (name, text) in ["crates", "tests", "benches"].into_iter().flat_map(sources) {
        assert!(text.starts_with("//!"), "{name} does not begin with a module doc");
    }
}

#[test]
fn modules_are_files_not_mod_rs_and_nothing_is_left_undone() {
    for (name, text) in ["crates", "tests", "benches"].into_iter().flat_map(sources) {
        assert!(!name.ends_with("/mod.rs"), "{name}");
        for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), "#[ignore"] {
            assert!(!text.contains(mark) || name == "tests/tidy.rs", "{name} contains {mark}");
        }
    }
}

/// Lines that call `what` outside comments and tests.
fn callers(what: &str) -> Vec<String> {
    sources("crates")
        .into_iter()
        .filter(|(name, _)| !name.contains("/tests") && !name.ends_with("tests.rs"))
        .flat_map(|(name, text)| {
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("").to_owned();
            let calls = code
                .lines()
                .filter(|line| line.contains(what) && !line.trim_start().starts_with("//"))
                .count();
            std::iter::repeat_n(name, calls)
        })
        .collect()
}

#[test]
fn only_the_store_issues_permits_and_only_a_lead_opens_contact_data() {
    for caller in callers("PostPermit::issue(") {
        assert!(caller.starts_with("crates/exchange-store/src/"), "{caller} issues a permit");
    }
    assert!(!callers("PostPermit::issue(").is_empty());
    for caller in callers("rehearsal_permit(") {
        let may = [
            "crates/exchange-store/src/rehearsal.rs",
            "crates/exchange-server/src/cli/buyer_test/",
        ];
        assert!(may.iter().any(|place| caller.starts_with(place)), "{caller} rehearses a post");
    }
    assert_eq!(callers(".expose(permit)"), ["crates/exchange-model/src/lead.rs"]);
    for caller in callers(".inner()") {
        let one_way = [
            "lead.rs",
            "lead/listed.rs",
            "lead/vault.rs",
            "lead/leak_guard/wanted.rs",
            "ping_value.rs",
        ]
        .map(|file| format!("crates/exchange-model/src/{file}"));
        let elsewhere = !caller.starts_with("crates/exchange-model/");
        assert!(elsewhere || one_way.contains(&caller), "{caller} reads contact data");
    }
}

/// Templates, paths and regular expressions are read when the config is loaded: what handles a
/// lead holds compiled ones, and has no way to make more.
#[test]
fn nothing_of_a_connector_is_parsed_after_load() {
    const AT_LOAD: &[&str] = &[
        "crates/buyer-connectors/src/compile",
        "crates/buyer-connectors/src/reply/compile",
        "crates/buyer-connectors/src/presets",
    ];
    for what in [
        "Regex::new(",
        "RegexBuilder::new(",
        "RegexSet::new(",
        "JsonPath::parse(",
        "XPath::parse(",
        "= pieces(",
        "match pieces(",
        "DateForm::parse(",
        "Document::parse(",
        "parse_duration(",
        "LazyLock",
        "OnceLock",
    ] {
        let callers = callers(what);
        for caller in callers.iter().filter(|name| name.starts_with("crates/buyer-connectors/")) {
            let at_load = AT_LOAD.iter().any(|place| caller.starts_with(place));
            assert!(at_load, "{caller} calls `{what}` while a lead waits");
        }
    }
    let known = callers("JsonPath::parse(").len().min(callers("XPath::parse(").len());
    assert!(known.min(callers("match pieces(").len()) > 0, "the names have changed");
}

#[test]
fn ping_encoding_never_names_contact_data_or_permits() {
    for (name, text) in sources("crates/buyer-connectors/src") {
        let file = name.rsplit('/').next().unwrap();
        if file.starts_with("ping") {
            let code: String =
                text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for banned in ["Pii", "PostPermit", ".contact()"] {
                assert!(!code.contains(banned), "{name} names `{banned}`");
            }
        }
    }
}

#[test]
fn one_place_reads_the_clock() {
    let clock = "crates/exchange-server/src/clock.rs";
    for what in ["SystemTime::now()", "Instant::now()", "Zoned::now()", "jiff::Timestamp::now()"] {
        for caller in callers(what) {
            let allowed = caller == clock
                || caller.starts_with("crates/exchange-lab/")
                || caller.starts_with("crates/buyer-connectors/src/transport")
                || caller.starts_with("crates/exchange-store/src/");
            assert!(allowed, "{caller} reads the clock with {what}");
        }
    }
}

#[test]
fn connectors_hold_no_vendor_name() {
    for (name, text) in sources("crates/buyer-connectors/src") {
        let text = text.to_lowercase();
        for vendor in [
            "boberdoo",
            "leadspedia",
            "phonexa",
            "leadconduit",
            "lead prosper",
            "leadprosper",
            "ringba",
            "leadbyte",
            "leadexec",
            "jangle",
            "hubspot",
            "salesforce",
            "zapier",
        ] {
            assert!(!text.contains(vendor), "{name} names `{vendor}`");
        }
    }
}

#[test]
fn every_failure_of_the_catalogue_that_is_built_has_its_test() {
    let list = std::fs::read_to_string(root().join("tests/catalogue.txt")).unwrap();
    let code: String =
        ["tests", "crates"].into_iter().flat_map(sources).map(|(_, text)| text).collect();
    let mut rows = BTreeSet::new();
    for line in list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let test = line.split_whitespace().nth(1).unwrap_or_else(|| panic!("no test in `{line}`"));
        assert!(code.contains(&format!("fn {test}(")), "no test is called `{test}`");
        rows.extend(line.split_whitespace().next());
    }
    let buyers = (1..=16).map(|row| format!("B{row}"));
    let posts = [1, 2, 3, 4, 5, 6, 7, 9, 10, 13].map(|row| format!("C{row}"));
    for row in buyers.chain(posts) {
        assert!(rows.contains(row.as_str()), "no test stands for {row}");
    }
}
