/**
 * Create the latent map of the explorer and of the live view: a square of canvases that shows a part of the plane. It
 * zooms and pans by pointer, wheel, keys and buttons, and draws axes, codes in the colours of their classes, and the
 * prior. Its owner handles a drag, a tap and the other keys.
 */

import { contextOf, createSurface } from "./canvas.js";
import { button, icon } from "./dom.js";
import { attachGestures } from "./gestures.js";
import { drawCloud } from "./points.js";
import { drawGrid, drawNames, drawNumbers, drawPrior } from "./scenery.js";
import { pan, toPixel, toPlane, zoom } from "./view.js";

const REACH = 9; // the most pixels from the pointer to the point that it selects

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./points.js").Cloud} Cloud
 * @typedef {{
 *   view: () => View, setView: (view: View | null) => void, resized: () => void,
 *   drag: (x: number, y: number, event: PointerEvent) => void, release: () => void,
 *   hover: (x: number, y: number) => void, leave: () => void, key: (event: KeyboardEvent) => boolean,
 *   tap?: (x: number, y: number) => void, settle?: () => void,
 * }} Owner
 *   x, y: pixels from the upper left corner of the pad. setView: null means the fitted view. key: return whether the
 *   owner handled the key; otherwise plus and minus zoom. settle: panning or zooming has ended.
 * @typedef {{
 *   cloud: Cloud | null, hidden: Set<number>, faint: boolean, names: string[] | null,
 *   prior: import("./scenery.js").PriorLine[] | null, plane: import("./plane.js").Plane,
 *   theme: import("./theme.js").Theme,
 * }} Scene
 *   faint: the points let the background show. names: the names of the classes, if they are shown at the middles of
 *   their codes.
 */

/**
 * @param {HTMLElement} pad the square, which gets the pointer and key events
 * @param {HTMLCanvasElement[]} canvases that fill it, or the pad itself
 * @param {import("./dom.js").Words} words
 * @param {string} tool class of CSS of the buttons
 * @param {Owner} owner
 */
export function createLatentMap(pad, canvases, words, tool, owner) {
  const surface = createSurface(pad, canvases, () => owner.resized());
  const zoomAbout = (/** @type {number} */ factor, /** @type {number} */ x, /** @type {number} */ y) =>
    owner.setView(zoom(owner.view(), surface.width, factor, x, y));
  const zoomBy = (/** @type {number} */ factor) => zoomAbout(factor, surface.width / 2, surface.width / 2);
  const panBy = (/** @type {number} */ dx, /** @type {number} */ dy) =>
    owner.setView(pan(owner.view(), surface.width, dx, dy));

  attachGestures(pad, {
    drag: owner.drag,
    tap: (x, y) => owner.tap?.(x, y),
    release: owner.release,
    pan: panBy,
    zoom: zoomAbout,
    settle: () => owner.settle?.(),
    wheel: (event) => event.ctrlKey || pad.ownerDocument.activeElement === pad,
    hover: owner.hover,
    leave: owner.leave,
  });
  pad.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!owner.key(event)) {
      if (event.key === "+" || event.key === "=") zoomBy(1.25);
      else if (event.key === "-") zoomBy(0.8);
      else return;
    }
    event.preventDefault();
  };

  /** @type {[import("./dom.js").IconName, string, () => void][]} */
  const acts = [
    ["plus", "map.zoomIn", () => zoomBy(1.5)],
    ["minus", "map.zoomOut", () => zoomBy(1 / 1.5)],
    ["fit", "map.fit", () => owner.setView(null)],
  ];
  return {
    tools: acts.map(([name, word, act]) => words.label(button(tool, icon(name), act), word)),
    contexts: canvases.map(contextOf),
    clear: surface.clear,
    panBy,
    /** Return the width in pixels; 0 before the first layout. */
    side: () => surface.width,
    /** @param {number} x in the plane @param {number} y */
    pixel: (x, y) => toPixel(owner.view(), surface.width, x, y),
    /** @param {number} x pixels @param {number} y */
    place: (x, y) => toPlane(owner.view(), surface.width, x, y),
    /**
     * Return the index of the code at a pixel, or −1.
     * @param {Cloud} cloud
     * @param {Set<number>} hidden classes
     * @param {number} x
     * @param {number} y
     */
    codeAt(cloud, hidden, x, y) {
      const view = owner.view(),
        spot = toPlane(view, surface.width, x, y);
      return cloud.nearest(spot.x, spot.y, (REACH * view.extent) / surface.width, isShown(cloud, hidden));
    },
    /** @param {import("./theme.js").Theme} theme @returns {import("./scenery.js").Look} */
    look: (theme) => ({ view: owner.view(), side: surface.width, theme }),
    /** Draw axes, codes and prior on an empty canvas. @param {CanvasRenderingContext2D} context @param {Scene} scene */
    draw(context, { cloud, hidden, faint, names, prior, plane, theme }) {
      const look = { view: owner.view(), side: surface.width, theme };
      surface.clear(context);
      drawGrid(context, look);
      if (cloud) {
        context.setTransform(1, 0, 0, 1, 0, 0);
        drawCloud(context, cloud, { ...look, ratio: surface.ratio, hidden, faint });
        context.setTransform(surface.ratio, 0, 0, surface.ratio, 0, 0);
      }
      if (prior) drawPrior(context, prior, plane, look);
      drawNumbers(context, look, plane.flat);
      if (cloud && names) drawNames(context, cloud, names, hidden, look);
    },
  };
}

/** Return a test whether the class of a code is not muted. @param {Cloud} cloud @param {Set<number>} hidden */
export const isShown =
  ({ labels }, hidden) =>
  (/** @type {number} */ i) =>
    !labels || !hidden.has(labels[i]);
