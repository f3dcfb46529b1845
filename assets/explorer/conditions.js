/** What a predictive model is given: the visible parts of a few images, one of which is chosen. */

import { el, button } from "./dom.js";
import { toPixels } from "./model.js";
import { createScreen } from "./picture.js";

/** @param {import("./app.js").App} app */
export function createConditions(app) {
  const { words } = app;
  const index = app.models.findIndex(({ conditions }) => conditions);
  const [count, ...shape] = app.models[index].conditions?.pictures.shape ?? [];

  const tiles = Array.from({ length: count }, (_, i) => {
    const screen = createScreen(shape);
    const element = button("lx-tile-button lx-condition", screen.canvas, () => {
      app.setCondition(i);
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
    draw() {
      const { conditions } = app.models[index];
      if (!conditions) return;
      const { data } = conditions.pictures,
        each = data.length / count;
      tiles.forEach(({ screen }, i) => {
        const pixels = toPixels(data.subarray(i * each, (i + 1) * each), shape);
        screen.show(pixels, app.theme.dark);
        if (conditions.visible) veil(screen.canvas, conditions.visible);
      });
    },
    update() {
      tiles.forEach(({ element }, i) => element.setAttribute("aria-pressed", String(i === app.state.condition)));
    },
  };
}

/**
 * What is hidden from the model is left out of the picture.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} visible
 */
function veil(canvas, visible) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  visible.forEach((seen, p) => {
    if (!seen) context.clearRect(p % canvas.width, Math.floor(p / canvas.width), 1, 1);
  });
}
