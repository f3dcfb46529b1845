/** Use the priors of the models for the ranges of the sliders, the lines on the map, and random codes. */

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
 * Return the model whose code is the state's z and whose prior the sliders follow: the first with the prior N(0, I),
 * else the first with a prior fitted to its codes, else the first (with a learned prior). `_initial` in
 * cvae/ui/components/explorer.py chooses in the same way.
 */
export const reference = (/** @type {Model[]} */ models) =>
  ["standard", "fitted"].flatMap((kind) => models.find(({ prior }) => prior.kind === kind) ?? [])[0] ?? models[0];

/**
 * Return the prior at values of the conditions.
 * @param {Model} model
 * @param {Values} values
 */
export const priorAt = (model, values) => model.priorAt(givenOf(model, values));

/**
 * Return one draw from the prior at the state's conditions.
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
 * Return z after a change of the label or another condition: the noise ε = (z − μ)/σ stays. Under a learned prior
 * p(z|y), z therefore moves to μ′ + σ′ (z − μ)/σ; under a prior that does not see the label, z does not move.
 * `carry_code` in cvae/explore/decoding.py follows the same rule.
 * @param {number[]} z
 * @param {Gaussian} from the prior before, μ and σ
 * @param {Gaussian} to the prior after, μ′ and σ′
 */
export const transfer = (z, from, to) =>
  z.map((v, i) => to.mean[i] + (v - from.mean[i]) * Math.exp((to.logVar[i] - from.logVar[i]) / 2));

/** Return whether the prior, and so the code, of a model changes with the conditions. @param {Model} model */
export const conditionsMoveCode = ({ prior }) => prior.kind === "learned";

/**
 * Return the code of one of several models, at the state's conditions or at other values. The state's z is the code of
 * the `reference`, and of every model whose prior does not see the conditions. For a learned prior, `transfer` moves z
 * to the place with the same noise. So a change of the label can move the code of one model and not that of another.
 * @param {Model[]} models
 * @param {Model} model one of them
 * @param {Pick<State, "z" | "conditions">} state
 * @param {Values} [values]
 */
export function codeOf(models, model, { z, conditions }, values = conditions) {
  const first = reference(models);
  if (!conditionsMoveCode(model) || (model === first && values === conditions)) return z;
  return transfer(z, priorAt(first, conditions), priorAt(model, values));
}

/**
 * Return the state's z at which a model has this code, the inverse of the function above.
 * @param {Model[]} models
 * @param {Model} model one of them
 * @param {number[]} code
 * @param {Values} values of the conditions
 */
export function zFromCode(models, model, code, values) {
  const first = reference(models);
  if (!conditionsMoveCode(model) || model === first) return code;
  return transfer(code, priorAt(model, values), priorAt(first, values));
}

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
