use std::os::unix::fs::PermissionsExt;

use super::Rotation;
use crate::identity::{Error, Identities};

fn now() -> chrono::DateTime<chrono::Utc> {
    "2026-11-25T13:04:05Z".parse().unwrap()
}

#[test]
fn a_rotation_makes_another_pepper_and_keeps_the_old_one_beside() {
    let dir = tempfile::tempdir().unwrap();
    let old = Identities::open(dir.path()).unwrap();
    let (check, user) = (old.check_value(), old.user("alice"));
    let in_use = Rotation::begin(dir.path());
    assert!(matches!(in_use, Err(Error::InUse { .. })), "a process that hashes with it holds it");
    drop(old);

    let rotation = Rotation::begin(dir.path()).unwrap();
    assert_eq!((rotation.own(), rotation.left()), (Some(check.as_str()), None));
    assert!(matches!(Identities::open_existing(dir.path()), Err(Error::Rotating { .. })));
    let new = rotation.prepare().unwrap();
    assert_ne!(new, check);
    let kept = rotation.finish(now()).unwrap().unwrap();
    assert_eq!(kept, dir.path().join("pepper-20261125T130405Z.key"));
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    let rotated = Identities::open(dir.path()).unwrap();
    assert_eq!(rotated.check_value(), new);
    assert_ne!(rotated.user("alice"), user);
    // Whoever needs the old one names its file.
    let former = Identities::open_existing(&kept).unwrap().unwrap();
    assert_eq!((former.check_value(), former.user("alice")), (check, user));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_rotation_that_was_cut_off_is_told_and_finished_with_the_same_pepper() {
    let dir = tempfile::tempdir().unwrap();
    let check = Identities::open(dir.path()).unwrap().check_value();
    let new = Rotation::begin(dir.path()).unwrap().prepare().unwrap();
    // The warehouse may have taken the new one or not: what is told depends on it.
    let own = Identities::open_existing(dir.path()).unwrap().unwrap();
    own.compare(&check).unwrap();
    assert!(
        matches!(own.compare(&new), Err(Error::Unfinished { path }) if path.ends_with("pepper-next.key"))
    );
    assert!(matches!(own.compare("another"), Err(Error::OtherPepper { .. })));
    assert!(matches!(Identities::missing(dir.path(), &new), Error::Unfinished { .. }));
    drop(own);

    let again = Rotation::begin(dir.path()).unwrap();
    assert_eq!(again.left(), Some(new.as_str()));
    assert_eq!(again.prepare().unwrap(), new);
    again.finish(now()).unwrap();
    assert_eq!(Identities::open(dir.path()).unwrap().check_value(), new);
    assert_eq!(Rotation::begin(dir.path()).unwrap().left(), None);
}

#[test]
fn a_lost_pepper_leaves_nothing_to_keep_and_a_discarded_one_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let rotation = Rotation::begin(dir.path()).unwrap();
    assert_eq!((rotation.own(), rotation.kept(now())), (None, None));
    rotation.prepare().unwrap();
    rotation.discard().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let rotation = Rotation::begin(dir.path()).unwrap();
    let new = rotation.prepare().unwrap();
    assert_eq!(rotation.finish(now()).unwrap(), None);
    assert_eq!(Identities::open(dir.path()).unwrap().check_value(), new);
}

#[test]
fn the_file_of_the_pepper_may_be_named_instead_of_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secrets/bellwether.key");
    let named = Identities::open(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 32);
    // Secrets of label epochs lie beside it.
    named.label_user(740, 7).unwrap();
    assert!(dir.path().join("secrets/label-740.key").is_file());
    let check = named.check_value();
    drop(named);
    // A file that is there needs no certain name, and a folder may be called anything.
    let secret = dir.path().join("secret");
    std::fs::rename(&file, &secret).unwrap();
    assert_eq!(Identities::open(&secret).unwrap().check_value(), check);
    let folder = dir.path().join("folder.key");
    std::fs::create_dir(&folder).unwrap();
    Identities::open(&folder).unwrap();
    assert!(folder.join("pepper.key").is_file());
    let rotation = Rotation::begin(&secret).unwrap();
    let new = rotation.prepare().unwrap();
    assert_eq!(rotation.finish(now()).unwrap(), Some(dir.path().join("secret-20261125T130405Z.key")));
    assert_eq!(Identities::open(&secret).unwrap().check_value(), new);
}
