//! A copy of a warehouse answers to the same id: what belongs to one place is not shared between both.

use std::path::Path;
use std::process::Command;

use crate::support::app::Bellwether;
use crate::support::config::Config;
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
    let folder = scratch();
    let config = Config::new(folder.path());
    starts_and_ends(intake(&config, &[]));
    let place = |path: &Path| path.to_str().expect("folders are text").to_owned();
    let (first, copy) = (place(&config.warehouse()), place(&folder.path().join("copy")));
    let copied = Command::new("cp").args(["-a", &first, &copy]).status().expect("run cp");
    assert!(copied.success());

    let moved = config.clone().set("warehouse.location", &copy);
    intake(&moved, &[]).run().refused(2, &[&first, &copy, "--adopt"]);
    starts_and_ends(intake(&config, &[]));
    starts_and_ends(intake(&moved, &["--adopt"]));
    starts_and_ends(intake(&moved, &[]));
    intake(&config, &[]).run().refused(2, &["--adopt"]);
}
