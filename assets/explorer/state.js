/**
 * What the user has set: the point z, the label, the condition, the path. This goes to Python, and comes back from
 * it.
 */

/**
 * @typedef {{
 *   z: number[], mixing: boolean, weights: number[], condition: number, path: number[][], progress: number,
 * }} State
 *   weights: of the labels, each 0 … 1, as set (see `mixture`). path: codes A, B, …; progress: along it, 0 … 1.
 * @typedef {{latentDim: number, classes: number, conditions: number}} Extent what a state must fit
 */

const POINTS = 26; // A … Z

/** @param {Extent} extent @returns {State} */
export function initialState({ latentDim, classes }) {
  return {
    z: new Array(latentDim).fill(0),
    mixing: false,
    weights: oneHot(0, classes),
    condition: 0,
    path: [],
    progress: 0,
  };
}

/** @param {number} index @param {number} count */
export const oneHot = (index, count) => Array.from({ length: count }, (_, i) => (i === index ? 1 : 0));

/**
 * The state with whatever of `change` fits; what does not fit is left as it was.
 * @param {State} state
 * @param {any} change
 * @param {Extent} extent
 * @returns {State}
 */
export function merge(state, change, { latentDim, classes, conditions }) {
  const numbers = (/** @type {any} */ v, /** @type {number} */ n) =>
    Array.isArray(v) && v.length === n && v.every(Number.isFinite);
  const c = change ?? {};
  const next = { ...state };
  if (numbers(c.z, latentDim)) next.z = [...c.z];
  if (typeof c.mixing === "boolean") next.mixing = c.mixing;
  if (numbers(c.weights, classes) && c.weights.every((/** @type {number} */ w) => w >= 0))
    next.weights = [...c.weights];
  if (Number.isInteger(c.condition) && c.condition >= 0 && c.condition < conditions) next.condition = c.condition;
  if (Array.isArray(c.path) && c.path.length <= POINTS && c.path.every((/** @type {any} */ z) => numbers(z, latentDim)))
    next.path = c.path.map((/** @type {number[]} */ z) => [...z]);
  if (Number.isFinite(c.progress)) next.progress = Math.min(1, Math.max(0, c.progress));
  return next;
}

/**
 * Label weights that add up to 1, as the decoder sees them. No weight at all counts as the same for every label.
 * @param {number[]} weights
 */
export function mixture(weights) {
  const total = weights.reduce((a, b) => a + b, 0);
  return total > 0 ? weights.map((w) => w / total) : weights.map(() => 1 / weights.length);
}

/** The label with the greatest weight. @param {number[]} weights */
export const mainLabel = (weights) => weights.indexOf(Math.max(...weights));
