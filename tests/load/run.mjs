#!/usr/bin/env node
// Runs a k6 script where no k6 is to be had:
//
//   node tests/load/run.mjs SCRIPT [-e NAME=VALUE]… [--ca FILE] [--vus N] [--duration D] [--iterations N]
//
// --vus, --duration and --iterations do what k6 does with them: in place of the script's scenarios, its default function
// is run so. --ca is this runner's own, for k6's SSL_CERT_FILE, which is heeded too.
//
// It knows just what the scripts here use, refuses everything else, and ends with k6's exit codes: 0, 99 if a threshold
// is crossed, 104 for wrong options, 107 for an exception in the script, 100 and 101 for a setup or teardown without end.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Connections } from './runner/network.mjs';
import { Results } from './runner/results.mjs';
import { declared, only } from './runner/runtime.mjs';
import { readScenario } from './runner/scenarios.mjs';

const EXIT = { crossed: 99, setupTimeout: 100, teardownTimeout: 101, options: 104, exception: 107 };
const USAGE = 'usage: run.mjs SCRIPT [-e NAME=VALUE]… [--ca FILE] [--vus N] [--duration D] [--iterations N]';
const FLAGS = ['-e', '--ca', '--vus', '--duration', '--iterations'];
const ONCE_SECONDS = 60; // k6's setupTimeout and teardownTimeout
const GRACE_SECONDS = 30; // k6's gracefulStop

class Failure extends Error {
  constructor(code, error) {
    super(error.stack ?? error);
    this.code = code;
  }
}

function readArguments(words) {
  const env = { ...process.env };
  const flags = {};
  let script;
  while (words.length > 0) {
    const word = words.shift();
    const value = FLAGS.includes(word) ? words.shift() ?? '' : null;
    const pair = word === '-e' ? /^(\w+)=(.*)$/s.exec(value) : null;
    if (pair) {
      env[pair[1]] = pair[2];
    } else if (value !== null && word !== '-e') {
      flags[word.slice(2)] = value;
    } else if (word.startsWith('-') || script) {
      throw new Failure(EXIT.options, `"${word}" is not understood here; ${USAGE}`);
    } else {
      script = word;
    }
  }
  const beside = path.join(path.dirname(fileURLToPath(import.meta.url)), script ?? '');
  const file = [path.resolve(script ?? ''), beside].find((one) => script && existsSync(one));
  if (!file) {
    throw new Failure(EXIT.options, `there is no script "${script ?? ''}"; ${USAGE}`);
  }
  return { env, script: pathToFileURL(file).href, shortcut: shortcutOf(flags), ca: flags.ca ?? env.SSL_CERT_FILE };
}

/** The scenario that k6 makes of --vus, --duration and --iterations, or null where none is given. */
function shortcutOf({ vus, duration, iterations }) {
  if (iterations !== undefined) {
    return { executor: 'shared-iterations', vus: Number(vus ?? 1), iterations: Number(iterations), maxDuration: duration ?? '10m' };
  }
  if (duration !== undefined) {
    return { executor: 'constant-vus', vus: Number(vus ?? 1), duration };
  }
  return vus === undefined ? null : { executor: 'shared-iterations', vus: Number(vus), iterations: Number(vus) };
}

/** Reads the script as k6's init stage does: its options, functions and metrics. */
async function readPlan(script, env, shortcut) {
  Object.assign(globalThis, { __ENV: env, __VU: 0, __ITER: 0 });
  const module = await import(script).catch((error) => {
    const lacking = error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' || /'k6.*does not provide an export/.test(error.message);
    throw new Failure(EXIT.exception, lacking ? `${error.message}: this runner does not offer it; use k6 itself` : error);
  });
  try {
    const functions = Object.keys(module).filter((name) => typeof module[name] === 'function');
    only(module, ['options', ...functions], 'the script');
    if (functions.includes('handleSummary')) {
      throw new Error('handleSummary is not offered by this runner; use k6 itself');
    }
    const { thresholds = {}, insecureSkipTLSVerify = false } = module.options ?? {};
    const scenarios = shortcut ? { default: shortcut } : module.options?.scenarios;
    only(module.options ?? {}, ['scenarios', 'thresholds', 'insecureSkipTLSVerify'], 'options');
    if (Object.keys(scenarios ?? {}).length === 0) {
      throw new Error('the script has no options.scenarios');
    }
    return {
      functions,
      insecure: insecureSkipTLSVerify,
      scenarios: Object.entries(scenarios).map(([name, scenario]) => readScenario(name, scenario, functions)),
      results: new Results(declared, thresholds),
    };
  } catch (error) {
    throw new Failure(EXIT.options, error.message);
  }
}

