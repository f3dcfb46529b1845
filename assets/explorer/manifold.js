/** Decode the manifold behind the map: an image for every cell of a 20 × 20 lattice over the visible part. */

import { paint } from "../shared/pixels.js";
import { classColor } from "../shared/theme.js";

const ACROSS = 20; // images across the map
const ACROSS_LABELS = 40; // cells across the map, with one colour each, if the decoder predicts a label

/**
 * @typedef {{left: number, top: number, width: number, height: number, canvas: OffscreenCanvas}} Sheet
 *   in units of the plane
 * @typedef {{view: import("../shared/view.js").View, plane: import("../shared/plane.js").Plane, z: number[],
 *            given: import("./state.js").Given, dark: boolean}} Scene
 */

/**
 * Decode in slices: `work` runs until its deadline. The last finished manifold stays visible in its place until the new
 * images cover it.
 */
export function createManifold() {
  /** @type {Sheet | null} */ let finished = null;
  /** @type {Sheet | null} */ let growing = null;
  /** @type {(() => boolean) | null} */ let step = null;
  let wanted = "";

  return {
    /**
     * @param {import("./model.js").Model} model
     * @param {Scene} scene
     * @param {string} key identifies the scene: the same key means the same manifold
     */
    request(model, scene, key) {
      if (key === wanted) return;
      wanted = key;
      ({ sheet: growing, step } = begin(model, scene));
    },
    /** Decode until the deadline; return the number of images. @param {number} deadline of `performance.now()` */
    work(deadline) {
      let count = 0;
      for (; step && performance.now() < deadline; count++) {
        if (step()) continue;
        finished = growing;
        growing = step = null;
      }
      return count;
    },
    busy: () => step !== null,
    /** Return the sheets to draw, the lower one first. */
    sheets: () => [finished, growing].filter((sheet) => sheet !== null),
    clear() {
      finished = growing = step = null;
      wanted = "";
    },
  };
}

/**
 * @param {import("./model.js").Model} model
 * @param {Scene} scene
 */
function begin(model, { view, plane, z, given, dark }) {
  const byLabel = model.output === "label";
  const [channels, h, w] = byLabel ? [3, 1, 1] : model.imageShape;
  const columns = byLabel ? ACROSS_LABELS : ACROSS;
  const cell = view.extent / columns,
    tall = (cell * h) / w;
  const rows = plane.flat ? 1 : Math.ceil(view.extent / tall);
  const height = plane.flat ? view.extent : rows * tall;
  const sheet = {
    left: view.x - view.extent / 2,
    top: view.y + height / 2,
    width: view.extent,
    height,
    canvas: new OffscreenCanvas(columns * w, rows * h),
  };
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (sheet.canvas.getContext("2d"));
  const tile = context.createImageData(w, h);
  const cells = Array.from({ length: columns * rows }, (_, i) => ({
    column: i % columns,
    row: Math.floor(i / columns),
  }));
  const outward = (/** @type {{column: number, row: number}} */ { column, row }) =>
    Math.hypot(column + 0.5 - columns / 2, row + 0.5 - rows / 2);
  cells.sort((a, b) => outward(a) - outward(b));

  let at = 0;
  const step = () => {
    const { column, row } = cells[at++];
    const y = plane.flat ? 0 : sheet.top - (row + 0.5) * tall;
    const values = model.decode(plane.place(z, sheet.left + (column + 0.5) * cell, y), given);
    paint(byLabel ? mixedColor(values) : values, channels, dark, tile.data);
    context.putImageData(tile, column * w, row * h);
    return at < cells.length;
  };
  return { sheet, step };
}

/**
 * Mix the colours of the classes by their probabilities.
 * @param {ArrayLike<number>} probabilities
 */
function mixedColor(probabilities) {
  const color = [0, 0, 0];
  for (let k = 0; k < probabilities.length; k++)
    for (let i = 0; i < 3; i++)
      color[i] += (probabilities[k] * parseInt(classColor(k).slice(1 + 2 * i, 3 + 2 * i), 16)) / 255;
  return color;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Sheet[]} sheets
 * @param {import("../shared/view.js").View} view
 * @param {number} side
 * @param {boolean} smooth
 */
export function drawSheets(context, sheets, view, side, smooth) {
  const scale = side / view.extent;
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "high";
  for (const { left, top, width, height, canvas } of sheets) {
    const x = side / 2 + (left - view.x) * scale,
      y = side / 2 - (top - view.y) * scale;
    context.drawImage(canvas, x, y, width * scale, height * scale);
  }
}
