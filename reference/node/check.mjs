// Opens every vector of test-vectors/envelope/v1; each change of one is refused. `node reference/node/check.mjs` after `npm ci --prefix reference/node`.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Malformed } from "./cbor.mjs";
import { Refused, bodyKey, fileKey, opened, parts, plaintext, verified } from "./sealed.mjs";

const folder = fileURLToPath(new URL("../../test-vectors/envelope/v1/", import.meta.url));
const hex = (text) => Buffer.from(text, "hex");

function flipped(bytes, at) {
  const out = Buffer.from(bytes);
  out[at] ^= 1;
  return out;
}

function same(file, what, found, expected) {
  if (found !== expected) throw new Error(`${file}: ${what} is ${found}, the file says ${expected}`);
}

async function open(owner, envelope, body, key) {
  const e = verified(owner, envelope);
  const file = await fileKey(e, key.kem, key.secret);
  return { e, file, ...opened(e, file, body) };
}

async function refused(file, what, ...args) {
  try {
    await open(...args);
  } catch (error) {
    if (error instanceof Refused || error instanceof Malformed) return;
    throw error;
  }
  throw new Error(`${file}: ${what}: opened`);
}

async function object(file, c) {
  const [owner, envelope, body] = [hex(c.owner), hex(c.envelope), hex(c.body)];
  let controls = 0;
  for (const { kem, secret } of c.recipients) {
    const key = { kem, secret: hex(secret) };
    const out = await open(owner, envelope, body, key);
    same(file, "file key", out.file.toString("hex"), c.file_key);
    same(file, "body key", bodyKey(out.e, out.file).toString("hex"), c.body_key);
    same(file, "name", out.name, c.name);
    same(file, "media type", out.mediaType, c.media_type);
    same(file, "length", out.data.length, c.size);
    same(file, "data's SHA-256", createHash("sha256").update(out.data).digest("hex"), c.sha256);
    const changes = [
      ["another key", owner, envelope, body, { kem, secret: flipped(key.secret, 15) }],
      ["another owner", flipped(owner, 3), envelope, body, key],
      ["a bit of the envelope", owner, flipped(envelope, 40), body, key],
      ["a longer envelope", owner, Buffer.concat([envelope, Buffer.of(0)]), body, key],
      ["the key commitment", owner, envelope, flipped(body, 30), key],
      ["the last byte", owner, envelope, flipped(body, body.length - 1), key],
      ["a byte less", owner, envelope, body.subarray(0, -1), key],
    ];
    for (const change of changes) await refused(file, ...change);
    controls += changes.length;
  }
  return [c.recipients.length, controls];
}

/** The first k shards, each of one chunk, hold the plaintext (spec shards, Q3). */
async function shards(file, c) {
  const key = { kem: c.recipients[0].kem, secret: hex(c.recipients[0].secret) };
  const blocks = [];
  for (const [envelope, body] of c.shards.slice(0, c.k)) {
    const e = verified(hex(c.owner), hex(envelope));
    blocks.push(plaintext(e, await fileKey(e, key.kem, key.secret), hex(body)));
  }
  const out = parts(Buffer.concat(blocks).subarray(0, c.padded_length));
  same(file, "data's SHA-256", createHash("sha256").update(out.data).digest("hex"), c.sha256);
  await refused(file, "a shard as an object", hex(c.owner), hex(c.shards[0][0]), hex(c.shards[0][1]), key);
  return [1, 1];
}

const CASES = { object, shards };
let vectors = 0, recipients = 0, controls = 0;
const unopened = [];
for (const file of readdirSync(folder).sort()) {
  const { case: held } = JSON.parse(readFileSync(folder + file, "utf8"));
  const [[kind, fields]] = Object.entries(held);
  const [opened, refusals] = await CASES[kind](file, fields);
  if (opened > 0) vectors += 1;
  else unopened.push(file);
  recipients += opened;
  controls += refusals;
}
// It has no Argon2id: an object without recipients is left to reference/python.
same("all", "objects without recipients", unopened.join(" "), "passphrase.json");

/** Encapsulated keys of the failure kit (test-vectors/kit/v1/README.md): what their files expect, without the body's BLAKE3. */
async function kit() {
  const folder = fileURLToPath(new URL("../../test-vectors/kit/v1/", import.meta.url));
  const kems = { x25519: 0x0020, p256: 0x0010, "x-wing": 0x647a };
  let judged = 0, refusals = 0;
  for (const name of readdirSync(folder).filter((name) => /^(honest-.*|(x-wing-|p256-)?enc-.*)\.kit$/.test(name))) {
    const bytes = readFileSync(folder + name);
    const end = bytes.indexOf("\n\n") + 2;
    const fields = Object.fromEntries(bytes.toString("utf8", 0, end - 2).split("\n").map((line) => line.split(": ")));
    if (fields.key === undefined || !["success", "no-recipient"].includes(fields.expect)) continue;
    judged += 1;
    const [kem, secret] = fields.key.split(" ");
    const body = end + Number(fields.envelope);
    const args = [hex(fields.owner), bytes.subarray(end, body), bytes.subarray(body), { kem: kems[kem], secret: hex(secret) }];
    if (fields.expect === "success") await open(...args);
    else await refused(name, fields.comment, ...args);
    refusals += fields.expect === "success" ? 0 : 1;
  }
  if (refusals < 15) throw new Error(`the failure kit has ${refusals} encapsulated keys to refuse`);
  return [judged, refusals];
}

const [judged, keysRefused] = await kit();
if (vectors === 0) throw new Error("no vectors");
console.log(`node: ${vectors} objects, opened by ${recipients} recipients, ${controls} changes refused; ${judged} files of the kit judged, ${keysRefused} of them refused; by a passphrase alone, not opened here: ${unopened.join(" ")}`);
