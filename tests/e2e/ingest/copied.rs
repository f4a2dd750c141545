//! A copy of a warehouse answers to the same id: what belongs to one place is not shared between both.

use std::process::Command;

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::{scratch, wait};

fn intake(config: &Config, more: &[&str]) -> Bellwether {
    let file = config.write();
    let args = [&["serve", "--roles", "intake", "--config", &file], more].concat();
    Bellwether::new(config.folder(), &args)
}

fn starts_and_ends(intake: Bellwether) {
    let running = intake.start();
    running.wait_for("intake is at", wait::START);
    assert_eq!(running.interrupt().code(), 0);
}

#[test]
fn spool_of_a_warehouse_is_refused_to_its_copy_until_the_copy_is_adopted() {
    copied(Place::Folder);
}

#[test]
fn spool_of_a_bucket_is_refused_to_its_copy_until_the_copy_is_adopted() {
    copied(Place::Bucket);
}

fn copied(place: Place) {
    let folder = scratch();
    let config = place.of(Config::new(folder.path()), "copied");
    starts_and_ends(intake(&config, &[]));
    let files = config.warehouse();
    let copied = Command::new("cp").arg("-a").args([&files, &files.with_file_name("copy")]).status();
    assert!(copied.expect("run cp").success());
    let first = config.location().to_owned();
    let (parent, _) = first.rsplit_once('/').expect("a parent");
    let copy = format!("{parent}/copy");

    let moved = config.clone().set("warehouse.location", &copy);
    intake(&moved, &[]).run().refused(2, &[&first, &copy, "--adopt"]);
    starts_and_ends(intake(&config, &[]));
    starts_and_ends(intake(&moved, &["--adopt"]));
    starts_and_ends(intake(&moved, &[]));
    intake(&config, &[]).run().refused(2, &["--adopt"]);
}
