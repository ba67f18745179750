// The Docker token exchange: a challenge, and a token for it.
import { b64encode } from 'k6/encoding';
import http from 'k6/http';
import { must, told } from './checks.js';
import { gatewayUrl } from './settings.js';

/** @typedef {{ realm: string, service: string, scope: string }} Challenge */

/**
 * Reads `Bearer realm="…",service="…",scope="…"`: RFC 9110, section 11.6.1.
 * @param {string | undefined} header
 * @returns {Challenge | null} null where it is no Bearer challenge with a realm
 */
export function readChallenge(header) {
  const scheme = /^Bearer +/i.exec(header || '');
  if (!scheme) {
    return null;
  }
  /** @type {Record<string, string>} */
  const found = {};
  const parameters = /([A-Za-z_]+)="((?:[^"\\]|\\.)*)"/g;
  const rest = (header || '').slice(scheme[0].length);
  for (let match = parameters.exec(rest); match; match = parameters.exec(rest)) {
    found[match[1].toLowerCase()] = match[2].replace(/\\(.)/g, '$1');
  }
  return found.realm ? { realm: found.realm, service: found.service || '', scope: found.scope || '' } : null;
}

/** Asks /v2/ without credentials, as clients begin. */
export function ping() {
  const answer = http.get(`${gatewayUrl}/v2/`, {
    responseCallback: http.expectedStatuses(401),
    tags: { name: 'ping' },
  });
  const challenge = readChallenge(answer.headers['Www-Authenticate']);
  must(answer, {
    'ping: 401': ({ status }) => status === 401,
    'ping: a Bearer challenge': () => challenge !== null,
  }, () => told(answer));
  return /** @type {Challenge} */ (challenge);
}

/**
 * Asks for a token; what the answer should be is the caller's to check.
 * @param {Challenge} challenge
 * @param {{ user: string, password: string } | null} credentials null: anonymous
 * @param {number[]} expected the statuses that are no failed request
 */
export function askForToken({ realm, service, scope }, credentials, expected) {
  const query = [
    `service=${encodeURIComponent(service)}`,
    // Several scopes stand in one challenge, separated by spaces, and are asked for in as many parameters.
    ...scope.split(' ').filter((one) => one).map((one) => `scope=${encodeURIComponent(one)}`),
    ...(credentials ? [`account=${encodeURIComponent(credentials.user)}`] : []),
  ].join('&');
  return http.get(`${realm}${realm.includes('?') ? '&' : '?'}${query}`, {
    headers: credentials ? { Authorization: basic(credentials) } : {},
    responseCallback: http.expectedStatuses(...expected),
    tags: { name: 'token' },
  });
}

/**
 * A token, which must be given.
 * @param {Challenge} challenge
 * @param {{ user: string, password: string } | null} credentials null: anonymous
 * @returns {{ token: string, expires: number }} expires in milliseconds since 1970, by our own clock
 */
export function token(challenge, credentials) {
  const asked = Date.now();
  const answer = askForToken(challenge, credentials, [200]);
  must(answer, { 'token: 200': ({ status }) => status === 200 }, () => told(answer));
  const given = JSON.parse(String(answer.body));
  // "token" by Docker's specification, "access_token" by OAuth 2; without expires_in it lives 60 seconds.
  const text = given.token || given.access_token;
  must(text, { 'token: the answer has one': (value) => typeof value === 'string' && value !== '' });
  return { token: text, expires: asked + 1000 * (given.expires_in || 60) };
}

/** @param {{ user: string, password: string }} credentials */
function basic({ user, password }) {
  return `Basic ${b64encode(`${user}:${password}`)}`;
}
