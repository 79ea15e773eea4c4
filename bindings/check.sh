#!/usr/bin/env bash
# Builds and checks the bindings: lints and tests in Rust, then each package as its users have it, with the examples of its README.
# Arguments name parts. BAILIWICK names the program that is to open what they seal; without it the one in the target directory, built when it is not there.
# Needs what .ci/run needs, and a network for packages of Python and Node that are not installed yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
target=$(realpath -m "${CARGO_TARGET_DIR:-../target}")
export CARGO_TARGET_DIR=$target PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BAILIWICK=${BAILIWICK:-$target/release/bailiwick}
[ -x "$BAILIWICK" ] || cargo build --release --locked --manifest-path ../Cargo.toml

# Without cbindgen, whose features would make everything below be compiled twice.
rust() {
  local bindings=(-p bailiwick-bindings -p bailiwick-python -p bailiwick-c -p bailiwick-node)
  cargo fmt --check "${bindings[@]}" -p bailiwick-header
  cargo clippy --release --locked "${bindings[@]}" --lib --tests -- -D warnings
  cargo clippy --release --locked -p bailiwick-header -- -D warnings
  cargo test --release --locked "${bindings[@]}"
  cargo build --release --locked "${bindings[@]}"
  cargo run --release --locked -p bailiwick-header -- --check
}

python() {
  local venv=$target/bindings/venv
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary :all: -r python/requirements.txt
  rm -rf "$target/bindings/wheels"
  (cd python && "$venv/bin/maturin" build --release --locked --out "$target/bindings/wheels")
  "$venv/bin/pip" install -q --disable-pip-version-check --force-reinstall --no-deps "$target"/bindings/wheels/bailiwick-*.whl
  "$venv/bin/python" python/tests/test_bailiwick.py
  python3 readme.py python/README.md python >"$work/readme.py"
  mkdir "$work/python" && (cd "$work/python" && "$venv/bin/python" ../readme.py)
  "$venv/bin/mypy" --strict --no-incremental "$work/readme.py"
  "$venv/bin/stubtest" bailiwick --ignore-disjoint-bases
}

c() {
  python3 readme.py c/README.md c >"$work/readme.c"
  cc -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -pedantic -I c/include -o "$work/readme" "$work/readme.c" \
    -L "$target/release" -lbailiwick -Wl,-rpath,"$target/release"
  mkdir "$work/c" && (cd "$work/c" && ../readme)
  cc -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -pedantic -I c/include -o "$work/refusals" c/tests/refusals.c \
    -L "$target/release" -lbailiwick -Wl,-rpath,"$target/release"
  mkdir "$work/refused" && (cd "$work/refused" && ../refusals "$here/../test-vectors/verifier/v1/honest.json")
}

node() {
  npm ci --prefix node --ignore-scripts --no-audit --no-fund --silent
  cp "$target/release/libbailiwick_node.so" node/bailiwick.node
  (cd node && command node --test test/)
  python3 readme.py node/README.md js >"$work/readme.mjs"
  mkdir -p "$work/node/node_modules" && ln -s "$here/node" "$work/node/node_modules/bailiwick"
  cp "$work/readme.mjs" "$work/node/" && (cd "$work/node" && command node readme.mjs)
  (cd node && npx --no-install tsc -p test/types)
}

# One object through all of them: Python seals, the program and Node open, C reads a range.
across() {
  local venv=$target/bindings/venv
  mkdir "$work/across" && cd "$work/across"
  "$venv/bin/python" "$here/across/seal.py"
  "$BAILIWICK" open object --owner owner.pub --key reader -o by-program
  cmp plain by-program
  command node "$here/across/open.mjs"
  cmp plain by-node
  cc -std=c11 -Wall -Wextra -Werror -I "$here/c/include" -o range "$here/across/range.c" \
    -L "$target/release" -lbailiwick -Wl,-rpath,"$target/release"
  ./range 16000 1000 >by-c
  head -c 17000 plain | tail -c 1000 | cmp - by-c
  cd "$here"
}

# What the guide for arguments of contracts shows, by the program.
guide() {
  python3 readme.py ../docs/guides/contracts-data.md sh >"$work/guide.sh"
  mkdir "$work/guide" && (cd "$work/guide" && PATH=$(dirname "$BAILIWICK"):$PATH sh -eu ../guide.sh)
}

for part in "${@:-rust python c node across guide}"; do
  for p in $part; do
    begun=$SECONDS
    $p
    echo "bindings: $p holds, $((SECONDS - begun)) s"
  done
done
