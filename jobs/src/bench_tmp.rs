use crate::testing::*;
use bellwether_warehouse::Change;
use bellwether_warehouse::tables::attempts::{AttemptRow, Builder};
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};
use std::time::Instant;

fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let v: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (v[11].parse::<f64>().unwrap() + v[12].parse::<f64>().unwrap()) / 100.0
}
async fn fill(f: &mut Fixture, rows: i64, start: i64, end: i64, per_file: i64, multi: bool) {
    let models: Vec<String> = (0..60).map(|i| format!("author{}/model-{i}", i % 12)).collect();
    let authors: Vec<String> = (0..12).map(|i| format!("author{i}")).collect();
    let providers: Vec<String> = (0..20).map(|i| format!("provider-{i}")).collect();
    let mut s = 88172645463325252u64;
    let mut rnd = move || {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        s
    };
    let mut n = 0;
    let mut b = Builder::default();
    let mut files = vec![];
    while n < rows {
        let hi = (n + per_file).min(rows);
        for i in n..hi {
            let r = rnd();
            let m = ((r % 60) * (r >> 8) % 60) as usize;
            let p = (m * 7 + ((r >> 20) % 4) as usize) % 20;
            let id = format!("evt-{:016x}-{i}", r);
            let ep = format!("{}/{}", providers[p], models[m]);
            let bad = (r >> 30) % 100;
            let row = AttemptRow {
                request_id: Some(&id),
                started_at: start + (end - start) / rows * i,
                attempt: if multi { None } else { Some(0) },
                is_final: if multi { None } else { Some(true) },
                model_id: Some(&models[m]),
                author: Some(&authors[m % 12]),
                provider_id: Some(&providers[p]),
                endpoint_id: Some(&ep),
                region: None,
                user_key: Some((r % 50_000) as i64),
                input_tokens: Some((r >> 12) as i64 % 100_000),
                output_tokens: Some((r >> 22) as i64 % 2000),
                ttft_ms: Some(100 + ((r >> 5) % 3000) as i32),
                duration_ms: Some(4000 + ((r >> 7) % 30000) as i32),
                overhead_us: Some(20_000 + ((r >> 9) % 20000) as i32),
                outcome: if bad < 2 {
                    "fault"
                } else if bad < 7 {
                    "rate_limited"
                } else {
                    "ok"
                },
                error_class: if bad < 2 {
                    Some("timeout")
                } else if bad < 7 {
                    Some("rate_limit")
                } else {
                    None
                },
                src_offset: i,
                ..attempt(&id)
            };
            b.push(&row);
        }
        files.extend(f.attempts.write(&[b.finish()]).await.unwrap());
        n = hi;
    }
    f.attempts.commit(Change { add: files, ..Change::default() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench() {
    let rows: i64 = std::env::var("BENCH_ROWS").unwrap_or("2000000".into()).parse().unwrap();
    for (name, days, multi) in [("recent 1 day", 1, false), ("year", 365, false), ("month multi", 30, true)] {
        if let Ok(only) = std::env::var("BENCH_ONLY")
            && !name.contains(&only)
        {
            continue;
        }
        let mut f = Fixture::new().await;
        let t = Instant::now();
        fill(&mut f, rows, NOON_US - days * DAY_US, NOON_US, 200_000, multi).await;
        println!("{name}: filled in {:?}", t.elapsed());
        let now = at("2026-11-25T12:00:00Z");
        let c = cpu();
        let t = Instant::now();
        let r = f.jobs.fold(now).await.unwrap();
        let e = t.elapsed();
        println!(
            "{name}: cpu {:.2} s = {:.2} M rows/s on 2 idle cores",
            cpu() - c,
            rows as f64 / (cpu() - c) * 2.0 / 1e6
        );
        println!(
            "{name}: fold {:?} = {:.2} M rows/s; {:?}",
            e,
            rows as f64 / e.as_secs_f64() / 1e6,
            r.tables.iter().map(|t| (t.table, t.rows)).collect::<Vec<_>>()
        );
        let c = cpu();
        let t = Instant::now();
        let r = f.jobs.route().await.unwrap();
        let e = t.elapsed();
        println!(
            "{name}: cpu {:.2} s = {:.2} M rows/s on 2 idle cores",
            cpu() - c,
            rows as f64 / (cpu() - c) * 2.0 / 1e6
        );
        println!("{name}: routing cpu {:.2}", cpu() - c);
        println!("{name}: routing {:?} = {:.2} M rows/s; {r:?}", e, rows as f64 / e.as_secs_f64() / 1e6);
        let t = Instant::now();
        let r = f.jobs.settle(crate::Settling::Closed, now).await.unwrap();
        println!("{name}: settle {:?} {r:?}", t.elapsed());
        let t = Instant::now();
        let r = f.jobs.fold(now).await.unwrap();
        println!("{name}: empty fold {:?} {}", t.elapsed(), r.files);
        f.append(&[attempt("x1")]).await;
        let t = Instant::now();
        f.jobs.fold(now).await.unwrap();
        println!("{name}: one-row fold {:?}", t.elapsed());
        let t = Instant::now();
        f.jobs.route().await.unwrap();
        println!("{name}: one-row routing {:?}", t.elapsed());
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap());
    }
}
