#!/usr/bin/env python3
"""What the program seals now, this reader opens: `python3 reference/python/check_program.py PATH/TO/bailiwick`

Keys are made by the program and read from their files (docs/spec/v1/keys.md). Ends with status 1 at the first difference.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

from bailiwick_reference import cell_tree
from bailiwick_reference.envelope import Refused, key_id
from bailiwick_reference.sealed import RecipientKey, open_object

KEMS = {"x-wing": 0x647A, "x25519": 0x0020, "p256": 0x0010}
PASSPHRASE = "correct horse, battery – staple"


def key_file(path):
    """Y1 to Y3."""
    fields = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip() and not line.startswith("#"):
            name, value = (part.strip() for part in line.split("=", 1))
            fields[name] = value.strip('"')
    return fields


def main(program):
    generator = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)

        def run(*arguments):
            subprocess.run([program, *arguments], cwd=place, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        run("key", "new", "owner", "-o", "owner")
        owner = bytes.fromhex(key_file(place / "owner.pub")["public"])
        keys = []
        for algorithm, kem in KEMS.items():
            run("key", "new", "recipient", "--algorithm", algorithm, "-o", algorithm)
            fields = key_file(place / algorithm)
            keys.append(RecipientKey(kem, bytes.fromhex(fields["secret"])))
            if keys[-1].public.hex() != fields["public"] or not fields["fingerprint"].startswith(key_id(kem, keys[-1].public).hex()):
                sys.exit(f"MISMATCH  {algorithm}: public key or fingerprint of the key file")
        (place / "phrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
        (place / "phrase").chmod(0o600)
        to = [argument for algorithm in KEMS for argument in ("--to", f"{algorithm}.pub")]
        several = [[*to], [*to, "--no-pad"], [*to, "--anonymous"], ["--passphrase-file", "phrase"], [*to, "--passphrase-file", "phrase", "--also-passphrase"]]
        opened = 0
        for number, (size, ways) in enumerate((size, ways) for size in (0, 20_000) for ways in several):
            data = generator.randbytes(size)
            body, envelope = place / f"body{number}", place / f"envelope{number}"
            (place / "plain.bin").write_bytes(data)
            run("seal", "plain.bin", "-o", body.name, "--envelope", envelope.name, "--owner", "owner", *ways)
            readers = [{"keys": [key]} for key in keys if "--to" in ways]
            readers += [{"passphrase": PASSPHRASE}] if "--passphrase-file" in ways else []
            for reader in readers:
                found = open_object(owner, envelope.read_bytes(), body.read_bytes(), **reader)
                if (found.data, found.name) != (data, "plain.bin"):
                    sys.exit(f"MISMATCH  {size} bytes, {ways}: other data or name")
                opened += 1
            root = found.envelope.root
            if root is not None and root != cell_tree.levels(body.read_bytes())[-1][0].to_bytes(32, "little"):
                sys.exit(f"MISMATCH  {size} bytes, {ways}: the cell tree's root")
        print(f"program: {opened} times opened what it sealed, by key files of {len(KEMS)} mechanisms and a passphrase")


if __name__ == "__main__":
    try:
        main(str(Path(sys.argv[1]).resolve()))
    except Refused as refusal:
        sys.exit(f"MISMATCH  {refusal.expectation}")
