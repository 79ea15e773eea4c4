'use strict';

const { Transform } = require('node:stream');
const native = require('./bailiwick.node');

/** What everything here fails with; `code` stays the same in every later version. */
class BailiwickError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = 'BailiwickError';
    this.code = code;
  }
}

const CODE = /^([a-z][a-z-]*): ([^]*)$/;

function raised(error) {
  const said = error instanceof Error && CODE.exec(error.message);
  // What the native half refuses before it starts (a value of a wrong type) has no code of ours.
  return said ? new BailiwickError(said[1], said[2]) : error;
}

function now(f) {
  try {
    return f();
  } catch (error) {
    throw raised(error);
  }
}

function later(promise) {
  return promise.catch((error) => {
    throw raised(error);
  });
}

/** Secret keys: opaque, and printed without their secret. */
class OwnerKey {
  #key;
  constructor(key) {
    if (!(key instanceof native.OwnerKey)) throw new TypeError('use OwnerKey.generate or OwnerKey.load');
    this.#key = key;
  }
  static generate() {
    return new OwnerKey(now(() => native.OwnerKey.generate()));
  }
  static load(path) {
    return new OwnerKey(now(() => native.OwnerKey.load(path)));
  }
  static native(of) {
    return of.#key;
  }
  save(path) {
    now(() => this.#key.save(path));
  }
  get public() {
    return this.#key.public;
  }
}

class RecipientKey {
  #key;
  constructor(key) {
    if (!(key instanceof native.RecipientKey)) throw new TypeError('use RecipientKey.generate or RecipientKey.load');
    this.#key = key;
  }
  static generate(algorithm) {
    return new RecipientKey(now(() => native.RecipientKey.generate(algorithm)));
  }
  static load(path) {
    return new RecipientKey(now(() => native.RecipientKey.load(path)));
  }
  static native(of) {
    return of.#key;
  }
  save(path) {
    now(() => this.#key.save(path));
  }
  get public() {
    return new Recipient(this.#key.public);
  }
}

class Recipient {
  #key;
  constructor(key) {
    if (!(key instanceof native.Recipient)) throw new TypeError('use Recipient.load or Recipient.fromBytes');
    this.#key = key;
  }
  static load(path) {
    return new Recipient(now(() => native.Recipient.load(path)));
  }
  static fromBytes(algorithm, key) {
    return new Recipient(now(() => native.Recipient.fromBytes(algorithm, key)));
  }
  static native(of) {
    return of.#key;
  }
  get algorithm() {
    return this.#key.algorithm;
  }
  get fingerprint() {
    return this.#key.fingerprint;
  }
  get bytes() {
    return this.#key.bytes;
  }
}

// The handles stay in here.
const ownerOf = OwnerKey.native;
const keyOf = RecipientKey.native;
const recipientOf = Recipient.native;
delete OwnerKey.native;
delete RecipientKey.native;
delete Recipient.native;

function ownerPublic(owner) {
  return typeof owner === 'string' ? owner : owner.public;
}

function loadOwnerPublic(path) {
  return now(() => native.loadOwnerPublic(path));
}

function split({ owner, to, ...options }) {
  return [ownerOf(owner), to.map(recipientOf), options];
}

async function seal(data, options) {
  return later(now(() => native.seal(data, ...split(options))));
}

async function sealFile(data, body, { envelope = `${body}.envelope`, ...options }) {
  return later(now(() => native.sealFile(data, body, envelope, ...split(options))));
}

class SealedObject {
  #object;
  constructor(envelope, { owner, keys }) {
    this.#object = now(() => new native.SealedObject(envelope, ownerPublic(owner), keys.map(keyOf)));
  }
  get name() {
    return this.#object.name;
  }
  get generation() {
    return this.#object.generation;
  }
  async open(body) {
    return later(this.#object.open(body));
  }
  async openFile(body, out) {
    return later(this.#object.openFile(body, out));
  }
  async readRange(body, offset, length) {
    for (const n of [offset, length]) {
      if (!Number.isSafeInteger(n) || n < 0) throw new BailiwickError('argument', 'offset and length are whole and not negative');
    }
    return later(
      typeof body === 'string'
        ? this.#object.readRangeFile(body, offset, length)
        : this.#object.readRange(body, offset, length),
    );
  }
  rewrap({ owner, add = [], remove = [], anonymous = false }) {
    const made = now(() => this.#object.rewrap(ownerOf(owner), add.map(recipientOf), remove.map(recipientOf), anonymous));
    return made ?? null;
  }
  /** A Transform stream, ciphertext in, data out: see openStream. */
  openStream() {
    return new Pieces(now(() => new native.Unsealer(this.#object)), 'opened');
  }
}

function buffer(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One piece after the other through the native half; what its end tells goes under the name `result`. */
class Pieces extends Transform {
  #native;
  #result;
  #wanted = null;
  constructor(native, result) {
    super();
    this.#native = native;
    this.#result = result;
    this[result] = null;
  }
  _transform(chunk, encoding, done) {
    this.#native.push(chunk).then(
      (out) => done(null, out.length > 0 ? buffer(out) : undefined),
      (error) => done(raised(error)),
    );
  }
  _read(size) {
    const wanted = this.#wanted;
    this.#wanted = null;
    if (wanted) wanted();
    super._read(size);
  }
  // The end can be long, padding for one: its pieces wait until the reader wants them.
  async #end() {
    for (;;) {
      const out = await this.#native.drain();
      if (out.length === 0) return this.#native.finish();
      if (!this.push(buffer(out))) await new Promise((wanted) => (this.#wanted = wanted));
    }
  }
  // Also before the end, by `destroy` or a failed pipeline: the thread behind this must not wait until it is collected.
  _destroy(error, done) {
    this.#native.abandon().then(
      () => done(error),
      (failed) => done(error ?? raised(failed)),
    );
  }
  _flush(done) {
    this.#end().then(
      (about) => {
        this[this.#result] = about;
        done();
      },
      (error) => done(raised(error)),
    );
  }
}

/** A Transform stream, data in, body out; `sealed` holds the envelope when it has ended. */
function sealStream(options) {
  return new Pieces(now(() => new native.Sealer(...split(options))), 'sealed');
}

/** A length, or none: what the native half would otherwise cut to 32 bits. */
function length(n) {
  if (n === undefined || (Number.isInteger(n) && n >= 0 && n < 2 ** 32)) return n;
  throw new BailiwickError('argument', 'padTo is a length in bytes');
}

/** Small values for arguments of transactions (spec compact). */
async function sealValue(value, { place, to, owner, padTo, committing }) {
  return later(now(() => native.sealValue(value, place, to.map(recipientOf), owner && ownerOf(owner), length(padTo), committing)));
}

async function openValue(sealed, { place, keys, owner }) {
  return later(now(() => native.openValue(sealed, place, keys.map(keyOf), owner && ownerPublic(owner))));
}

async function sealValues(values, { place, to, owner, padTo }) {
  return later(now(() => native.sealValues(values, place, to.map(recipientOf), owner && ownerOf(owner), length(padTo))));
}

async function openValues(header, values, { place, keys, owner }) {
  return later(now(() => native.openValues(header, values, place, keys.map(keyOf), owner && ownerPublic(owner))));
}

function valueText(sealed) {
  return now(() => native.valueText(sealed));
}

function valueFromText(text) {
  return now(() => native.valueFromText(text));
}

async function verify(evidence, terms) {
  return later(now(() => native.verify(evidence, terms)));
}

module.exports = {
  BailiwickError,
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
};
