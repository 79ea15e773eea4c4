import { Transform } from 'node:stream';

/** How a recipient's key works: hybrid post-quantum (the default), or classical. */
export type Algorithm = 'x-wing' | 'x25519' | 'p256';

/** Stays the same in every later version, which may add some. */
export type Code =
  | 'argument'
  | 'io'
  | 'key-file'
  | 'key'
  | 'envelope'
  | 'no-recipient'
  | 'wrong-body'
  | 'not-authentic'
  | 'malformed'
  | 'range'
  | 'too-large'
  | 'recipients'
  | 'rewrap'
  | 'unusable'
  | 'not-alone'
  | 'internal';

/** What everything here fails with. */
export class BailiwickError extends Error {
  readonly code: Code;
}

/** An owner's secret key: signs envelopes. Its bytes go into a key file and nowhere else. */
export class OwnerKey {
  private constructor();
  static generate(): OwnerKey;
  /** Refused when others can read the file. */
  static load(path: string): OwnerKey;
  /** Only this user can read the file; `path.pub` stands beside it. Nothing is replaced. */
  save(path: string): void;
  /** 64 hexadecimal digits: what envelopes are checked against. */
  readonly public: string;
}

/** The `.pub` file of an owner's key: 64 hexadecimal digits. */
export function loadOwnerPublic(path: string): string;

/** A recipient's secret key: opens objects. Its bytes go into a key file and nowhere else. */
export class RecipientKey {
  private constructor();
  static generate(algorithm?: Algorithm): RecipientKey;
  /** Refused when others can read the file. */
  static load(path: string): RecipientKey;
  /** Only this user can read the file; `path.pub` stands beside it. Nothing is replaced. */
  save(path: string): void;
  readonly public: Recipient;
}

/** A recipient's public key. */
export class Recipient {
  private constructor();
  static load(path: string): Recipient;
  static fromBytes(algorithm: Algorithm, key: Uint8Array): Recipient;
  readonly algorithm: Algorithm;
  readonly fingerprint: string;
  readonly bytes: Uint8Array;
}

export interface SealOptions {
  owner: OwnerKey;
  to: Recipient[];
  name?: string;
  mediaType?: string;
  /** Leave the recipients' key ids out of the envelope. */
  anonymous?: boolean;
  /** Hide the true length; yes unless false. */
  pad?: boolean;
}

export interface SealedInfo {
  envelope: Uint8Array;
  /** `owner/object/unit`. */
  object: string;
  dataBytes: number;
  bodyBytes: number;
  blake3: string;
}

export interface Sealed extends SealedInfo {
  body: Uint8Array;
}

/** Name and media type are text from outside: not to be taken for a path. */
export interface OpenedInfo {
  name: string;
  mediaType: string;
  dataBytes: number;
}

export interface Opened extends OpenedInfo {
  data: Uint8Array;
}

export function seal(data: Uint8Array, options: SealOptions): Promise<Sealed>;
/** New files, which appear whole or not at all; `envelope` is `BODY.envelope` unless given. */
export function sealFile(data: string, body: string, options: SealOptions & { envelope?: string }): Promise<SealedInfo>;
/** Data in, body out; `sealed` is set when the stream has ended. */
export function sealStream(options: SealOptions): Transform & { readonly sealed: SealedInfo | null };

/** A verified envelope and the key it holds. */
export class SealedObject {
  constructor(envelope: Uint8Array, options: { owner: string | OwnerKey; keys: RecipientKey[] });
  readonly name: string;
  readonly generation: number;
  open(body: Uint8Array): Promise<Opened>;
  /** `out` appears only when all of the body was checked; an existing file is not replaced. */
  openFile(body: string, out: string): Promise<OpenedInfo>;
  /** Body in, data out. What came out is what the owner sealed only when the stream ends without an error; `opened` is set then. */
  openStream(): Transform & { readonly opened: OpenedInfo | null };
  /** Of bytes or a path. Authentic among key holders: the owner, or anyone who can open, wrote these bytes. */
  readRange(body: Uint8Array | string, offset: number, length: number): Promise<Uint8Array>;
  /** The next generation of the envelope; null when nothing would change. */
  rewrap(options: { owner: OwnerKey; add?: Recipient[]; remove?: Recipient[]; anonymous?: boolean }): Uint8Array | null;
}

/** Where a small value belongs: bound to it, and not in the sealed bytes. */
export interface Place {
  /** `eip155:1`, `fabric:trade`, `fisco:group0`, `xuper:xuper`. */
  chain: string;
  /** An address in lower case, or a name. */
  contract: string;
  /** With its types where the platform has them: `put(bytes32,bytes)`. */
  function: string;
  record?: string;
}

/** A value of a batch, or its sealed bytes; the record stands beside it and not in the place. */
export interface BatchValue {
  record?: string;
  value: Uint8Array;
}

/** Seals up to 64 KiB for an argument of a transaction. Without `owner` anyone could have sealed it. */
export function sealValue(
  value: Uint8Array,
  options: { place: Place; to: Recipient[]; owner?: OwnerKey; padTo?: number; committing?: boolean },
): Promise<Uint8Array>;

/** With `owner`, a key or 64 hexadecimal digits, the value must carry that owner's signature; without, none. */
export function openValue(
  sealed: Uint8Array,
  options: { place: Place; keys: RecipientKey[]; owner?: OwnerKey | string },
): Promise<Uint8Array>;

/** Many values at the price of one: the batch's header, and the values in order. */
export function sealValues(
  values: BatchValue[],
  options: { place: Place; to: Recipient[]; owner?: OwnerKey; padTo?: number },
): Promise<{ header: Uint8Array; values: Uint8Array[] }>;

/** All or none; a value that comes twice is refused. */
export function openValues(
  header: Uint8Array,
  values: BatchValue[],
  options: { place: Place; keys: RecipientKey[]; owner?: OwnerKey | string },
): Promise<Uint8Array[]>;

/** `bwc1.` and base64url, for arguments that are texts. Bytes are given as they are. */
export function valueText(sealed: Uint8Array): string;

/** Of either text form, `bwc1.` or `0x` and hexadecimal; in one spelling each. */
export function valueFromText(text: string): Uint8Array;

export interface Terms {
  policy: string;
  anchors: string;
  /** Verifying keys by the digest that names them. */
  keys: Record<string, Uint8Array>;
  roster?: Uint8Array;
  blocs?: string;
  /** Milliseconds since 1970; now, when none. */
  nowMs?: number;
}

export interface Verdict {
  /** Whether every claim the policy requires holds. */
  holds: boolean;
  exitCode: number;
  json: string;
  text: string;
}

/** Judges a bundle or a dossier offline. */
export function verify(evidence: Uint8Array, terms: Terms): Promise<Verdict>;
