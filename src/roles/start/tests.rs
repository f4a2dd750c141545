//! What the admin port answers about what ingest tells.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use bellwether_warehouse::health::Health;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt as _;

use super::{State, partitions};

async fn readiness(state: impl Fn() -> State + Send + Sync + 'static) -> (StatusCode, String) {
    let health = Health::default();
    health.ask("partitions of Kafka", state);
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let admin = bellwether_web::admin::router(None, health, metrics);
    let answer = admin.oneshot(Request::get("/readyz").body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn stopped() -> Vec<(String, i32, String)> {
    vec![
        ("requests".to_owned(), 3, "it has no leader".to_owned()),
        ("requests".to_owned(), 7, "the topic was recreated".to_owned()),
    ]
}

#[tokio::test]
async fn stopped_partitions_are_listed_and_the_process_is_ready_while_any_other_moves() {
    let list = "stopped requests/3: it has no leader; stopped requests/7: the topic was recreated";
    let (status, text) = readiness(|| partitions(stopped(), false)).await;
    assert_eq!((status, text), (StatusCode::OK, format!("ready\npartitions of Kafka: ready, but {list}\n")));
    let (status, text) = readiness(|| partitions(stopped(), true)).await;
    let told = format!("not ready\npartitions of Kafka: down: {list}\n");
    assert_eq!((status, text), (StatusCode::SERVICE_UNAVAILABLE, told));
    let (status, text) = readiness(|| partitions(Vec::new(), false)).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "ready\npartitions of Kafka: ready\n"));
}
