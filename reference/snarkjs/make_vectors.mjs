// Makes test-vectors/iden3: one small system with its witness, key and proof, each file written by iden3's own code. Run by hand; the files
// are committed. Set-up and proof are random, so another run gives others.
//
//   node make_vectors.mjs FOLDER
//
// Wires: 1, z (public), x, y, w. Constraints: x·y = z, (x + 2y + 3)·z = w.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCurveFromName } from "ffjavascript";
import { writeR1cs } from "r1csfile";
import * as binFile from "@iden3/binfileutils";
import * as snarkjs from "snarkjs";

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: make_vectors.mjs FOLDER");
const path = (name) => join(folder, name);
const curve = await getCurveFromName("bn128");
const F = curve.Fr;
const e = (n) => F.e(n);
const one = e(1);

await writeR1cs(path("small.r1cs"), {
  n8: 32,
  prime: curve.r,
  F,
  curve,
  nVars: 5,
  nOutputs: 0,
  nPubInputs: 1,
  nPrvInputs: 2,
  nLabels: 5,
  constraints: [
    [{ 2: one }, { 3: one }, { 1: one }],
    [{ 0: e(3), 2: one, 3: e(2) }, { 1: one }, { 4: one }],
  ],
  map: [0, 1, 2, 3, 4],
  useCustomGates: false,
  customGates: [],
  customGatesUses: [],
});

// x = 3, y = r - 5
const [x, y] = [3n, curve.r - 5n];
const z = (x * y) % curve.r;
const w = ((x + 2n * y + 3n) * z) % curve.r;
const witness = [1n, z, x, y, w];
const fd = await binFile.createBinFile(path("small.wtns"), "wtns", 2, 2);
await binFile.startWriteSection(fd, 1);
await fd.writeULE32(32);
await binFile.writeBigInt(fd, curve.r, 32);
await fd.writeULE32(witness.length);
await binFile.endWriteSection(fd);
await binFile.startWriteSection(fd, 2);
for (const value of witness) await binFile.writeBigInt(fd, value, 32);
await binFile.endWriteSection(fd);
await fd.close();

const memory = () => ({ type: "mem" });
const [begun, contributed, prepared, first, last] = [memory(), memory(), memory(), memory(), memory()];
await snarkjs.powersOfTau.newAccumulator(curve, 3, begun);
await snarkjs.powersOfTau.contribute(begun, contributed, "one", "some entropy");
await snarkjs.powersOfTau.preparePhase2(contributed, prepared);
await snarkjs.zKey.newZKey(path("small.r1cs"), prepared, first);
await snarkjs.zKey.contribute(first, last, "one", "more entropy");
const vk = await snarkjs.zKey.exportVerificationKey(last);
const { proof, publicSignals } = await snarkjs.groth16.prove(last, path("small.wtns"));
if (!(await snarkjs.groth16.verify(vk, publicSignals, proof))) throw new Error("snarkjs refuses its own proof");
for (const [name, value] of Object.entries({ verification_key: vk, proof, public: publicSignals })) {
  writeFileSync(path(`small.${name}.json`), JSON.stringify(value, null, 1) + "\n");
}
process.exit(0);
