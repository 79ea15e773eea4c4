"""The package as installed: what the README does not show, and what must be refused. Standard library only."""

import asyncio
import faulthandler
import io
import json
import os
import pathlib
import pickle
import subprocess
import tempfile
import threading
import time
import unittest

import bailiwick as bw

ROOT = pathlib.Path(__file__).resolve().parents[3]
OWNER = bw.OwnerKey.generate()
READER = bw.RecipientKey.generate()
DATA = bytes(i * 7 % 256 for i in range(100_000))


def sealed(**options):
    return bw.seal(DATA, owner=OWNER, to=[READER.public], **options)


def opened(s, key=READER):
    return bw.Object(s.envelope, owner=OWNER.public, keys=[key])


class Keys(unittest.TestCase):
    def test_secret_keys_show_nothing_and_cannot_be_pickled(self):
        with tempfile.TemporaryDirectory() as d:
            for key in (OWNER, READER):
                path = pathlib.Path(d, type(key).__name__)
                key.save(path)
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
                secret = path.read_text().split('secret = "')[1][:64]
                self.assertNotIn(secret, repr(key) + str(key))
                names = [n for n in dir(key) if not n.startswith("__")]
                self.assertEqual(set(names), {"generate", "load", "public", "save"})
                with self.assertRaises(TypeError):
                    pickle.dumps(key)
                with self.assertRaises(TypeError):
                    bytes(key)

    def test_files_are_not_replaced_and_not_read_when_others_can(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "owner")
            OWNER.save(path)
            self.assertEqual(bw.OwnerKey.load(path).public, OWNER.public)
            with self.assertRaises(bw.IoError):
                bw.OwnerKey.generate().save(path)
            self.assertEqual(bw.OwnerPublic.load(path + ".pub"), OWNER.public)
            os.chmod(path, 0o640)
            with self.assertRaises(bw.KeyFileError) as e:
                bw.OwnerKey.load(path)
            self.assertIn("640", str(e.exception))

    def test_a_key_of_another_kind_is_refused(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "reader")
            READER.save(path)
            for load in (bw.OwnerKey.load, bw.OwnerPublic.load):
                with self.assertRaises(bw.KeyFileError):
                    load(path)
            with self.assertRaises(bw.KeyFileError):
                bw.RecipientKey.load(path + ".pub")
            self.assertEqual(bw.Recipient.load(path + ".pub"), READER.public)

    def test_algorithms(self):
        for name, size in (("x-wing", 1216), ("x25519", 32), ("p256", 65)):
            key = bw.RecipientKey.generate(name)
            self.assertEqual((key.public.algorithm, len(bytes(key.public))), (name, size))
            self.assertEqual(bw.Recipient.from_bytes(name, bytes(key.public)), key.public)
            s = bw.seal(b"", owner=OWNER, to=[key.public])
            self.assertEqual(opened(s, key).open(s.body).data, b"")
        with self.assertRaises(bw.ArgumentError):
            bw.RecipientKey.generate("rsa")
        with self.assertRaises(bw.KeyFileError):
            bw.Recipient.from_bytes("x25519", bytes(32))


