/**
 * A coarse grid over the codes of a model: the decoder's answer in every cell, kept in one byte a pixel, so that any
 * picture finds the cells where its posterior lies by one product.
 */

import { softplus } from "./joint.js";

const LARGEST = 16; // logits beyond it are cut: a probability of 1e-7
const STEPS = 127; // of one byte, on either side of 0

/**
 * @typedef {{low: number[], step: number, sides: number}} Area
 *   The corner of the first cell (d,), the side of a cell, and the number of cells along each dimension.
 */

/** Return the middle of a cell of a level, at which the cells of the area are halved `level` times. */
export const middleOf = (
  /** @type {Area} */ { low, step },
  /** @type {number} */ level,
  /** @type {number[]} */ cell,
) => cell.map((i, k) => low[k] + ((i + 0.5) * step) / 2 ** level);

/** @param {Area} area @param {number} index */
const cellOfIndex = ({ low, sides }, index) =>
  low.length === 1 ? [index] : [index % sides, Math.floor(index / sides)];

/** Return the middles of all cells of an area. @param {Area} area */
export const middlesOf = (area) =>
  Array.from({ length: area.sides ** area.low.length }, (_, c) => middleOf(area, 0, cellOfIndex(area, c)));

/**
 * @param {import("../model.js").Model} model
 * @param {import("../state.js").Given} given
 * @param {Area} area
 * @param {number[][]} [middles] of all its cells, which grids of one area share
 */
export function createGrid(model, given, area, middles = middlesOf(area)) {
  const d = model.latentDim,
    cells = area.sides ** d,
    pixels = model.imageShape.reduce((a, b) => a * b, 1);
  const bernoulli = model.likelihood?.kind === "bernoulli";
  const precision = Math.exp(-2 * (model.likelihood?.logSigma ?? 0));
  const scale = bernoulli ? LARGEST / STEPS : precision / STEPS; // of a byte in x · weight
  const weights = new Int8Array(pixels * cells); // pixel by pixel, so that blank pixels of a picture cost nothing
  const base = new Float32Array(cells);
  let filled = 0;

  const cellOf = (/** @type {number} */ index) => cellOfIndex(area, index);

  return {
    area,
    cellOf,
    middles,
    filled: () => filled / cells,
    bytes: weights.length,
    /** Decode one more cell; return whether any remains. */
    fillOne() {
      if (filled === cells) return false;
      const logits = model.logits(middles[filled], given);
      let sum = 0;
      for (let p = 0; p < pixels; p++) {
        let weight;
        if (bernoulli) {
          sum -= softplus(logits[p]);
          weight = (Math.min(LARGEST, Math.max(-LARGEST, logits[p])) * STEPS) / LARGEST;
        } else {
          const mean = 1 / (1 + Math.exp(-logits[p]));
          sum -= 0.5 * precision * mean * mean;
          weight = mean * STEPS;
        }
        weights[p * cells + filled] = Math.round(weight);
      }
      base[filled++] = sum;
      return filled < cells;
    },
    /**
     * Return log p(x|z) in the middle of every cell, up to a constant and to the rounding of the bytes.
     * @param {Float32Array} x
     */
    scores(x) {
      const scores = Float64Array.from(base);
      for (let p = 0; p < pixels; p++) {
        const ink = x[p] * scale;
        if (ink === 0) continue;
        const row = p * cells;
        for (let c = 0; c < cells; c++) scores[c] += ink * weights[row + c];
      }
      return scores;
    },
  };
}

/** @typedef {ReturnType<typeof createGrid>} Grid */
