/** What the priors of the models say: where the sliders run, what is drawn on the map, where a random code falls. */

import { KINDS } from "./controls/index.js";
import { normal } from "./gaussian.js";
import { givenOf } from "./state.js";

/**
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Gaussian} Gaussian
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Values} Values
 */

/**
 * The model whose prior the controls follow: the first that has one of its own, rather than one fitted to its codes.
 */
export const reference = (/** @type {Model[]} */ models) =>
  models.find(({ prior }) => prior.kind !== "fitted") ?? models[0];

/**
 * The prior at values of the conditions.
 * @param {Model} model
 * @param {Values} values
 */
export const priorAt = (model, values) => model.priorAt(givenOf(model, values));

/**
 * One draw from the prior here.
 * @param {Model} model
 * @param {State} state
 * @param {() => number} [random]
 */
export function drawFrom(model, state, random = Math.random) {
  const { mean, logVar, covariance } = priorAt(model, state.conditions);
  const noise = mean.map(() => normal(random));
  if (!covariance) return mean.map((m, i) => m + Math.exp(logVar[i] / 2) * noise[i]);
  const factor = cholesky(covariance);
  return mean.map((m, i) => m + factor[i].reduce((sum, l, j) => sum + l * noise[j], 0));
}

/** Lower triangle L with L Lᵀ = the matrix. @param {number[][]} matrix */
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
 * Where a code lies under another prior if it keeps its place within its own: the same ε in μ + σ ε.
 * @param {number[]} z
 * @param {Gaussian} from
 * @param {Gaussian} to
 */
export const transfer = (z, from, to) =>
  z.map((v, i) => to.mean[i] + (v - from.mean[i]) * Math.exp((to.logVar[i] - from.logVar[i]) / 2));

/** Whether the conditions reach the picture through z alone. */
export const conditionsMoveCode = (/** @type {Model} */ { decoderSees, prior }) =>
  prior.kind === "learned" && decoderSees.every((name) => name === "z");

/**
 * The code of a model for other values of the conditions. Where they reach the picture through z alone, it is the same
 * draw from the prior at these values; elsewhere it stays.
 * @param {Model} model
 * @param {State} state
 * @param {Values} values
 */
export function codeAt(model, { z, conditions }, values) {
  if (!conditionsMoveCode(model)) return z;
  return transfer(z, priorAt(model, conditions), priorAt(model, values));
}

/**
 * What a change of the conditions does to z: it moves as `codeAt` says, but stays where several models share it.
 * @param {Model[]} models
 * @param {State} state
 * @param {Values} values
 */
export const movedCode = (models, state, values) => (models.length === 1 ? codeAt(models[0], state, values) : state.z);

/**
 * The lines that show a model's prior on the map: where it is learned, those of its showcase too.
 * @param {Model} model
 * @param {State} state
 * @param {Set<number>} hidden classes
 * @returns {import("./scenery.js").PriorLine[]}
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
 * Values of the conditions whose priors are drawn side by side.
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