class Objects(unittest.TestCase):
    def test_wrong_owner_key_recipient_body_and_changes_are_refused(self):
        s, other = sealed(), sealed()
        with self.assertRaises(bw.EnvelopeError):
            bw.Object(s.envelope, owner=bw.OwnerKey.generate().public, keys=[READER])
        with self.assertRaises(bw.NoRecipientError):
            opened(s, bw.RecipientKey.generate())
        obj = opened(s)
        for body in (other.body, s.body[:-1], s.body + b"\0", s.body[:60] + b"x" + s.body[61:], b""):
            with self.assertRaises(bw.NotAuthenticError):
                obj.open(body)
        self.assertEqual(obj.open(s.body).data, DATA)

    def test_nobody_and_twice_are_refused(self):
        for to in ([], [READER.public, READER.public]):
            with self.assertRaises(bw.ArgumentError) as e:
                bw.seal(DATA, owner=OWNER, to=to)
            self.assertEqual(e.exception.code, "recipients")

    def test_ranges(self):
        s = sealed()
        obj = opened(s)
        for at, n in ((0, 0), (0, 1), (16_300, 200), (99_999, 1), (0, 100_000)):
            self.assertEqual(obj.read_range(s.body, at, n), DATA[at : at + n])
            self.assertEqual(obj.read_range(io.BytesIO(s.body), at, n), DATA[at : at + n])
        with self.assertRaises(bw.RangeError):
            obj.read_range(s.body, 99_999, 2)

    def test_a_failed_open_leaves_no_file(self):
        s = sealed()
        with tempfile.TemporaryDirectory() as d:
            body, out = os.path.join(d, "body"), os.path.join(d, "out")
            with open(body, "wb") as f:
                f.write(s.body[:-1])
            with self.assertRaises(bw.NotAuthenticError):
                opened(s).open_file(body, out)
            self.assertEqual(os.listdir(d), ["body"])

    def test_what_a_file_object_raises_comes_out_as_it_was(self):
        class Broken(io.RawIOBase):
            def read(self, n=-1):
                raise RuntimeError("the disk is on fire")

        with self.assertRaisesRegex(RuntimeError, "on fire"):
            bw.seal_stream(Broken(), io.BytesIO(), owner=OWNER, to=[READER.public])

        class Greedy:
            def read(self, n):
                return b"x" * (n + 1)

        class Silent:
            def write(self, data):
                return None

        with self.assertRaises(TypeError):
            bw.seal_stream(Greedy(), io.BytesIO(), owner=OWNER, to=[READER.public])
        with self.assertRaises(TypeError):
            bw.seal_stream(io.BytesIO(DATA), Silent(), owner=OWNER, to=[READER.public])

    def test_asking_for_what_went_to_a_file_is_an_error(self):
        s = bw.seal_stream(io.BytesIO(DATA), io.BytesIO(), owner=OWNER, to=[READER.public])
        with self.assertRaises(bw.ArgumentError):
            s.body

    def test_short_reads_and_writes(self):
        class Trickle:
            def __init__(self, data=b""):
                self.data, self.at = bytearray(data), 0

            def read(self, n):
                piece = bytes(self.data[self.at : self.at + min(n, 1000)])
                self.at += len(piece)
                return piece

            def write(self, data):
                self.data += data[:5000]
                return min(len(data), 5000)

        body, out = Trickle(), Trickle()
        s = bw.seal_stream(Trickle(DATA), body, owner=OWNER, to=[READER.public])
        opened(s).open_stream(body, out)
        self.assertEqual(bytes(out.data), DATA)

    def test_the_lock_is_released_while_files_are_read(self):
        """Another thread of Python feeds the pipe that the call reads: with the lock held neither would ever go on."""
        s = sealed()

        def fed(pipe, data, call):
            def feed():
                with open(pipe, "wb") as f:
                    f.write(data)

            thread = threading.Thread(target=feed)
            # A watchdog without Python: the test could not end itself.
            faulthandler.dump_traceback_later(60, exit=True)
            thread.start()
            try:
                return call()
            finally:
                thread.join()
                faulthandler.cancel_dump_traceback_later()

        with tempfile.TemporaryDirectory() as d:
            at = lambda name: os.path.join(d, name)
            os.mkfifo(at("pipe"))
            info = fed(at("pipe"), DATA, lambda: bw.seal_file(at("pipe"), at("body"), owner=OWNER, to=[READER.public]))
            self.assertEqual(info.data_bytes, len(DATA))
            fed(at("pipe"), s.body, lambda: opened(s).open_file(at("pipe"), at("out")))
            self.assertEqual(pathlib.Path(at("out")).read_bytes(), DATA)
            READER.save(at("key"))
            text = pathlib.Path(at("key")).read_bytes()
            os.chmod(at("pipe"), 0o600)
            key = fed(at("pipe"), text, lambda: bw.RecipientKey.load(at("pipe")))
            self.assertEqual(key.public, READER.public)

    def test_the_lock_is_released_while_it_computes(self):
        """Another thread's time goes on during each call that works in memory alone: it writes down every millisecond."""
        times, done = [], threading.Event()

        def tick():
            while not done.is_set():
                times.append(time.monotonic())
                time.sleep(0.001)

        data = bytes(64 << 20)
        thread = threading.Thread(target=tick)
        thread.start()
        try:
            s = self.beside(times, lambda: bw.seal(data, owner=OWNER, to=[READER.public]))
            obj = opened(s)
            self.beside(times, lambda: obj.open(s.body))
            self.beside(times, lambda: obj.read_range(s.body, 1, len(data) - 2))
        finally:
            done.set()
            thread.join()

    def beside(self, times, call):
        begun = time.monotonic()
        made = call()
        ended = time.monotonic()
        # One may fall between the clock and the call, or while the result is copied; during a held lock there is none.
        within = sum(begun + (ended - begun) * 0.1 < t < ended - (ended - begun) * 0.4 for t in list(times))
        self.assertGreater(within, 2, f"in {ended - begun:.3f} s")
        return made

    def test_asyncio(self):
        """Calls run beside each other, and the loop beside them; a failure comes out of its own await."""

        async def many():
            loop_ran, data = 0, bytes(32 << 20)
            jobs = [asyncio.create_task(asyncio.to_thread(sealed)) for _ in range(4)]
            large = asyncio.create_task(asyncio.to_thread(bw.seal, data, owner=OWNER, to=[READER.public]))
            nobody = asyncio.create_task(asyncio.to_thread(bw.seal, data, owner=OWNER, to=[]))
            while not large.done():
                loop_ran += 1
                await asyncio.sleep(0.001)
            with self.assertRaises(bw.ArgumentError):
                await nobody
            self.assertGreater(loop_ran, 3)
            return await asyncio.gather(*jobs)

        for s in asyncio.run(many()):
            self.assertEqual(opened(s).open(s.body).data, DATA)


