// Reading a sealed object from docs/spec/v1/envelope.md: HPKE by @hpke, everything else by node:crypto. BLAKE3 is not there, so key ids are not
// used to choose an entry and the body's BLAKE3 is not compared: reference/python does both.

import { createDecipheriv, createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { decode } from "./cbor.mjs";

const HEADER = 56, CHUNK = 16384, SEALED = 16400;
const KEMS = { 0x0020: DhkemX25519HkdfSha256, 0x0010: DhkemP256HkdfSha256, 0x647a: XWing };
// @hpke takes whole ArrayBuffers; a Buffer may be a part of one.
const whole = (bytes) => new Uint8Array(bytes).buffer;
const ascii = (text) => Buffer.from(text, "ascii");

export class Refused extends Error {}

function must(holds, expectation) {
  if (!holds) throw new Refused(expectation);
}

function le64(number) {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(number));
  return out;
}

/** E5, E2: the envelope's map, if the pinned owner signed it. */
export function verified(owner, bytes) {
  const outer = decode(bytes);
  must(Array.isArray(outer) && outer.length === 2 && outer.every(Buffer.isBuffer) && outer[1].length === 64, "envelope-malformed");
  const [payload, signature] = outer;
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: owner.toString("base64url") }, format: "jwk" });
  must(verify(null, Buffer.concat([ascii("bailiwick/v1/envelope-signature"), payload]), key, signature), "envelope-signature");
  const m = decode(payload);
  must(m.get(0) === 1 && m.get(1) === 1, "envelope-malformed");
  must(m.get(2).equals(owner), "owner-mismatch");
  return m;
}

/** E4: what the first entry of role 1 that the key opens holds. */
export async function fileKey(envelope, kem, secret) {
  const suite = new CipherSuite({ kem: new KEMS[kem](), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientKey = await suite.kem.importKey("raw", whole(secret), false);
  const info = Buffer.concat([ascii("bailiwick/v1/recipient-info"), le64(envelope.get(1)), envelope.get(2), envelope.get(3), Buffer.of(1)]);
  for (const entry of envelope.get(9)) {
    if (entry.get(0) !== kem || entry.has(4) || (kem !== 0x0010 && !isUsable(entry.get(2).subarray(-32)))) continue;
    try {
      return Buffer.from(await suite.open({ recipientKey, enc: whole(entry.get(2)), info: whole(info) }, whole(entry.get(3))));
    } catch {
      // Not for this key.
    }
  }
  throw new Refused("no-recipient");
}

const MODULUS = (1n << 255n) - 19n;
// Coordinates of the points of small order (RFC 7748 section 6.1).
const SMALL_ORDER = [
  0n,
  1n,
  MODULUS - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];

/** E4: an X25519 key that is below 2^255 - 19 and not of small order. X-Wing's keys end in one. */
function isUsable(point) {
  const number = BigInt(`0x${Buffer.from(point).reverse().toString("hex")}`);
  return number < MODULUS && !SMALL_ORDER.includes(number);
}

/** HKDF-Expand (RFC 5869) with SHA-512; HMAC pads the key with zeros. */
function expand(key, info, length) {
  let block = Buffer.alloc(0), out = Buffer.alloc(0);
  for (let counter = 1; out.length < length; counter++) {
    block = createHmac("sha512", key).update(block).update(info).update(Buffer.of(counter)).digest();
    out = Buffer.concat([out, block]);
  }
  return out.subarray(0, length);
}

/** E3. */
export function bodyKey(envelope, key) {
  const context = [ascii("bailiwick/v1/body-key"), le64(envelope.get(1)), envelope.get(2), envelope.get(3), envelope.get(4)];
  return expand(key, Buffer.concat(context), 32);
}

/** Name, media type and data. */
export function opened(envelope, key, body) {
  must(!envelope.has(5), "shard");
  return parts(plaintext(envelope, key, body));
}

/** E1, E9. */
export function plaintext(envelope, key, body) {
  const info = envelope.get(6);
  const context = Buffer.concat([ascii("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"), info.get(1)]);
  const okm = expand(bodyKey(envelope, key), context, 76);
  must(timingSafeEqual(okm.subarray(44), info.get(2)), "key-commitment");
  must(body.subarray(0, HEADER).equals(Buffer.concat([info.get(1), info.get(2)])), "body-header");
  must(body.length === info.get(3), "body-size");
  const chunks = [];
  for (let index = 0; HEADER + index * SEALED < body.length; index++) {
    chunks.push(chunk(okm, index, body.subarray(HEADER + index * SEALED, HEADER + (index + 1) * SEALED)));
  }
  return Buffer.concat(chunks);
}

function chunk(okm, index, sealed) {
  const nonce = Buffer.from(okm.subarray(32, 44));
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ index) >>> 0, 8);
  const cipher = createDecipheriv("aes-256-gcm", okm.subarray(0, 32), nonce, { authTagLength: 16 });
  cipher.setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
  } catch {
    throw new Refused("body-chunk");
  }
}

/** E6. */
export function parts(plain) {
  const nameEnd = 2 + plain.readUInt16LE(0);
  const typeEnd = nameEnd + 2 + plain.readUInt16LE(nameEnd);
  const length = Number(plain.readBigUInt64LE(plain.length - 8));
  must(typeEnd + length <= plain.length - 8, "data-length");
  must(plain.subarray(typeEnd + length, -8).every((byte) => byte === 0), "padding");
  return {
    name: plain.toString("utf8", 2, nameEnd),
    mediaType: plain.toString("utf8", nameEnd + 2, typeEnd),
    data: plain.subarray(typeEnd, typeEnd + length),
  };
}
