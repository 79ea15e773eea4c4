// snarkjs judges what `bailiwick circuit export --self-test` wrote: ours must be accepted and every mutant refused.
//
//   node check.mjs FOLDER
//
// Mutants that snarkjs accepts for reasons of its own are tried as well and listed: our readers refuse them (circuits/iden3), and this
// script fails when the list is no longer true.
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as snarkjs from "snarkjs";

const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: check.mjs FOLDER");
const path = (name) => join(folder, name);
const json = (name) => JSON.parse(readFileSync(path(name), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "bailiwick-snarkjs-"));

const [vk, proof, inputs] = [json("verification_key.json"), json("proof.json"), json("public.json")];
const [r1cs, wtns] = [readFileSync(path("circuit.r1cs")), readFileSync(path("witness.wtns"))];

let failures = 0;
const counts = {};
// What snarkjs says: an exception is a refusal, and counted.
let exceptions = 0;
async function says(check) {
  try {
    return await check();
  } catch {
    exceptions += 1;
    return false;
  }
}
async function expect(kind, accepted, what, check) {
  counts[kind] = (counts[kind] ?? 0) + 1;
  if ((await says(check)) === accepted) return;
  failures += 1;
  console.log(`WRONG: ${what}: snarkjs ${accepted ? "refuses" : "accepts"} it`);
}
const accepts = (what, check) => expect("accepted", true, what, check);
const refuses = (what, check) => expect("mutants refused", false, what, check);
const tolerates = (what, check) => {
  console.log(`snarkjs accepts, ours refuses: ${what}`);
  return expect("tolerated by snarkjs alone", true, what, check);
};

const verify = (k, x, p) => () => snarkjs.groth16.verify(k, x, p);
const copy = (value) => structuredClone(value);
// The value with one number, found by its path of keys, replaced.
function changed(value, keys, to) {
  const out = copy(value);
  const last = keys.at(-1);
  const holder = keys.slice(0, -1).reduce((v, k) => v[k], out);
  holder[last] = to(BigInt(holder[last])).toString();
  return out;
}
const COORDINATES = {
  pi_a: [[0], [1]],
  pi_b: [[0, 0], [0, 1], [1, 0], [1, 1]],
  pi_c: [[0], [1]],
};
const coordinates = Object.entries(COORDINATES).flatMap(([p, all]) => all.map((at) => [p, ...at]));

async function proofs() {
  await accepts("the proof", verify(vk, inputs, proof));
  for (const at of coordinates) {
    const name = `proof.${at.join(".")}`;
    await refuses(`${name} + 1`, verify(vk, inputs, changed(proof, at, (n) => n + 1n)));
    await refuses(`${name} = 0`, verify(vk, inputs, changed(proof, at, () => 0n)));
  }
  await refuses("A negated", verify(vk, inputs, changed(proof, ["pi_a", 1], (n) => Q - n)));
  await refuses("C negated", verify(vk, inputs, changed(proof, ["pi_c", 1], (n) => Q - n)));
  const exchanged = { ...copy(proof), pi_a: proof.pi_c, pi_c: proof.pi_a };
  await refuses("A and C exchanged", verify(vk, inputs, exchanged));
  const swapped = copy(proof);
  for (const at of [0, 1]) swapped.pi_b[at].reverse();
  await refuses("real and imaginary parts of B exchanged", verify(vk, inputs, swapped));
  await tolerates("a coordinate of the proof plus the field's modulus", verify(vk, inputs, changed(proof, ["pi_a", 0], (n) => n + Q)));
}

async function publicInputs() {
  for (const i of inputs.keys()) {
    await refuses(`input ${i} + 1`, verify(vk, changed(inputs, [i], (n) => (n + 1n) % R), proof));
    await refuses(`input ${i} = 0`, verify(vk, changed(inputs, [i], () => 0n), proof));
    await refuses(`input ${i} + modulus`, verify(vk, changed(inputs, [i], (n) => n + R), proof));
    await refuses(`input ${i} - modulus`, verify(vk, changed(inputs, [i], (n) => n - R), proof));
  }
  await refuses("an input more, 0", verify(vk, [...inputs, "0"], proof));
  await refuses("an input more, 1", verify(vk, [...inputs, "1"], proof));
  await refuses("an input less", verify(vk, inputs.slice(1), proof));
}

