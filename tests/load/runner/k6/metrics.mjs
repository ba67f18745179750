import { declared, record } from '../runtime.mjs';

class Metric {
  constructor(kind, name) {
    if (declared.has(name) && declared.get(name) !== kind) {
      throw new Error(`the metric "${name}" is declared as ${declared.get(name)} and as ${kind}`);
    }
    declared.set(name, kind);
    this.name = name;
  }

  add(value, tags) {
    if (tags !== undefined) {
      throw new Error('tags of a sample are not offered by this runner; use k6 itself');
    }
    record(this.name, Number(value));
  }
}

export class Counter extends Metric {
  constructor(name) {
    super('counter', name);
  }
}

export class Rate extends Metric {
  constructor(name) {
    super('rate', name);
  }
}

export class Trend extends Metric {
  constructor(name) {
    super('trend', name);
  }
}
