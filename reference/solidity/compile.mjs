// Compiles one Solidity file with the pinned compiler and writes { creation, runtime, selectors } as JSON.
//
//   node compile.mjs Verifier.sol compiled.json
//
// Warnings are errors. The target is "london", the oldest one this compiler does not warn of: no PUSH0, so that chains which never
// followed Ethereum further can run the code. `evm` runs it under the rules of Istanbul, too.
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const [source, out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: compile.mjs SOURCE OUT");
const input = {
  language: "Solidity",
  sources: { contract: { content: readFileSync(source, "utf8") } },
  settings: {
    optimizer: { enabled: true, runs: 10_000 },
    evmVersion: "london",
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"] } },
  },
};
// Imports are not resolved: the contract has none.
const result = JSON.parse(solc.compile(JSON.stringify(input)));
const complaints = result.errors ?? [];
if (complaints.length > 0) {
  for (const c of complaints) console.error(c.formattedMessage);
  process.exit(1);
}
const contracts = Object.entries(result.contracts.contract);
if (contracts.length !== 1) throw new Error(`${contracts.length} contracts in ${source}, expected one`);
const [name, { evm }] = contracts[0];
writeFileSync(
  out,
  JSON.stringify({
    name,
    creation: evm.bytecode.object,
    runtime: evm.deployedBytecode.object,
    selectors: evm.methodIdentifiers,
  }),
);
console.log(`${name}: solc ${solc.version()}, ${evm.deployedBytecode.object.length / 2} bytes of code`);
