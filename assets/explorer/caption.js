/** The line below a map: its axes, its codes, its prior. */

import { hasPrior } from "./model.js";
import { showcase } from "./prior.js";

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)} %`;

/** @param {import("./app.js").App} app @param {number} index of the model */
export function captionOf(app, index) {
  const { models, plane, words, state } = app;
  const model = models[index],
    { spec } = plane;
  const axes = plane.flat
    ? words.say("caption.flat")
    : spec.kind === "pca"
      ? words.say("caption.pca", { first: percent(spec.explained[0]), second: percent(spec.explained[1]) })
      : words.say("caption.dims", { x: `z${spec.dims[0] + 1}`, y: `z${spec.dims[1] + 1}` });
  const key = hasPrior(model) ? "caption.codes" : "caption.codes_ae"; // which has no posterior
  const held = model.codes ? words.say(key, { count: shownOf(model.codes, app.hiddenAt(index)) }) : "";
  const prior = showcase(model, state.conditions).length ? "per-class" : model.prior.kind;
  return [axes, held, words.say(`caption.prior.${prior}`)].filter(Boolean).join(" · ");
}

/** Return how many codes are not of hidden classes. @param {import("./model.js").Codes} codes @param {Set<number>} hidden */
const shownOf = ({ count, labels }, hidden) =>
  labels && hidden.size ? labels.reduce((sum, label) => sum + Number(!hidden.has(label)), 0) : count;
