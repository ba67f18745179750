// Everybody signs in at once: docker login, again and again, and now and then with a wrong password.
import { Counter, Trend } from 'k6/metrics';
import { signIn, signInWrongly } from './lib/flows.js';
import { insecure, reader, text, whole, writer } from './lib/settings.js';

const vus = whole('VUS', 50);
const iterations = whole('ITERATIONS', 4);
const users = text('USERS', `${writer},${reader}`).split(',');
const wrongEvery = whole('WRONG_EVERY', 10); // one in so many virtual users begins with a wrong password; 0: none

const signins = new Counter('signins');
const duration = new Trend('signin_duration', true);

/** @type {import('k6/options').Options} */
export const options = {
  insecureSkipTLSVerify: insecure,
  scenarios: {
    storm: { executor: 'per-vu-iterations', vus, iterations, maxDuration: '10m' },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    signins: [`count==${vus * iterations}`],
    signin_duration: [`p(95)<${whole('P95_MS', 5000)}`],
  },
};

export default function () {
  if (wrongEvery > 0 && __ITER === 0 && __VU % wrongEvery === 0) {
    signInWrongly();
  }
  const started = Date.now();
  signIn(users[(__VU + __ITER) % users.length]);
  duration.add(Date.now() - started);
  signins.add(1);
}
