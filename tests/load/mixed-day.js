// A working day: pulls, probes, listings, sign-ins, pushes and a few wrong passwords, in fixed shares, at a fixed rate
// whatever the gateway's speed.
import { Counter, Trend } from 'k6/metrics';
import { list, probe, signIn, signInWrongly } from './lib/flows.js';
import { makeImage, pull, push } from './lib/image.js';
import { Registry } from './lib/registry.js';
import { insecure, prefix, reader, text, whole, writer } from './lib/settings.js';

const rate = whole('RATE', 20); // iterations a second, of all kinds together
const images = 5;
const layers = 2;
const layerSize = 1024 * whole('LAYER_KIB', 64);

// In percent, by the function that does it.
const shares = { pulls: 50, probes: 25, listings: 10, signins: 8, pushes: 5, mistakes: 2 };

const done = new Counter('day_done');
const pullDuration = new Trend('pull_duration', true);
const pushDuration = new Trend('push_duration', true);

/** @type {import('k6/options').Options} */
export const options = {
  insecureSkipTLSVerify: insecure,
  scenarios: Object.fromEntries(Object.entries(shares).map(([exec, share]) => [exec, {
    executor: 'constant-arrival-rate',
    exec,
    // In the time of a hundred iterations of all kinds, its share of them.
    rate: share,
    timeUnit: `${Math.round(100000 / rate)}ms`,
    duration: text('DURATION', '5m'),
    preAllocatedVUs: Math.max(1, Math.ceil((2 * rate * share) / 100)), // enough if each takes two seconds
  }])),
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    day_done: ['count>0'],
    pull_duration: [`p(95)<${whole('P95_MS', 5000)}`],
    push_duration: [`p(95)<${whole('P95_MS', 5000)}`],
    'http_req_duration{name:token}': [`p(95)<${whole('TOKEN_P95_MS', 2000)}`],
    'http_req_duration{name:manifest-head}': [`p(95)<${whole('HEAD_P95_MS', 1000)}`],
  },
};

// A client that stays, as a node's engine does: its tokens are used until they end.
const nodes = new Registry(reader);
const jobs = new Registry(writer);

const image = () => `${prefix}/day-${(__VU + __ITER) % images}`;

export function setup() {
  for (let number = 0; number < images; number++) {
    push(jobs, `${prefix}/day-${number}`, 'latest', makeImage(layers, layerSize));
  }
}

export function pulls() {
  const started = Date.now();
  pull(nodes, image(), 'latest');
  pullDuration.add(Date.now() - started);
  done.add(1);
}

export function probes() {
  probe(nodes, image());
  done.add(1);
}

export function listings() {
  list(nodes, image());
  done.add(1);
}

export function signins() {
  signIn(reader);
  done.add(1);
}

export function pushes() {
  const made = makeImage(layers, layerSize);
  const started = Date.now();
  push(jobs, `${prefix}/day-push-${__VU}`, 'latest', made, __ITER % 2 === 0 ? 0 : Math.ceil(layerSize / 2));
  pushDuration.add(Date.now() - started);
  done.add(1);
}

export function mistakes() {
  signInWrongly();
  done.add(1);
}
