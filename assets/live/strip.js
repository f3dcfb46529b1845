/** Show held-out images over their reconstructions. */

import { contextOf } from "../shared/canvas.js";
import { el } from "../shared/dom.js";
import { paint, toPixels } from "../shared/pixels.js";

/** @param {import("../shared/dom.js").Words} words */
export function createStrip(words) {
  const rows = ["strip.heldOut", "strip.reconstructed"].map((key) => {
    const canvas = el("canvas", "lv-strip-canvas", [], { role: "img" });
    words.label(canvas, key);
    canvas.removeAttribute("title");
    return { canvas, element: el("div", "lv-strip-row", [words.put(el("span", "lv-strip-title"), key), canvas]) };
  });
  const element = el(
    "div",
    "lv-strip",
    rows.map((row) => row.element),
  );
  element.hidden = true;
  /** @type {any[]} the content of the canvases */
  let drawn = [];
  return {
    element,
    /**
     * @param {import("./store.js").Pictures | null} heldOut
     * @param {import("./store.js").Pictures | null} reconstructed
     * @param {boolean} dark
     */
    update(heldOut, reconstructed, dark) {
      if (drawn[0] === heldOut && drawn[1] === reconstructed && drawn[2] === dark) return;
      drawn = [heldOut, reconstructed, dark];
      element.hidden = !heldOut && !reconstructed;
      [heldOut, reconstructed].forEach((pictures, i) => {
        rows[i].element.hidden = !pictures;
        if (pictures) paintRow(rows[i].canvas, pictures, dark);
      });
    },
  };
}

/**
 * Draw images side by side, with a pixel between them.
 * @param {HTMLCanvasElement} canvas
 * @param {import("./store.js").Pictures} pictures
 * @param {boolean} dark
 */
function paintRow(canvas, { count, shape, bytes }, dark) {
  const [channels, height, width] = shape;
  const across = count * (width + 1) - 1,
    each = channels * height * width;
  if (canvas.width !== across || canvas.height !== height) Object.assign(canvas, { width: across, height });
  const context = contextOf(canvas);
  const image = context.createImageData(across, height);
  for (let n = 0; n < count; n++) {
    const pixels = toPixels(bytes.subarray(n * each, (n + 1) * each), shape);
    paint(pixels, channels, dark, image.data, 4 * n * (width + 1), 4 * across, width);
  }
  context.putImageData(image, 0, 0);
}
