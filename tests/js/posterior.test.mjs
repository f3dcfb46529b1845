import assert from "node:assert/strict";
import { test } from "node:test";
import { divergence } from "../../assets/explorer/gaussian.js";
import {
  entropy,
  expected,
  hermite,
  importanceBound,
  importanceWeights,
  nearestGaussian,
} from "../../assets/explorer/posterior/bound.js";
import { contoursOf, SHARES } from "../../assets/explorer/posterior/contours.js";
import { createGrid, middleOf } from "../../assets/explorer/posterior/grid.js";
import { logDensity, logLikelihoodOf, logSum, softplus } from "../../assets/explorer/posterior/joint.js";
import { rankOf } from "../../assets/explorer/posterior/panel.js";
import { refine, sharpened } from "../../assets/explorer/posterior/refine.js";
import { close, seeded } from "./helpers.mjs";

/** Run a generator to its end; return its value and the number of steps. */
function run(generator) {
  for (let steps = 0; ; steps++) {
    const { done, value } = generator.next();
    if (done) return { value, steps };
  }
}
const near = (found, wanted, within) => assert.ok(Math.abs(found - wanted) < within, `${found} is not ${wanted}`);

// A Gaussian of two dimensions, times a constant: log of N(z; m, C) + LOG_MASS.
const MEAN = [0.37, -1.21],
  COVARIANCE = [[0.01, 0.012], [0.012, 0.02]], // prettier-ignore
  DETERMINANT = 0.01 * 0.02 - 0.012 ** 2,
  LOG_MASS = -123.4;
function gaussian([x, y]) {
  const [a, b] = [x - MEAN[0], y - MEAN[1]];
  const square = (COVARIANCE[1][1] * a * a - 2 * COVARIANCE[0][1] * a * b + COVARIANCE[0][0] * b * b) / DETERMINANT;
  return LOG_MASS - Math.log(2 * Math.PI) - 0.5 * Math.log(DETERMINANT) - square / 2;
}
/** What `refine` asks of a grid, laid over any function. */
const over = (joint, sides, low = [-5, -5]) => {
  const area = { low, step: -(2 * low[0]) / sides, sides };
  const cells = Array.from({ length: sides ** low.length }, (_, c) =>
    low.length === 1 ? [c] : [c % sides, Math.floor(c / sides)],
  );
  const scores = Float64Array.from(cells, (cell) => joint(middleOf(area, 0, cell)));
  const middles = cells.map((cell) => middleOf(area, 0, cell));
  return { grid: { area, cellOf: (c) => cells[c], middles }, scores };
};

test("likelihoods, by their definitions", () => {
  const x = Float32Array.of(0, 1, 0.25),
    logits = Float32Array.of(-2, 0.5, 40);
  const p = [...logits].map((l) => 1 / (1 + Math.exp(-l)));
  const bernoulli = Math.log(1 - p[0]) + Math.log(p[1]) + 0.25 * 40 - 40;
  near(logLikelihoodOf({ kind: "bernoulli" }, x)(logits), bernoulli, 1e-6);
  const sigma = 0.3;
  const density = (v, m) => -0.5 * Math.log(2 * Math.PI * sigma ** 2) - (v - m) ** 2 / (2 * sigma ** 2);
  const sum = p.reduce((total, m, i) => total + density(x[i], m), 0);
  near(logLikelihoodOf({ kind: "gaussian", logSigma: Math.log(sigma) }, x)(logits), sum, 1e-6);
  assert.deepEqual([softplus(-800), softplus(800)], [0, 800]);
  near(logDensity({ mean: [1], logVar: [Math.log(4)] }, [2]), -0.5 * Math.log(8 * Math.PI) - 1 / 8, 1e-12);
  near(logSum([-1000, -1000]), -1000 + Math.log(2), 1e-12);
  assert.equal(logSum([]), -Infinity);
});

test("the integral of a slanting narrow bump, from cells far wider than it", () => {
  for (const sides of [16, 41, 64]) {
    const { grid, scores } = over(gaussian, sides);
    const { value, steps } = run(refine(gaussian, grid, scores, MEAN));
    near(value.total, LOG_MASS, 0.01);
    assert.ok(steps < 3000, `${steps} cells of ${sides}`);
  }
});

test("two bumps far apart, one of a hundredth of the mass", () => {
  const other = ([x, y]) => gaussian([x - 3, y - 2]) + Math.log(0.01);
  const both = (z) => logSum([gaussian(z), other(z)]);
  const { grid, scores } = over(both, 40);
  near(run(refine(both, grid, scores, MEAN)).value.total, LOG_MASS + Math.log(1.01), 0.005);
});

test("a bump outside the grid is found from the border on", () => {
  const wide = ([x, y]) => LOG_MASS - Math.log(2 * Math.PI) - ((x - 6) ** 2 + y ** 2) / 2;
  const { grid, scores } = over(wide, 20);
  near(run(refine(wide, grid, scores, [0, 0])).value.total, LOG_MASS, 0.01);
});

test("a bump far narrower than the cells is found from its seed", () => {
  const at = [1.1234, -2.3456];
  const needle = ([x, y]) => -Math.log(2 * Math.PI * 0.01 ** 2) - ((x - at[0]) ** 2 + (y - at[1]) ** 2) / 2e-4;
  const wide = ([x, y]) => -20 - Math.log(2 * Math.PI) - (x * x + y * y) / 2;
  const both = (z) => logSum([needle(z), wide(z)]);
  const { grid, scores } = over(both, 16);
  near(run(refine(both, grid, scores, at)).value.total, 0, 0.01);
});

