// What the modules in k6/ and the thread that runs a virtual user share: how to reach the world from inside a script.

/**
 * Set by vu.mjs. Without them a script is only being read, and k6 allows neither requests nor samples there.
 * @type {{ exchange?: (request: object) => any, record?: (metric: string, value: number, tag?: string) => void }}
 */
export const runtime = {};

/** The script's own metrics: name → kind. */
export const declared = new Map();

export function exchange(request) {
  if (!runtime.exchange) {
    throw new Error('requests are made in setup, teardown and scenarios only, not while the script is read');
  }
  return runtime.exchange(request);
}

export function record(metric, value, tag) {
  if (!runtime.record) {
    throw new Error(`the metric "${metric}" is given values in setup, teardown and scenarios only`);
  }
  runtime.record(metric, value, tag);
}

export function pause(seconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, seconds * 1000));
}

/** Refuses what this runner does not know: ignored, it would make the run mean something else than under k6. */
export function only(object, known, what) {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) {
      throw new Error(`${what} has "${key}", which this runner does not offer (it knows: ${known.join(', ')}); use k6 itself`);
    }
  }
}

/** The object, but reading a member that it lacks is an error, not undefined. */
export function strict(object, what) {
  return new Proxy(object, {
    get(target, key) {
      // "then" and "toJSON" are looked for by the language itself.
      if (typeof key === 'string' && !(key in target) && key !== 'then' && key !== 'toJSON') {
        throw new Error(`${what} has no "${key}" in this runner; use k6 itself`);
      }
      return Reflect.get(target, key);
    },
  });
}
