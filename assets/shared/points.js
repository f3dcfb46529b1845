/** Place the held-out codes in the plane of the map, and draw them. */

import { classColor } from "./theme.js";
import { createNearest } from "./nearest.js";

/**
 * @typedef {{
 *   count: number, xs: Float32Array, ys: Float32Array, labels: Uint8Array | null,
 *   centres: {label: number, x: number, y: number}[], nearest: ReturnType<typeof createNearest>,
 * }} Cloud
 */

/**
 * Place codes in a plane. A code of one dimension gets a height by its index, so that points do not hide each other.
 * @param {{count: number, points: Float32Array, labels: Uint8Array | null}} codes
 * @param {number} d
 * @param {import("./plane.js").Plane} plane
 * @returns {Cloud}
 */
export function createCloud({ count, points, labels }, d, plane) {
  const xs = new Float32Array(count),
    ys = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    xs[i] = plane.x(points, i * d);
    ys[i] = plane.flat ? ((i * 0.6180339887) % 1) - 0.5 : plane.y(points, i * d);
  }
  return { count, xs, ys, labels, centres: centresOf(xs, ys, labels), nearest: createNearest(xs, ys) };
}

/**
 * Return the middle (median) of every class.
 * @param {Float32Array} xs
 * @param {Float32Array} ys
 * @param {Uint8Array | null} labels
 */
function centresOf(xs, ys, labels) {
  /** @type {number[][]} */
  const members = [];
  labels?.forEach((label, i) => (members[label] ??= []).push(i));
  const median = (/** @type {Float32Array} */ values, /** @type {number[]} */ of) =>
    of.map((i) => values[i]).sort((a, b) => a - b)[of.length >> 1];
  return members
    .map((of, label) => ({ label, x: median(xs, of), y: median(ys, of) }))
    .filter((centre) => centre !== undefined);
}

/** @type {Map<string, OffscreenCanvas>} */
const stamps = new Map();

/**
 * Return the small picture of a class for all its points, which is much faster than ten thousand arcs.
 * @param {string} fill
 * @param {string} outline
 * @param {number} radius in device pixels
 */
function sprite(fill, outline, radius) {
  const key = `${fill} ${outline} ${radius}`,
    known = stamps.get(key);
  if (known) return known;
  if (stamps.size > 100) stamps.clear(); // they have other sizes, or another theme
  const side = Math.ceil(2 * radius + 3);
  const canvas = new OffscreenCanvas(side, side);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.beginPath();
  context.arc(side / 2, side / 2, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = outline;
  context.lineWidth = Math.max(0.6, radius * 0.2);
  context.stroke();
  stamps.set(key, canvas);
  return canvas;
}

/**
 * Draw all points of a cloud; those of hidden classes are grey, below the others, or absent before a background.
 * @param {CanvasRenderingContext2D} context
 * @param {Cloud} cloud
 * @param {{view: import("./view.js").View, side: number, ratio: number, hidden: Set<number>,
 *          faint: boolean, theme: import("./theme.js").Theme}} look  faint: the points let the background show
 */
export function drawCloud(context, cloud, { view, side, ratio, hidden, faint, theme }) {
  const crowd = cloud.count > 4000 ? 2.3 : cloud.count > 1000 ? 2.8 : 3.6; // radius in pixels on a map of 560 pixels
  const radius = ratio * Math.max(1.6, Math.min(4.5, (crowd * side) / 560));
  const outline = theme.dark ? "rgba(255,255,255,0.4)" : "rgba(0,0,0,0.42)";
  context.globalAlpha = faint ? 0.4 : 0.9;
  const grey = sprite(
    theme.dark ? "rgba(150,155,165,0.25)" : "rgba(120,125,135,0.2)",
    "rgba(128,128,128,0.25)",
    radius,
  );
  /** @type {OffscreenCanvas[]} */
  const sprites = [];
  const half = grey.width / 2,
    scale = (side * ratio) / view.extent,
    middle = (side * ratio) / 2,
    limit = side * ratio + half;
  const { xs, ys, labels, count } = cloud;
  for (const muted of hidden.size && !faint ? [true, false] : [false]) {
    for (let i = 0; i < count; i++) {
      const label = labels ? labels[i] : 0;
      if (hidden.has(label) !== muted) continue;
      const x = middle + (xs[i] - view.x) * scale,
        y = middle - (ys[i] - view.y) * scale;
      if (x < -half || y < -half || x > limit || y > limit) continue;
      const stamp = muted
        ? grey
        : (sprites[label] ??= sprite(labels ? classColor(label) : theme.accent, outline, radius));
      context.drawImage(stamp, x - half, y - half);
    }
  }
  context.globalAlpha = 1;
}
