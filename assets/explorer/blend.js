/** Weights of classes. */

/** @param {number} index @param {number} count */
export const oneHot = (index, count) => Array.from({ length: count }, (_, i) => (i === index ? 1 : 0));

/**
 * Weights that add up to 1, as networks see them. No weight at all counts as the same for every class.
 * @param {number[]} weights
 */
export function mixture(weights) {
  const total = weights.reduce((a, b) => a + b, 0);
  return total > 0 ? weights.map((w) => w / total) : weights.map(() => 1 / weights.length);
}

/** The class with the greatest weight. @param {number[]} weights */
export const mainLabel = (weights) => weights.indexOf(Math.max(...weights));
