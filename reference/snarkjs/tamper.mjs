// Tampered copies of a key: node tamper.mjs INITIAL.zkey FINAL.zkey FOLDER
// Prints a line for each: its name, a tab, words of the refusal it must get.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [initial, final, folder] = process.argv.slice(2);
const first = readFileSync(initial);
const last = readFileSync(final);

// Where the content of each section lies.
function sections(file) {
  const found = {};
  let at = 12;
  for (let i = 0; i < file.readUInt32LE(8); i += 1) {
    const length = Number(file.readBigUInt64LE(at + 4));
    found[file.readUInt32LE(at)] = { start: at + 12, length };
    at += 12 + length;
  }
  return found;
}

const before = sections(first);
const now = sections(last);
const CONTRIBUTION = 3 * 64 + 128 + 64 + 8;

// Offset in the file of contribution n, from 1.
function contribution(n) {
  let at = now[10].start + 68;
  for (let i = 1; i < n; i += 1) at += CONTRIBUTION + last.readUInt32LE(at + CONTRIBUTION - 4);
  return at;
}

function written(at, bytes) {
  const copy = Buffer.from(last);
  bytes.copy(copy, at);
  return copy;
}

const piece = (file, at, length) => file.subarray(at, at + length);
const whole = (kind) => written(now[kind].start, piece(first, before[kind].start, before[kind].length));
const exchanged = (kind, size) => {
  const a = now[kind].start;
  return written(a, Buffer.concat([piece(last, a + size, size), piece(last, a, size)]));
};
const flipped = (at) => written(at, Buffer.from([last[at] ^ 1]));
const delta = before[2].start + 2 * 36 + 12 + 2 * 64 + 2 * 128;

const mutants = [
  ["hash-chain", flipped(contribution(2) + 320), "its hash does not follow"],
  ["proof-of-knowledge", written(contribution(2) + 192, piece(last, contribution(1) + 192, 128)), "does not prove knowledge"],
  ["delta-does-not-follow", written(contribution(1), piece(last, contribution(2), 64)), "delta after it is not delta before it times"],
  ["delta-unchanged", written(contribution(1), piece(first, delta, 64)), "left delta unchanged"],
  ["delta-at-infinity", written(contribution(1), Buffer.alloc(64)), "point at infinity"],
  ["beacon-value", flipped(contribution(3) + CONTRIBUTION + 2 + 6 + 2 + 2), "not made from its beacon value"],
  ["inputs-exchanged", exchanged(3, 64), "section 3 is not that of the initial key"],
  ["l-not-divided", whole(8), "section 8 is not that of the initial key divided by delta"],
  ["h-not-divided", whole(9), "section 9 is not that of the initial key divided by delta"],
  ["initial-key", first, "nobody contributed"],
];

mkdirSync(folder);
for (const [name, bytes, words] of mutants) {
  writeFileSync(join(folder, `${name}.zkey`), bytes);
  console.log(`${name}\t${words}`);
}
