//! Folders as careless operators leave them.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn written(root: &Path, text: &str) {
    for section in SECTIONS {
        std::fs::create_dir_all(root.join(section)).unwrap();
        for number in 0..20 {
            std::fs::write(root.join(section).join(format!("{number}.txt")), text).unwrap();
        }
    }
}

fn codes(dir: &Path) -> Vec<&'static str> {
    let mut findings = Findings::new();
    let _files = FileSet::read(dir, &mut findings);
    findings.sorted().iter().map(|finding| finding.code).collect()
}

#[test]
fn a_folder_whose_link_is_turned_while_it_is_read_is_one_of_the_two() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    written(&one, "one");
    written(&two, "two");
    let live = dir.path().join("live");
    symlink(&one, &live).unwrap();
    let hash = |dir: &Path| FileSet::read(dir, &mut Findings::new()).hash().to_owned();
    let whole = [hash(&one), hash(&two)];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for target in [&two, &one] {
                    symlink(target, dir.path().join("next")).unwrap();
                    std::fs::rename(dir.path().join("next"), &live).unwrap();
                }
            }
        });
        let mixed = (0..50).filter(|_| !whole.contains(&hash(&live))).count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(mixed, 0, "sets that are half of each");
    });
}

#[test]
fn what_cannot_be_read_is_said_and_not_left_out() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), "text");
    assert_eq!(codes(dir.path()), Vec::<&str>::new());
    symlink(dir.path().join("gone"), dir.path().join("sellers/kart.toml")).unwrap();
    assert_eq!(codes(dir.path()), ["unreadable_file"], "a link that leads nowhere");
    std::fs::remove_file(dir.path().join("sellers/kart.toml")).unwrap();
    std::fs::remove_dir_all(dir.path().join("sellers")).unwrap();
    assert_eq!(codes(dir.path()), Vec::<&str>::new(), "a folder may be absent");
    std::fs::write(dir.path().join("sellers"), "no folder").unwrap();
    assert_eq!(codes(dir.path()), ["unreadable_folder"]);
}

#[test]
fn what_an_editor_leaves_behind_and_what_is_no_file_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), "text");
    symlink("anna@host.123", dir.path().join("buyers/.#acme.toml")).unwrap();
    std::fs::write(dir.path().join("buyers/acme.toml~"), "old").unwrap();
    std::fs::create_dir(dir.path().join("buyers/old")).unwrap();
    assert_eq!(codes(dir.path()), Vec::<&str>::new());
}

#[test]
fn binary_files_and_files_that_are_too_large_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), "text");
    std::fs::write(dir.path().join("lists/zips.txt"), [0xff, 0xfe, 0]).unwrap();
    assert_eq!(codes(dir.path()), ["unreadable_file"]);
    let most = u64::try_from(LIST_MAX).unwrap();
    let file = File::create(dir.path().join("lists/zips.txt")).unwrap();
    file.set_len(most).unwrap();
    assert_eq!(codes(dir.path()), Vec::<&str>::new());
    file.set_len(most + 1).unwrap();
    assert_eq!(codes(dir.path()), ["unreadable_file"]);
}