/** A virtual user's thread. Promises: ready (it waits for the start), and done, with what a function run once gave. */
function startUser({ script, env, results, security }, vu, job) {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const connections = new Connections(security);
  const worker = new Worker(new URL('runner/vu.mjs', import.meta.url), { workerData: { script, env, vu, signal, job } });
  const user = { worker };
  let result;
  user.ready = new Promise((resolve, reject) => {
    worker.on('message', async (message) => {
      if (message.request) {
        const answer = await connections.exchange(message.request);
        worker.postMessage(answer, [answer.body]);
        Atomics.store(signal, 0, 1);
        Atomics.notify(signal, 0);
      } else if (message.samples) {
        message.samples.forEach((sample) => results.add(sample));
      } else if (message.ready) {
        resolve();
      } else if ('log' in message) {
        console.error(`  [${job.scenario?.name ?? job.once} ${vu}] ${message.log}`);
      } else {
        result = message.result;
      }
    });
    worker.on('error', (error) => reject(new Failure(EXIT.exception, error)));
  });
  user.done = new Promise((resolve, reject) => {
    worker.on('error', (error) => reject(new Failure(EXIT.exception, error)));
    worker.on('exit', () => {
      connections.close();
      resolve(result);
    });
  });
  user.ready.catch(() => {}); // done tells
  return user;
}

async function runOnce(run, name, data, timeoutCode) {
  if (!run.functions.includes(name)) {
    return undefined;
  }
  const user = startUser(run, 0, { once: name, data });
  let late = false;
  const timer = setTimeout(() => { late = true; user.worker.terminate(); }, ONCE_SECONDS * 1000);
  const result = await user.done.finally(() => clearTimeout(timer));
  if (late) {
    throw new Failure(timeoutCode, `${name} took longer than ${ONCE_SECONDS} s`);
  }
  return result;
}

async function runScenarios(run, data) {
  let vu = 0;
  const users = run.scenarios.flatMap((scenario) => {
    const taken = new Int32Array(new SharedArrayBuffer(4));
    return Array.from({ length: scenario.vus }, (_, index) => startUser(run, ++vu, { scenario, index, taken, data }));
  });
  await Promise.race([Promise.all(users.map(({ ready }) => ready)), Promise.all(users.map(({ done }) => done))]);
  const started = Date.now();
  users.forEach(({ worker }) => worker.postMessage(started));
  const end = Math.max(...run.scenarios.map(({ length }) => length)) + GRACE_SECONDS;
  const timer = setTimeout(() => {
    console.error(`  users still busy ${GRACE_SECONDS} s after the end are stopped`);
    users.forEach(({ worker }) => worker.terminate());
  }, end * 1000);
  await Promise.all(users.map(({ done }) => done)).finally(() => clearTimeout(timer));
  return (Date.now() - started) / 1000;
}

function readAuthorities(file) {
  try {
    return file ? readFileSync(file) : undefined;
  } catch (error) {
    throw new Failure(EXIT.options, `the authorities to trust cannot be read: ${error.message}`);
  }
}

async function main() {
  const { script, env, shortcut, ca } = readArguments(process.argv.slice(2));
  const plan = await readPlan(script, env, shortcut);
  const run = { ...plan, script, env, security: { insecure: plan.insecure, ca: readAuthorities(ca) } };
  const data = await runOnce(run, 'setup', undefined, EXIT.setupTimeout);
  const length = await runScenarios(run, data);
  await runOnce(run, 'teardown', data, EXIT.teardownTimeout);
  console.log(`${path.basename(script)}: ${length.toFixed(1)} s`);
  return run.results.report(length, (line) => console.log(line)) ? 0 : EXIT.crossed;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Failure ? error.message : error);
  process.exit(error instanceof Failure ? error.code : 1);
}
