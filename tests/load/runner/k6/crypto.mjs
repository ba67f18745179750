import { createHash, randomBytes as random } from 'node:crypto';

export function sha256(input, encoding) {
  if (encoding !== 'hex') {
    throw new Error(`sha256 gives hex in this runner, not "${encoding}"; use k6 itself`);
  }
  return createHash('sha256').update(typeof input === 'string' ? input : new Uint8Array(input)).digest('hex');
}

export function randomBytes(size) {
  return new Uint8Array(random(size)).buffer; // copied: a Buffer may share its memory with others
}
