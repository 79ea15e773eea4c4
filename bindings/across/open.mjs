// Opens the object in this folder as `by-node`.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const bailiwick = createRequire(import.meta.url)('../node');
const object = new bailiwick.SealedObject(readFileSync('object.envelope'), {
  owner: bailiwick.loadOwnerPublic('owner.pub'),
  keys: [bailiwick.RecipientKey.load('reader')],
});
await object.openFile('object', 'by-node');
