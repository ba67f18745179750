// CI jobs push new images, each into a repository of its own: small blobs in one request, large ones in chunks.
import { Counter, Trend } from 'k6/metrics';
import { makeImage, push } from './lib/image.js';
import { Registry } from './lib/registry.js';
import { insecure, prefix, text, whole, writer } from './lib/settings.js';

const layers = whole('LAYERS', 2);
const layerSize = 1024 * whole('LAYER_KIB', 1024);
const chunkSize = 1024 * whole('CHUNK_KIB', 256);

const pushes = new Counter('pushes');
const bytes = new Counter('pushed_bytes');
const duration = new Trend('push_duration', true);

/** @type {import('k6/options').Options} */
export const options = {
  insecureSkipTLSVerify: insecure,
  scenarios: {
    jobs: { executor: 'constant-vus', vus: whole('VUS', 10), duration: text('DURATION', '30s') },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    pushes: ['count>0'],
    push_duration: [`p(95)<${whole('P95_MS', 10000)}`],
  },
};

export default function () {
  const image = makeImage(layers, layerSize);
  const started = Date.now();
  // Docker sends a layer in one PATCH, containerd in one PUT; others in chunks. Here every second image.
  push(new Registry(writer), `${prefix}/push-${__VU}`, 'latest', image, __ITER % 2 === 0 ? 0 : chunkSize);
  duration.add(Date.now() - started);
  bytes.add(layers * layerSize + image.config.size);
  pushes.add(1);
}
