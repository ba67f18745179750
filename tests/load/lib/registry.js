// A client of the registry API, as docker is one: challenged, signed in, and then with a token for each scope.
import http from 'k6/http';
import { must, told } from './checks.js';
import { gatewayUrl, passwordOf } from './settings.js';
import { readChallenge, token } from './signin.js';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const renewBefore = 30000; // a token is not used in its last milliseconds

/** @typedef {import('k6/http').RefinedResponse<any>} Answer */
/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path from /v2/ on, or the whole URL of an upload
 * @property {string} name what the request is called in k6's metrics, whose URLs would be endless
 * @property {string} scope what a token for it must grant; for a push more than the challenge of its first HEAD names
 * @property {number[]} [expect] the statuses that are no failure; 200 unless set
 * @property {string | ArrayBuffer | null} [body]
 * @property {Record<string, string>} [headers]
 * @property {'text' | 'binary' | 'none'} [responseType]
 */

export class Registry {
  /** @param {string | null} user whose password is in the environment; null: anonymous */
  constructor(user) {
    this.credentials = user === null ? null : { user, password: passwordOf(user) };
    /** @type {Map<string, { token: string, expires: number }>} */
    this.tokens = new Map();
  }

  /**
   * Sends a request; the first of a scope is challenged, gets its token, and is sent again.
   * @param {Request} request
   * @returns {Answer}
   */
  send(request) {
    const known = this.tokens.get(request.scope);
    if (known && Date.now() < known.expires - renewBefore) {
      return this.sendOnce(request, known.token);
    }
    // Without the body, which is for whoever may send it.
    const refused = this.sendOnce({ ...request, body: null, expect: [401], responseType: 'text' }, null);
    const challenge = readChallenge(refused.headers['Www-Authenticate']);
    must(refused, {
      'without a token: 401': ({ status }) => status === 401,
      'without a token: a Bearer challenge with a scope': () => challenge !== null && challenge.scope !== '',
    }, () => told(refused));
    const wanted = /** @type {import('./signin.js').Challenge} */ ({ ...challenge, scope: request.scope });
    const given = token(wanted, this.credentials);
    this.tokens.set(request.scope, given);
    return this.sendOnce(request, given.token);
  }

  /**
   * @param {Request} request
   * @param {string | null} bearer
   * @returns {Answer}
   */
  sendOnce({ method, path, name, expect = [200], body = null, headers = {}, responseType = 'text' }, bearer) {
    return http.request(method, path.startsWith('/') ? gatewayUrl + path : path, body, {
      headers: bearer === null ? headers : { ...headers, Authorization: `Bearer ${bearer}` },
      responseCallback: http.expectedStatuses(...expect),
      responseType,
      tags: { name: bearer === null ? 'challenge' : name },
    });
  }

  /**
   * @param {string} repository
   * @param {string} reference a tag or a digest
   * @param {number[]} [expect]
   */
  headManifest(repository, reference, expect = [200]) {
    return this.send({
      method: 'HEAD',
      path: `/v2/${repository}/manifests/${reference}`,
      name: 'manifest-head',
      scope: `repository:${repository}:pull`,
      headers: { Accept: manifestType },
      expect,
      responseType: 'none',
    });
  }

  /**
   * @param {string} repository
   * @param {string} reference a tag or a digest
   * @param {number[]} [expect]
   */
  getManifest(repository, reference, expect = [200]) {
    return this.send({
      method: 'GET',
      path: `/v2/${repository}/manifests/${reference}`,
      name: 'manifest-get',
      scope: `repository:${repository}:pull`,
      headers: { Accept: manifestType },
      expect,
    });
  }

  /**
   * @param {string} repository
   * @param {string} tag
   * @param {string} manifest
   */
  putManifest(repository, tag, manifest) {
    return this.send({
      method: 'PUT',
      path: `/v2/${repository}/manifests/${tag}`,
      name: 'manifest-put',
      scope: `repository:${repository}:pull,push`,
      headers: { 'Content-Type': manifestType },
      body: manifest,
      expect: [201],
    });
  }

  /**
   * Clients ask so before they upload, with the rights to push.
   * @param {string} repository
   * @param {string} digest
   */
  headBlob(repository, digest) {
    return this.send({
      method: 'HEAD',
      path: `/v2/${repository}/blobs/${digest}`,
      name: 'blob-head',
      scope: `repository:${repository}:pull,push`,
      expect: [200, 404],
      responseType: 'none',
    });
  }

  /**
   * @param {string} repository
   * @param {string} digest
   */
  getBlob(repository, digest) {
    return this.send({
      method: 'GET',
      path: `/v2/${repository}/blobs/${digest}`,
      name: 'blob-get',
      scope: `repository:${repository}:pull`,
      responseType: 'binary',
    });
  }

  /**
   * Begins an upload.
   * @param {string} repository
   */
  startUpload(repository) {
    return this.send({
      method: 'POST',
      path: `/v2/${repository}/blobs/uploads/`,
      name: 'upload-start',
      scope: `repository:${repository}:pull,push`,
      expect: [202],
    });
  }

  /**
   * Sends a chunk: distribution specification, "Pushing a blob in chunks".
   * @param {string} repository
   * @param {string} location where the last answer said that the upload goes on
   * @param {ArrayBuffer} chunk
   * @param {number} from the chunk's place in the blob
   */
  patchUpload(repository, location, chunk, from) {
    return this.send({
      method: 'PATCH',
      path: location,
      name: 'upload-chunk',
      scope: `repository:${repository}:pull,push`,
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Range': `${from}-${from + chunk.byteLength - 1}`,
      },
      body: chunk,
      expect: [202],
    });
  }

  /**
   * Ends an upload.
   * @param {string} repository
   * @param {string} location where the last answer said that the upload goes on
   * @param {string} digest
   * @param {string | ArrayBuffer | null} body the whole blob, or null where chunks have brought it
   */
  endUpload(repository, location, digest, body) {
    return this.send({
      method: 'PUT',
      path: `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`,
      name: 'upload-end',
      scope: `repository:${repository}:pull,push`,
      headers: { 'Content-Type': 'application/octet-stream' },
      body,
      expect: [201],
    });
  }

  /** @param {string} repository */
  listTags(repository) {
    return this.send({
      method: 'GET',
      path: `/v2/${repository}/tags/list`,
      name: 'tags-list',
      scope: `repository:${repository}:pull`,
    });
  }

  listCatalog() {
    return this.send({ method: 'GET', path: '/v2/_catalog?n=100', name: 'catalog', scope: 'registry:catalog:*' });
  }
}
