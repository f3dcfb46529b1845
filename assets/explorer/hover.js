/** Show a card beside the code under the pointer: its image if there is one, its reconstruction, its label. */

import { el } from "../shared/dom.js";
import { createScreen } from "./picture.js";
import { toPixels } from "../shared/pixels.js";
import { givenOf, givenOfLabel } from "./state.js";

const GAP = 16; // pixels between the code and its card

/**
 * @param {import("./app.js").App} app
 * @param {number} index of the model
 */
export function createHover(app, index) {
  const { imageShape, thumbnails: first } = app.models[index];
  const shape = first?.shape.slice(1) ?? imageShape; // thumbnails may be smaller than the images
  const original = createScreen(shape),
    decoded = createScreen(imageShape);
  const pictures = [original, decoded].map(({ canvas }, i) =>
    el("figure", "lx-hover-picture", [canvas, app.words.put(el("figcaption"), i ? "hover.decoded" : "hover.original")]),
  );
  const title = el("div", "lx-hover-title");
  const element = el("div", "lx-hover", [el("div", "lx-hover-row", pictures), title], { "aria-hidden": "true" });
  element.hidden = true;
  let current = -1;

  return {
    element,
    hide() {
      current = -1;
      element.hidden = true;
    },
    /** @param {number} code @param {number} x pixels @param {number} y @param {number} side of the map */
    show(code, x, y, side) {
      if (code === current) return;
      current = code;
      const model = app.models[index];
      const { codes, thumbnails, latentDim, classes, decoderSees, output } = model;
      if (!codes) return;
      const label = codes.labels ? codes.labels[code] : -1;

      pictures[0].hidden = !thumbnails;
      if (thumbnails) {
        const each = thumbnails.data.length / codes.count;
        original.show(toPixels(thumbnails.data.subarray(code * each, (code + 1) * each), shape), app.theme.dark);
      }
      const alone = decoderSees.every((name) => name === "z");
      const given = alone ? givenOf(model, app.state.conditions) : givenOfLabel(model, label);
      pictures[1].hidden = output === "label" || !given;
      if (given && !pictures[1].hidden) {
        const z = codes.points.subarray(code * latentDim, (code + 1) * latentDim);
        decoded.show(model.decode(z, given), app.theme.dark);
      }
      title.textContent = label >= 0 ? `${classes[label] ?? label}` : app.words.say("hover.number", { number: code });
      element.dataset.code = String(code);
      element.hidden = false;
      element.style.left = `${x}px`;
      element.style.top = `${y}px`;
      element.classList.toggle("lx-flip-x", x + element.offsetWidth + GAP > side && x > side / 2);
      element.classList.toggle("lx-flip-y", y + element.offsetHeight + GAP > side && y > side / 2);
    },
  };
}
