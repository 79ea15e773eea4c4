//! The JSON form against `docs/spec/v1/report.schema.json`, by a checker of the few keywords the schema uses.

use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::CannotProve;
use serde_json::Value;

use crate::world::{Scene, response};

pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../docs/spec/v1/report.schema.json")).unwrap()
}

pub(crate) fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    for (keyword, argument) in schema.as_object().unwrap() {
        let ok = match keyword.as_str() {
            "$ref" => {
                let name = argument.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, at)?;
                true
            }
            "oneOf" => {
                let fits = |s: &&Value| check(root, s, value, at);
                let (good, bad): (Vec<_>, Vec<_>) =
                    argument.as_array().unwrap().iter().map(|s| fits(&s)).partition(Result::is_ok);
                if good.len() != 1 {
                    return Err(bad.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("\n or "));
                }
                true
            }
            "const" => value == argument,
            "enum" => argument.as_array().unwrap().contains(value),
            "type" => match argument.as_str().unwrap_or("one of several") {
                "one of several" => {
                    let known = |t: &Value| match t.as_str().unwrap() {
                        "string" => value.is_string(),
                        "null" => value.is_null(),
                        other => panic!("type {other} is not known to this checker"),
                    };
                    argument.as_array().unwrap().iter().any(known)
                }
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_u64(),
                "number" => value.is_number(),
                other => panic!("type {other} is not known to this checker"),
            },
            "required" => {
                argument.as_array().unwrap().iter().all(|k| value.get(k.as_str().unwrap()).is_some())
            }
            "properties" => {
                for (key, v) in value.as_object().unwrap() {
                    let sub = argument.get(key).ok_or_else(|| format!("{at}: {key} is not in the schema"))?;
                    check(root, sub, v, &format!("{at}/{key}"))?;
                }
                true
            }
            "items" => {
                for (i, v) in value.as_array().unwrap().iter().enumerate() {
                    check(root, argument, v, &format!("{at}/{i}"))?;
                }
                true
            }
            "pattern" => pattern(argument.as_str().unwrap(), value.as_str().unwrap()),
            // `properties` above refuses what is not listed.
            "additionalProperties" => argument == false,
            "$schema" | "$defs" | "title" | "description" => true,
            other => panic!("keyword {other} is not known to this checker"),
        };
        if !ok {
            return Err(format!("{at}: {value} against {keyword} {argument}"));
        }
    }
    Ok(())
}

fn pattern(pattern: &str, text: &str) -> bool {
    let hex = |n: usize| text.len() == n && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
    match pattern {
        "^[0-9a-f]{64}$" => hex(64),
        "^[0-9a-f]{32}$" => hex(32),
        "^[a-z-]+$" => !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
        other => panic!("pattern {other} is not known to this checker"),
    }
}

fn scenes() -> Vec<Scene> {
    let mut all: Vec<Scene> = (0..6).map(|_| Scene::honest()).collect();
    all[1].bundle.answer = Answer::None(NoAnswer::TimedOut);
    all[2].bundle.answer = response(&all[2].challenge(), Err(CannotProve::ObjectUnknown), "host");
    all[3].anchors = crate::world::principals();
    all[4].bundle.challenge = bailiwick_protocol::challenge::SignedChallenge::new(
        &all[4].challenge(),
        &crate::world::key("other auditor"),
    );
    all[5].bundle.ranges.clear();
    all
}

#[test]
fn reports_of_every_kind_follow_the_schema() {
    let schema = schema();
    for (i, s) in scenes().iter().enumerate() {
        let report: Value = serde_json::from_str(&s.report().to_json()).unwrap();
        check(&schema, &schema, &report, "").unwrap_or_else(|e| panic!("scene {i}: {e}"));
    }
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let schema = schema();
    let good: Value = serde_json::from_str(&Scene::honest().report().to_json()).unwrap();
    let changes: [fn(&mut Value); 5] = [
        |r| r["outcome"] = "pass".into(),
        |r| r["extra"] = 1.into(),
        |r| r["exit_code"] = 3.into(),
        |r| drop(r["claims"][0].as_object_mut().unwrap().remove("verdict")),
        |r| r["inputs"]["bundle_blake3"] = "AB".into(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(check(&schema, &schema, &bad, "").is_err(), "change {i}");
    }
}
