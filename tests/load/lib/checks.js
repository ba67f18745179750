import { check } from 'k6';

/**
 * Checks as k6's check does, and ends the iteration where one fails: what follows would only fail for the same reason.
 * @template T
 * @param {T} value
 * @param {Record<string, (value: T) => boolean>} checks
 * @param {() => string} [found] what is logged of the value, never a secret
 */
export function must(value, checks, found) {
  if (!check(value, checks)) {
    throw new Error(`not so: ${Object.keys(checks).filter((name) => !checks[name](value)).join('; ')}${found ? ` (${found()})` : ''}`);
  }
}

/**
 * An answer, short, for a log line: without the query, which may hold an upload's ticket.
 * @param {import('k6/http').RefinedResponse<any>} answer
 */
export function told(answer) {
  const text = typeof answer.body === 'string' ? ` ${answer.body.slice(0, 300)}` : '';
  return `${answer.request.method} ${answer.url.split('?')[0]} gave ${answer.status}${answer.error ? ` ${answer.error}` : ''}${text}`;
}
