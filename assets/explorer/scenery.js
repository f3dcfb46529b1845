/** What stands still on the map beside the codes: axes, the prior, the names of the classes. */

import { ellipse, inPlane } from "./plane.js";
import { classColor } from "./theme.js";
import { number } from "./dom.js";
import { ticks, toPixel } from "./view.js";

/**
 * @typedef {{view: import("./view.js").View, side: number, theme: import("./theme.js").Theme}} Look
 * @typedef {{gaussian: import("./model.js").Gaussian, color: string | null, sigmas: number[], strong: boolean}} PriorLine
 */

/**
 * Faint lines at round numbers, and the numbers along the lower and left edge.
 * @param {CanvasRenderingContext2D} context
 * @param {Look} look
 */
export function drawAxes(context, { view, side, theme }) {
  const half = view.extent / 2;
  const step = Math.max(3, Math.round(side / 70));
  context.save();
  context.font = `11px ${theme.font}`;
  context.strokeStyle = theme.text;
  context.fillStyle = theme.text;
  context.lineWidth = 1;
  const line = (/** @type {number[]} */ [x0, y0, x1, y1], /** @type {boolean} */ zero) => {
    context.globalAlpha = zero ? 0.28 : 0.08;
    context.beginPath();
    context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
    context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
    context.stroke();
  };
  const digits = (/** @type {number[]} */ values) =>
    values.length > 1 ? Math.max(0, Math.min(6, Math.ceil(-Math.log10(values[1] - values[0])))) : 1;
  const across = ticks(view.x - half, view.x + half, step), up = ticks(view.y - half, view.y + half, step);
  for (const value of across) {
    const { x } = toPixel(view, side, value, 0);
    line([x, 0, x, side], value === 0);
    context.globalAlpha = 0.62;
    context.textAlign = "center";
    if (x > 34 && x < side - 12) context.fillText(number(value, digits(across)), x, side - 6);
  }
  for (const value of up) {
    const { y } = toPixel(view, side, 0, value);
    line([0, y, side, y], value === 0);
    context.globalAlpha = 0.62;
    context.textAlign = "left";
    if (y > 14 && y < side - 22) context.fillText(number(value, digits(up)), 6, y + 4);
  }
  context.restore();
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
    const centre = toPixel(view, side, spot.x, spot.y), scale = side / view.extent;
    context.strokeStyle = context.fillStyle = color ?? theme.text;
    for (const sigma of sigmas) {
      context.globalAlpha = strong ? 0.85 : 0.5;
      context.lineWidth = strong ? 1.6 : 1;
      context.setLineDash(sigma === 1 ? [] : sigma === 2 ? [6, 4] : [2, 4]);
      context.beginPath();
      context.ellipse(centre.x, centre.y, a * sigma * scale, Math.max(b * sigma * scale, 0.5), -angle, 0, 2 * Math.PI);
      context.stroke();
      if (!strong) continue;
      const top = centre.y - Math.sqrt(Math.max(0, spot.yy)) * sigma * scale; // the highest point of the ellipse
      const sideways = spot.yy > 0 ? (spot.xy / Math.sqrt(spot.yy)) * sigma * scale : 0;
      haloed(context, `${sigma}σ`, centre.x + sideways, top - 4, theme);
    }
  }
  context.restore();
}

/**
 * The names of the classes at the middles of their codes, moved apart where they would cover each other.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./points.js").Cloud} cloud
 * @param {string[]} names
 * @param {Set<number>} hidden
 * @param {Look} look
 */
export function drawNames(context, cloud, names, hidden, { view, side, theme }) {
  context.save();
  context.font = `700 14px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const places = cloud.centres
    .filter(({ label }) => !hidden.has(label) && names[label] !== undefined)
    .map(({ label, x, y }) => {
      const name = names[label].length > 14 ? `${names[label].slice(0, 13)}…` : names[label];
      return { ...toPixel(view, side, x, y), label, name, half: context.measureText(name).width / 2 + 3 };
    })
    .filter(({ x, y }) => x > 0 && y > 0 && x < side && y < side);
  separate(places);
  for (const { x, y, label, name } of places) {
    context.lineWidth = 5;
    context.lineJoin = "round";
    context.strokeStyle = theme.background;
    context.globalAlpha = 0.92;
    context.strokeText(name, x, y);
    context.globalAlpha = 1;
    context.lineWidth = 1;
    context.fillStyle = theme.text;
    context.fillText(name, x, y);
    context.fillStyle = classColor(label);
    context.fillRect(x - 6, y + 9, 12, 2.5);
  }
  context.restore();
}

const NAME_HEIGHT = 20;

/** Pushes overlapping boxes apart along the axis of least overlap. @param {{x: number, y: number, half: number}[]} boxes */
function separate(boxes) {
  for (let round = 0; round < 40; round++) {
    let moved = false;
    for (let i = 0; i < boxes.length; i++)
      for (let j = i + 1; j < boxes.length; j++) {
        const a = boxes[i], b = boxes[j];
        const overX = a.half + b.half - Math.abs(a.x - b.x), overY = NAME_HEIGHT - Math.abs(a.y - b.y);
        if (overX <= 0.5 || overY <= 0.5) continue;
        moved = true;
        if (overX < overY) {
          const push = (overX / 2) * (a.x < b.x ? 1 : -1);
          a.x -= push; b.x += push;
        } else {
          const push = (overY / 2) * (a.y < b.y ? 1 : -1);
          a.y -= push; b.y += push;
        }
      }
    if (!moved) return;
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {import("./theme.js").Theme} theme
 */
function haloed(context, text, x, y, theme) {
  const { fillStyle, strokeStyle, globalAlpha, lineWidth } = context;
  context.setLineDash([]);
  context.strokeStyle = theme.background;
  context.globalAlpha = 0.9;
  context.lineWidth = 4;
  context.strokeText(text, x, y);
  context.globalAlpha = 1;
  context.fillStyle = theme.text;
  context.fillText(text, x, y);
  Object.assign(context, { fillStyle, strokeStyle, globalAlpha, lineWidth });
}
