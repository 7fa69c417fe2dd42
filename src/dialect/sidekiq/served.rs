//! Which queues a registered process serves, according to the `info` that it wrote about itself. All versions write
//! `queues` there; 7.0 added `weights`, 8.0.9 `capsules`.

use serde_json::Value;

/// The names of the queues; none if the text contains none.
pub(in crate::dialect) fn served_queues(info: &[u8]) -> Vec<String> {
    let Ok(info) = serde_json::from_slice::<Value>(info) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for queue in items(&info["queues"]) {
        names.extend(queue.as_str().map(str::to_owned));
    }
    // 7.0.2 wrote one table, later versions write one for each capsule.
    keys(&info["weights"], &mut names);
    for weights in items(&info["weights"]) {
        keys(weights, &mut names);
    }
    for capsule in info["capsules"].as_object().into_iter().flatten() {
        keys(&capsule.1["weights"], &mut names);
    }
    names
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn keys(value: &Value, names: &mut Vec<String>) {
    names.extend(
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|it| it.0.clone()),
    );
}

#[cfg(test)]
mod tests {
    use super::served_queues;

    fn served(info: &str) -> Vec<String> {
        let mut names = served_queues(info.as_bytes());
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn each_form_is_read() {
        for info in [
            r#"{"queues":["a","b","a"]}"#,
            r#"{"queues":["a"],"weights":{"a":0,"b":1}}"#,
            r#"{"weights":[{"a":1},{"b":2}]}"#,
            r#"{"capsules":{"default":{"weights":{"a":0}},"single":{"weights":{"b":0}}}}"#,
        ] {
            assert_eq!(served(info), ["a", "b"], "{info}");
        }
    }

    #[test]
    fn what_tells_nothing_serves_nothing() {
        for info in [
            "",
            "{",
            "[]",
            "7",
            r#"{"queues":7,"weights":"a","capsules":[1]}"#,
        ] {
            assert_eq!(served(info), [""; 0], "{info}");
        }
    }
}