test("one dimension", () => {
  const bump = ([x]) => -7 - 0.5 * Math.log(2 * Math.PI * 0.04 ** 2) - (x - 1.234) ** 2 / (2 * 0.04 ** 2);
  const { grid, scores } = over(bump, 64, [-5]);
  near(run(refine(bump, grid, scores, [0])).value.total, -7, 0.01);
});

test("a sum that cannot matter is not refined", () => {
  const { grid, scores } = over(gaussian, 16);
  const asked = [];
  const { value } = run(refine(gaussian, grid, scores, MEAN, (total, level) => (asked.push(level), level === 2)));
  assert.deepEqual([value.level, asked], [2, [0, 1, 2]]);
  assert.ok(run(refine(gaussian, grid, scores, MEAN)).value.level > 2);
});

test("contours hold their share of the mass", () => {
  const { grid, scores } = over(gaussian, 40);
  const { value } = run(refine(gaussian, grid, scores, MEAN));
  const lines = contoursOf(run(sharpened(gaussian, grid.area, value)).value, grid.area);
  lines.forEach((segments, k) => {
    assert.ok(segments.length >= 4 * 20);
    const radius = Math.sqrt(-2 * Math.log(1 - SHARES[k])); // in standard deviations, of two dimensions
    for (let i = 0; i < segments.length; i += 2) {
      const square = -2 * (gaussian([segments[i], segments[i + 1]]) - gaussian(MEAN));
      near(Math.sqrt(square), radius, 0.1);
    }
  });
});

test("the quadrature is exact for polynomials", () => {
  const { nodes, weights } = hermite(7);
  const moment = (k) => nodes.reduce((sum, node, i) => sum + weights[i] * node ** k, 0);
  close([0, 1, 2, 3, 4, 6, 8, 10, 12].map(moment), [1, 0, 1, 0, 3, 15, 105, 945, 10395], 1e-8);
});

test("the gap of a Gaussian posterior, and the best diagonal Gaussian for it", () => {
  const best = { mean: MEAN, logVar: [0, 1].map((k) => Math.log(DETERMINANT / COVARIANCE[1 - k][1 - k])) };
  const least = 0.5 * (Math.log(COVARIANCE[0][0] * COVARIANCE[1][1]) - Math.log(DETERMINANT)); // KL in closed form
  const gap = (q) => -run(expected(gaussian, q)).value - entropy(q) + LOG_MASS;
  near(gap(best), least, 1e-9);
  for (const start of [
    { mean: [0.3, -1.3], logVar: [-5, -5] },
    { mean: [0.6, -1], logVar: [-3, -6] },
  ]) {
    const found = run(nearestGaussian(gaussian, start)).value;
    close(found.mean, MEAN, 5e-3);
    near(gap(found), least, 1e-3);
    assert.ok(gap(start) > least);
  }
});

test("the divergence of two Gaussians, in closed form", () => {
  const q = { mean: [1, 0], logVar: [0, Math.log(4)] },
    p = { mean: [0, 0], logVar: [Math.log(2), 0] };
  near(divergence(q, p), 0.5 * (1 / 2 + 1 / 2 - 1 + Math.log(2)) + 0.5 * (4 - 1 - Math.log(4)), 1e-12);
  assert.equal(divergence(q, q), 0);
});

test("importance samples go from the bound to the evidence, in steps that are ordered", () => {
  const q = { mean: [0.4, -1.25], logVar: [-5.5, -5] };
  const weights = run(importanceWeights(gaussian, q, seeded(3))).value;
  const bounds = [1, 5, 25, 125, 500].map((k) => importanceBound(weights, k));
  for (let i = 1; i < bounds.length; i++) assert.ok(bounds[i] > bounds[i - 1]);
  near(bounds[0], run(expected(gaussian, q)).value + entropy(q), 0.3);
  near(bounds[4], LOG_MASS, 0.2);
});

test("a grid of bytes finds the cells of a picture", () => {
  const weights = [[3, -2], [-1, 4], [2, 2]], // prettier-ignore
    buffer = new Float32Array(3);
  const model = (kind) => ({
    latentDim: 2,
    imageShape: [1, 1, 3],
    likelihood: { kind, logSigma: Math.log(0.2) },
    logits(z) {
      weights.forEach(([a, b], p) => (buffer[p] = a * z[0] + b * z[1]));
      return buffer;
    },
  });
  const x = Float32Array.of(0, 1, 0.5);
  for (const kind of ["bernoulli", "gaussian"]) {
    const area = { low: [-2, -2], step: 0.5, sides: 8 };
    const grid = createGrid(model(kind), {}, area);
    while (grid.fillOne());
    assert.equal(grid.filled(), 1);
    assert.equal(grid.bytes, 3 * 64);
    const likelihood = logLikelihoodOf(model(kind).likelihood, x);
    const scores = grid.scores(x);
    const exact = scores.map((_, c) => likelihood(model(kind).logits(middleOf(area, 0, grid.cellOf(c)))));
    const constant = exact[0] - scores[0]; // of a Gaussian
    scores.forEach((score, c) => near(score + constant, exact[c], 0.35));
  }
});

test("the rank of a loss among quantiles", () => {
  const losses = [10, 20, 40, 40, 100];
  const ranks = [5, 10, 15, 40, 70, 100, 200].map((loss) => rankOf(losses, loss));
  close(ranks, [0, 0, 0.125, 0.75, 0.875, 1, 1], 1e-12);
});
