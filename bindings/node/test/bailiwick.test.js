'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const test = require('node:test');
const util = require('node:util');

const {
  OwnerKey,
  Recipient,
  RecipientKey,
  SealedObject,
  loadOwnerPublic,
  openValue,
  openValues,
  seal,
  sealFile,
  sealStream,
  sealValue,
  sealValues,
  valueFromText,
  valueText,
  verify,
} = require('..');

const owner = OwnerKey.generate();
const reader = RecipientKey.generate('x25519');
const to = [reader.public];
const DATA = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256));
const vectors = path.join(__dirname, '../../../test-vectors');

function folder(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bailiwick-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  return (name) => path.join(dir, name);
}

test('secret keys show nothing', (t) => {
  const at = folder(t);
  for (const [key, name] of [[owner, 'owner'], [reader, 'reader']]) {
    key.save(at(name));
    assert.equal(fs.statSync(at(name)).mode & 0o777, 0o600);
    const secret = fs.readFileSync(at(name), 'utf8').split('"')[1];
    assert.equal(secret.length, 64);
    const shown = util.inspect(key, { showHidden: true, depth: 5 }) + JSON.stringify(key) + String(key);
    assert.ok(!shown.includes(secret));
    assert.throws(() => key.save(at(name)), { code: 'io' });
    assert.throws(() => structuredClone(key).save(at('clone')));
  }
  assert.equal(loadOwnerPublic(at('owner.pub')), owner.public);
  assert.equal(OwnerKey.load(at('owner')).public, owner.public);
  assert.deepEqual(Recipient.load(at('reader.pub')).bytes, reader.public.bytes);
  fs.chmodSync(at('owner'), 0o640);
  assert.throws(() => OwnerKey.load(at('owner')), { code: 'key-file' });
  assert.throws(() => RecipientKey.load(at('owner')), { code: 'key-file' });
  assert.throws(() => new OwnerKey(), TypeError);
  assert.equal(OwnerKey.native, undefined);
});

test('algorithms', async () => {
  for (const [name, bytes] of [['x-wing', 1216], ['x25519', 32], ['p256', 65]]) {
    const key = RecipientKey.generate(name);
    assert.equal(key.public.algorithm, name);
    assert.equal(key.public.bytes.length, bytes);
    const s = await seal(Buffer.alloc(0), { owner, to: [Recipient.fromBytes(name, key.public.bytes)] });
    const opened = await new SealedObject(s.envelope, { owner, keys: [key] }).open(s.body);
    assert.equal(opened.data.length, 0);
  }
  assert.throws(() => RecipientKey.generate('rsa'), { code: 'argument' });
  assert.throws(() => Recipient.fromBytes('x25519', new Uint8Array(32)), { code: 'key' });
});

test('refusals', async () => {
  const [s, other] = [await seal(DATA, { owner, to }), await seal(DATA, { owner, to })];
  assert.throws(() => new SealedObject(s.envelope, { owner: OwnerKey.generate(), keys: [reader] }), { code: 'envelope' });
  assert.throws(() => new SealedObject(s.envelope, { owner, keys: [RecipientKey.generate()] }), { code: 'no-recipient' });
  const object = new SealedObject(s.envelope, { owner, keys: [reader] });
  await assert.rejects(object.open(other.body), { code: 'wrong-body' });
  await assert.rejects(object.open(s.body.subarray(0, -1)), { code: 'not-authentic' });
  await assert.rejects(object.open('text'));
  await assert.rejects(object.readRange(s.body, 99_999, 2), { code: 'range' });
  await assert.rejects(object.readRange(s.body, -1, 2), { code: 'argument' });
  await assert.rejects(object.readRange(s.body, 0.5, 2), { code: 'argument' });
  await assert.rejects(seal(DATA, { owner, to: [] }), { code: 'recipients' });
  await assert.rejects(seal(DATA, { owner: {}, to }));
  assert.throws(() => object.rewrap({ owner, remove: to }), { code: 'rewrap' });
  assert.equal(object.rewrap({ owner, add: to }), null);
  assert.deepEqual(Buffer.from(await object.readRange(s.body, 16_300, 200)), DATA.subarray(16_300, 16_500));
});

