use super::{ddsketch, hll, sql::Ledger};
use arrow::array::{ArrayRef, Float64Array, Int64Array};
use std::{sync::Arc, time::Instant};
#[test]
fn bench() {
    let n = 20_000_000usize;
    let mut s = 88172645463325252u64;
    let mut rnd = move || {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        s
    };
    let vals: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (0..8192).map(|_| (6.0 + 4.0 * (rnd() % 10000) as f64 / 10000.0).exp()),
    ));
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..8192).map(|_| rnd() as i64)));
    let g0 = vec![0usize; 8192];
    let t = Instant::now();
    let mut d = ddsketch::Ledger::default();
    for _ in 0..n / 8192 {
        d.add(&vals, &g0, None, 1).unwrap();
    }
    d.take(datafusion::logical_expr::EmitTo::All);
    println!("ddsketch one group: {:.1} M/s", n as f64 / t.elapsed().as_secs_f64() / 1e6);
    let t = Instant::now();
    let mut d = hll::Ledger::default();
    for _ in 0..n / 8192 {
        d.add(&keys, &g0, None, 1).unwrap();
    }
    d.take(datafusion::logical_expr::EmitTo::All);
    println!("hll one group: {:.1} M/s", n as f64 / t.elapsed().as_secs_f64() / 1e6);
    let t = Instant::now();
    let mut d = ddsketch::Ledger::default();
    for i in 0..5_000_000 / 8192 {
        let g: Vec<usize> = (0..8192).map(|j| (i * 8192 + j) * 7919 % 1_000_000).collect();
        d.add(&vals, &g, None, 1_000_000).unwrap();
    }
    println!("size {} MB", d.size() / 1_000_000);
    let out = d.take(datafusion::logical_expr::EmitTo::All);
    println!("ddsketch 1M groups x5: {:?}, {} bytes", t.elapsed(), out.values().len());
    let t = Instant::now();
    let mut m = ddsketch::Ledger::default();
    let g: Vec<usize> = (0..1_000_000).map(|i| i / 10).collect();
    m.merge(&out, &g, None, 100_000).unwrap();
    m.take(datafusion::logical_expr::EmitTo::All);
    println!("ddsketch merge 1M: {:?}", t.elapsed());
    let t = Instant::now();
    let mut d = hll::Ledger::default();
    for i in 0..5_000_000 / 8192 {
        let g: Vec<usize> = (0..8192).map(|j| (i * 8192 + j) * 7919 % 1_000_000).collect();
        d.add(&keys, &g, None, 1_000_000).unwrap();
    }
    d.take(datafusion::logical_expr::EmitTo::All);
    println!("hll 1M groups x5: {:?}", t.elapsed());
}
