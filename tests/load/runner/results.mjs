// Adds up what the virtual users measured, and holds it against the thresholds.

const builtIn = {
  checks: 'rate',
  http_reqs: 'counter',
  http_req_duration: 'trend',
  http_req_failed: 'rate',
  iterations: 'counter',
  iteration_duration: 'trend',
  dropped_iterations: 'counter',
};

// What a threshold can ask of each kind of metric. Without a sample each is 0, but a rate is nothing, and its threshold
// holds: so it is in k6.
const aggregates = {
  counter: { count: (one) => one.sum, rate: (one, length) => (length > 0 ? one.sum / length : 0) },
  rate: { rate: (one) => (one.count > 0 ? one.sum / one.count : undefined) },
  trend: {
    avg: (one) => (one.count > 0 ? one.sum / one.count : 0),
    min: (one) => percentile(one.values, 0),
    med: (one) => percentile(one.values, 50),
    max: (one) => percentile(one.values, 100),
  },
};

const operators = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '===': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

function percentile(values, percent) {
  if (values.length === 0) {
    return 0;
  }
  const sorted = Float64Array.from(values).sort();
  const place = (percent / 100) * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  return below + (sorted[Math.ceil(place)] - below) * (place % 1);
}

const empty = (kind) => ({ kind, count: 0, sum: 0, values: [] });

export class Results {
  #metrics = new Map();
  #named = new Map(); // samples of one check, or of requests with one name
  #thresholds;

  /** @throws where a threshold is not understood, before anything runs. */
  constructor(declared, thresholds) {
    for (const [name, kind] of [...Object.entries(builtIn), ...declared]) {
      this.#metrics.set(name, empty(kind));
    }
    this.#thresholds = Object.entries(thresholds).flatMap(([name, texts]) => texts.map((text) => this.#read(name, text)));
  }

  add([metric, value, name]) {
    const one = this.#metrics.get(metric);
    put(one, value);
    if (name !== undefined) {
      put(this.#part(metric, name), value);
    }
  }

  /** Prints everything, a line each, and gives whether all thresholds hold. */
  report(length, print) {
    for (const [name, one] of [...this.#metrics, ...[...this.#named].sort()]) {
      if (one.count > 0) {
        print(`  ${name}: ${describe(one)}`);
      }
    }
    let good = true;
    for (const { name, text, value, holds } of this.#thresholds) {
      const found = value(length);
      const held = found === undefined || holds(found);
      print(`  threshold ${name} ${text}: ${held ? 'holds' : 'CROSSED'} (found ${found === undefined ? 'nothing' : round(found)})`);
      good &&= held;
    }
    return good;
  }

  #part(metric, name) {
    const key = `${metric}{name:${name}}`;
    if (!this.#named.has(key)) {
      this.#named.set(key, empty(this.#metrics.get(metric).kind));
    }
    return this.#named.get(key);
  }

  #read(name, text) {
    const [, metric, part] = /^(\w+)(?:\{name:([^{}:,]+)\})?$/.exec(name) ?? [];
    if (!this.#metrics.has(metric)) {
      throw new Error(`a threshold is set on "${name}", and this runner knows no such metric of the script`);
    }
    if (part && !metric.startsWith('http_')) {
      throw new Error(`a threshold is set on "${name}", and only requests have names here; use k6 itself`);
    }
    const one = part ? this.#part(metric, part) : this.#metrics.get(metric);
    const parts = typeof text === 'string'
      ? /^\s*([a-z]+|p\(\d+(?:\.\d+)?\))\s*(===|==|!=|<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text) : null;
    const percent = one.kind === 'trend' && /^p\((.+)\)$/.exec(parts?.[1] ?? '');
    const aggregate = percent ? ({ values }) => percentile(values, Number(percent[1])) : aggregates[one.kind][parts?.[1]];
    if (!aggregate) {
      throw new Error(`the threshold ${JSON.stringify(text)} of the ${one.kind} "${name}" is not understood by this runner`);
    }
    const bound = Number(parts[3]);
    return { name, text, value: (length) => aggregate(one, length), holds: (found) => operators[parts[2]](found, bound) };
  }
}

function put(one, value) {
  one.count++;
  one.sum += value;
  if (one.kind === 'trend') {
    one.values.push(value);
  }
}

const round = (number) => Math.round(number * 1000) / 1000;

function describe(one) {
  switch (one.kind) {
    case 'counter': return `${round(one.sum)}`;
    case 'rate': return `${round((100 * one.sum) / one.count)}% (${one.sum} of ${one.count})`;
    default: return ['avg', 'med', 'max'].map((key) => `${key}=${round(aggregates.trend[key](one))}`)
      .concat(`p(95)=${round(percentile(one.values, 95))}`).join(' ');
  }
}
