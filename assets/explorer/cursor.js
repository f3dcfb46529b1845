/** Draw the moving parts of the map: the cursor, the posterior, and the path between its points. */

import { el } from "../shared/dom.js";
import { pointName } from "./path.js";
import { ellipse, inPlane } from "../shared/plane.js";
import { toPixel } from "../shared/view.js";

const LEAST = 3; // pixels of the half axes of a posterior that is too narrow to be seen
const RIM = 14; // pixels from the edge to the arrow

/**
 * Create the cursor: a ring that is visible on any background, or an arrow at the edge if z lies outside. It is an
 * element, so that a move draws nothing.
 */
export function createCursor() {
  const element = el("div", "lx-cursor", [], { "aria-hidden": "true" });
  let outside = false;
  return {
    element,
    /**
     * @param {number} x in the plane
     * @param {number} y
     * @param {import("../shared/view.js").View} view
     * @param {number} side
     */
    place(x, y, view, side) {
      const spot = toPixel(view, side, x, y);
      const away = spot.x < 0 || spot.y < 0 || spot.x > side || spot.y > side;
      if (away !== outside) element.classList.toggle("lx-outside", away);
      outside = away;
      const within = (/** @type {number} */ v) => (away ? Math.min(side - RIM, Math.max(RIM, v)) : v);
      const turn = away ? ` rotate(${Math.atan2(spot.y - side / 2, spot.x - side / 2)}rad)` : "";
      element.style.transform = `translate(${within(spot.x)}px, ${within(spot.y)}px)${turn}`;
    },
  };
}

/**
 * Draw q(z|x) at 1 and 2 σ, or the code alone of an autoencoder.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./model.js").Posterior} posterior
 * @param {import("../shared/plane.js").Plane} plane
 * @param {import("../shared/scenery.js").Look} look
 */
export function drawPosterior(context, { mean, logVar }, plane, look) {
  const { view, side, theme } = look;
  const spot = inPlane(plane, { mean, logVar: logVar ?? mean.map(() => -Infinity) });
  const { x, y } = toPixel(view, side, spot.x, plane.flat ? 0 : spot.y),
    { a, b, angle } = ellipse(spot),
    scale = side / view.extent;
  context.save();
  for (const sigmas of logVar ? [2, 1] : [0]) {
    const [across, along] = [a, b].map((half) => Math.max(half * sigmas * scale, LEAST));
    context.beginPath();
    context.ellipse(x, y, across, along, -angle, 0, 2 * Math.PI);
    context.globalAlpha = logVar ? 0.2 : 1;
    context.fillStyle = theme.accent;
    context.fill();
    context.globalAlpha = 1;
    haloedStroke(context, theme, theme.accent, 1.8);
  }
  context.restore();
}

/**
 * Draw lines of the true posterior in the two latent dimensions, from segments.
 * @param {CanvasRenderingContext2D} context
 * @param {Float64Array[]} contours
 * @param {import("../shared/scenery.js").Look} look
 */
export function drawContours(context, contours, { view, side, theme }) {
  context.save();
  for (const segments of contours) {
    context.beginPath();
    for (let i = 0; i < segments.length; i += 2) {
      const { x, y } = toPixel(view, side, segments[i], segments[i + 1]);
      if (i % 4 === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    haloedStroke(context, theme, theme.text, 1.4);
  }
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[][]} points codes
 * @param {number[][]} line codes on the path between them
 * @param {import("../shared/plane.js").Plane} plane
 * @param {import("../shared/scenery.js").Look} look
 */
export function drawPath(context, points, line, plane, { view, side, theme }) {
  const pixel = (/** @type {number[]} */ z) => toPixel(view, side, plane.x(z), plane.flat ? 0 : plane.y(z));
  context.save();
  if (points.length > 1) {
    context.beginPath();
    for (const z of line) {
      const { x, y } = pixel(z);
      context.lineTo(x, y);
    }
    context.lineJoin = "round";
    haloedStroke(context, theme, theme.text, 2);
  }
  context.font = `700 11px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  points.forEach((z, i) => {
    const { x, y } = pixel(z);
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    context.fillStyle = theme.text;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = theme.background;
    context.stroke();
    context.fillStyle = theme.background;
    context.fillText(pointName(i), x, y + 0.5);
  });
  context.restore();
}

/**
 * Draw the present path as a line with a halo, as it crosses points of every colour.
 * @param {CanvasRenderingContext2D} context
 * @param {import("../shared/theme.js").Theme} theme
 * @param {string} color
 * @param {number} width
 */
function haloedStroke(context, theme, color, width) {
  context.lineWidth = 2 * width + 1;
  context.strokeStyle = theme.background;
  context.stroke();
  context.lineWidth = width;
  context.strokeStyle = color;
  context.stroke();
}
