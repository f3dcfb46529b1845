/** Lines around the densest parts of a posterior: the smallest areas that hold given shares of its mass. */

import { middleOf } from "./grid.js";

export const SHARES = [0.5, 0.9, 0.99]; // of the mass
const FINER = 4; // lines are looked for on a lattice so many times finer, between the cells by cubics
const MOST = 16_000; // nodes of that lattice
const FLOOR = 30; // nats below the best: a cell that was left out

/**
 * @param {import("./refine.js").Quadrature} quadrature in two dimensions
 * @param {import("./grid.js").Area} area
 * @returns {Float64Array[]} for each share the ends x, y, x, y of the segments of its line
 */
export function contoursOf({ cells, values, level }, area) {
  const best = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const near = cells.filter((_, i) => values[i] > best - 12);
  const [left, bottom] = [0, 1].map((k) => near.reduce((least, cell) => Math.min(least, cell[k]), Infinity) - 2);
  const [right, top] = [0, 1].map((k) => near.reduce((most, cell) => Math.max(most, cell[k]), -Infinity) + 2);
  const wide = right - left + 1,
    high = top - bottom + 1;
  const finer = wide * high * FINER ** 2 <= MOST ? FINER : 1;
  if (wide * high * finer ** 2 > 4 * MOST) return SHARES.map(() => new Float64Array());
  const known = new Float64Array(wide * high).fill(-FLOOR);
  cells.forEach(([i, j], c) => {
    if (i >= left && i <= right && j >= bottom && j <= top)
      known[(j - bottom) * wide + i - left] = Math.max(-FLOOR, values[c] - best);
  });
  const rows = upsampled(known, wide, high, finer); // along x
  const columns = rows.length / high;
  const lattice = transposed(upsampled(transposed(rows, columns, high), high, columns, finer), (high - 1) * finer + 1, columns); // prettier-ignore
  const count = (high - 1) * finer + 1;

  const [x0, y0] = middleOf(area, level, [left, bottom]);
  const step = area.step / 2 ** level / finer;
  return thresholds(lattice).map((threshold) => marched(lattice, columns, count, threshold, x0, y0, step));
}

/** Return the heights above which the shares of the mass lie. @param {Float64Array} lattice */
function thresholds(lattice) {
  const sorted = Float64Array.from(lattice).sort().reverse();
  const masses = sorted.map(Math.exp);
  const total = masses.reduce((a, b) => a + b, 0);
  let sum = 0,
    at = 0;
  return SHARES.map((share) => {
    while (at < masses.length - 1 && sum + masses[at] < share * total) sum += masses[at++];
    return sorted[at];
  });
}

/**
 * Return rows of numbers with further ones between them, by Catmull & Rom's cubic, which is exact for a parabola, the
 * logarithm of a bump.
 * @param {Float64Array} rows height × width
 * @param {number} width
 * @param {number} height
 * @param {number} finer
 */
function upsampled(rows, width, height, finer) {
  const wide = (width - 1) * finer + 1;
  const result = new Float64Array(wide * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < wide; x++) {
      const i = Math.min(width - 2, Math.floor(x / finer)),
        t = x / finer - i;
      const [a, b, c, e] = [i - 1, i, i + 1, i + 2].map((k) => rows[y * width + Math.min(width - 1, Math.max(0, k))]);
      result[y * wide + x] = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - e + t * (3 * (b - c) + e - a)));
    }
  return result;
}

/** @param {Float64Array} rows @param {number} width @param {number} height */
function transposed(rows, width, height) {
  const result = new Float64Array(rows.length);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) result[x * height + y] = rows[y * width + x];
  return result;
}

/**
 * Return the segments of the line at a height, by marching squares.
 * @param {Float64Array} lattice
 * @param {number} width
 * @param {number} height
 * @param {number} level
 * @param {number} x0 of the first node @param {number} y0
 * @param {number} step between nodes
 */
function marched(lattice, width, height, level, x0, y0, step) {
  /** @type {number[]} */
  const segments = [];
  /** Add the crossing of an edge, if the line crosses it. */
  const cross = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number[]} */ [x, y, right, up]) => {
    if (from > 0 === to > 0) return;
    const t = from / (from - to);
    segments.push(x0 + step * (x + t * right), y0 + step * (y + t * up));
  };
  for (let y = 0; y + 1 < height; y++)
    for (let x = 0; x + 1 < width; x++) {
      const at = y * width + x;
      const [a, b, c, d] = [at, at + 1, at + width + 1, at + width];
      const inside = Number(lattice[a] > level) + Number(lattice[b] > level) + Number(lattice[c] > level) + Number(lattice[d] > level); // prettier-ignore
      if (inside === 0 || inside === 4) continue;
      const [low, right, top, left] = [a, b, c, d].map((node) => lattice[node] - level);
      // Two crossings make a segment; at a saddle there are four, two segments.
      cross(low, right, [x, y, 1, 0]);
      cross(right, top, [x + 1, y, 0, 1]);
      cross(top, left, [x + 1, y + 1, -1, 0]);
      cross(left, low, [x, y + 1, 0, -1]);
    }
  return Float64Array.from(segments);
}
