// Deterministic CBOR as in docs/spec/v1/README.md, C1 and C2: unsigned integers (as numbers, or BigInt from 2^53), byte and text strings, arrays,
// maps of unsigned keys. What is not its own encoding is refused.

export class Malformed extends Error {}

/** The one value that fills `bytes`. */
export function decode(bytes) {
  const [value, end] = item(bytes, 0, 0);
  if (end !== bytes.length) throw new Malformed("left-over bytes");
  return value;
}

function item(bytes, at, depth) {
  if (depth > 8) throw new Malformed("nested too deeply");
  const [major, number, start] = head(bytes, at);
  if (major === 0) return [number, start];
  if (number > bytes.length - start) throw new Malformed("more than there is");
  switch (major) {
    case 2:
      return [bytes.subarray(start, start + number), start + number];
    case 3:
      return [new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, start + number)), start + number];
    case 4:
      return array(bytes, start, number, depth);
    case 5:
      return map(bytes, start, number, depth);
    default:
      throw new Malformed(`major type ${major}`);
  }
}

function array(bytes, start, number, depth) {
  const values = [];
  let at = start;
  for (let i = 0; i < number; i++) {
    const [value, end] = item(bytes, at, depth + 1);
    values.push(value);
    at = end;
  }
  return [values, at];
}

function map(bytes, start, number, depth) {
  const entries = new Map();
  let at = start, last = -1;
  for (let i = 0; i < number; i++) {
    const [major, key, afterKey] = head(bytes, at);
    if (major !== 0 || key <= last) throw new Malformed("map keys are unsigned integers, ascending");
    last = key;
    const [value, end] = item(bytes, afterKey, depth + 1);
    entries.set(key, value);
    at = end;
  }
  return [entries, at];
}

/** Major type, its number, and where what follows begins; the shortest form only. */
function head(bytes, at) {
  if (at >= bytes.length) throw new Malformed("truncated");
  const major = bytes[at] >> 5, code = bytes[at] & 31;
  if (code < 24) return [major, code, at + 1];
  if (code > 27) throw new Malformed("indefinite length");
  const size = 1 << (code - 24);
  if (at + 1 + size > bytes.length) throw new Malformed("truncated");
  let number = 0n;
  for (const byte of bytes.subarray(at + 1, at + 1 + size)) number = (number << 8n) | BigInt(byte);
  const least = size === 1 ? 24n : 1n << BigInt(4 * size);
  if (number < least) throw new Malformed("not the shortest integer");
  return [major, number > BigInt(Number.MAX_SAFE_INTEGER) ? number : Number(number), at + 1 + size];
}
