//! How long one payload takes to read: our scanner against serde_json's borrowed form.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use footplate::job::Envelope;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its construction is measured")]
struct Borrowed<'a> {
    class: &'a str,
    jid: Option<&'a str>,
    wrapped: Option<&'a str>,
    #[serde(borrow)]
    args: &'a RawValue,
    #[serde(borrow)]
    retry: Option<&'a RawValue>,
    #[serde(borrow)]
    bid: Option<&'a RawValue>,
    #[serde(borrow)]
    tags: Option<&'a RawValue>,
}

fn payloads() -> [(&'static str, String); 2] {
    let plain = r#"{"retry":true,"queue":"default","class":"OrderConfirmationJob","args":[123456,"confirmation",{"locale":"en"}],"jid":"b4a577edbccf1d805744efa9","created_at":1735689600123,"enqueued_at":1735689600124}"#;
    let wrapped = r#"{"retry":true,"queue":"default","wrapped":"WelcomeJob","args":[{"job_class":"WelcomeJob","job_id":"7bd14d0a-6f37-4a2b-9d4e-1f7f3a7a2a10","provider_job_id":null,"queue_name":"default","priority":null,"arguments":[{"_aj_globalid":"gid://app/User/1"}],"executions":0,"exception_executions":{},"locale":"en","timezone":"UTC","enqueued_at":"2025-01-01T00:00:00.000000000Z","scheduled_at":null}],"class":"Sidekiq::ActiveJob::Wrapper","jid":"b4a577edbccf1d805744efa9","created_at":1735689600123,"enqueued_at":1735689600124}"#;
    [
        ("plain", plain.to_owned()),
        ("active_job", wrapped.to_owned()),
    ]
}

fn envelope(c: &mut Criterion) {
    for (name, payload) in payloads() {
        let mut group = c.benchmark_group(format!("envelope/{name}/{}B", payload.len()));
        group.bench_function("scan", |b| {
            b.iter(|| Envelope::read(black_box(payload.as_bytes())));
        });
        group.bench_function("serde", |b| {
            b.iter(|| {
                serde_json::from_slice::<Borrowed<'_>>(black_box(payload.as_bytes())).is_ok()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, envelope);
criterion_main!(benches);
