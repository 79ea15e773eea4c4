// Compiled, never run: the types say what the package does.
import { Code, OwnerKey, RecipientKey, SealedObject, loadOwnerPublic, openValues, seal, sealFile, sealStream, sealValue, sealValues, verify } from 'bailiwick';

export async function use(): Promise<Code[]> {
  const owner = OwnerKey.generate();
  const reader = RecipientKey.load('reader');
  const sealed = await seal(new Uint8Array(3), { owner, to: [reader.public], pad: false });
  const object = new SealedObject(sealed.envelope, { owner: loadOwnerPublic('owner.pub'), keys: [reader] });
  const some: Uint8Array = await object.readRange(sealed.body, 0, 1);
  const next: Uint8Array | null = object.rewrap({ owner, add: [reader.public] });
  const stream = sealStream({ owner, to: [reader.public] });
  stream.end(some);
  const envelope: Uint8Array | undefined = stream.sealed?.envelope ?? next ?? undefined;
  const place = { chain: 'fabric:trade', contract: 'invoices', function: 'Put' };
  const value: Uint8Array = await sealValue(some, { place, to: [reader.public], owner });
  const batch = await sealValues([{ record: 'r', value }], { place, to: [reader.public] });
  const values: Uint8Array[] = await openValues(batch.header, [{ value: batch.values[0] }], { place, keys: [reader] });
  // @ts-expect-error: a value belongs somewhere
  sealValue(values[0], { to: [] });
  const info = await sealFile('a', 'b', { owner, to: [] });
  // @ts-expect-error: the body went to a file
  info.body;
  // @ts-expect-error: there is no such algorithm
  RecipientKey.generate('rsa');
  // @ts-expect-error: no key is made of bytes
  new OwnerKey(envelope);
  const verdict = await verify(some, { policy: '', anchors: '', keys: {} });
  return verdict.holds ? [] : ['unusable'];
}
