/** What the priors of the models say: where the sliders run, what is drawn on the map, where a random code falls. */

import { normal } from "./gaussian.js";
import { classColor } from "./theme.js";
import { mainLabel } from "./state.js";

/**
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./model.js").Gaussian} Gaussian
 * @typedef {import("./state.js").State} State
 */

/**
 * The model whose prior the controls follow: the first that has one of its own, rather than one fitted to its codes.
 */
export const reference = (/** @type {Model[]} */ models) =>
  models.find(({ prior }) => prior.kind !== "fitted") ?? models[0];

/**
 * The prior at the label or condition that is set.
 * @param {Model} model
 * @param {State} state
 * @returns {Gaussian}
 */
export function priorHere({ prior }, state) {
  const part = prior.kind === "per-class" ? mainLabel(state.weights) : state.condition;
  return prior.parts[part] ?? prior.overall;
}

/**
 * One draw from the prior here.
 * @param {Model} model
 * @param {State} state
 * @param {() => number} [random]
 */
export function drawFrom(model, state, random = Math.random) {
  const { mean, logVar, covariance } = priorHere(model, state);
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
 * Where a code lies for another class if it keeps its place within the class's own prior: the same ε in μ + σ ε.
 * @param {Model} model with a prior a class
 * @param {number[]} z
 * @param {number} from class
 * @param {number} to class
 */
export function transfer({ prior }, z, from, to) {
  const a = prior.parts[from],
    b = prior.parts[to];
  return z.map((v, i) => b.mean[i] + (v - a.mean[i]) * Math.exp((b.logVar[i] - a.logVar[i]) / 2));
}

/** Whether the label reaches the picture through z alone. */
export const labelMovesCode = (/** @type {Model} */ { sees, prior }) => sees === "z" && prior.kind === "per-class";

/**
 * The lines that show a model's prior on the map.
 * @param {Model} model
 * @param {State} state
 * @param {Set<number>} hidden classes
 * @returns {import("./scenery.js").PriorLine[]}
 */
export function priorLines(model, state, hidden) {
  const { kind, parts } = model.prior;
  const sigmas = [1, 2, 3];
  if (kind !== "per-class") return [{ gaussian: priorHere(model, state), color: null, sigmas, strong: true }];
  const chosen = mainLabel(state.weights);
  return parts
    .map((gaussian, k) => ({
      gaussian,
      k,
      color: classColor(k),
      strong: k === chosen,
      sigmas: k === chosen ? sigmas : [1],
    }))
    .filter(({ k, strong }) => strong || !hidden.has(k));
}