class Values(unittest.TestCase):
    PLACE = dict(chain="fabric:trade", contract="invoices", function="Put", record="invoice-17")

    def test_a_value_opens_where_it_belongs_and_nowhere_else(self):
        reader, place = bw.RecipientKey.generate("x25519"), bw.Place(**self.PLACE)
        sealed = bw.seal_value(b"1,250.00 EUR", place=place, to=[reader.public], owner=OWNER)
        self.assertEqual(len(sealed), 12 + 57 + 64)
        ask = dict(place=place, keys=[reader], owner=OWNER.public)
        self.assertEqual(bw.open_value(sealed, **ask), b"1,250.00 EUR")
        self.assertEqual(bw.value_from_text(bw.value_text(sealed)), sealed)
        self.assertEqual(bw.value_from_text("0x" + sealed.hex()), sealed)
        self.assertEqual(place, bw.Place(**self.PLACE))
        for part in self.PLACE:
            moved = bw.Place(**{**self.PLACE, part: "other"})
            self.assertNotEqual(moved, place)
            with self.assertRaises(bw.NotAuthenticError):
                bw.open_value(sealed, **{**ask, "place": moved})
        for owner in (None, bw.OwnerKey.generate().public):
            with self.assertRaises(bw.NotAuthenticError):
                bw.open_value(sealed, **{**ask, "owner": owner})
        with self.assertRaises(bw.NoRecipientError):
            bw.open_value(sealed, **{**ask, "keys": [READER]})
        changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        for bad, code in ((changed, "not-authentic"), (b"", "malformed"), (sealed[:20], "malformed")):
            with self.assertRaises(bw.NotAuthenticError) as e:
                bw.open_value(bad, **ask)
            self.assertIn(e.exception.code, (code, "not-authentic"))
        for text in ("bwc1.A", "0XFF", "bwc1.QQ==", ""):
            with self.assertRaises(bw.NotAuthenticError):
                bw.value_from_text(text)

    def test_limits(self):
        place, to = bw.Place(**self.PLACE), [READER.public]
        for value, options, code in (
            (bytes(65_537), {}, "too-large"),
            (b"", {"to": []}, "recipients"),
            (b"", {"place": bw.Place("", "c", "f")}, "argument"),
            (b"", {"place": bw.Place("c" * 256, "c", "f")}, "argument"),
            (b"long", {"pad_to": 4}, "argument"),
        ):
            with self.assertRaises(bw.ArgumentError) as e:
                bw.seal_value(value, **{"place": place, "to": to, **options})
            self.assertEqual(e.exception.code, code)
        sizes = {len(bw.seal_value(v, place=place, to=to, pad_to=64)) for v in (b"", b"1", bytes(63))}
        self.assertEqual(sizes, {64 + 1145})

    def test_batches(self):
        place, to = bw.Place(**{**self.PLACE, "record": ""}), [READER.public]
        values = [(f"sensor-{i}", str(i).encode()) for i in range(100)]
        header, sealed = bw.seal_values(values, place=place, to=to, owner=OWNER)
        received = [(record, s) for (record, _), s in zip(values, sealed)]
        ask = dict(place=place, keys=[READER], owner=OWNER.public)
        self.assertEqual(bw.open_values(header, received, **ask), [v for _, v in values])
        self.assertEqual(bw.open_values(header, received[5:3:-1], **ask), [b"5", b"4"])
        other, _ = bw.seal_values(values, place=place, to=to, owner=OWNER)
        for header, values in (
            (header, [received[0], received[0]]),
            (header, [("sensor-1", received[0][1])]),
            (other, received),
        ):
            with self.assertRaises(bw.NotAuthenticError):
                bw.open_values(header, values, **ask)


class Rewrap(unittest.TestCase):
    def test_generations(self):
        s, successor = sealed(), bw.RecipientKey.generate("x25519")
        change = dict(owner=OWNER, keys=[READER])
        two = bw.rewrap(s.envelope, add=[successor.public], **change)
        obj = bw.Object(two, owner=OWNER.public, keys=[successor])
        self.assertEqual((obj.generation, obj.recipients), (2, 2))
        self.assertIsNone(bw.rewrap(two, add=[successor.public], **change))
        three = bw.rewrap(two, replace=[successor.public], **change)
        with self.assertRaises(bw.NoRecipientError):
            bw.Object(three, owner=OWNER.public, keys=[READER])
        with self.assertRaises(bw.RewrapError):
            bw.rewrap(s.envelope, remove=[READER.public], **change)
        with self.assertRaises(bw.ArgumentError):
            bw.rewrap(s.envelope, replace=[], add=[successor.public], **change)
        with self.assertRaises(bw.EnvelopeError):
            bw.rewrap(s.envelope, owner=bw.OwnerKey.generate(), keys=[READER], add=[successor.public])


