// Everything that clients do, for long, while somebody reloads policy, users, certificates and limits: not one request
// may fail for it.
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { list, probe, signIn } from './lib/flows.js';
import { makeImage, pull, push } from './lib/image.js';
import { Registry } from './lib/registry.js';
import { insecure, prefix, reader, text, whole, writer } from './lib/settings.js';

const repository = `${prefix}/soak`;
const layerSize = 1024 * whole('LAYER_KIB', 64);
const pause = whole('PAUSE_MS', 100) / 1000;

const rounds = new Counter('rounds');

/** @type {import('k6/options').Options} */
export const options = {
  insecureSkipTLSVerify: insecure,
  scenarios: {
    soak: { executor: 'constant-vus', vus: whole('VUS', 10), duration: text('DURATION', '10m') },
  },
  thresholds: {
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    rounds: ['count>0'],
  },
};

const nodes = new Registry(reader);
const jobs = new Registry(writer);

export function setup() {
  push(jobs, repository, 'latest', makeImage(2, layerSize));
}

const steps = [
  () => pull(nodes, repository, 'latest'),
  () => pull(new Registry(reader), repository, 'latest'), // as a new client, which signs in
  () => probe(nodes, repository),
  () => signIn(writer),
  () => push(jobs, `${repository}-${__VU}`, 'latest', makeImage(1, layerSize), __ITER % 2 === 0 ? 0 : Math.ceil(layerSize / 2)),
  () => list(nodes, repository),
];

export default function () {
  for (const step of steps) {
    sleep(pause); // first, so that a step that fails does not make a busy loop
    step();
  }
  rounds.add(1);
}
