//! How long it takes to write fields into a payload: those of a first failure, which are new, and those of a
//! later one, which stand there already.

#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use footplate::job::{Field, patch};

const FIELDS: [Field<'static>; 5] = [
    ("error_message", br#""no route to host""#),
    ("error_class", br#""Errno::EHOSTUNREACH""#),
    ("failed_at", b"1735689600125"),
    ("retried_at", b"1735689600125"),
    ("retry_count", b"1"),
];

/// A job whose only argument is a text of about `size` bytes.
fn payload(size: usize) -> String {
    let text = "lorem ipsum ".repeat(size / 12);
    format!(
        r#"{{"retry":true,"queue":"default","class":"OrderConfirmationJob","args":[123456,"{text}"],"jid":"b4a577edbccf1d805744efa9","created_at":1735689600123,"enqueued_at":1735689600124}}"#
    )
}

fn fields(c: &mut Criterion) {
    let mut group = c.benchmark_group("patch");
    for size in [12, 1_200, 120_000] {
        let fresh = payload(size).into_bytes();
        let failed = patch(&fresh, &FIELDS).expect("a payload");
        group.bench_function(BenchmarkId::new("first failure", size), |b| {
            b.iter(|| patch(black_box(&fresh), black_box(&FIELDS)));
        });
        group.bench_function(BenchmarkId::new("later failure", size), |b| {
            b.iter(|| patch(black_box(&failed), black_box(&FIELDS)));
        });
    }
    group.finish();
}

criterion_group!(benches, fields);
criterion_main!(benches);
