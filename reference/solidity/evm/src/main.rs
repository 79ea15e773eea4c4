//! Deploys the compiled verifier contract in revm, calls it with an honest proof, then with everything that must not pass.
//!
//! ```text
//! bailiwick-evm compiled.json contract-call.json
//! ```
//!
//! The first file is what `compile.mjs` writes, the second what `bailiwick circuit export` writes. Prints one line for each kind of attempt and
//! the gas used; exits with 1 when any of them ends otherwise than it must.

mod attempts;
mod machine;

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;

use attempts::{Call, Must, attempts};
use machine::{Machine, Outcome};

/// What `compile.mjs` writes.
#[derive(Deserialize)]
struct Compiled {
    creation: String,
    selectors: std::collections::BTreeMap<String, String>,
}

/// What `bailiwick circuit export` writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallFile {
    function: String,
    proof: [String; 8],
    inputs: Vec<String>,
    data: String,
}

/// First and last rules of the machine a call is tried under: those with today's prices of the pairing, and the newest there are.
const RULES: [SpecId; 2] = [SpecId::ISTANBUL, SpecId::OSAKA];
/// Gas given to a call, several times what it needs.
const PLENTY: u64 = 2_000_000;

fn main() -> anyhow::Result<ExitCode> {
    let mut args = std::env::args().skip(1);
    let (Some(compiled), Some(call)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: bailiwick-evm compiled.json contract-call.json")
    };
    let compiled: Compiled = serde_json::from_str(&std::fs::read_to_string(compiled)?)?;
    let file: CallFile = serde_json::from_str(&std::fs::read_to_string(call)?)?;
    let call = Call::read(&file.proof, &file.inputs)?;
    let data = bytes(&file.data)?;
    ensure!(call.encode() == data, "`data` is not the ABI encoding of `proof` and `inputs`");
    let selector = compiled.selectors.get(&file.function).context("the contract has no such function")?;
    ensure!(bytes(selector)? == data[..4], "the compiler's selector of {} is {selector}", file.function);

    let mut wrong = 0;
    for rules in RULES {
        let mut machine = Machine::deploy(rules, bytes(&compiled.creation)?)?;
        println!("{rules:?}: {} gas to deploy", machine.deployment_gas());
        wrong += run(&mut machine, &call)?;
        wrong += starved(&mut machine, &data)?;
        machine.forget_the_pairing();
        let (outcome, _) = machine.call(&data, PLENTY)?;
        println!("  honest call on a chain without the pairing: {outcome:?}");
        wrong += usize::from(outcome != Outcome::Reverted);
    }
    if wrong > 0 {
        println!("{wrong} calls ended otherwise than they must");
        return Ok(ExitCode::FAILURE);
    }
    println!("contract: the honest proof holds, nothing else does");
    Ok(ExitCode::SUCCESS)
}

/// Every attempt, counted by kind; those that end otherwise than they must are shown.
fn run(machine: &mut Machine, call: &Call) -> anyhow::Result<usize> {
    let mut wrong = 0;
    for (kind, calls) in attempts(call)? {
        let mut gas = 0;
        for (must, data) in &calls {
            let (outcome, used) = machine.call(data, PLENTY)?;
            gas = gas.max(used);
            if !must.allows(outcome) {
                wrong += 1;
                println!("  WRONG: {kind}: {outcome:?}, must be {must:?}");
            }
        }
        println!("  {:4} {kind}: {} (at most {gas} gas)", calls.len(), Must::summary(&calls));
    }
    Ok(wrong)
}

/// An honest call with every amount of gas: it may fail, it may not be answered with "no".
fn starved(machine: &mut Machine, data: &[u8]) -> anyhow::Result<usize> {
    let (outcome, needed) = machine.call(data, PLENTY)?;
    ensure!(outcome == Outcome::True, "the honest call holds");
    let mut wrong = 0;
    let mut answered = 0;
    for gas in (needed / 4..needed + 8_000).step_by(97) {
        match machine.call(data, gas)?.0 {
            Outcome::True => answered += 1,
            Outcome::Reverted | Outcome::Halted => {}
            Outcome::False => wrong += 1,
        }
    }
    ensure!(answered > 0, "the sweep of gas reaches what the call needs");
    println!("  honest call with too little gas: {wrong} times \"no\"; with enough, {needed} gas");
    Ok(wrong)
}

fn bytes(hexadecimal: &str) -> anyhow::Result<Vec<u8>> {
    hex::decode(hexadecimal.trim_start_matches("0x")).context("not hexadecimal")
}
