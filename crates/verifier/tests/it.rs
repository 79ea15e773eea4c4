//! Integration tests of the verifier: each attack beside its honest twin, ids of the assurance catalogue in doc comments.

#![allow(clippy::unwrap_used, reason = "scene builders are test code, and a panic there is a failed test")]

#[path = "it/anchors_file.rs"]
mod anchors_file;
#[path = "it/answers.rs"]
mod answers;
#[path = "it/beacon_chain.rs"]
mod beacon_chain;
#[path = "it/bytes.rs"]
mod bytes;
#[path = "it/codes.rs"]
mod codes;
#[path = "it/dossier_vector.rs"]
mod dossier_vector;
#[path = "it/fleet.rs"]
mod fleet;
#[path = "it/fleet_answers.rs"]
mod fleet_answers;
#[path = "it/fleet_custodians_left.rs"]
mod fleet_custodians_left;
#[path = "it/fleet_custody.rs"]
mod fleet_custody;
#[path = "it/fleet_hybrid.rs"]
mod fleet_hybrid;
#[path = "it/fleet_inventories.rs"]
mod fleet_inventories;
#[path = "it/fleet_log.rs"]
mod fleet_log;
#[path = "it/fleet_many.rs"]
mod fleet_many;
#[path = "it/fleet_output.rs"]
mod fleet_output;
#[path = "it/fleet_powers.rs"]
mod fleet_powers;
#[path = "it/fleet_questions.rs"]
mod fleet_questions;
#[path = "it/fleet_recipients.rs"]
mod fleet_recipients;
#[path = "it/fleet_releases.rs"]
mod fleet_releases;
#[path = "it/fleet_rosters.rs"]
mod fleet_rosters;
#[path = "it/fleet_terms.rs"]
mod fleet_terms;
#[path = "it/fleet_world.rs"]
mod fleet_world;
#[path = "it/keys.rs"]
mod keys;
#[path = "it/opaque.rs"]
mod opaque;
#[path = "it/output.rs"]
mod output;
#[path = "it/owners.rs"]
mod owners;
#[path = "it/policy_file.rs"]
mod policy_file;
#[path = "it/policy_roster.rs"]
mod policy_roster;
#[path = "it/profiles.rs"]
mod profiles;
#[path = "it/real.rs"]
mod real;
#[path = "it/replay.rs"]
mod replay;
#[path = "it/schema.rs"]
mod schema;
#[path = "it/second_scheme.rs"]
mod second_scheme;
#[path = "it/terms.rs"]
mod terms;
#[path = "it/test_log.rs"]
mod test_log;
#[path = "it/trapdoor.rs"]
mod trapdoor;
#[path = "it/vectors.rs"]
mod vectors;
#[path = "it/world.rs"]
mod world;
