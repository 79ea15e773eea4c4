// Tampered copies of a key: node tamper.mjs INITIAL.zkey FINAL.zkey FOLDER
// Prints a line for each: its name, a tab, words of the refusal it must get.
// node tamper.mjs --circuit-hash INITIAL.zkey OUT.zkey: an initial key that names another circuit, to be contributed to honestly.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [initial, final, folder] = process.argv.slice(2).filter((word) => word !== "--circuit-hash");
const first = readFileSync(initial);
const otherCircuit = folder === undefined;
const last = otherCircuit ? first : readFileSync(final);

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
// The first element of a section exchanged with the first that differs from it.
const exchanged = (kind, size) => {
  const a = now[kind].start;
  let b = a + size;
  while (piece(last, b, size).equals(piece(last, a, size))) b += size;
  const copy = written(a, piece(last, b, size));
  piece(last, a, size).copy(copy, b);
  return copy;
};
const flipped = (at) => written(at, Buffer.from([last[at] ^ 1]));
// alpha, beta in G1; beta, gamma in G2; delta in G1, G2.
const points = before[2].start + 2 * 36 + 12;
const delta = points + 2 * 64 + 2 * 128;

if (otherCircuit) {
  writeFileSync(final, flipped(now[10].start));
  process.exit();
}

const mutants = [
  ["hash-chain", flipped(contribution(2) + 320), "its hash does not follow"],
  ["proof-of-knowledge", written(contribution(2) + 192, piece(last, contribution(1) + 192, 128)), "does not prove knowledge"],
  ["delta-does-not-follow", written(contribution(1), piece(last, contribution(2), 64)), "delta after it is not delta before it times"],
  ["delta-unchanged", written(contribution(1), piece(first, delta, 64)), "left delta unchanged"],
  ["delta-at-infinity", written(contribution(1), Buffer.alloc(64)), "point at infinity"],
  ["beacon-value", flipped(contribution(3) + CONTRIBUTION + 2 + 6 + 2 + 2), "not made from its beacon value"],
  ["inputs-exchanged", exchanged(3, 64), "section 3 is not that of the initial key"],
  ["a-exchanged", exchanged(5, 64), "section 5 is not that of the initial key"],
  ["b1-exchanged", exchanged(6, 64), "section 6 is not that of the initial key"],
  ["b2-exchanged", exchanged(7, 128), "section 7 is not that of the initial key"],
  ["coefficients", flipped(now[4].start + now[4].length - 32), "section 4 is not that of the initial key"],
  ["alpha", written(points, piece(last, points + 64, 64)), "alpha in G1 is not that of the initial key"],
  ["l-not-divided", whole(8), "section 8 is not that of the initial key divided by delta"],
  ["h-not-divided", whole(9), "section 9 is not that of the initial key divided by delta"],
  ["nobody-contributed", first, "nobody contributed"],
];

mkdirSync(folder);
for (const [name, bytes, words] of mutants) {
  writeFileSync(join(folder, `${name}.zkey`), bytes);
  console.log(`${name}\t${words}`);
}