test('files appear whole or not at all', async (t) => {
  const at = folder(t);
  fs.writeFileSync(at('plain'), DATA);
  const info = await sealFile(at('plain'), at('body'), { owner, to, name: 'n', mediaType: 'text/x' });
  assert.deepEqual(fs.readFileSync(at('body.envelope')), Buffer.from(info.envelope));
  const object = new SealedObject(info.envelope, { owner, keys: [reader] });
  const about = await object.openFile(at('body'), at('opened'));
  assert.deepEqual([about.name, about.mediaType, about.dataBytes], ['n', 'text/x', DATA.length]);
  fs.truncateSync(at('body'), 50_000);
  await assert.rejects(object.openFile(at('body'), at('never')), { code: 'not-authentic' });
  assert.ok(!fs.readdirSync(at('')).some((n) => n.includes('never')));
});

test('streams', async () => {
  const sealing = sealStream({ owner, to });
  const body = [];
  await pipeline(Readable.from(DATA.subarray(0).length ? [DATA.subarray(0, 1), DATA.subarray(1, 70_000), DATA.subarray(70_000)] : []), sealing, async (out) => {
    for await (const piece of out) body.push(piece);
  });
  const bytes = Buffer.concat(body);
  assert.equal(sealing.sealed.bodyBytes, bytes.length);
  const object = new SealedObject(sealing.sealed.envelope, { owner, keys: [reader] });
  const collect = async (from) => {
    const opening = object.openStream();
    const data = [];
    await pipeline(Readable.from([from.subarray(0, 33_333), from.subarray(33_333)]), opening, async (out) => {
      for await (const piece of out) data.push(piece);
    });
    return Buffer.concat(data);
  };
  assert.deepEqual(await collect(bytes), DATA);
  await assert.rejects(collect(bytes.subarray(0, -1)), { code: 'not-authentic' });
  const nobody = sealStream({ owner, to: [] });
  await assert.rejects(pipeline(Readable.from([DATA]), nobody, async (out) => { for await (const _ of out); }), { code: 'recipients' });
});

/** Threads of streams that are under way. */
function threads() {
  const tasks = fs.readdirSync('/proc/self/task');
  return tasks.filter((t) => fs.readFileSync(`/proc/self/task/${t}/comm`, 'utf8') === 'bailiwick\n').length;
}

/** A pipeline that has failed may still be closing its streams. */
async function gone() {
  for (let i = 0; threads() > 0 && i < 1000; i++) await new Promise((later) => setTimeout(later, 10));
}

test('a stream that is destroyed early leaves nothing running', { skip: process.platform !== 'linux' }, async (t) => {
  const at = folder(t);
  const s = await seal(Buffer.alloc(8 << 20), { owner, to });
  const object = new SealedObject(s.envelope, { owner, keys: [reader] });
  const closed = (stream) => new Promise((done) => stream.on('close', done));
  assert.equal(threads(), 0);
  // Before anything, in the middle, and while its end waits for a reader.
  const untouched = sealStream({ owner, to });
  const half = sealStream({ owner, to });
  half.write(DATA);
  const ending = object.openStream();
  ending.write(s.body);
  ending.end();
  await new Promise((done) => ending.once('readable', done));
  const streams = [untouched, half, ending];
  assert.ok(threads() >= 3); // each may have helpers, which have its name
  for (const stream of streams) stream.destroy();
  await Promise.all(streams.map(closed));
  assert.equal(threads(), 0);
  assert.deepEqual([half.sealed, ending.opened], [null, null]);

  // An error of a neighbour destroys it, too, and is the error that comes out.
  const broken = Readable.from((async function* () { yield DATA; throw new Error('on fire'); })());
  await assert.rejects(pipeline(broken, sealStream({ owner, to }), fs.createWriteStream(at('body'))), { message: 'on fire' });
  await gone();
  assert.equal(threads(), 0);
  const stop = new AbortController();
  const slow = pipeline(Readable.from((async function* () { yield DATA; await new Promise(() => {}); })()), sealStream({ owner, to }), async (out) => { for await (const _ of out); }, { signal: stop.signal });
  stop.abort();
  await assert.rejects(slow, { name: 'AbortError' });
  await gone();
  assert.equal(threads(), 0);
});

