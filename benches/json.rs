//! JSON to Ruby values: our reader beside `JSON.parse`, and beside Oj where that gem is installed, on the same bytes
//! in the same VM. Each makes its values anew, so Ruby's allocation and garbage collection are part of all of them.

#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use footplate::vm::sandbox;
use magnus::{RModule, Ruby, Value, prelude::*};

fn texts() -> [(&'static str, String); 5] {
    let order = r#"{"id":123456,"total":19.99,"paid":true,"note":null,"sku":["A-1","B-22","C-333"],"customer":{"name":"Ada Lovelace","mail":"ada@example.org"}}"#;
    [
        ("no-op", "[123456,1735689600.123]".to_owned()),
        (
            "mail",
            r#"[123456,"confirmation",{"locale":"en"}]"#.to_owned(),
        ),
        (
            "escapes",
            r#"["Gr\u00fc\u00dfe aus M\u00fcnchen\n\"\ud83d\ude00\"","a\tb\\c"]"#.to_owned(),
        ),
        (
            "text",
            format!("[\"{}\"]", "All work and no play. ".repeat(5_000)),
        ),
        ("orders", format!("[[{}]]", [order; 50].join(","))),
    ]
}

/// `JSON.parse`, and `Oj.strict_load` if it is there.
fn parsers(ruby: &Ruby) -> Vec<(&'static str, RModule, &'static str)> {
    let find = |library: &str, name: &str| {
        let code = format!("begin; require '{library}'; {name}; rescue LoadError; nil; end");
        ruby.eval::<Option<RModule>>(&code)
            .expect("a module or nil")
    };
    let known = [("JSON", "json", "parse"), ("Oj", "oj", "strict_load")];
    let found = known.map(|(name, library, method)| (name, find(library, name), method));
    found
        .into_iter()
        .filter_map(|(name, module, method)| Some((name, module?, method)))
        .collect()
}

fn measure(ruby: &Ruby, c: &mut Criterion) {
    for (name, text) in texts() {
        let mut group = c.benchmark_group(format!("json/{name}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("Footplate", |b| {
            b.iter(|| {
                let value = sandbox::read_json(ruby, black_box(text.as_bytes()));
                value.expect("no exception").expect("it is read here")
            });
        });
        let string = ruby.str_new(&text);
        for (parser, module, method) in parsers(ruby) {
            group.bench_function(parser, |b| {
                b.iter(|| {
                    let value: Value = module.funcall(method, (string,)).expect("valid JSON");
                    value
                });
            });
        }
        group.finish();
    }
}

fn main() {
    sandbox::with_vm(|ruby| {
        let mut criterion = Criterion::default().configure_from_args();
        measure(ruby, &mut criterion);
        criterion.final_summary();
    });
}
