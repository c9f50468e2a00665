/* r and partial r with an interval that leaves out one family at a time: what the library's
   statistics.centring.correlate_over_families does, for one pair of columns. */
"use strict";
const explorerStatistics = (() => {
  const FLAT = 1e-10; // of a column's variance: what is less is rounding
  const NEAR_ONE = 1 - 1e-12; // where a correlation of 1 is put, that Fisher's z of it be finite
  const FEWEST_GROUPS = 4;

  const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  function centred(values, levels) {
    const sums = new Map();
    values.forEach((value, i) => {
      const [sum, n] = sums.get(levels[i]) || [0, 0];
      sums.set(levels[i], [sum + value, n + 1]);
    });
    return values.map((value, i) => value - sums.get(levels[i])[0] / sums.get(levels[i])[1]);
  }

  /* Pearson's r of x and y, all centred within levels; given: a column that is held fixed, or null. NaN where one of them
     is constant or explained, or where there are not two values more than levels and column. */
  function correlate(x, y, levels, given) {
    let spent = new Set(levels).size;
    let columns = [centred(x, levels), centred(y, levels)];
    const before = columns.map((column) => product(column, column));
    if (given) {
      const fixed = centred(given, levels);
      const spread = product(fixed, fixed);
      const whole = centred(given, given.map(() => 0));
      if (spread > FLAT * product(whole, whole)) {
        spent += 1;
        columns = columns.map((column) => {
          const slope = product(column, fixed) / spread;
          return column.map((value, i) => value - slope * fixed[i]);
        });
      }
    }
    const after = columns.map((column) => product(column, column));
    const varies = [x, y].every((values, k) => {
      const size = Math.max(...values.map(Math.abs));
      return after[k] > FLAT * before[k] && before[k] > 1e-18 * size * size * values.length;
    });
    if (x.length - spent < 2 || !varies) return NaN;
    const r = product(columns[0], columns[1]) / Math.sqrt(after[0] * after[1]);
    return Math.min(1, Math.max(-1, r));
  }

  const fisher = (r) => Math.atanh(Math.min(NEAR_ONE, Math.max(-NEAR_ONE, r)));

  /* The estimate, its 95 % interval and the number of families. studentsT: 97.5 % quantiles by degrees of freedom. */
  function overFamilies({ x, y, families, levels, given, studentsT }) {
    const r = correlate(x, y, levels, given);
    const names = [...new Set(families)];
    const found = { r, low: NaN, high: NaN, families: names.length };
    if (names.length < FEWEST_GROUPS || Number.isNaN(r)) return found;
    const squares = names.map((name) => {
      const kept = (values) => values && values.filter((_, i) => families[i] !== name);
      return (fisher(correlate(kept(x), kept(y), kept(levels), kept(given))) - fisher(r)) ** 2;
    });
    const degrees = names.length - 1;
    const error = Math.sqrt((degrees / names.length) * squares.reduce((a, b) => a + b, 0));
    const half = studentsT[degrees] * error;
    return { ...found, low: Math.tanh(fisher(r) - half), high: Math.tanh(fisher(r) + half) };
  }

  return { correlate, overFamilies };
})();
