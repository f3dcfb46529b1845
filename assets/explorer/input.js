/**
 * The picture that was put in, as the models see it: the posterior q(z|x) of each, and the codes that follow it. The
 * codes are the means, or μ + σ ε with one noise ε for all models.
 */

import { KINDS } from "./controls/index.js";
import { divergence } from "./gaussian.js";
import { takesPictures } from "./model.js";
import { logLikelihoodOf } from "./posterior/joint.js";
import { givenOf } from "./state.js";

/** @typedef {Pick<import("./pad/sheet.js").Picture, "pixelsFor" | "blank">} Picture */

/** @param {import("./app.js").App} app */
export function createInput(app) {
  /** @type {Picture | null} */ let picture = null;
  /** @type {(import("./model.js").Posterior | null)[]} of the models; null: no encoder */ let posteriors = [];
  /** @type {import("./state.js").Values} at which it was encoded */ let values = {};
  let version = 0;
  /** @type {number[]} ε, the same for all models */ let noise = new Array(app.extent.latentDim).fill(0);

  return {
    /** Whether the codes are those of the picture; a drag of z ends that. */
    following: false,
    get picture() {
      return picture;
    },
    get posteriors() {
      return posteriors;
    },
    /** Another number after each picture. */
    get version() {
      return version;
    },
    get values() {
      return values;
    },
    get noise() {
      return noise;
    },
    /** @param {number[]} value ε (d,) */
    setNoise(value) {
      noise = value;
    },
    /**
     * Take a picture, and encode it by all models at values of the conditions.
     * @param {Picture | null} next
     * @param {import("./state.js").Values} at
     */
    encode(next, at) {
      values = at;
      version++;
      picture = next && !next.blank ? next : null;
      posteriors = app.models.map((model) => {
        if (!picture || !model.encode || !takesPictures(model)) return null;
        const { mean, logVar } = model.encode(picture.pixelsFor(model), givenOf(model, values).vector);
        return { mean: [...mean], logVar: logVar && [...logVar] };
      });
      this.following = posteriors.some(Boolean);
    },
    /** Return whether a model sees pixels between black and white, on which a log-likelihood is a loss. @param {number} index */
    grey(index) {
      const model = app.models[index];
      return model.likelihood?.kind === "bernoulli" && Boolean(picture?.pixelsFor(model).some((v) => v > 0 && v < 1));
    },
    /** Return the code of a model that follows the picture; null if it has no encoder. @param {number} index */
    code(index) {
      const posterior = posteriors[index];
      if (!posterior) return null;
      const { mean, logVar } = posterior;
      return logVar ? mean.map((m, i) => m + Math.exp(logVar[i] / 2) * noise[i]) : mean;
    },
  };
}

/**
 * Return the class of the picture as the first model that is given a class reads it: that of the largest ELBO,
 * log p(x|z, y) at the mean z of q(z|x, y), less the KL to the prior p(z|y). Null without such a model.
 * @param {import("./app.js").App} app
 * @param {number} classes
 */
export function readLabel({ models, input, extent, state }, classes) {
  const model = models.find((one) => one.conditions.length && takesPictures(one));
  if (!model?.encode || !model.likelihood || !input.picture) return null;
  const pixels = input.picture.pixelsFor(model);
  const likelihood = logLikelihoodOf(model.likelihood, pixels);
  let best = -Infinity,
    label = null;
  for (let k = 0; k < classes; k++) {
    const values = valuesOfLabel(extent, state.conditions, k);
    const given = givenOf(model, values);
    const { mean, logVar } = model.encode(pixels, given.vector);
    const kl = logVar ? divergence({ mean, logVar }, model.priorAt(given)) : 0;
    const elbo = likelihood(model.logits(mean, given)) - kl;
    if (elbo > best) [best, label] = [elbo, k];
  }
  return label;
}

/**
 * Return values of the conditions at which a picture of a class is encoded.
 * @param {import("./state.js").Extent} extent
 * @param {import("./state.js").Values} values
 * @param {number | null} label null: unknown, so the values stay
 */
export function valuesOfLabel({ conditions }, values, label) {
  if (label === null) return values;
  const found = conditions.flatMap((one) => {
    const value = KINDS[one.kind].ofLabel?.(label, one);
    return value === undefined ? [] : [[one.name, value]];
  });
  return { ...values, ...Object.fromEntries(found) };
}
