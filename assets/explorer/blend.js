/** Compute weights of classes. */

/** @param {number} index @param {number} count */
export const oneHot = (index, count) => Array.from({ length: count }, (_, i) => (i === index ? 1 : 0));

/**
 * Return weights with the sum 1 for the networks. If all weights are 0, every class gets the same.
 * @param {number[]} weights
 */
export function mixture(weights) {
  const total = weights.reduce((a, b) => a + b, 0);
  return total > 0 ? weights.map((w) => w / total) : weights.map(() => 1 / weights.length);
}

/** Return the class with the greatest weight. @param {number[]} weights */
export const mainLabel = (weights) => weights.indexOf(Math.max(...weights));
