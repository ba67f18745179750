// Images: made of random bytes, pushed and pulled as clients do.
import { randomBytes, sha256 } from 'k6/crypto';
import { must, told } from './checks.js';

/** @typedef {import('./registry.js').Registry} Registry */
/** @typedef {{ digest: string, bytes: string | ArrayBuffer, size: number }} Blob */
/** @typedef {{ config: Blob, layers: Blob[], manifest: string, digest: string }} Image */

/** @param {string | ArrayBuffer} bytes */
function digestOf(bytes) {
  return `sha256:${sha256(bytes, 'hex')}`;
}

/**
 * A new image, unlike any other. Its configuration is ASCII, so that its length is its size.
 * @param {number} layers
 * @param {number} layerSize in bytes
 * @returns {Image}
 */
export function makeImage(layers, layerSize) {
  const made = Array.from({ length: layers }, () => {
    const bytes = randomBytes(layerSize);
    return { digest: digestOf(bytes), bytes, size: layerSize };
  });
  const text = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: made.map(({ digest }) => digest) },
  });
  const config = { digest: digestOf(text), bytes: text, size: text.length };
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size },
    layers: made.map(({ digest, size }) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size })),
  });
  return { config, layers: made, manifest, digest: digestOf(manifest) };
}

/**
 * @param {Registry} registry
 * @param {string} repository
 * @param {string} tag
 * @param {Image} image
 * @param {number} [chunkSize] layers larger than this are sent in chunks of it; 0: each in one request
 */
export function push(registry, repository, tag, image, chunkSize = 0) {
  for (const blob of [...image.layers, image.config]) {
    pushBlob(registry, repository, blob, chunkSize);
  }
  const put = registry.putManifest(repository, tag, image.manifest);
  must(put, {
    'manifest put: 201': ({ status }) => status === 201,
    'manifest put: its digest': ({ headers }) => headers['Docker-Content-Digest'] === image.digest,
  }, () => told(put));
  const head = registry.headManifest(repository, tag);
  must(head, { 'manifest put: the tag leads to it': ({ headers }) => headers['Docker-Content-Digest'] === image.digest }, () => told(head));
}

/**
 * @param {Registry} registry
 * @param {string} repository
 * @param {Blob} blob
 * @param {number} chunkSize
 */
function pushBlob(registry, repository, { digest, bytes }, chunkSize) {
  const head = registry.headBlob(repository, digest);
  must(head, { 'blob head: 200 or 404': ({ status }) => status === 200 || status === 404 }, () => told(head));
  if (head.status === 200) {
    return;
  }
  const start = registry.startUpload(repository);
  must(start, { 'upload start: 202': ({ status }) => status === 202 }, () => told(start));
  let location = start.headers.Location;
  /** @type {string | ArrayBuffer | null} */
  let rest = bytes;
  if (chunkSize > 0 && typeof bytes !== 'string' && bytes.byteLength > chunkSize) {
    for (let from = 0; from < bytes.byteLength; from += chunkSize) {
      const chunk = bytes.slice(from, from + chunkSize);
      const patch = registry.patchUpload(repository, location, chunk, from);
      must(patch, {
        'upload chunk: 202': ({ status }) => status === 202,
        'upload chunk: the range so far': ({ headers }) => headers.Range === `0-${from + chunk.byteLength - 1}`,
      }, () => told(patch));
      location = patch.headers.Location;
    }
    rest = null;
  }
  const end = registry.endUpload(repository, location, digest, rest);
  must(end, {
    'upload end: 201': ({ status }) => status === 201,
    'upload end: its digest': ({ headers }) => headers['Docker-Content-Digest'] === digest,
  }, () => told(end));
}

/**
 * Pulls an image as docker does: the tag's digest, the manifest by it, the blobs.
 * @param {Registry} registry
 * @param {string} repository
 * @param {string} tag
 * @returns {number} the blobs' bytes
 */
export function pull(registry, repository, tag) {
  const head = registry.headManifest(repository, tag);
  must(head, { 'manifest head: 200': ({ status }) => status === 200 }, () => told(head));
  const digest = head.headers['Docker-Content-Digest'];
  const got = registry.getManifest(repository, digest);
  must(got, {
    'manifest get: 200': ({ status }) => status === 200,
    'manifest get: what its digest says': ({ body }) => digestOf(String(body)) === digest,
  }, () => told(got));
  const manifest = JSON.parse(String(got.body));
  let bytes = 0;
  for (const blob of [manifest.config, ...manifest.layers]) {
    const answer = registry.getBlob(repository, blob.digest);
    must(answer, {
      'blob get: 200': ({ status }) => status === 200,
      'blob get: what its digest says': ({ body }) => body !== null && digestOf(/** @type {ArrayBuffer} */ (body)) === blob.digest,
    }, () => told(answer));
    bytes += blob.size;
  }
  return bytes;
}
