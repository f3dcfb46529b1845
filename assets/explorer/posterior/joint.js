/** Compute log p(x, z) of one picture x, by the decoder and the prior of a model. */

const LOG_2PI = Math.log(2 * Math.PI);

/** @typedef {import("../model.js").Model} Model */

/**
 * Return log p(x|z) of a picture as a function of the decoder's logits. On grey pixels the Bernoulli likelihood is a
 * loss and no probability.
 * @param {import("../payload.d.ts").LikelihoodPayload} likelihood
 * @param {Float32Array} x H × W × C in [0, 1]
 */
export function logLikelihoodOf({ kind, logSigma = 0 }, x) {
  if (kind === "bernoulli")
    return (/** @type {Float32Array} */ logits) => {
      let sum = 0;
      for (let i = 0; i < x.length; i++) sum += x[i] * logits[i] - softplus(logits[i]);
      return sum;
    };
  const precision = Math.exp(-2 * logSigma),
    constant = -x.length * (logSigma + LOG_2PI / 2);
  return (/** @type {Float32Array} */ logits) => {
    let squares = 0;
    for (let i = 0; i < x.length; i++) squares += (x[i] - 1 / (1 + Math.exp(-logits[i]))) ** 2;
    return constant - (precision * squares) / 2;
  };
}

/** Return log(1 + exp(v)). @param {number} v */
export const softplus = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

/**
 * Return the log-density of a diagonal Gaussian.
 * @param {{mean: number[], logVar: number[]}} gaussian
 * @param {number[]} z
 */
export function logDensity({ mean, logVar }, z) {
  let sum = 0;
  for (let i = 0; i < z.length; i++) sum -= 0.5 * (LOG_2PI + logVar[i] + (z[i] - mean[i]) ** 2 * Math.exp(-logVar[i]));
  return sum;
}

/**
 * Return z ↦ log p(x, z | given), by the exact weights.
 * @param {Model} model
 * @param {Float32Array} x
 * @param {import("../state.js").Given} given
 */
export function jointOf(model, x, given) {
  const likelihood = logLikelihoodOf(/** @type {any} */ (model.likelihood), x);
  const prior = model.priorAt(given);
  return (/** @type {number[]} */ z) => likelihood(model.logits(z, given)) + logDensity(prior, z);
}

/** Return log Σ exp(v). @param {ArrayLike<number>} values */
export function logSum(values) {
  let top = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > top) top = values[i];
  if (top === -Infinity) return top;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - top);
  return top + Math.log(sum);
}
