/**
 * The picture that was put in, as the models see it: the posterior q(z|x) of each, and the codes that follow it. The
 * codes are the means, or μ + σ ε with one noise ε for all models.
 */

import { KINDS } from "./controls/index.js";
import { givenOf } from "./state.js";

/**
 * @typedef {{
 *   pixelsFor: (model: import("./model.js").Model) => Float32Array, source: string, label: number | null,
 *   blank: boolean,
 * }} Picture
 *   pixelsFor: what a model sees, H × W × C in [0, 1]. label: its known class.
 */

/** @param {import("./app.js").App} app */
export function createInput(app) {
  /** @type {Picture | null} */ let picture = null;
  /** @type {(import("./model.js").Posterior | null)[]} of the models; null: no encoder */ let posteriors = [];
  /** @type {import("./state.js").Values} at which it was encoded */ let values = {};
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
      picture = next && !next.blank ? next : null;
      posteriors = app.models.map((model) => {
        if (!picture || !model.encode || model.output !== "image") return null;
        const { mean, logVar } = model.encode(picture.pixelsFor(model), givenOf(model, values).vector);
        return { mean: [...mean], logVar: logVar && [...logVar] };
      });
      this.following = posteriors.some(Boolean);
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
