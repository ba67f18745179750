// The executors: how many virtual users a scenario has, and when each may begin another iteration.
import { only, pause } from './runtime.mjs';

/** A duration as k6 writes it, 1h30m or 1.5s, in seconds. */
export function seconds(text) {
  const units = { ms: 0.001, s: 1, m: 60, h: 3600 };
  const parts = [...String(text).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new Error(`"${text}" is no duration such as 30s, 5m or 1h30m`);
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit], 0);
}

function whole(scenario, key, fallback) {
  const value = scenario[key] ?? fallback;
  if (!Number.isInteger(value) || value < 0) {
    throw new Error(`"${key}" is ${value}, not a whole number`);
  }
  return value;
}

function atLeast(least, value, what) {
  if (value < least) {
    throw new Error(`${what} is ${value}, less than ${least}`);
  }
  return value;
}

const common = ['executor', 'exec'];

// For each executor: read() checks a scenario and gives { vus, length, … }; turns() stops the thread until the virtual
// user with this index may begin an iteration, and yields. `taken` counts iterations over the scenario's users.
const executors = {
  'constant-vus': {
    read(scenario) {
      only(scenario, [...common, 'vus', 'duration'], 'constant-vus');
      return { vus: whole(scenario, 'vus', 1), length: seconds(scenario.duration) };
    },
    *turns({ length }, { now }) {
      while (now() < length) {
        yield;
      }
    },
  },

  'ramping-vus': {
    read(scenario) {
      only(scenario, [...common, 'startVUs', 'stages'], 'ramping-vus');
      const from = whole(scenario, 'startVUs', 1);
      const stages = scenario.stages.map((stage) => {
        only(stage, ['duration', 'target'], 'a stage');
        return { length: seconds(stage.duration), target: whole(stage, 'target') };
      });
      return {
        from,
        stages,
        vus: Math.max(from, ...stages.map(({ target }) => target)),
        length: stages.reduce((sum, { length }) => sum + length, 0),
      };
    },
    *turns({ from, stages, length }, { now, index }) {
      const usersAt = (time) => {
        let users = from;
        for (const stage of stages) {
          if (time < stage.length) {
            return users + (stage.target - users) * (time / stage.length);
          }
          time -= stage.length;
          users = stage.target;
        }
        return users;
      };
      while (now() < length) {
        if (index < Math.round(usersAt(now()))) {
          yield;
        } else {
          pause(0.02);
        }
      }
    },
  },

  'shared-iterations': {
    read(scenario) {
      only(scenario, [...common, 'vus', 'iterations', 'maxDuration'], 'shared-iterations');
      const vus = whole(scenario, 'vus', 1);
      const iterations = atLeast(vus, whole(scenario, 'iterations', 1), '"iterations"');
      return { iterations, vus, length: seconds(scenario.maxDuration ?? '10m') };
    },
    *turns({ iterations, length }, { now, taken }) {
      while (now() < length && Atomics.add(taken, 0, 1) < iterations) {
        yield;
      }
    },
  },

  'per-vu-iterations': {
    read(scenario) {
      only(scenario, [...common, 'vus', 'iterations', 'maxDuration'], 'per-vu-iterations');
      return {
        iterations: atLeast(1, whole(scenario, 'iterations', 1), '"iterations"'),
        vus: whole(scenario, 'vus', 1),
        length: seconds(scenario.maxDuration ?? '10m'),
      };
    },
    *turns({ iterations, length }, { now }) {
      for (let turn = 0; turn < iterations && now() < length; turn++) {
        yield;
      }
    },
  },

  'constant-arrival-rate': {
    read(scenario) {
      only(scenario, [...common, 'rate', 'timeUnit', 'duration', 'preAllocatedVUs'], 'constant-arrival-rate');
      const period = seconds(scenario.timeUnit ?? '1s') / whole(scenario, 'rate');
      if (!Number.isFinite(period)) {
        throw new Error('"rate" is 0');
      }
      return { period, vus: whole(scenario, 'preAllocatedVUs'), length: seconds(scenario.duration) };
    },
    *turns({ period, length }, { now, taken, drop }) {
      for (;;) {
        const due = Atomics.add(taken, 0, 1) * period;
        if (due >= length) {
          return;
        }
        if (now() > due + period) {
          drop(); // every user was busy when this one was due
          continue;
        }
        pause(due - now());
        yield;
      }
    },
  },
};

/** A scenario, checked, as plain data that a thread can be given. */
export function readScenario(name, scenario, functions) {
  try {
    const executor = executors[scenario.executor];
    if (!executor) {
      throw new Error(`there is no executor "${scenario.executor}" in this runner (it knows: ${Object.keys(executors).join(', ')})`);
    }
    const exec = scenario.exec ?? 'default';
    if (!functions.includes(exec)) {
      throw new Error(`the script exports no function "${exec}"`);
    }
    const plan = executor.read(scenario);
    atLeast(1, plan.vus, 'the number of virtual users');
    atLeast(1, plan.length, 'its duration in seconds'); // k6 refuses these too
    return { name, executor: scenario.executor, exec, ...plan };
  } catch (error) {
    throw new Error(`scenario "${name}": ${error.message}`);
  }
}

export const turns = (scenario, context) => executors[scenario.executor].turns(scenario, context);
