/**
 * The true posterior p(z|x) of models with one or two latent dimensions. `createExact` lays a coarse grid over the codes
 * of each model and fills it while the page is idle; `explain` then does the rest for one picture, a little at a time.
 */

import { KINDS } from "../controls/index.js";
import { divergence } from "../gaussian.js";
import { hasPrior, takesPictures } from "../model.js";
import { cholesky } from "../prior.js";
import { classAmong, givenOf } from "../state.js";
import { entropy, expected, importanceBound, importanceWeights, nearestGaussian } from "./bound.js";
import { contoursOf } from "./contours.js";
import { createGrid, middlesOf } from "./grid.js";
import { jointOf, logDensity, logSum } from "./joint.js";
import { refine, sharpened } from "./refine.js";

const MEMORY = 60e6; // bytes of logits a page
const FILLING = 2500; // milliseconds of decoding a page
const FINEST = 64; // cells along a dimension of two; its square along one
const COARSEST = 16;
const REACH = 5; // standard deviations of every prior that the grid holds
const TRIALS = 5; // decodings that are timed
const NEGLIGIBLE = 8; // nats below the likeliest class at which another one is not refined further
const UNSURE = 24; // nats by which the sum over coarse cells may be too low; a quarter of it once they are halved

/**
 * @typedef {import("../model.js").Model} Model
 * @typedef {{reconstruction: number, kl: number, gap: number | null, logPx: number | null}} Nats
 *   of the bound at the label that the picture is encoded as: −log p(x|y) = reconstruction + kl − gap
 * @typedef {{
 *   stage: number, contours: Float64Array[] | null, logPx: number | null, logPxy: number[] | null,
 *   shares: number[] | null, nats: Nats | null, best: import("./bound.js").Diagonal | null,
 *   approximation: number | null, amortisation: number | null, bound: ((k: number) => number) | null,
 *   decoded: number,
 * }} Result
 *   contours: lines of p(z|x, y). logPx: log p(x|y) at this label, or log p(x) without labels. logPxy: of every label.
 *   shares: p(y|x) with even odds before. approximation: what the best Gaussian costs; amortisation: what the encoder
 *   adds. bound: log p as k importance samples see it. decoded: cells so far.
 */

/** Return whether a model's posterior can be laid out. @param {Model} model */
export const isTractable = (model) =>
  model.latentDim <= 2 && takesPictures(model) && model.likelihood !== null && hasPrior(model);

/**
 * @param {Model[]} models of one page
 * @param {import("../state.js").Values} values of further conditions
 */
export function createExact(models, values) {
  const all = models.map((model) => {
    if (!isTractable(model)) return null;
    const about = model.conditions.length === 1 ? classAmong(model.conditions) : undefined; // p(x) sums over it
    const labels = about?.values ? about.values.map((_, k) => ({ ...values, [about.name]: KINDS[about.kind].ofLabel?.(k, about) })) : [values]; // prettier-ignore
    const given = labels.map((one) => givenOf(model, one));
    return { model, given, grids: model.decoderSees.includes("condition") ? labels.length : 1 };
  });
  const count = all.filter(Boolean).length;
  const laid = all.map((one) => {
    if (!one) return null;
    const { model, given, grids } = one;
    const sides = sidesOf(model, given[0], grids * count);
    const area = areaOf(model, given, model.latentDim === 1 ? FINEST ** 2 : sides);
    const middles = middlesOf(area);
    const laidOut = Array.from({ length: grids }, (_, k) => createGrid(model, given[k], area, middles));
    return { model, given, area, grids: laidOut };
  });
  const every = laid.flatMap((one) => one?.grids ?? []);
  let first = 0; // the label whose grids are filled first

  return {
    /** Fill those of a label before the others. @param {number} label */
    prefer(label) {
      first = label;
    },
    /** Decode cells until the deadline; return whether any remain. @param {number} deadline of `performance.now()` */
    fill(deadline) {
      const order = [...laid.flatMap((one) => one?.grids[one.grids.length > 1 ? first : 0] ?? []), ...every];
      for (const grid of order)
        while (grid.filled() < 1) {
          if (performance.now() >= deadline) return true;
          grid.fillOne();
        }
      return false;
    },
    /** Return the filled part, 0 … 1. */
    share: () => (every.length ? every.reduce((sum, grid) => sum + grid.filled(), 0) / every.length : 1),
    bytes: () => every.reduce((sum, grid) => sum + grid.bytes, 0),
    /** Return whether a model has an exact posterior. @param {number} index */
    has: (index) => laid[index] !== null,
    /** Return whether a model's grid of a label is filled. @param {number} index @param {number} label */
    ready(index, label) {
      const one = laid[index];
      return one !== null && one.grids[one.grids.length > 1 ? label : 0].filled() === 1;
    },
    /** Return whether all grids of a model are filled. @param {number} index */
    complete: (index) => laid[index]?.grids.every((grid) => grid.filled() === 1) ?? false,
    /**
     * Begin to explain a picture that was encoded as a label (0 without labels) to q.
     * @param {number} index of the model
     * @param {Float32Array} pixels
     * @param {number} label
     * @param {import("./bound.js").Diagonal} q
     * @returns {Explanation}
     */
    explain(index, pixels, label, q) {
      const one = laid[index];
      if (!one) throw new Error("its posterior is not tractable");
      /** @type {Result} */
      const result = {
        stage: 0, contours: null, logPx: null, logPxy: null, shares: null, nats: null, best: null,
        approximation: null, amortisation: null, bound: null, decoded: 0,
      }; // prettier-ignore
      const steps = explained({ ...one, pixels, label, q, result });
      let done = false;
      return {
        result,
        get more() {
          return !done;
        },
        /** Go on until the deadline or the end of a stage. @param {number} deadline */
        work(deadline) {
          const { stage } = result;
          while (!done && result.stage === stage && performance.now() < deadline) {
            done = Boolean(steps.next().done);
            result.decoded++;
          }
        },
      };
    },
  };
}

