/** Choose the code of the picture that was put in: the mean of q(z|x), a draw from it, or a noise ε by sliders. */

import { normal } from "./gaussian.js";
import { hasPrior, seenBy } from "./model.js";
import { button, el, icon, number } from "../shared/dom.js";

const SLIDERS = 2; // the most latent dimensions with a slider each
const END = "3"; // standard deviations at a slider's ends

/** @param {import("./app.js").App} app */
export function createNoise(app) {
  const { words } = app;
  const d = app.extent.latentDim;
  const zero = () => /** @type {number[]} */ (new Array(d).fill(0));
  const follow = (/** @type {number[]} */ noise) => {
    app.followPicture(noise);
    app.commit();
  };
  const mean = words.put(
    button("lx-button", null, () => follow(zero())),
    app.models.some(hasPrior) ? "noise.mean" : "noise.code",
    { x: seenBy(app.models) },
  );
  const draw = button("lx-button lx-die", icon("die"), () => follow(Array.from({ length: d }, () => normal())));
  draw.append(words.put(el("span"), "noise.draw", { x: seenBy(app.models) }));

  const sliders = Array.from({ length: d <= SLIDERS ? d : 0 }, (_, i) => {
    const range = el("input", "lx-range", [], { type: "range", min: `-${END}`, max: END, step: "0.01" });
    range.oninput = () => app.followPicture(app.input.noise.map((e, j) => (j === i ? range.valueAsNumber : e)));
    range.onchange = () => app.commit();
    words.label(range, "noise.slider", { i: i + 1, x: seenBy(app.models) });
    const name = el("span", "lx-dimension", ["ε", el("sub", "", [String(i + 1)])], { "aria-hidden": "true" });
    return { range, element: el("div", "lx-slider lx-slider-short", [name, range]) };
  });
  const element = el("div", "lx-noise", [
    el("div", "lx-buttons", [mean, draw]),
    ...sliders.map(({ element }) => element),
  ]);

  return {
    element,
    update() {
      const { input } = app;
      const gaussian = input.posteriors.some((posterior) => posterior?.logVar);
      element.hidden = !input.posteriors.some(Boolean);
      draw.hidden = !gaussian;
      mean.setAttribute("aria-pressed", String(input.following && input.noise.every((e) => e === 0)));
      sliders.forEach(({ range, element }, i) => {
        element.hidden = !gaussian;
        range.valueAsNumber = input.noise[i];
        range.style.setProperty("--lx-share", String((input.noise[i] + Number(END)) / (2 * Number(END))));
        range.setAttribute("aria-valuetext", number(input.noise[i]));
      });
    },
  };
}
