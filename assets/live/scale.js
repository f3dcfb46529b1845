/** Compute lines and ranges for the curves. */

/**
 * @typedef {{x: number[], y: number[]}} Line
 * @typedef {{from: number, to: number}} Range
 */

/**
 * Return one quantity of one split over the epochs, without records that lack it.
 * @param {import("./store.js").LogRecord[]} records
 * @param {"train" | "validation"} split
 * @param {"reconstruction" | "kl" | "neg_elbo"} quantity
 * @returns {Line}
 */
export function lineOf(records, split, quantity) {
  const line = { x: /** @type {number[]} */ ([]), y: /** @type {number[]} */ ([]) };
  for (const record of records) {
    const value = record[quantity];
    if (record.split !== split || value === null || value === undefined) continue;
    line.x.push(record.epoch);
    line.y.push(value);
  }
  return line;
}

/** Return the epochs of all lines, from 0. @param {Line[]} lines @returns {Range} */
export function epochsOf(lines) {
  const last = Math.max(0, ...lines.map(({ x }) => x.at(-1) ?? 0));
  return { from: 0, to: last || 1 };
}

const EARLY = 0.04; // share of the epochs in view in which the loss falls so far that the rest would look flat

/**
 * Return the range of values to show over some epochs, without the high values of the first epochs.
 * @param {Line[]} lines
 * @param {Range} epochs
 * @returns {Range}
 */
export function valuesOf(lines, { from, to }) {
  const early = from + EARLY * (to - from);
  let low = Infinity,
    high = -Infinity,
    lateHigh = -Infinity,
    late = 0;
  for (const { x, y } of lines)
    for (let i = 0; i < x.length; i++) {
      if (x[i] < from || x[i] > to) continue;
      low = Math.min(low, y[i]);
      high = Math.max(high, y[i]);
      if (x[i] < early) continue;
      lateHigh = Math.max(lateHigh, y[i]);
      late++;
    }
  if (low === Infinity) return { from: 0, to: 1 };
  if (late > 4 && high - low > 2 * (lateHigh - low)) high = lateHigh + 0.3 * (lateHigh - low);
  const margin = 0.06 * (high - low) || Math.abs(high) * 0.05 || 0.5;
  return { from: low - margin, to: high + margin };
}

/**
 * Return the index of the value nearest to x in an ascending list, or −1.
 * @param {number[]} values
 * @param {number} x
 */
export function nearestIndex(values, x) {
  let low = 0,
    high = values.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  return Math.abs(values[low] - x) <= Math.abs(values[high] - x) ? low : high;
}

/**
 * Zoom a range about a point that does not move, within the limits.
 * @param {Range} range
 * @param {number} factor above 1 enlarges
 * @param {number} about
 * @param {Range} limits
 * @returns {Range}
 */
export function zoomed({ from, to }, factor, about, limits) {
  const width = Math.min(limits.to - limits.from, (to - from) / factor);
  const start = Math.min(Math.max(limits.from, about - ((about - from) / (to - from)) * width), limits.to - width);
  return { from: start, to: start + width };
}