/**
 * @typedef {ReturnType<typeof createExact>} Exact
 * @typedef {{result: Result, readonly more: boolean, work: (deadline: number) => void}} Explanation
 */

/**
 * Return the number of cells along each of two dimensions that memory and time allow a grid among so many alike.
 * @param {Model} model
 * @param {import("../state.js").Given} given
 * @param {number} grids
 */
function sidesOf(model, given, grids) {
  const z = new Array(model.latentDim).fill(0);
  let fastest = Infinity; // the first ones are slow
  for (let i = 0; i < TRIALS; i++) {
    const start = performance.now();
    for (let k = 0; k < TRIALS; k++) model.logits(z, given);
    fastest = Math.min(fastest, (performance.now() - start) / TRIALS);
  }
  const pixels = model.imageShape.reduce((a, b) => a * b, 1);
  const cells = Math.min(MEMORY / pixels, FILLING / Math.max(1e-3, fastest)) / grids;
  return Math.min(FINEST, Math.max(COARSEST, Math.floor(Math.sqrt(cells))));
}

/**
 * Return a square area over every prior, to 5 σ, and over the held-out codes.
 * @param {Model} model
 * @param {import("../state.js").Given[]} given
 * @param {number} sides
 * @returns {import("./grid.js").Area}
 */
function areaOf(model, given, sides) {
  const d = model.latentDim;
  const low = new Array(d).fill(Infinity),
    high = new Array(d).fill(-Infinity);
  for (const { mean, logVar } of given.map(model.priorAt))
    for (let k = 0; k < d; k++) {
      low[k] = Math.min(low[k], mean[k] - REACH * Math.exp(logVar[k] / 2));
      high[k] = Math.max(high[k], mean[k] + REACH * Math.exp(logVar[k] / 2));
    }
  const points = model.codes?.points ?? new Float32Array();
  for (let i = 0; i < points.length; i++) {
    low[i % d] = Math.min(low[i % d], points[i]);
    high[i % d] = Math.max(high[i % d], points[i]);
  }
  const step = Math.max(...high.map((v, k) => v - low[k])) / sides;
  return { low: low.map((v, k) => (v + high[k] - step * sides) / 2), step, sides };
}

/**
 * Explain one picture in stages: 1 first contours and log p(x|y), 2 all labels, 3 smooth contours and the bound, 4 the
 * best Gaussian, 5 samples.
 * @param {{
 *   model: Model, given: import("../state.js").Given[], area: import("./grid.js").Area,
 *   grids: import("./grid.js").Grid[], pixels: Float32Array, label: number, q: import("./bound.js").Diagonal,
 *   result: Result,
 * }} about
 * @returns {Generator<void>}
 */
