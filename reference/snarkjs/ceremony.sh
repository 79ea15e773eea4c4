#!/usr/bin/env bash
# A whole ceremony for class tiny between two programs: phase 1 by snarkjs, prepared by ours; contributors one by ours, one by
# snarkjs; beacon by ours; the transcript accepted by both, each tampering refused by ours, a proof under the key accepted by both.
# usage: ceremony.sh BAILIWICK FOLDER    (FOLDER must not exist; snarkjs from node_modules beside this file)
set -euo pipefail
bailiwick=$1 out=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
snarkjs() { node "$here/node_modules/snarkjs/build/cli.cjs" "$@"; }
mkdir "$out"

# The texts are of no value: nobody relies on this key.
snarkjs powersoftau new bn128 12 "$out/0.ptau" >"$out/log"
snarkjs powersoftau contribute "$out/0.ptau" "$out/1.ptau" --name=first -e=not-secret >>"$out/log"
"$bailiwick" circuit ceremony prepare "$out/1.ptau" "$out/prepared.ptau"
"$bailiwick" circuit export --class tiny -o "$out/circuit" >>"$out/log"

"$bailiwick" circuit ceremony new --class tiny --ptau "$out/prepared.ptau" "$out/0.zkey" >>"$out/log"
snarkjs groth16 setup "$out/circuit/circuit.r1cs" "$out/prepared.ptau" "$out/0-snarkjs.zkey" >>"$out/log"
cmp "$out/0.zkey" "$out/0-snarkjs.zkey"
echo "ceremony: the initial key is that of snarkjs, byte for byte"

echo 'a line of text' |
  "$bailiwick" circuit ceremony contribute "$out/0.zkey" "$out/1.zkey" --name ours --text-from-stdin >>"$out/log"
snarkjs zkey contribute "$out/1.zkey" "$out/2.zkey" --name=snarkjs -e=not-secret >>"$out/log"
"$bailiwick" circuit ceremony beacon "$out/2.zkey" "$out/final.zkey" --name beacon \
  --value 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 >>"$out/log"

"$bailiwick" circuit ceremony verify --class tiny --ptau "$out/prepared.ptau" "$out/final.zkey" >>"$out/log"
snarkjs zkey verify "$out/circuit/circuit.r1cs" "$out/prepared.ptau" "$out/final.zkey" | tee -a "$out/log" | grep -q 'ZKey Ok!'
echo "ceremony: two contributors and a beacon, accepted by both"

refused() { # NAME WORDS
  if "$bailiwick" circuit ceremony verify --class tiny --ptau "$out/prepared.ptau" "$out/mutants/$1.zkey" >"$out/answer" 2>&1; then
    echo "ceremony: accepted although $1"
    exit 1
  fi
  grep -qF "$2" "$out/answer" || { echo "ceremony: $1 is refused for another reason:"; cat "$out/answer"; exit 1; }
  echo "ceremony: refused: $1"
}
node "$here/tamper.mjs" "$out/0.zkey" "$out/final.zkey" "$out/mutants" >"$out/mutants.tsv"
while IFS=$'\t' read -r name words; do refused "$name" "$words"; done <"$out/mutants.tsv"

# An initial key that was not rebuilt: its circuit hash is another's, and the contribution after it is honest.
node "$here/tamper.mjs" --circuit-hash "$out/0.zkey" "$out/other.zkey"
"$bailiwick" circuit ceremony contribute "$out/other.zkey" "$out/mutants/initial-key-not-rebuilt.zkey" --name ours >>"$out/log"
refused initial-key-not-rebuilt 'the circuit hash differs'
for name in a-exchanged initial-key-not-rebuilt; do
  if snarkjs zkey verify "$out/circuit/circuit.r1cs" "$out/prepared.ptau" "$out/mutants/$name.zkey" | grep -q 'ZKey Ok!'; then
    echo "ceremony: snarkjs accepts although $name"
    exit 1
  fi
  echo "ceremony: refused by snarkjs: $name"
done

"$bailiwick" circuit import "$out/final.zkey" --class tiny --ptau "$out/prepared.ptau" --dir "$out/keys" >>"$out/log"
key=$(basename "$out"/keys/*.vk .vk)
"$bailiwick" circuit export --self-test tiny --key "$key" --dir "$out/keys" -o "$out/proof" >>"$out/log"
(cd "$out/proof" && snarkjs groth16 verify verification_key.json public.json proof.json) | tee -a "$out/log" | grep -q 'OK!'
snarkjs zkey export verificationkey "$out/final.zkey" "$out/vk.json" >>"$out/log"
(cd "$out/proof" && snarkjs groth16 verify ../vk.json public.json proof.json) | tee -a "$out/log" | grep -q 'OK!'
echo "ceremony: a proof under the imported key, accepted by both, under snarkjs's own export of the key too"