test('small values', async () => {
  const place = { chain: 'eip155:1', contract: '0x5fbdb2315678afecb367f032d93f642f64180aa3', function: 'put(bytes32,bytes)', record: 'r' };
  const value = Buffer.from('21.5');
  const sealed = await sealValue(value, { place, to, owner });
  assert.equal(sealed.length, 4 + 57 + 64);
  const open = { place, keys: [reader], owner };
  assert.deepEqual(Buffer.from(await openValue(sealed, open)), value);
  assert.deepEqual(Buffer.from(valueFromText(valueText(sealed))), Buffer.from(sealed));
  assert.deepEqual(Buffer.from(valueFromText('0x' + Buffer.from(sealed).toString('hex'))), Buffer.from(sealed));
  // Each part of the place is bound, and so is the sender.
  for (const part of ['chain', 'contract', 'function', 'record']) {
    await assert.rejects(openValue(sealed, { ...open, place: { ...place, [part]: place[part] + 'x' } }), { code: 'not-authentic' });
  }
  for (const other of [undefined, OwnerKey.generate()]) {
    await assert.rejects(openValue(sealed, { ...open, owner: other }), { code: 'not-authentic' });
  }
  await assert.rejects(openValue(sealed, { ...open, keys: [RecipientKey.generate('x25519')] }), { code: 'no-recipient' });
  await assert.rejects(openValue(sealed.subarray(1), open), { code: 'malformed' });
  await assert.rejects(sealValue(Buffer.alloc(65_537), { place, to }), { code: 'too-large' });
  await assert.rejects(sealValue(value, { place, to: [] }), { code: 'recipients' });
  await assert.rejects(sealValue(value, { place: { ...place, chain: '' }, to }), { code: 'argument' });
  for (const padTo of [-1, 0.5, 2 ** 32 + 64, 3]) {
    await assert.rejects(sealValue(value, { place, to, padTo }), { code: 'argument' });
  }
  assert.equal((await sealValue(value, { place, to, padTo: 64 })).length, 64 + 57);
  assert.throws(() => valueFromText('0XFF'), { code: 'malformed' });

  const values = [1, 2, 3].map((n) => ({ record: `sensor-${n}`, value: Buffer.from(`${n}`) }));
  const batch = await sealValues(values, { place, to, owner });
  const received = batch.values.map((v, i) => ({ record: values[i].record, value: v }));
  assert.deepEqual((await openValues(batch.header, received, open)).map((v) => Buffer.from(v).toString()), ['1', '2', '3']);
  await assert.rejects(openValues(batch.header, [received[0], received[0]], open), { code: 'not-authentic' });
  await assert.rejects(openValues(batch.header, [{ ...received[0], record: 'sensor-2' }], open), { code: 'not-authentic' });
  const other = await sealValues(values, { place, to, owner });
  await assert.rejects(openValues(other.header, received, open), { code: 'not-authentic' });
});

test('evidence', async () => {
  for (const [file, name] of [['verifier/v1/honest.json', 'bundle'], ['verifier/v1/stale.json', 'bundle'], ['dossier/v1/honest.json', 'dossier']]) {
    const vector = JSON.parse(fs.readFileSync(path.join(vectors, file), 'utf8'));
    const keys = Object.fromEntries(Object.entries(vector.verifying_keys).map(([d, k]) => [d, Buffer.from(k, 'hex')]));
    const terms = { policy: vector.policy, anchors: vector.anchors, keys, nowMs: Number(vector.now_unix_ms) };
    const verdict = await verify(Buffer.from(vector[name], 'hex'), terms);
    assert.equal(verdict.exitCode, vector.expect.exit_code);
    assert.equal(verdict.holds, verdict.exitCode === 0);
    assert.equal(JSON.parse(verdict.json).exit_code, verdict.exitCode);
    await assert.rejects(verify(Buffer.from('x'), terms), { code: 'unusable' });
  }
});
