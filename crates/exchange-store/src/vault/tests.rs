//! Keys: made once, kept private, never remade under a database.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::intake::IntakeKind;

#[test]
fn a_root_key_is_made_once_and_only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    let made = RootKey::load_or_create(&path, true).unwrap();
    let read = RootKey::load_or_create(&path, false).unwrap();
    assert_eq!(made.derived().root_check(), read.derived().root_check());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_database_without_its_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = RootKey::load_or_create(&folder.path().join("root.key"), false).unwrap_err();
    assert!(matches!(error, RootKeyError::Missing(_)));
}

#[test]
fn a_key_that_others_may_read_or_that_is_malformed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    drop(RootKey::load_or_create(&path, true).unwrap());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = RootKey::load_or_create(&path, false).unwrap_err();
    assert!(matches!(error, RootKeyError::Exposed(_)));
    std::fs::write(&path, "not a key").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let error = RootKey::load_or_create(&path, false).unwrap_err();
    assert!(matches!(error, RootKeyError::Malformed(_)));
}

#[test]
fn hashes_of_different_things_never_coincide() {
    let keys = RootKey::from_bytes([1; 32]).derived();
    let source = "leadgen/web".parse().unwrap();
    let named =
        |kind, text| keys.idempotency_hash(&source, &IdempotencyKey::new(kind, text).unwrap());
    assert_ne!(named(IntakeKind::Lead, "1"), named(IntakeKind::Ping, "1"));
    assert_ne!(keys.api_key_hash(b"x"), keys.body_fingerprint(b"x"));
    let other = RootKey::from_bytes([2; 32]).derived();
    assert_ne!(keys.api_key_hash(b"x"), other.api_key_hash(b"x"));
    assert!(keys.is_api_key(b"x", &keys.api_key_hash(b"x")));
    assert!(!keys.is_api_key(b"y", &keys.api_key_hash(b"x")));
}

#[test]
fn a_signature_is_good_for_one_campaign_one_post_and_one_exchange() {
    let keys = RootKey::from_bytes([1; 32]).derived();
    let other = RootKey::from_bytes([2; 32]).derived();
    let (acme, zenith) = ("acme/auto".parse().unwrap(), "zenith/auto".parse().unwrap());
    let signed = keys.callback_signature(&acme, "att_1");
    assert!(keys.is_callback_signature(&acme, "att_1", &signed));
    assert!(!keys.is_callback_signature(&acme, "att_2", &signed));
    assert!(!keys.is_callback_signature(&zenith, "att_1", &signed));
    assert!(!other.is_callback_signature(&acme, "att_1", &signed));
}

#[test]
fn nothing_secret_is_printed() {
    let key = RootKey::from_bytes([0xab; 32]);
    assert_eq!(format!("{key:?} {:?}", key.derived()), "[secret] [secret]");
    let key = IdempotencyKey::new(IntakeKind::Lead, "5125550134").unwrap();
    assert!(!format!("{key:?}").contains("512"));
}
