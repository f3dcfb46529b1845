/** Use the priors of the models for the ranges of the sliders, the lines on the map, and random codes. */

import { KINDS } from "./controls/index.js";
import { normal, quantile } from "./gaussian.js";
import { givenOf } from "./state.js";

/**
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Gaussian} Gaussian
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Values} Values
 */

/**
 * Return the prior at values of the conditions.
 * @param {Model} model
 * @param {Values} values
 */
export const priorAt = (model, values) => model.priorAt(givenOf(model, values));

/**
 * Return one draw from the prior at values of the conditions.
 * @param {Model} model
 * @param {Values} values
 * @param {() => number} [random]
 */
export const drawFrom = (model, values, random = Math.random) =>
  fromNoise(
    model,
    Array.from({ length: model.latentDim }, () => normal(random)),
    values,
  );

/**
 * Return the code of standard normal noise ε under the prior, μ + L ε. L is the diagonal of σ, or for a Gaussian with a
 * full covariance its Cholesky factor.
 * @param {Model} model
 * @param {number[]} noise
 * @param {Values} values of the conditions
 */
export function fromNoise(model, noise, values) {
  const { mean, logVar, covariance } = priorAt(model, values);
  if (!covariance) return mean.map((m, i) => m + Math.exp(logVar[i] / 2) * noise[i]);
  const factor = cholesky(covariance);
  return mean.map((m, i) => m + factor[i].reduce((sum, l, j) => sum + l * noise[j], 0));
}

/**
 * Return the noise of a code under the prior, ε = L⁻¹ (z − μ): the inverse of `fromNoise`.
 * @param {Model} model
 * @param {number[]} z
 * @param {Values} values of the conditions
 */
export function noiseOf(model, z, values) {
  const { mean, logVar, covariance } = priorAt(model, values);
  if (!covariance) return z.map((v, i) => (v - mean[i]) * Math.exp(-logVar[i] / 2));
  /** @type {number[]} */
  const noise = [];
  cholesky(covariance).forEach((row, i) => {
    const before = noise.reduce((sum, e, j) => sum + row[j] * e, 0);
    noise.push(row[i] > 0 ? (z[i] - mean[i] - before) / row[i] : 0);
  });
  return noise;
}

const INSIDE = 0.997; // of the prior's mass lies in the ball outside of which the explorer warns

/**
 * Return whether a code lies outside the ball that holds 99.7 % of the prior: ‖ε‖ > 3.4 in 2 dimensions, 6.0 in 16. The
 * radius is the root of a χ² quantile, by the approximation of Wilson & Hilferty (1931).
 * @param {Model} model
 * @param {number[]} z
 * @param {Values} values of the conditions
 */
export function outside(model, z, values) {
  const d = z.length,
    part = 2 / (9 * d);
  const squared = d * (1 - part + quantile(INSIDE) * Math.sqrt(part)) ** 3;
  return noiseOf(model, z, values).reduce((sum, e) => sum + e * e, 0) > squared;
}

/** Return the lower triangle L with L Lᵀ = `matrix`. @param {number[][]} matrix */
export function cholesky(matrix) {
  const n = matrix.length;
  const lower = matrix.map(() => new Array(n).fill(0));
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j];
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k];
      lower[i][j] = i === j ? Math.sqrt(Math.max(sum, 0)) : lower[j][j] > 0 ? sum / lower[j][j] : 0;
    }
  return lower;
}

/**
 * Return a code after a change of the label or another condition: the noise ε = (z − μ)/σ stays. Under a learned prior
 * p(z|y), z therefore moves to μ′ + σ′ (z − μ)/σ; under a prior that does not see the label, z does not move.
 * `carry_code` in cvae/explore/decoding.py follows the same rule.
 * @param {Model} model
 * @param {number[]} z
 * @param {Values} before
 * @param {Values} after
 */
export const carryCode = (model, z, before, after) =>
  conditionsMoveCode(model) && before !== after ? fromNoise(model, noiseOf(model, z, before), after) : z;

/** Return whether the prior, and so the code, of a model changes with the conditions. @param {Model} model */
export const conditionsMoveCode = ({ prior }) => prior.kind === "learned";

/**
 * Return the lines of a model's prior on the map; for a learned prior, also those of its showcase.
 * @param {Model} model
 * @param {State} state
 * @param {Set<number>} hidden classes
 * @returns {import("../shared/scenery.js").PriorLine[]}
 */
export function priorLines(model, { conditions: values }, hidden) {
  const shown = showcase(model, values);
  const others = shown.filter(({ here, label }) => !here && !hidden.has(label));
  const color = shown.find(({ here }) => here)?.color ?? null;
  return [
    ...others.map(({ name, value, color }) => ({
      gaussian: priorAt(model, { ...values, [name]: value }),
      color,
      sigmas: [1],
      strong: false,
    })),
    { gaussian: priorAt(model, values), color, sigmas: [1, 2, 3], strong: true },
  ];
}

/**
 * Return the values of the conditions whose priors the map shows together.
 * @param {Model} model
 * @param {Values} values
 */
export const showcase = ({ prior, conditions }, values) =>
  prior.kind !== "learned"
    ? []
    : conditions.flatMap((condition) =>
        (KINDS[condition.kind].showcase?.(condition, values[condition.name]) ?? []).map((one) => ({
          ...one,
          name: condition.name,
        })),
      );
