/**
 * Adaptive quadrature of p(x, z) over one or two latent dimensions, ∫ p(x, z) dz ≈ Σ over cells of p(x, z) × area.
 *
 * It starts from the cells of a coarse grid in which the picture has mass, and halves the sides of those that hold it.
 * The midpoint rule converges very fast on a bump: with cells of twice the side, in all their phases, the sums agree
 * within a factor of 1.5 only if the cells are narrower than the bump, and then the sum itself is right to 0.01 nat.
 */

import { logSum } from "./joint.js";
import { middleOf } from "./grid.js";

const COARSE_SLACK = 24; // nats below the best coarse cell at which a cell is left out: its bump may lie off its middle
const SLACK = 13; // the same for halved cells
const NEAR = 4.6; // nats below the best: a bump has 99 % of its mass there, in two dimensions
const SMOOTH = 60; // cells there at least, for smooth lines
const EDGE = 8; // nats below the best cell within which all neighbours are looked at in the end
const AGREEMENT = Math.log(1.5); // nats within which the sums over cells of twice the side have to agree
const DEEPEST = 10; // times that cells are halved at most
const MOST = 6000; // cells evaluated at a level at most

/**
 * @typedef {{cells: number[][], values: number[], level: number, total: number}} Quadrature
 *   The cells of the finest level with log p(x, z) in their middles, and the log of the integral.
 */

/**
 * @param {(z: number[]) => number} joint log p(x, z)
 * @param {import("./grid.js").Grid} grid
 * @param {Float64Array} scores log p(x, z) in the coarse cells, up to a constant
 * @param {number[]} seed a code near a bump that may be too narrow for the coarse cells: the mean of q(z|x)
 * @param {(total: number, level: number) => boolean} [hopeless] whether a sum of so much at a level needs no more care
 * @returns {Generator<void, Quadrature>} that yields after each decoded cell
 */
export function* refine(joint, grid, scores, seed, hopeless = () => false) {
  const { area } = grid,
    d = area.low.length;
  let best = -Infinity;
  for (let c = 0; c < scores.length; c++) best = Math.max(best, scores[c]);
  // The constant of a Gaussian likelihood is not in the scores, so the best cell tells it.
  const constant = joint(grid.middles[scores.indexOf(best)]) - best;
  const coarse = logSum(scores) + constant + d * Math.log(area.step);
  if (hopeless(coarse, 0)) return { cells: [], values: [], level: 0, total: coarse };
  /** @type {number[][]} */
  let kept = [];
  for (let c = 0; c < scores.length; c++) if (scores[c] > best - COARSE_SLACK) kept.push(grid.cellOf(c));
  kept = yield* withOutside(withSeed(kept, seed, area, 0), joint, area);

  const corners = cornersOf(d);
  for (let level = 1; ; level++) {
    const cells = halved(kept);
    const values = /** @type {number[]} */ ([]);
    for (const cell of cells) {
      values.push(joint(middleOf(area, level, cell)));
      yield;
    }
    const logArea = d * Math.log(area.step / 2 ** level);
    const total = logSum(values) + logArea;
    const phases = corners.map((_, phase) => logSum(values.filter((_, i) => i % corners.length === phase)));
    const agree = Math.max(...phases) - Math.min(...phases) < AGREEMENT;
    if (hopeless(total, level)) return { cells, values, level, total };
    if (agree || level === DEEPEST || cells.length > MOST) {
      yield* grow(cells, values, (cell) => joint(middleOf(area, level, cell)));
      return { cells, values, level, total: logSum(values) + logArea };
    }
    const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
    kept = withSeed(cells.filter((_, i) => values[i] > top - SLACK), seed, area, level); // prettier-ignore
  }
}

/**
 * Return cells of a level with that of a code among them.
 * @param {number[][]} cells
 * @param {number[]} seed
 * @param {import("./grid.js").Area} area
 * @param {number} level
 */
function withSeed(cells, seed, { low, step }, level) {
  const own = seed.map((v, k) => Math.floor(((v - low[k]) * 2 ** level) / step));
  return cells.some((cell) => cell.every((i, k) => i === own[k])) ? cells : [...cells, own];
}

/**
 * Halve the cells of a quadrature until so many lie near the best that lines around them are smooth.
 * @param {(z: number[]) => number} joint
 * @param {import("./grid.js").Area} area
 * @param {Quadrature} quadrature
 * @returns {Generator<void, Quadrature>}
 */
export function* sharpened(joint, area, { cells, values, level, total }) {
  const within = (/** @type {number} */ nats) => {
    const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return cells.filter((_, i) => values[i] > top - nats);
  };
  while (within(NEAR).length < SMOOTH && level < DEEPEST) {
    cells = halved(within(EDGE));
    level++;
    values = [];
    const valueOf = (/** @type {number[]} */ cell) => joint(middleOf(area, level, cell));
    for (const cell of cells) {
      values.push(valueOf(cell));
      yield;
    }
    yield* grow(cells, values, valueOf);
  }
  return { cells, values, level, total };
}

/** Return the corners of a cell's halves. @param {number} d */
const cornersOf = (d) => (d === 1 ? [[0], [1]] : [[0, 0], [1, 0], [0, 1], [1, 1]]); // prettier-ignore

/** Return the cells of half the side, those of one cell together. @param {number[][]} cells @returns {number[][]} */
const halved = (cells) =>
  cells.flatMap((cell) => cornersOf(cell.length).map((corner) => cell.map((i, k) => 2 * i + corner[k])));

/**
 * Add the neighbours of cells that hold mass, for as long as these do too: a coarse cell beside a narrow ridge may have
 * been left out.
 * @param {number[][]} cells of one level, added to
 * @param {number[]} values added to
 * @param {(cell: number[]) => number} valueOf
 * @returns {Generator<void, void>}
 */
function* grow(cells, values, valueOf) {
  const seen = new Set(cells.map(String));
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  for (let at = 0; at < cells.length && cells.length < MOST; at++) {
    if (values[at] < top - EDGE) continue;
    for (const next of neighbours(cells[at])) {
      if (seen.has(String(next))) continue;
      seen.add(String(next));
      cells.push(next);
      values.push(valueOf(next));
      yield;
    }
  }
}

/**
 * Add cells outside the area, from those at its border on, for as long as they hold mass: scribbles lie there.
 * @param {number[][]} kept
 * @param {(z: number[]) => number} joint
 * @param {import("./grid.js").Area} area
 * @returns {Generator<void, number[][]>}
 */
function* withOutside(kept, joint, area) {
  const inside = (/** @type {number[]} */ cell) => cell.every((i) => i >= 0 && i < area.sides);
  const seen = new Set(kept.map(String)),
    found = [...kept];
  let best = -Infinity;
  /** @type {Map<number[], number>} */
  const values = new Map();
  for (let at = 0; at < found.length && found.length < MOST; at++) {
    const cell = found[at];
    if (inside(cell) && cell.every((i) => i > 0 && i < area.sides - 1)) continue;
    if (!values.has(cell)) values.set(cell, joint(middleOf(area, 0, cell)));
    best = Math.max(best, values.get(cell) ?? best);
    if ((values.get(cell) ?? 0) < best - COARSE_SLACK) continue;
    for (const next of neighbours(cell)) {
      if (seen.has(String(next)) || inside(next)) continue;
      seen.add(String(next));
      values.set(next, joint(middleOf(area, 0, next)));
      yield;
      found.push(next);
    }
  }
  return found;
}

/** @param {number[]} cell */
const neighbours = (cell) => cell.flatMap((_, k) => [-1, 1].map((by) => cell.map((i, j) => (j === k ? i + by : i))));