async function keys() {
  const points = ["vk_alpha_1", "vk_beta_2", "vk_gamma_2", "vk_delta_2"];
  const swap = (a, b) => ({ ...copy(vk), [a]: vk[b], [b]: vk[a] });
  await refuses("beta and gamma exchanged", verify(swap("vk_beta_2", "vk_gamma_2"), inputs, proof));
  await refuses("gamma and delta exchanged", verify(swap("vk_gamma_2", "vk_delta_2"), inputs, proof));
  await refuses("beta and delta exchanged", verify(swap("vk_beta_2", "vk_delta_2"), inputs, proof));
  await refuses("IC reversed", verify({ ...copy(vk), IC: [...vk.IC].reverse() }, inputs, proof));
  await refuses("alpha and IC_0 exchanged", verify({ ...copy(vk), vk_alpha_1: vk.IC[0], IC: [vk.vk_alpha_1, ...vk.IC.slice(1)] }, inputs, proof));
  for (const point of points) {
    const at = point.endsWith("1") ? [point, 1] : [point, 1, 0];
    const whole = changed(vk, at, (n) => Q - n);
    if (!point.endsWith("1")) whole[point][1][1] = (Q - BigInt(whole[point][1][1])).toString();
    await refuses(`${point} negated`, verify(whole, inputs, proof));
  }
  await tolerates("a coordinate of the key plus the field's modulus", verify(changed(vk, ["vk_alpha_1", 0], (n) => n + Q), inputs, proof));
  await tolerates("nPublic that is not the number of inputs", verify({ ...copy(vk), nPublic: 7 }, inputs, proof));
  await tolerates("members nobody knows", verify({ ...copy(vk), more: 1 }, inputs, { ...copy(proof), more: 1 }));
}

// The sections of a container, by type: where their content begins.
function sections(file) {
  const out = {};
  for (let at = 12; at < file.length; ) {
    out[file.readUInt32LE(at)] = at + 12;
    at += 12 + Number(file.readBigUInt64LE(at + 4));
  }
  return out;
}
const number = (file, at) => BigInt("0x" + Buffer.from(file.subarray(at, at + 32)).reverse().toString("hex"));
function replaced(file, at, value) {
  const out = Buffer.from(file);
  Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse().copy(out, at);
  return out;
}
async function checkWitness(circuit, witness) {
  const [c, w] = [join(scratch, "c.r1cs"), join(scratch, "w.wtns")];
  writeFileSync(c, circuit);
  writeFileSync(w, witness);
  return snarkjs.wtns.check(c, w, { info() {}, warn() {}, error() {}, debug() {} });
}

async function systems() {
  const info = await snarkjs.r1cs.info(path("circuit.r1cs"));
  const wires = wtns.readUInt32LE(sections(wtns)[1] + 36);
  await accepts("r1cs info: wires, inputs, constraints", async () =>
    info.nVars === wires && info.nPubInputs === inputs.length && info.nOutputs === 0 && info.constraints.length === info.nConstraints);
  console.log(`snarkjs counts ${info.nConstraints} constraints, ${info.nVars} wires, ${info.nPubInputs} public inputs`);
  const values = sections(wtns)[2];
  await accepts("the public input of the witness is the exported one", async () => number(wtns, values + 32).toString() === inputs[0]);
  await accepts("the witness", () => checkWitness(r1cs, wtns));

  const picked = [0, 1, 2, 3, 4, 5, wires >> 2, wires >> 1, wires - 2, wires - 1];
  for (const wire of picked) {
    const at = values + 32 * wire;
    await refuses(`witness: wire ${wire} + 1`, () => checkWitness(r1cs, replaced(wtns, at, (number(wtns, at) + 1n) % R)));
  }
  await tolerates("a value of the witness plus the modulus", () => checkWitness(r1cs, replaced(wtns, values + 64, number(wtns, values + 64) + R)));

  // One coefficient of A, of B and of C, in constraints spread over the file, each of a wire that counts there: its value and that of the
  // factor beside it are not 0.
  const spread = [0, 5, info.nConstraints >> 2, info.nConstraints >> 1, info.nConstraints - 1];
  for (const [side, matrix] of ["A", "B", "C"].entries()) {
    let changedHere = 0;
    for (const constraint of spread) {
      const at = coefficient(constraint, side, values);
      if (at === undefined) continue;
      changedHere += 1;
      await refuses(`r1cs: a coefficient of ${matrix} in constraint ${constraint} + 1`, () => checkWitness(replaced(r1cs, at, (number(r1cs, at) + 1n) % R), wtns));
    }
    await accepts(`a coefficient of ${matrix} was changed`, async () => changedHere > 0);
  }
}

// Where the first coefficient that counts stands, of one of the three combinations of a constraint.
function coefficient(constraint, side, values) {
  let at = sections(r1cs)[2];
  const skip = () => (at += 4 + 36 * r1cs.readUInt32LE(at));
  for (let i = 0; i < 3 * constraint; i++) skip();
  const combinations = [0, 1, 2].map(() => {
    const begin = at;
    skip();
    const terms = [];
    for (let t = begin + 4; t < at; t += 36) terms.push({ at: t + 4, value: number(wtns, values + 32 * r1cs.readUInt32LE(t)) });
    return { terms, value: terms.reduce((sum, t) => (sum + t.value * number(r1cs, t.at)) % R, 0n) };
  });
  const beside = side === 2 ? 1n : combinations[1 - side].value;
  return beside === 0n ? undefined : combinations[side].terms.find((t) => t.value !== 0n)?.at;
}

try {
  await systems();
  await proofs();
  await publicInputs();
  await keys();
} finally {
  rmSync(scratch, { recursive: true });
}
const summary = Object.entries(counts).map(([kind, n]) => `${n} ${kind}`).join(", ");
console.log(`snarkjs: ${summary} (${exceptions} by an exception); ${failures} wrong`);
// snarkjs leaves worker threads behind.
process.exit(failures === 0 ? 0 : 1);
