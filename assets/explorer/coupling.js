/**
 * Carry a code from one model to another. The axes of models that were trained apart have nothing in common, so what
 * they share is the picture that a code draws, or the noise that a code has under each model's prior. That all have the
 * same numbers z is a choice too, and shows how little these mean.
 */

import { takesPictures } from "./model.js";
import { fromNoise, noiseOf } from "./prior.js";
import { givenOf } from "./state.js";

/**
 * Return the code of model `to` that goes with the code z of model `from`. `picture`: `to` encodes what `from` decodes,
 * both at these values of the conditions. `sigma`: the noise ε under the priors is the same, L⁻¹ (z − μ). `z`: the
 * numbers are the same. Models that cannot exchange pictures share the noise.
 * @param {import("./model.js").Model} from
 * @param {import("./model.js").Model} to
 * @param {number[]} z
 * @param {import("./state.js").Values} values of the conditions
 * @param {import("./state.js").Coupling} coupling
 */
export function carried(from, to, z, values, coupling) {
  if (coupling === "z") return z;
  if (coupling === "picture" && to.encode && takesPictures(to) && draws(from, to.imageShape)) {
    const pixels = from.decode(z, givenOf(from, values));
    return to.encode(pixels, givenOf(to, values).vector).mean;
  }
  return fromNoise(to, noiseOf(from, z, values), values);
}

/**
 * Return whether a model draws images of a shape.
 * @param {import("./model.js").Model} from
 * @param {number[]} shape
 */
const draws = ({ output, imageShape }, shape) => output === "image" && imageShape.join() === shape.join();
