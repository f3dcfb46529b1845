/** Choose the input of a predictive model by its index: the visible part of one of a few images. */

import { contextOf } from "../../shared/canvas.js";
import { button, el } from "../../shared/dom.js";
import { createScreen } from "../picture.js";
import { toPixels } from "../../shared/pixels.js";
import { PayloadError } from "../../shared/problem.js";
import { decodeBytes } from "../../shared/tensor.js";

/** @type {import("./index.js").Kind} */
export const imageKind = {
  read({ name, kind, pictures: packed, visible: seen }, imageShape) {
    const pictures = decodeBytes(packed, "conditions");
    const visible = seen ? decodeBytes(seen, "visible") : null;
    const [, h, w] = imageShape;
    const fits = pictures.shape[0] > 0 && pictures.shape.slice(1).join() === imageShape.join();
    if (!fits || (visible && visible.shape.join() !== `${h},${w}`)) throw new PayloadError("mismatch", { name });
    return { name, kind, width: 0, pictures, visible: visible?.data ?? null };
  },
  initial: () => 0,
  merge: (value, change, condition) =>
    Number.isInteger(change) && change >= 0 && change < count(condition) ? change : value,
  put: (value, condition, given) => void (given.image = Math.min(value, count(condition) - 1)), // per model
  create,
};

const count = (/** @type {import("./index.js").Condition} */ { pictures }) => pictures?.shape[0] ?? 0;

/** @param {import("../app.js").App} app @param {string} name @returns {import("./index.js").Control} */
function create(app, name) {
  const { words } = app;
  const [index] = app.modelsGiven(name);
  const shape = app.models[index].imageShape;

  const tiles = Array.from({ length: count(app.condition(name)) }, (_, i) => {
    const screen = createScreen(shape);
    const element = button("lx-tile-button lx-condition", screen.canvas, () => {
      app.setCondition(name, i);
      app.commit();
    });
    words.label(element, "conditions.choose", { i: i + 1 });
    return { screen, element };
  });
  const title = words.put(el("h3", "lx-heading"), "conditions.title");
  const note = words.put(
    el("p", "lx-note"),
    app.models[index].output === "label" ? "conditions.noteLabel" : "conditions.note",
  );
  const element = el("section", "lx-conditions", [
    title,
    el(
      "div",
      "lx-tiles",
      tiles.map(({ element }) => element),
    ),
    note,
  ]);

  return {
    element,
    redraw() {
      const { pictures, visible } = app.condition(name);
      if (!pictures) return;
      const { data } = pictures,
        each = data.length / tiles.length;
      tiles.forEach(({ screen }, i) => {
        const pixels = toPixels(data.subarray(i * each, (i + 1) * each), shape);
        screen.show(pixels, app.theme.dark);
        if (visible) veil(screen.canvas, visible);
      });
    },
    update() {
      const chosen = app.state.conditions[name];
      tiles.forEach(({ element }, i) => element.setAttribute("aria-pressed", String(i === chosen)));
    },
  };
}

/**
 * Remove the pixels that are hidden from the model.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} visible
 */
function veil(canvas, visible) {
  const context = contextOf(canvas);
  visible.forEach((seen, p) => {
    if (!seen) context.clearRect(p % canvas.width, Math.floor(p / canvas.width), 1, 1);
  });
}
