/**
 * What the bound costs one picture. With q(z|x) the encoder's Gaussian, −log p(x) = reconstruction + KL − gap, where the
 * gap is KL(q(z|x) ‖ p(z|x)). The best Gaussian for this picture leaves the approximation gap, and what the encoder
 * adds to it is the amortisation gap (Cremer, Li & Duvenaud 2018, "Inference suboptimality in variational
 * autoencoders", arXiv:1801.03558).
 */

import { normal } from "../gaussian.js";
import { logDensity } from "./joint.js";

const NODES = 14; // of the quadrature along a dimension
const FEW = 7; // the same while the best Gaussian is looked for
const STEPS = 25; // of that search at most
const CLOSE = 0.01; // standard deviations: a smaller step ends the search
export const DRAWS = 500; // from q, for the importance-weighted bounds

/**
 * @typedef {{mean: number[], logVar: number[]}} Diagonal
 * @typedef {(z: number[]) => number} Density log p(x, z)
 */

/**
 * Return nodes and weights with Σ w f(e) ≈ E f(e) for standard normal e; exact for polynomials of degree 2n − 1.
 * Newton's method finds the roots of the Hermite polynomials, by their recurrence in orthonormal form.
 * @param {number} n
 */
export function hermite(n) {
  const nodes = new Array(n).fill(0),
    weights = new Array(n).fill(0);
  let x = 0;
  for (let i = 0; i < (n + 1) >> 1; i++) {
    if (i === 0) x = Math.sqrt(2 * n + 1) - 1.85575 * (2 * n + 1) ** (-1 / 6);
    else if (i === 1) x -= (1.14 * n ** 0.426) / x;
    else if (i === 2) x = 1.86 * x - 0.86 * nodes[0];
    else if (i === 3) x = 1.91 * x - 0.91 * nodes[1];
    else x = 2 * x - nodes[i - 2];
    let slope = 1;
    for (let round = 0; round < 50; round++) {
      let value = Math.PI ** -0.25,
        before = 0;
      for (let k = 0; k < n; k++)
        [before, value] = [value, x * Math.sqrt(2 / (k + 1)) * value - Math.sqrt(k / (k + 1)) * before];
      slope = Math.sqrt(2 * n) * before;
      const step = value / slope;
      x -= step;
      if (Math.abs(step) < 1e-14) break;
    }
    nodes[i] = x;
    nodes[n - 1 - i] = -x;
    weights[i] = weights[n - 1 - i] = 2 / (slope * slope);
  }
  const total = Math.sqrt(Math.PI);
  return { nodes: nodes.map((node) => node * Math.SQRT2), weights: weights.map((weight) => weight / total) };
}

/**
 * Yield after each evaluation, and return f at μ + σ e for the nodes e of the quadrature, with their weights.
 * @param {Density} f
 * @param {Diagonal} q
 * @param {number} n nodes along a dimension
 * @returns {Generator<void, {noise: number[], weight: number, value: number}[]>}
 */
function* spread(f, { mean, logVar }, n) {
  const { nodes, weights } = hermite(n);
  let points = [{ noise: /** @type {number[]} */ ([]), weight: 1 }];
  for (let k = 0; k < mean.length; k++)
    points = points.flatMap(({ noise, weight }) =>
      nodes.map((node, i) => ({ noise: [...noise, node], weight: weight * weights[i] })),
    );
  const found = [];
  for (const { noise, weight } of points) {
    const z = mean.map((m, k) => m + Math.exp(logVar[k] / 2) * noise[k]);
    found.push({ noise, weight, value: f(z) });
    yield;
  }
  return found;
}

/**
 * Return E_q f, by quadrature.
 * @param {Density} f
 * @param {Diagonal} q
 * @returns {Generator<void, number>}
 */
export function* expected(f, q) {
  const points = yield* spread(f, q, NODES);
  return points.reduce((sum, { weight, value }) => sum + weight * value, 0);
}

/** Return the entropy of a diagonal Gaussian in nats. @param {Diagonal} q */
export const entropy = ({ logVar }) => logVar.reduce((sum, v) => sum + 0.5 * (Math.log(2 * Math.PI) + 1 + v), 0);

/**
 * Return the diagonal Gaussian nearest to the posterior in KL(q ‖ p), from a start on. With f = log p(x, z) and ε the
 * noise of q, the gradient of E_q f for the mean is E[f ε] / σ, and its second derivative E[f (ε² − 1)] / σ²; at the
 * optimum the first is 0 and the second −1/σ².
 * @param {Density} f
 * @param {Diagonal} start
 * @returns {Generator<void, Diagonal>}
 */
export function* nearestGaussian(f, start) {
  let { mean, logVar } = start;
  for (let step = 0; step < STEPS; step++) {
    const points = yield* spread(f, { mean, logVar }, FEW);
    const moved = mean.map((_, k) => {
      const sigma = Math.exp(logVar[k] / 2);
      const slope = points.reduce((sum, { noise, weight, value }) => sum + weight * value * noise[k], 0) / sigma;
      const curve =
        points.reduce((sum, { noise, weight, value }) => sum + weight * value * (noise[k] ** 2 - 1), 0) / sigma ** 2;
      const wanted = curve < 0 ? -Math.log(-curve) : logVar[k] + 1;
      const next = logVar[k] + Math.min(1, Math.max(-1, wanted - logVar[k])); // at most by a factor of e^½ at once
      const reach = Math.exp(next / 2);
      return { by: Math.min(1.5 * reach, Math.max(-1.5 * reach, reach ** 2 * slope)), next };
    });
    const still = moved.every(
      ({ by, next }, k) => Math.abs(by) < CLOSE * Math.exp(next / 2) && Math.abs(next - logVar[k]) < CLOSE,
    );
    mean = mean.map((m, k) => m + moved[k].by);
    logVar = moved.map(({ next }) => next);
    if (still) break;
  }
  return { mean, logVar };
}

/**
 * Draw from q and return log p(x, z) − log q(z) of each draw, the log of its importance weight.
 * @param {Density} f
 * @param {Diagonal} q
 * @param {() => number} random uniform in [0, 1)
 * @returns {Generator<void, number[]>}
 */
export function* importanceWeights(f, q, random) {
  const weights = [];
  for (let i = 0; i < DRAWS; i++) {
    const z = q.mean.map((m, k) => m + Math.exp(q.logVar[k] / 2) * normal(random));
    weights.push(f(z) - logDensity(q, z));
    yield;
  }
  return weights;
}

/**
 * Return the bound of k draws (Burda et al. 2016): the mean over disjoint groups of log (1/k) Σ w. Where one k divides
 * another, the bound of the smaller is the lower one.
 * @param {number[]} logWeights
 * @param {number} k
 */
export function importanceBound(logWeights, k) {
  const groups = Math.floor(logWeights.length / k);
  let sum = 0;
  for (let g = 0; g < groups; g++) {
    let top = -Infinity,
      total = 0;
    for (let i = g * k; i < (g + 1) * k; i++) top = Math.max(top, logWeights[i]);
    for (let i = g * k; i < (g + 1) * k; i++) total += Math.exp(logWeights[i] - top);
    sum += top + Math.log(total / k);
  }
  return sum / groups;
}
