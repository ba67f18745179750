// A new release: more and more nodes pull the same image at once, each a new client that signs in for itself.
import { Counter, Trend } from 'k6/metrics';
import { makeImage, pull, push } from './lib/image.js';
import { Registry } from './lib/registry.js';
import { insecure, prefix, reader, text, whole, writer } from './lib/settings.js';

const repository = `${prefix}/pull-storm`;
const vus = whole('VUS', 50);

const pulls = new Counter('pulls');
const bytes = new Counter('pulled_bytes');
const duration = new Trend('pull_duration', true);

/** @type {import('k6/options').Options} */
export const options = {
  insecureSkipTLSVerify: insecure,
  scenarios: {
    storm: {
      executor: 'ramping-vus',
      startVUs: 1,
      stages: [
        { duration: text('RAMP', '10s'), target: vus },
        { duration: text('DURATION', '30s'), target: vus },
      ],
    },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    pulls: ['count>0'],
    pull_duration: [`p(95)<${whole('P95_MS', 10000)}`],
  },
};

export function setup() {
  push(new Registry(writer), repository, 'latest', makeImage(whole('LAYERS', 3), 1024 * whole('LAYER_KIB', 1024)));
}

export default function () {
  const started = Date.now();
  bytes.add(pull(new Registry(reader), repository, 'latest'));
  duration.add(Date.now() - started);
  pulls.add(1);
}
