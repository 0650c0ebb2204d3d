//! What changes, said in words.

use std::path::Path;

use super::*;

fn set(files: &[(&str, &str)]) -> FileSet {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    FileSet::of(Path::new("config"), files)
}

fn said(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
    let line = |change: Change| {
        let at = change.line.map_or(String::new(), |line| format!(":{line}"));
        format!("{}{at} {} {}", change.file, change.what, change.kind)
    };
    changes(&set(before), &set(after)).into_iter().map(line).collect()
}

const BUYER: &str = "id = \"acme\"\n[[campaign]]\nid = \"tx\"\ncaps = { day = 150 }\n\
                     [campaign.accepts]\nstate = [\"TX\", \"OK\"]\n";

#[test]
fn a_key_a_list_and_a_table_are_named_with_their_lines() {
    let after = "id = \"acme\"\n[[campaign]]\nid = \"ok\"\n[[campaign]]\nid = \"tx\"\ncaps = { day = 120, hour = 9 }\n\
                 [campaign.accepts]\nstate = [\"OK\", \"CO\"]\n";
    assert_eq!(
        said(&[("buyers/acme.toml", BUYER)], &[("buyers/acme.toml", after)]),
        [
            "buyers/acme.toml:2 campaign ok new",
            "buyers/acme.toml:6 campaign tx: caps.day 150 -> 120",
            "buyers/acme.toml:6 campaign tx: caps.hour new: 9",
            "buyers/acme.toml:8 campaign tx: accepts.state + CO   - TX",
        ]
    );
}

#[test]
fn whole_files_come_and_go_and_comments_are_no_change() {
    let noted = format!("# a remark\n{BUYER}");
    assert_eq!(
        said(
            &[("buyers/acme.toml", BUYER), ("lists/a.txt", "1\n2\n")],
            &[
                ("buyers/acme.toml", &noted),
                ("lists/a.txt", "2\n# two\n3\n"),
                ("sellers/kart.toml", "id = \"kart\""),
            ]
        ),
        [
            "buyers/acme.toml  rewritten, says the same",
            "lists/a.txt  + 3   - 1",
            "sellers/kart.toml  new",
        ]
    );
    assert_eq!(said(&[("buyers/acme.toml", BUYER)], &[]), ["buyers/acme.toml  gone"]);
    assert!(said(&[("buyers/acme.toml", BUYER)], &[("buyers/acme.toml", BUYER)]).is_empty());
}

#[test]
fn order_counts_where_it_decides() {
    let tree = |tiers: &str| format!("id = \"main\"\n{tiers}");
    let tier =
        |name: &str, members: &str| format!("[[tier]]\nname = \"{name}\"\nmembers = {members}\n");
    let before = tree(&(tier("a", "[\"x/1\", \"y/1\"]") + &tier("b", "[\"z/1\"]")));
    let after = tree(&(tier("b", "[\"z/1\"]") + &tier("a", "[\"y/1\", \"x/1\"]")));
    assert_eq!(
        said(&[("trees/main.toml", &before)], &[("trees/main.toml", &after)]),
        [
            "trees/main.toml:7 tier a: members order is now y/1, x/1",
            "trees/main.toml tier order is now b, a",
        ]
    );
}
