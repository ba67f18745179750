// One virtual user, in a thread of its own: k6's requests are synchronous, so this thread sleeps while the main thread
// makes them.
import { format } from 'node:util';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { runtime } from './runtime.mjs';
import { turns } from './scenarios.mjs';

const { script, env, vu, signal, job } = workerData;
let samples = [];

const tell = (message) => parentPort.postMessage(message);

function flush() {
  tell({ samples });
  samples = [];
}

// Node's own console waits for the event loop, which does not turn here.
for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
  console[level] = (...values) => tell({ log: format(...values) });
}
Object.assign(globalThis, { __ENV: env, __VU: vu, __ITER: 0 });

const module = await import(script);

runtime.exchange = (request) => {
  Atomics.store(signal, 0, 0);
  tell({ request });
  // Again where nothing came: the call that wakes for the answer before may come late, when this request waits already.
  while (Atomics.load(signal, 0) === 0) {
    Atomics.wait(signal, 0, 0);
  }
  return receiveMessageOnPort(parentPort).message;
};
runtime.record = (...sample) => samples.push(sample);

const data = () => (job.data === undefined ? undefined : JSON.parse(job.data));

async function once() {
  tell({ result: JSON.stringify(await module[job.once](data())) }); // k6 hands data on as JSON
}

async function scenario() {
  const started = await new Promise((resolve) => {
    parentPort.once('message', resolve);
    tell({ ready: true });
  });
  const context = {
    index: job.index,
    taken: job.taken,
    now: () => (Date.now() - started) / 1000,
    drop: () => runtime.record('dropped_iterations', 1),
  };
  for (const _ of turns(job.scenario, context)) {
    const begun = performance.now();
    try {
      await module[job.scenario.exec](data());
    } catch (error) {
      console.error(error); // k6 too goes on with the next iteration; thresholds must notice
    }
    runtime.record('iterations', 1);
    runtime.record('iteration_duration', performance.now() - begun);
    globalThis.__ITER++;
    flush();
  }
}

await (job.once ? once() : scenario());
flush();
parentPort.close();
