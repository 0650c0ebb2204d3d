//! Stops inside commit A, versions of the config, and the record that only grows.

use super::*;
use crate::operators::{Action, Cause, Force, NewVersion, Stop, Subject};

fn stop(force: Force, subject: Subject, until: Option<Timestamp>) -> Stop {
    let (why, actor) = ("a test".to_owned(), "cli anna".to_owned());
    Stop { subject, force, since: at(0), until, why, actor }
}

fn of(kind: &str, name: &str) -> Subject {
    Subject::parse(kind, name).unwrap()
}

#[test]
fn a_kill_refuses_the_post_inside_commit_a_and_a_pause_does_not() {
    let desk = Desk::new();
    let kills = [
        of("buyer", "acme"),
        of("campaign", "acme/auto"),
        of("source", "leadgen/web"),
        Subject::All,
    ];
    for (number, subject) in (1..).zip(kills) {
        desk.take_in(number);
        let order = intent(number, 1, "acme", "12.00");
        desk.store().stop(stop(Force::Kill, subject.clone(), None)).blocking_wait().unwrap();
        assert_eq!(desk.prepare(order.clone()).unwrap_err(), Refused::Stopped, "{subject}");
        desk.store().stop(stop(Force::Pause, subject.clone(), None)).blocking_wait().unwrap();
        desk.prepare(order).unwrap();
        assert!(desk.store().resume(subject, at(9), "anna".into()).blocking_wait().unwrap());
    }
    desk.verify();
}

#[test]
fn a_kill_of_another_or_one_that_is_over_refuses_nothing() {
    let desk = Desk::new();
    desk.take_in(1);
    for subject in [of("buyer", "bolt"), of("campaign", "acme/home"), of("source", "leadgen/app")] {
        desk.store().stop(stop(Force::Kill, subject, None)).blocking_wait().unwrap();
    }
    desk.store().stop(stop(Force::Kill, Subject::All, Some(at(2)))).blocking_wait().unwrap();
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    desk.verify();
}

#[test]
fn stops_outlive_a_crash_and_are_known_at_once() {
    let mut desk = Desk::new();
    desk.store().stop(stop(Force::Pause, of("buyer", "acme"), None)).blocking_wait().unwrap();
    desk.crash();
    let stops = desk.store().stops();
    assert!(stops.of_campaign(&campaign("acme/auto"), at(1)).is_some());
    assert!(
        desk.store().resume(of("buyer", "acme"), at(2), "anna".into()).blocking_wait().unwrap()
    );
    assert!(desk.store().stops().of_campaign(&campaign("acme/auto"), at(3)).is_none());
    assert!(
        !desk.store().resume(of("buyer", "acme"), at(4), "anna".into()).blocking_wait().unwrap()
    );
    let deeds = desk.store().audit_log(10).blocking_wait().unwrap();
    let deeds: Vec<&str> = deeds.iter().map(|entry| entry.action.action.as_str()).collect();
    assert_eq!(deeds, ["resume", "pause"]);
}

#[test]
fn the_record_of_operators_can_only_grow() {
    let desk = Desk::new();
    let action = Action {
        at: at(1),
        actor: "cli anna".into(),
        action: "key_new".into(),
        subject: "source kart/search".into(),
        detail: "x".repeat(10_000),
    };
    desk.store().audit(action).blocking_wait().unwrap();
    for sql in ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"] {
        let done = desk.store().write(move |txn| super::super::columns::run(txn.conn, sql, []));
        assert!(done.blocking_wait().is_err(), "{sql}");
    }
    let kept = desk.store().audit_log(10).blocking_wait().unwrap();
    assert_eq!((kept.len(), kept[0].number), (1, 1));
    assert_eq!(kept[0].action.detail.len(), crate::operators::DETAIL_MAX);
}

fn version(hash: &str, cause: Cause, files: &[(&str, String)]) -> NewVersion {
    NewVersion {
        set_hash: hash.to_owned(),
        files: files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
        at: at(1),
        cause,
        actor: "cli anna".to_owned(),
        again_of: None,
    }
}

#[test]
fn versions_count_on_name_what_changed_and_keep_each_content_once() {
    let desk = Desk::new();
    let apply = |new| desk.store().apply_version(new).blocking_wait().unwrap();
    let (one, two) = ("one".to_owned(), "two".to_owned());
    let a = [("buyers/a.toml", one.clone()), ("trees/t.toml", one.clone())];
    let b = [("buyers/a.toml", two), ("lists/l.txt", one)];
    assert_eq!(apply(version("aa", Cause::Start, &a)).number, 1);
    assert_eq!(apply(version("aa", Cause::Start, &a)).number, 1, "the same start is no version");
    let second = apply(version("bb", Cause::Reload, &b));
    let named: Vec<String> =
        second.changes.iter().map(|c| format!("{} {}", c.file, c.how)).collect();
    let wanted = ["buyers/a.toml changed", "lists/l.txt added", "trees/t.toml removed"];
    assert_eq!((second.number, named), (2, wanted.map(str::to_owned).to_vec()));
    let again = NewVersion { again_of: Some(1), ..version("aa", Cause::Rollback, &a) };
    assert_eq!(apply(again).label(), "v3-aa");
    let (third, files) = desk.store().version(3).blocking_wait().unwrap().unwrap();
    assert_eq!((third.again_of, files.len()), (Some(1), 2));
    let contents = desk.store().write(|txn| {
        let sql = "SELECT count(*) FROM config_content";
        super::super::columns::one(txn.conn, sql, [], |row| Ok(row.get::<_, i64>(0)?))
    });
    assert_eq!(contents.blocking_wait().unwrap(), Some(2));
    assert_eq!(desk.store().versions(2).blocking_wait().unwrap().len(), 2);
}

#[test]
fn the_files_of_old_versions_make_room_and_their_numbers_stay() {
    let desk = Desk::new();
    for (hash, letter) in [("aa", "a"), ("bb", "b"), ("cc", "c")] {
        let files = [("lists/l.txt", letter.repeat(100)), ("lists/same.txt", "same".to_owned())];
        let applied = desk.store().apply_version(version(hash, Cause::Reload, &files));
        assert!(applied.blocking_wait().unwrap().kept);
    }
    desk.store().write(|txn| txn.drop_old_sets("cc", 250)).blocking_wait().unwrap();
    let kept: Vec<bool> =
        desk.store().versions(9).blocking_wait().unwrap().iter().map(|v| v.kept).collect();
    assert_eq!(kept, [true, true, false]);
    let (_, files) = desk.store().version(2).blocking_wait().unwrap().unwrap();
    assert_eq!(files.len(), 2, "what two sets share stays");
}
