// What several scripts let clients do.
import { check } from 'k6';
import http from 'k6/http';
import { must, told } from './checks.js';
import { gatewayUrl, passwordOf, text } from './settings.js';
import { askForToken, ping, token } from './signin.js';

// Nobody's name: guesses at a real user would, rightly, slow that user down too, who is at the same address here.
const wrong = { user: text('WRONG_USER', 'mallory'), password: 'not-the-password' };

/**
 * What docker login does: the challenge, a token for it without any scope, and whether the token is good.
 * @param {string} user
 */
export function signIn(user) {
  const given = token({ ...ping(), scope: '' }, { user, password: passwordOf(user) });
  const answer = http.get(`${gatewayUrl}/v2/`, {
    headers: { Authorization: `Bearer ${given.token}` },
    tags: { name: 'base' },
  });
  must(answer, { 'signed in: 200': ({ status }) => status === 200 }, () => told(answer));
}

/** Refused, with 429 where the gateway already slows this address down; else the check fails. */
export function signInWrongly() {
  const answer = askForToken({ ...ping(), scope: '' }, wrong, [401, 429]);
  check(answer, { 'wrong password: 401 or 429': ({ status }) => status === 401 || status === 429 });
}

/**
 * Whether a tag has moved, and one that is not there.
 * @param {import('./registry.js').Registry} registry
 * @param {string} repository
 */
export function probe(registry, repository) {
  const head = registry.headManifest(repository, 'latest');
  must(head, { 'probe: 200': ({ status }) => status === 200 }, () => told(head));
  const missing = registry.headManifest(repository, 'not-there', [404]);
  must(missing, { 'probe of no tag: 404': ({ status }) => status === 404 }, () => told(missing));
}

/**
 * A repository's tags, and the catalog.
 * @param {import('./registry.js').Registry} registry
 * @param {string} repository
 */
export function list(registry, repository) {
  const tags = registry.listTags(repository);
  must(tags, {
    'tags: 200': ({ status }) => status === 200,
    'tags: the one that was pushed': ({ body }) => JSON.parse(String(body)).tags.includes('latest'),
  }, () => told(tags));
  const catalog = registry.listCatalog();
  must(catalog, {
    'catalog: 200': ({ status }) => status === 200,
    'catalog: names': ({ body }) => JSON.parse(String(body)).repositories.length > 0,
  }, () => told(catalog));
}
