/** The same held-out images over their reconstructions. */

import { el } from "../shared/dom.js";

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
  /** @type {any[]} what the canvases show */
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
 * Pictures side by side, a pixel apart. Grey ones are ink on paper in a light theme and light on black in a dark one.
 * @param {HTMLCanvasElement} canvas
 * @param {import("./store.js").Pictures} pictures
 * @param {boolean} dark
 */
function paintRow(canvas, { count, shape: [channels, height, width], bytes }, dark) {
  const across = count * (width + 1) - 1;
  if (canvas.width !== across || canvas.height !== height) Object.assign(canvas, { width: across, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(across, height),
    plane = height * width;
  for (let n = 0; n < count; n++)
    for (let p = 0; p < plane; p++) {
      const from = n * channels * plane + p;
      const to = 4 * (Math.floor(p / width) * across + n * (width + 1) + (p % width));
      for (let c = 0; c < 3; c++) {
        const value = bytes[from + (channels === 3 ? c * plane : 0)];
        image.data[to + c] = channels === 3 || dark ? value : 255 - value;
      }
      image.data[to + 3] = 255;
    }
  context.putImageData(image, 0, 0);
}
