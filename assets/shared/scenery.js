/** Draw the map's axes, the prior and the names of the classes. */

import { ellipse, inPlane } from "./plane.js";
import { classColor } from "./theme.js";
import { number } from "./dom.js";
import { digitsFor, ticks } from "./scale.js";
import { toPixel } from "./view.js";

/**
 * @typedef {{view: import("./view.js").View, side: number, theme: import("./theme.js").Theme}} Look
 * @typedef {import("./plane.js").Gaussian} Gaussian
 * @typedef {{gaussian: Gaussian, color: string | null, sigmas: number[], strong: boolean}} PriorLine
 */

/**
 * Draw faint lines at round numbers.
 * @param {CanvasRenderingContext2D} context
 * @param {Look} look
 */
export function drawGrid(context, { view, side, theme }) {
  context.save();
  context.strokeStyle = theme.text;
  for (const { value, pixel, across } of marks(view, side)) {
    const at = Math.round(pixel) + 0.5;
    context.globalAlpha = value === 0 ? 0.3 : 0.09;
    context.beginPath();
    context.moveTo(across ? at : 0, across ? 0 : at);
    context.lineTo(across ? at : side, across ? side : at);
    context.stroke();
  }
  context.restore();
}

/**
 * Draw the numbers of these lines at the lower and the left edge.
 * @param {CanvasRenderingContext2D} context
 * @param {Look} look
 * @param {boolean} flat whether only the horizontal axis has a meaning
 */
export function drawNumbers(context, { view, side, theme }, flat) {
  context.save();
  context.font = `11px ${theme.font}`;
  for (const { pixel, across, text } of marks(view, side)) {
    if (pixel < (across ? 34 : 14) || pixel > side - (across ? 14 : 24) || (flat && !across)) continue;
    context.textAlign = across ? "center" : "left";
    haloed(context, text, across ? pixel : 6, across ? side - 6 : pixel + 4, theme);
  }
  context.restore();
}

/**
 * @param {import("./view.js").View} view
 * @param {number} side
 */
function marks(view, side) {
  const half = view.extent / 2,
    count = Math.max(4, Math.round(side / 80));
  return [true, false].flatMap((across) => {
    const middle = across ? view.x : view.y;
    const values = ticks(middle - half, middle + half, count);
    const digits = digitsFor(values);
    return values.map((value) => {
      const { x, y } = toPixel(view, side, value, value);
      return { value, across, pixel: across ? x : y, text: number(value, digits) };
    });
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {PriorLine[]} lines
 * @param {import("./plane.js").Plane} plane
 * @param {Look} look
 */
export function drawPrior(context, lines, plane, { view, side, theme }) {
  context.save();
  context.font = `600 11px ${theme.font}`;
  context.textAlign = "center";
  for (const { gaussian, color, sigmas, strong } of lines) {
    const spot = inPlane(plane, gaussian);
    const { a, b, angle } = ellipse(spot);
    const centre = toPixel(view, side, spot.x, spot.y),
      scale = side / view.extent;
    for (const sigma of sigmas) {
      context.beginPath();
      context.ellipse(centre.x, centre.y, a * sigma * scale, Math.max(b * sigma * scale, 0.5), -angle, 0, 2 * Math.PI);
      for (const [style, width, alpha] of strokes(color, strong, theme)) {
        context.strokeStyle = style;
        context.lineWidth = width;
        context.globalAlpha = alpha;
        context.setLineDash(sigma === 1 ? [] : sigma === 2 ? [7, 4] : [2, 4]);
        context.stroke();
      }
      if (!strong) continue;
      const top = centre.y - Math.sqrt(Math.max(0, spot.yy)) * sigma * scale; // the highest point of the ellipse
      const sideways = spot.yy > 0 ? (spot.xy / Math.sqrt(spot.yy)) * sigma * scale : 0;
      haloed(context, `${sigma}σ`, centre.x + sideways, top - 4, theme);
    }
  }
  context.restore();
}

/**
 * Return the two strokes of a line: first a halo, because the line crosses points of every colour.
 * @param {string | null} color
 * @param {boolean} strong
 * @param {import("./theme.js").Theme} theme
 * @returns {[string, number, number][]} style, width, opacity
 */
const strokes = (color, strong, theme) => [
  [theme.background, strong ? 4 : 3, 0.75],
  [color ?? theme.text, strong ? 1.8 : 1.3, strong ? 1 : 0.8],
];

/**
 * Draw the names of the classes at the middles of their codes, and move overlapping names apart.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./points.js").Cloud} cloud
 * @param {string[]} names
 * @param {Set<number>} hidden
 * @param {Look} look
 */
export function drawNames(context, cloud, names, hidden, { view, side, theme }) {
  context.save();
  context.font = `700 13px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const places = cloud.centres
    .filter(({ label }) => !hidden.has(label) && names[label] !== undefined)
    .map(({ label, x, y }) => {
      const name = names[label].length > 14 ? `${names[label].slice(0, 13)}…` : names[label];
      return { ...toPixel(view, side, x, y), label, name, half: context.measureText(name).width / 2 + 6.5 };
    })
    .filter(({ x, y }) => x > 0 && y > 0 && x < side && y < side);
  separate(places);
  for (const { x, y, label, name } of places) {
    const half = context.measureText(name).width / 2 + 5;
    context.beginPath();
    context.roundRect(x - half, y - 10, 2 * half, 20, 5);
    context.fillStyle = theme.background;
    context.globalAlpha = 0.88;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = classColor(label);
    context.lineWidth = 2;
    context.stroke();
    context.fillStyle = theme.text;
    context.fillText(name, x, y + 0.5);
  }
  context.restore();
}

const NAME_HEIGHT = 23;

/**
 * Push overlapping boxes apart along the axis of least overlap.
 * @param {{x: number, y: number, half: number}[]} boxes
 */
function separate(boxes) {
  for (let round = 0; round < 40; round++) {
    let moved = false;
    for (let i = 0; i < boxes.length; i++)
      for (let j = i + 1; j < boxes.length; j++) {
        const a = boxes[i],
          b = boxes[j];
        const overX = a.half + b.half - Math.abs(a.x - b.x),
          overY = NAME_HEIGHT - Math.abs(a.y - b.y);
        if (overX <= 0.5 || overY <= 0.5) continue;
        moved = true;
        if (overX < overY) {
          const push = (overX / 2) * (a.x < b.x ? 1 : -1);
          a.x -= push;
          b.x += push;
        } else {
          const push = (overY / 2) * (a.y < b.y ? 1 : -1);
          a.y -= push;
          b.y += push;
        }
      }
    if (!moved) return;
  }
}

/**
 * Draw text that is readable on any background.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {import("./theme.js").Theme} theme
 */
function haloed(context, text, x, y, theme) {
  context.setLineDash([]);
  context.lineJoin = "round";
  context.strokeStyle = theme.background;
  context.globalAlpha = 0.85;
  context.lineWidth = 4;
  context.strokeText(text, x, y);
  context.globalAlpha = 1;
  context.fillStyle = theme.text;
  context.fillText(text, x, y);
}
