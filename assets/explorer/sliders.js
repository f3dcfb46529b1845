/** Show a slider for each latent dimension, even in the prior's probability, and its value as a number to edit. */

import { hasPrior } from "./model.js";
import { button, el, number } from "../shared/dom.js";
import { cumulative, quantile } from "./gaussian.js";

const LEAST = 0.001; // the quantile of the prior at the slider's ends, about ±3.1 standard deviations

/** @param {import("./app.js").App} app */
export function createSliders(app) {
  const { words } = app;
  const prior = () => app.lead().prior.overall;
  const here = () => app.codes.of(app.state.lead);
  const toCode = (/** @type {number} */ p, /** @type {number} */ i) =>
    prior().mean[i] + Math.exp(prior().logVar[i] / 2) * quantile(p);
  const toShare = (/** @type {number} */ z, /** @type {number} */ i) =>
    cumulative((z - prior().mean[i]) / Math.exp(prior().logVar[i] / 2));
  const set = (/** @type {number} */ i, /** @type {number} */ value) =>
    app.setZ(here().map((v, j) => (j === i ? value : v)));

  const rows = app.state.z.map((_, i) => {
    const range = el("input", "lx-range", [], {
      type: "range",
      min: String(LEAST),
      max: String(1 - LEAST),
      step: "0.001",
    });
    range.oninput = () => set(i, toCode(range.valueAsNumber, i));
    range.onchange = () => app.commit();
    words.label(range, "sliders.dimension", { i: i + 1 });
    const box = el("input", "lx-number", [], { type: "number", step: "0.1" });
    box.onchange = () => {
      if (Number.isFinite(box.valueAsNumber)) set(i, box.valueAsNumber);
      app.commit();
    };
    words.label(box, "sliders.valueOf", { i: i + 1 });
    const name = el("span", "lx-dimension", ["z", el("sub", "", [String(i + 1)])], { "aria-hidden": "true" });
    return { range, box, element: el("div", "lx-slider", [name, range, box]) };
  });

  const reset = words.put(
    button("lx-button", null, () => (app.setZ(app.neutral()), app.commit())),
    "sliders.reset",
  );
  const random = words.put(
    button("lx-button", null, () => (app.setZ(app.random()), app.commit())),
    "sliders.random",
  );
  const title = words.put(el("h3", "lx-heading"), "sliders.title");
  const element = el("section", "lx-sliders", [
    el("div", "lx-head", [title, el("div", "lx-buttons", [reset, random])]),
    el(
      "div",
      "lx-slider-rows",
      rows.map(({ element }) => element),
    ),
  ]);
  element.classList.toggle("lx-many", rows.length > 4);

  return {
    element,
    update() {
      const z = here();
      const active = document.activeElement;
      rows.forEach(({ range, box }, i) => {
        const share = toShare(z[i], i);
        if (active !== range || Math.abs(range.valueAsNumber - share) > 2e-3) range.valueAsNumber = share;
        range.style.setProperty("--lx-share", String(share));
        if (active !== box) box.value = z[i].toFixed(2);
      });
    },
    /** Set the text for a screen reader, but not at every move. */
    speak() {
      here().forEach((v, i) => {
        const percent = (100 * toShare(v, i)).toFixed(0);
        const key = hasPrior(app.lead()) ? "sliders.value" : "sliders.valueFitted";
        rows[i].range.setAttribute("aria-valuetext", words.say(key, { value: number(v), percent }));
      });
    },
  };
}