function* explained({ model, given, area, grids, pixels, label, q, result }) {
  const joints = given.map((one) => jointOf(model, pixels, one));
  const priors = given.map((one) => model.priorAt(one));
  /** @type {Float64Array[]} by grid */
  const likelihoods = [];
  /** Return log p(x, z) in the coarse cells, for a label. @param {number} k */
  const scores = (k) => {
    const which = grids.length > 1 ? k : 0;
    const own = (likelihoods[which] ??= grids[which].scores(pixels));
    return own.map((score, c) => score + logDensity(priors[k], grids[0].middles[c]));
  };
  const seeds = (/** @type {number} */ k) => model.encode?.(pixels, given[k].vector).mean ?? q.mean;
  const quadrature = yield* refine(joints[label], grids[0], scores(label), q.mean);
  result.logPx = quadrature.total;
  const lines = (/** @type {import("./refine.js").Quadrature} */ found) =>
    model.latentDim === 2 ? contoursOf(found, area) : [];
  result.contours = lines(quadrature);
  result.stage = 1;
  yield;

  const totals = new Array(given.length).fill(-Infinity);
  totals[label] = quadrature.total;
  let best = quadrature.total;
  for (let k = 0; k < given.length; k++) {
    if (k === label) continue;
    const hopeless = (/** @type {number} */ total, /** @type {number} */ level) =>
      total < best - NEGLIGIBLE - UNSURE / 4 ** level;
    totals[k] = (yield* refine(joints[k], grids[0], scores(k), seeds(k), hopeless)).total;
    yield;
    best = Math.max(best, totals[k]);
  }
  if (given.length > 1) {
    const whole = logSum(totals);
    result.logPxy = totals;
    result.shares = totals.map((total) => Math.exp(total - whole));
  }
  result.stage = 2;
  yield;

  const joint = joints[label];
  const sharp = yield* sharpened(joint, area, quadrature);
  result.contours = lines(sharp);
  yield;
  const energy = -(yield* expected(joint, q)); // −E log p(x, z)
  const kl = divergence(q, priors[label]);
  const gap = Math.max(0, energy - entropy(q) + quadrature.total);
  const reconstruction = energy - entropy(q) - kl;
  result.nats = { reconstruction, kl, gap, logPx: gap - reconstruction - kl };
  result.stage = 3;
  yield;

  let least = gap;
  result.best = q;
  for (const start of [momentsOf(sharp, area), q]) {
    const found = yield* nearestGaussian(joint, start);
    const cost = -(yield* expected(joint, found)) - entropy(found) + quadrature.total;
    if (cost >= least) continue;
    least = cost;
    result.best = found;
  }
  result.approximation = Math.max(0, least);
  result.amortisation = gap - result.approximation;
  result.stage = 4;
  yield;

  const weights = yield* importanceWeights(joint, q, seeded(1));
  result.bound = (k) => importanceBound(weights, k);
  result.stage = 5;
}

/**
 * Return a start for the best Gaussian: the mode of the posterior, with the variances that a diagonal Gaussian has
 * there, one over the diagonal of the inverse covariance of the cells around it.
 * @param {import("./refine.js").Quadrature} quadrature
 * @param {import("./grid.js").Area} area
 */
function momentsOf({ cells, values, level }, area) {
  const d = area.low.length,
    step = area.step / 2 ** level;
  const top = values.indexOf(values.reduce((a, b) => Math.max(a, b), -Infinity));
  const near = cells.flatMap((cell, i) => (values[i] > values[top] - 4 ? [{ cell, mass: Math.exp(values[i] - values[top]) }] : [])); // prettier-ignore
  const total = near.reduce((sum, { mass }) => sum + mass, 0);
  const place = (/** @type {number[]} */ cell) => cell.map((i, k) => area.low[k] + (i + 0.5) * step);
  const mean = place(cells[top]).map((_, k) => near.reduce((sum, { cell, mass }) => sum + mass * place(cell)[k], 0) / total); // prettier-ignore
  const covariance = mean.map((m, k) =>
    mean.map((n, j) => near.reduce((sum, { cell, mass }) => sum + (mass * (place(cell)[k] - m) * (place(cell)[j] - n)) / total, k === j ? step * step : 0)),
  ); // prettier-ignore
  const lower = cholesky(covariance);
  // The conditional variance of each dimension, given the others: the product of the squares of the diagonal of L over
  // that of the other dimension.
  const logVar = d === 1 ? [Math.log(covariance[0][0])] : [0, 1].map((k) => 2 * Math.log(lower[0][0] * lower[1][1]) - Math.log(covariance[1 - k][1 - k])); // prettier-ignore
  return { mean, logVar };
}

/** Return a generator of uniform numbers in [0, 1), the same for the same seed (mulberry32). @param {number} seed */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
