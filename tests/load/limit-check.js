// Counts a limit's permits: many clients race for more pulls than a rule allows, and exactly as many as it allows must
// get through, over however many replicas. The rule that the gateway needs for it is in README.md.
import { Counter } from 'k6/metrics';
import { must, told } from './lib/checks.js';
import { makeImage, push } from './lib/image.js';
import { Registry } from './lib/registry.js';
import { insecure, prefix, reader, text, whole, writer } from './lib/settings.js';

const repository = text('LIMIT_REPOSITORY', `${prefix}/limit`);
const expected = whole('EXPECTED_PERMITS', 100);
const attempts = whole('ATTEMPTS', 2 * expected + 50);

const permits = new Counter('permits');
const refusals = new Counter('refusals');

/** @type {import('k6/options').Options} */
export const options = {
  insecureSkipTLSVerify: insecure,
  scenarios: {
    race: { executor: 'shared-iterations', vus: whole('VUS', 50), iterations: attempts, maxDuration: '5m' },
  },
  thresholds: {
    permits: [`count==${expected}`],
    refusals: [`count==${attempts - expected}`],
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
  },
};

const client = new Registry(reader);

export function setup() {
  push(new Registry(writer), repository, 'latest', makeImage(1, 1024));
}

export default function () {
  const answer = client.getManifest(repository, 'latest', [200, 429]);
  const header = /** @param {string} name */ (name) => answer.headers[name] || '';
  must(answer, {
    'pull: 200 or 429': ({ status }) => status === 200 || status === 429,
    'pull: ratelimit-limit': () => /^\d+;w=\d+$/.test(header('Ratelimit-Limit')),
    'pull: ratelimit-remaining': () => /^\d+;w=\d+$/.test(header('Ratelimit-Remaining')),
  }, () => told(answer));
  if (answer.status === 200) {
    permits.add(1);
    return;
  }
  refusals.add(1);
  must(answer, {
    'refused: TOOMANYREQUESTS': ({ body }) => JSON.parse(String(body)).errors[0].code === 'TOOMANYREQUESTS',
    'refused: Retry-After from 1 to 60': () => /^([1-9]|[1-5]\d|60)$/.test(header('Retry-After')),
    'refused: nothing remains': () => header('Ratelimit-Remaining').startsWith('0;'),
  }, () => told(answer));
  const head = client.headManifest(repository, 'latest');
  must(head, { 'a probe is free: 200': ({ status }) => status === 200 }, () => told(head));
}
