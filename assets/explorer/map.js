/**
 * The latent map of one model. Three canvases lie over one another, so that each is drawn only when what it shows
 * changes: the decoded manifold; the codes with axes and prior; the path. During a drag only the cursor above them
 * moves.
 */

import { button, el, icon, number } from "../shared/dom.js";
import { attachGestures } from "../shared/gestures.js";
import { createManifold, drawSheets } from "./manifold.js";
import { createCursor, drawPath } from "./cursor.js";
import { createHover } from "./hover.js";
import { inPlane } from "../shared/plane.js";
import { createCloud, drawCloud } from "../shared/points.js";
import { codeOf, priorLines } from "./prior.js";
import { drawGrid, drawNames, drawNumbers, drawPrior } from "../shared/scenery.js";
import { givenOf } from "./state.js";
import { extentOf, pan, toPixel, toPlane, union, zoom } from "../shared/view.js";

const REACH = 9; // pixels within which a point answers the pointer
const KEY_STEP = 1 / 80; // of the map's width

/** @typedef {ReturnType<typeof createMap>} LatentMap */

/**
 * @param {import("./app.js").App} app
 * @param {number} index of the model
 */
export function createMap(app, index) {
  const pad = el("div", "lx-pad", [], {
    role: "slider",
    tabindex: "0",
    "aria-valuemin": "-1000",
    "aria-valuemax": "1000",
  });
  const layers = ["backdrop", "codes", "path"].map((name) =>
    el("canvas", `lx-layer lx-layer-${name}`, [], { "aria-hidden": "true" }),
  );
  const contexts = layers.map((canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")));
  const [backdrop, codes, lines] = contexts;
  const hover = createHover(app, index);
  const cursor = createCursor();
  pad.append(...layers, cursor.element, hover.element);
  const tools = el("div", "lx-map-tools", [
    app.words.label(
      button("lx-tool", icon("plus"), () => zoomBy(1.5)),
      "map.zoomIn",
    ),
    app.words.label(
      button("lx-tool", icon("minus"), () => zoomBy(1 / 1.5)),
      "map.zoomOut",
    ),
    app.words.label(
      button("lx-tool", icon("fit"), () => fitAll()),
      "map.fit",
    ),
  ]);
  const element = el("div", "lx-map", [pad, tools]);

  const manifold = createManifold();
  /** @type {import("../shared/points.js").Cloud | null} */
  let cloud = null;
  /** @type {import("../shared/plane.js").Plane | null} the plane that `cloud` was made for */
  let cloudPlane = null;
  let side = 0,
    ratio = 1,
    dirty = false;

  const model = () => app.models[index];
  const code = () => app.code(index);
  const view = () => app.viewOf(index, bounds);

  /** @type {import("../shared/view.js").Bounds} what a fresh map shows: the codes, and the prior to 3 standard deviations */
  let home = { left: -3, right: 3, bottom: -3, top: 3 };
  const bounds = () => home;

  /** Brings the codes into the plane, if it or they changed. */
  function project() {
    if (cloudPlane === app.plane) return;
    cloudPlane = app.plane;
    const { codes: held, latentDim, prior } = model();
    cloud = held ? createCloud(held, latentDim, app.plane) : null;
    const spot = inPlane(app.plane, prior.overall);
    const a = 3.2 * Math.sqrt(spot.xx),
      b = 3.2 * Math.sqrt(spot.yy) || 1;
    home = { left: spot.x - a, right: spot.x + a, bottom: spot.y - b, top: spot.y + b };
    if (cloud?.count)
      home = prior.kind === "fitted" ? extentOf(cloud.xs, cloud.ys) : union(home, extentOf(cloud.xs, cloud.ys));
  }

  const shown = (/** @type {number} */ i) => !cloud?.labels || !app.options.hidden.has(cloud.labels[i]);

  /** The index of the held-out code at a pixel, or −1. @param {number} x @param {number} y @param {number} [reach] pixels */
  function heldAt(x, y, reach = REACH) {
    if (!cloud || !app.options.codes) return -1;
    const spot = toPlane(view(), side, x, y);
    return cloud.nearest(spot.x, spot.y, (reach * view().extent) / side, shown);
  }

  function moveView(/** @type {import("../shared/view.js").View} */ next) {
    app.setView(index, next);
  }
  const zoomBy = (/** @type {number} */ factor) => moveView(zoom(view(), side, factor, side / 2, side / 2));
  const fitAll = () => app.setView(index, null);

  function goTo(/** @type {number} */ i) {
    const { codes: held, latentDim } = model();
    if (!held) return;
    const z = Array.from(held.points.subarray(i * latentDim, (i + 1) * latentDim));
    app.goTo(index, z, held.labels ? held.labels[i] : null);
  }

  attachGestures(pad, {
    drag(x, y, event) {
      const clamp = (/** @type {number} */ v) => Math.min(side, Math.max(0, v));
      const spot = toPlane(view(), side, clamp(x), clamp(y));
      app.setCode(index, app.plane.place(code(), spot.x, app.plane.flat ? 0 : spot.y), event);
    },
    tap(x, y) {
      const held = heldAt(x, y);
      if (held >= 0) goTo(held);
    },
    release: () => app.commit(),
    pan: (dx, dy) => moveView(pan(view(), side, dx, dy)),
    zoom: (factor, x, y) => moveView(zoom(view(), side, factor, x, y)),
    settle: () => app.later(),
    wheel: (event) => event.ctrlKey || pad.ownerDocument.activeElement === pad,
    hover(x, y) {
      const held = heldAt(x, y);
      pad.classList.toggle("lx-on-code", held >= 0);
      if (held < 0 || !cloud) return hover.hide();
      const spot = toPixel(view(), side, cloud.xs[held], cloud.ys[held]);
      hover.show(held, spot.x, spot.y, side);
    },
    leave: () => hover.hide(),
  });

  /** @type {Record<string, [number, number]>} */
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  pad.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const { plane } = app;
    if (arrow) {
      const step = view().extent * KEY_STEP * (event.shiftKey ? 5 : 1);
      const z = code();
      app.setCode(index, plane.place(z, plane.x(z) + arrow[0] * step, plane.y(z) + (plane.flat ? 0 : arrow[1] * step)));
      app.commitSoon();
      speak();
    } else if (event.key === "Enter" && cloud) {
      const near = cloud.nearest(plane.x(code()), plane.y(code()), view().extent, shown);
      if (near >= 0) goTo(near);
      app.commitSoon();
      speak();
    } else if (event.key === "Home") {
      app.setZ(app.neutral());
      app.commitSoon();
      speak();
    } else if (event.key === "+" || event.key === "=") zoomBy(1.25);
    else if (event.key === "-") zoomBy(0.8);
    else return;
    event.preventDefault();
  };

  /** The value that a screen reader speaks: the coordinates, and which codes lie near. */
  function speak() {
    const { plane, words } = app;
    const x = plane.x(code()),
      y = plane.y(code());
    const near = cloud ? cloud.nearest(x, y, view().extent / 10, shown) : -1;
    const label = near >= 0 && cloud?.labels ? model().classes[cloud.labels[near]] : null;
    pad.setAttribute("aria-valuenow", x.toFixed(2));
    const values = { x: number(x), y: number(y), label: label ?? "" };
    pad.setAttribute("aria-valuetext", words.say(label === null ? "map.value" : "map.valueNear", values));
  }
  pad.onfocus = speak;

  new ResizeObserver(() => resize()).observe(pad);
  function resize() {
    const nextSide = pad.clientWidth,
      nextRatio = Math.min(window.devicePixelRatio || 1, 2);
    if (nextSide === side && nextRatio === ratio) return;
    [side, ratio] = [nextSide, nextRatio];
    for (const canvas of layers) canvas.width = canvas.height = Math.round(side * ratio);
    redraw();
    app.later();
  }

  /** @param {CanvasRenderingContext2D} context */
  function clear(context) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  function drawBackdrop() {
    clear(backdrop);
    if (app.options.manifold) drawSheets(backdrop, manifold.sheets(), view(), side, app.options.smooth);
  }

  function drawCodes() {
    const { options, theme, state, plane } = app;
    const look = { view: view(), side, theme };
    clear(codes);
    drawGrid(codes, look);
    if (options.codes && cloud) {
      codes.setTransform(1, 0, 0, 1, 0, 0);
      drawCloud(codes, cloud, { ...look, ratio, hidden: options.hidden, faint: options.manifold });
      codes.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    if (options.prior) drawPrior(codes, priorLines(model(), state, options.hidden), plane, look);
    drawNumbers(codes, look, plane.flat);
    if (options.codes && cloud) drawNames(codes, cloud, model().classes, options.hidden, look);
  }

  function drawLines() {
    const { state, plane, theme, models, course } = app;
    clear(lines);
    if (!state.path.length) return;
    const here = (/** @type {number[]} */ z) => codeOf(models, model(), { ...state, z });
    const stages = state.path.length - 1,
      steps = course === "spherical" ? 24 * stages : stages;
    const line = Array.from({ length: steps + 1 }, (_, i) => here(app.zAlong(steps && i / steps)));
    drawPath(lines, state.path.map(here), line, plane, { view: view(), side, theme });
  }

  /** @type {number[][]} the path as it was drawn last */
  let drawnPath = [];
  function moveCursor() {
    if (!side) return;
    const { state, plane } = app;
    if (state.path !== drawnPath) drawLines();
    drawnPath = state.path;
    cursor.place(plane.x(code()), plane.flat ? 0 : plane.y(code()), view(), side);
  }

  function redraw() {
    if (!side) return;
    project();
    drawBackdrop();
    drawCodes();
    drawLines();
    moveCursor();
    dirty = false;
  }

  return {
    element,
    speak,
    moveCursor,
    drawLines,
    bounds,
    project,
    /** Draw everything anew with the next frame. */
    invalidate() {
      dirty = true;
      app.later();
    },
    /** The codes changed. */
    forget() {
      cloudPlane = null;
      manifold.clear();
    },
    redrawIfDirty() {
      if (dirty) redraw();
    },
    /** Works on the manifold until the deadline; whether more remains. @param {number} deadline */
    work(deadline) {
      if (!app.options.manifold || !side) return false;
      const { state, plane, theme } = app;
      const given = givenOf(model(), state.conditions);
      const z = code();
      const off = plane.place(z, 0, 0).map((v) => v.toFixed(3)); // the plane's place among the other dimensions
      const seen = model().decoderSees.length > 1 ? [[...given.vector], given.image] : [];
      const key = JSON.stringify([view(), plane.spec, off, seen, theme.dark]);
      manifold.request(model(), { view: view(), plane, z, given, dark: theme.dark }, key);
      if (manifold.work(deadline)) drawBackdrop();
      return manifold.busy();
    },
    /** For tests: codes that lie on the map, and where. */
    codePixels() {
      const { codes: held, latentDim: d } = model();
      const spot = (/** @type {number} */ i) =>
        cloud ? toPixel(view(), side, cloud.xs[i], cloud.ys[i]) : { x: 0, y: 0 };
      return Array.from({ length: Math.min(held?.count ?? 0, 50) }, (_, i) => ({
        ...spot(i),
        z: [...(held?.points ?? []).slice(i * d, (i + 1) * d)],
      }));
    },
    names: () => app.words.label(pad, "map.pad", { title: model().title }),
  };
}
