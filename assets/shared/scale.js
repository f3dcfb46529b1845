/** Compute the ticks of an axis, and write their numbers. */

/**
 * Return about `count` round numbers for an axis.
 * @param {number} from
 * @param {number} to
 * @param {number} count
 */
export function ticks(from, to, count) {
  const raw = (to - from) / count,
    power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((m) => m * power >= raw) ?? 10);
  const values = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) values.push(Number((i * step).toPrecision(12)));
  return values;
}

/** Return the fewest digits that distinguish neighbouring ticks. @param {number[]} ticks */
export const digitsFor = (ticks) =>
  ticks.length > 1 ? Math.max(0, Math.min(6, Math.ceil(-Math.log10(ticks[1] - ticks[0]) - 1e-9))) : 2;
