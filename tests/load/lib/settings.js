// What a script is told by environment variables: k6 run -e NAME=VALUE. Defaults fit compose/up.

/**
 * @param {string} name
 * @param {string} fallback
 */
export function text(name, fallback) {
  return __ENV[name] || fallback;
}

/**
 * @param {string} name
 * @param {number} fallback
 */
export function whole(name, fallback) {
  const value = Number(text(name, String(fallback)));
  if (!Number.isInteger(value) || value < 0) {
    throw new Error(`${name} is not a whole number (found: ${__ENV[name]}). Set it to one, for example ${fallback}.`);
  }
  return value;
}

/** The gateway's address, as in its publicUrl; its token endpoint is found by its challenges. */
export const gatewayUrl = text('GATEWAY_URL', 'https://localhost:8443').replace(/\/+$/, '');

/** For self-signed certificates; better is to trust the authority, see README.md. */
export const insecure = text('INSECURE', 'false') === 'true';

/** Who pushes, and who pulls: in the stack's policies alice writes team-a/** and bob reads it. */
export const writer = text('WRITER', 'alice');
export const reader = text('READER', 'bob');

/** Below this all scripts keep their repositories. */
export const prefix = text('PREFIX', 'team-a/load');

/**
 * A user's password, from ALICE_PASSWORD for alice.
 * @param {string} user
 */
export function passwordOf(user) {
  const name = `${user.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_PASSWORD`;
  const password = __ENV[name];
  if (!password) {
    throw new Error(`the password of ${user} is not set (found: no ${name}). compose/up keeps it in compose/.state/credentials.`);
  }
  return password;
}
