//! Spool and tables share a disk that is too small: it fills, nothing accepted is lost, and it frees itself.

use serde_json::Value;

use crate::support::app::{Bellwether, PROGRAM, Running};
use crate::support::config::Config;
use crate::support::disk::Disk;
use crate::support::{http, metrics, scratch, traffic, wait};

const DISK_MIB: u32 = 24;
const EVENTS_PER_BODY: u64 = 500;

fn body(number: u64) -> String {
    let started_at = traffic::instant(1);
    let attempt = r#"{"model":"acme/one","provider":"north","http_status":200,"input_tokens":100,"output_tokens":20,"duration_ms":900}"#;
    (0..EVENTS_PER_BODY)
        .map(|event| {
            let id = format!("disk-{number}-{event}");
            format!(r#"{{"request_id":"{id}","started_at":"{started_at}","attempts":[{attempt}]}}"#) + "\n"
        })
        .collect()
}

fn serve(disk: &Disk, roles: &str, file: &str) -> Running {
    Bellwether::inside(disk.entry(), PROGRAM, &["serve", "--roles", roles, "--config", file]).start()
}

/// Posts until the answer is not 200, and returns that. Small bodies are taken whole or not at all.
fn post_until_refused(config: &Config, accepted: &mut u64, bodies: u64) -> Option<http::Answer> {
    for _ in 0..bodies {
        let number = *accepted / EVENTS_PER_BODY;
        let request = http::post(&config.url("intake", "/intake/native")).body(body(number));
        let answer = http::send(request).expect("an answer");
        if answer.status != 200 {
            return Some(answer);
        }
        assert_eq!(answer.json()["accepted"], EVENTS_PER_BODY);
        *accepted += EVENTS_PER_BODY;
    }
    None
}

#[test]
fn a_full_disk_under_spool_and_tables_frees_itself_and_keeps_every_accepted_record() {
    let (disk, home) = (Disk::of(DISK_MIB), scratch());
    let place = |name: &str| disk.path().join(name).to_str().expect("folders are text").to_owned();
    let config = Config::new(home.path())
        .set("warehouse.location", &place("warehouse"))
        .set("spool.folder", &place("spool"))
        .set("keys.path", &place("keys"))
        .set("spool.segment", "1 MiB")
        .set("spool.ballast", "4 MiB")
        .set("ingest.flush_bytes", "4 MiB")
        .set("ingest.flush_age", "200ms");
    let file = config.write();

    // Ingest is off: the intake fills the disk, and says so.
    let mut accepted = 0;
    let intake = serve(&disk, "intake", &file);
    wait::until("the intake to listen", wait::START, || http::try_get(&config.url("intake", "/livez")));
    let refused = post_until_refused(&config, &mut accepted, 10_000).expect("the disk is small");
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"), "{}", refused.text());
    assert!(accepted > 10_000, "{accepted} events fill {DISK_MIB} MiB");
    // What mends itself takes nobody out of service: the site of the same process, say, goes on.
    let ready = http::get(&config.url("admin", "/readyz"));
    let told =
        ready.text().lines().any(|line| line.starts_with("spool: ready, but the spool's disk is full"));
    assert!(ready.status == 200 && told, "{}", ready.text());
    assert_eq!(intake.interrupt().code(), 0);

    // What the intake left over is less than one of its segments, and may be enough for a few files of tables.
    disk.fill_but(48);
    // Both start on the full disk. Ingest has no room to write a file, but the ballast.
    let both = serve(&disk, "intake,ingest", &file);
    both.wait_for("gave up the ballast", wait::START);
    both.wait_for("made the ballast of the spool, the intake goes on", wait::WORK);
    let rows = "bellwether_ingest_rows_total";
    wait::until("all rows", wait::WORK, || (metrics::sum(&config, rows) as u64 == accepted).then_some(()));
    wait::until("readiness", wait::START, || {
        let ready = http::get(&config.url("admin", "/readyz"));
        (ready.status == 200 && ready.text().lines().any(|line| line == "spool: ready")).then_some(())
    });
    assert!(post_until_refused(&config, &mut accepted, 4).is_none(), "there is room again");
    wait::until("all rows", wait::WORK, || (metrics::sum(&config, rows) as u64 == accepted).then_some(()));
    assert_eq!(both.interrupt().code(), 0);

    let sql = "SELECT count(*) AS rows, count(DISTINCT event_id) AS events FROM attempts";
    let args = ["sql", sql, "--format", "json", "--config", &file];
    let counted: Value = Bellwether::inside(disk.entry(), PROGRAM, &args).run().ok().json();
    assert_eq!(counted, serde_json::json!([{ "rows": accepted, "events": accepted }]));
}