class Evidence(unittest.TestCase):
    def check(self, path, name):
        vector = json.loads((ROOT / "test-vectors" / path).read_text())
        keys = {digest: bytes.fromhex(key) for digest, key in vector["verifying_keys"].items()}
        evidence = bytes.fromhex(vector[name])
        ask = dict(policy=vector["policy"], anchors=vector["anchors"], now_ms=int(vector["now_unix_ms"]))
        verdict = bw.verify(evidence, keys=keys, **ask)
        self.assertEqual(verdict.exit_code, vector["expect"]["exit_code"])
        self.assertEqual(verdict.holds, verdict.exit_code == 0)
        self.assertEqual(json.loads(verdict.json)["exit_code"], verdict.exit_code)
        with tempfile.TemporaryDirectory() as d:
            for digest, key in keys.items():
                pathlib.Path(d, digest + ".vk").write_bytes(key)
            self.assertEqual(bw.verify(evidence, keys=d, **ask).json, verdict.json)
        with self.assertRaises(bw.UnusableError):
            bw.verify(evidence[:-1], keys=keys, **ask)
        return verdict

    def test_bundles(self):
        self.assertTrue(self.check("verifier/v1/honest.json", "bundle").holds)
        self.assertFalse(self.check("verifier/v1/stale.json", "bundle").holds)

    def test_a_dossier(self):
        self.check("dossier/v1/honest.json", "dossier")

    def test_a_key_without_a_digest_is_refused(self):
        with self.assertRaises(bw.ArgumentError):
            bw.verify(b"", policy="", anchors="", keys={"x": b""})


@unittest.skipUnless("BAILIWICK" in os.environ, "BAILIWICK names the program")
class Program(unittest.TestCase):
    def test_the_program_opens_what_is_sealed_here_and_the_other_way_round(self):
        with tempfile.TemporaryDirectory() as d:
            run = lambda *a: subprocess.run([os.environ["BAILIWICK"], *a], cwd=d, check=True, capture_output=True)
            OWNER.save(os.path.join(d, "owner"))
            READER.save(os.path.join(d, "reader"))
            pathlib.Path(d, "plain").write_bytes(DATA)
            bw.seal_file(os.path.join(d, "plain"), os.path.join(d, "body"), owner=OWNER, to=[READER.public])
            run("open", "body", "--owner", "owner.pub", "--key", "reader", "-o", "opened")
            self.assertEqual(pathlib.Path(d, "opened").read_bytes(), DATA)
            run("key", "new", "recipient", "-o", "theirs")
            run("seal", "plain", "--no-commit", "-o", "b2", "--owner", "owner", "--to", "theirs.pub")
            key = bw.RecipientKey.load(os.path.join(d, "theirs"))
            envelope = pathlib.Path(d, "b2.envelope").read_bytes()
            obj = bw.Object(envelope, owner=OWNER.public, keys=[key])
            self.assertEqual(obj.open(pathlib.Path(d, "b2").read_bytes()).data, DATA)

    def test_the_program_opens_small_values(self):
        with tempfile.TemporaryDirectory() as d:
            place = ["--chain", "fabric:trade", "--contract", "invoices", "--function", "Put", "--record", "invoice-17"]
            run = lambda *a: subprocess.run([os.environ["BAILIWICK"], *a], cwd=d, check=True, capture_output=True)
            OWNER.save(os.path.join(d, "owner"))
            READER.save(os.path.join(d, "reader"))
            sealed = bw.seal_value(DATA[:100], place=bw.Place(**Values.PLACE), to=[READER.public], owner=OWNER)
            pathlib.Path(d, "sealed").write_text(bw.value_text(sealed))
            found = run("open", "--compact", *place, "--key", "reader", "--owner", "owner.pub", "sealed").stdout
            self.assertEqual(found, DATA[:100])
            pathlib.Path(d, "plain").write_bytes(DATA[:100])
            text = run("seal", "--compact", *place, "--to", "reader.pub", "--owner", "owner", "plain").stdout.decode()
            theirs = bw.value_from_text(text.strip())
            place = bw.Place(**Values.PLACE)
            self.assertEqual(bw.open_value(theirs, place=place, keys=[READER], owner=OWNER.public), DATA[:100])


if __name__ == "__main__":
    unittest.main()
