/**
 * Show the latent map of one model. It has four canvases: the decoded manifold; the codes with axes and prior; the
 * posterior of the picture put in; the path. Each is drawn only when its content changes. During a drag only the cursor above them moves.
 */

import { el, number } from "../shared/dom.js";
import { createLatentMap, isShown } from "../shared/map.js";
import { inPlane } from "../shared/plane.js";
import { createCloud } from "../shared/points.js";
import { extentOf, union } from "../shared/view.js";
import { createCursor, drawContours, drawPath, drawPosterior } from "./cursor.js";
import { createHover } from "./hover.js";
import { createManifold, drawSheets } from "./manifold.js";
import { hasPrior } from "./model.js";
import { outside, priorLines } from "./prior.js";
import { givenOf } from "./state.js";

const KEY_STEP = 1 / 80; // of the map's width

/** @typedef {ReturnType<typeof createMap>} LatentMap */

/**
 * @param {import("./app.js").App} app
 * @param {number} index of the model
 */
export function createMap(app, index) {
  const pad = el("div", "lx-pad", [], {
    role: "slider",
    "data-testid": "map",
    tabindex: "0",
    "aria-valuemin": "-1000",
    "aria-valuemax": "1000",
  });
  const layers = ["backdrop", "codes", "input", "path"].map((name) =>
    el("canvas", `lx-layer lx-layer-${name}`, [], { "aria-hidden": "true" }),
  );
  const hover = createHover(app, index);
  const cursor = createCursor();
  const far = el("p", "lx-far", [], { role: "status" });
  app.words.put(far, hasPrior(app.models[index]) ? "map.outside" : "map.outsideFitted");
  far.hidden = true;
  pad.append(...layers, cursor.element, far, hover.element);

  const manifold = createManifold();
  /** @type {import("../shared/points.js").Cloud | null} */
  let cloud = null;
  /** @type {import("../shared/plane.js").Plane | null} the plane that `cloud` was made for */
  let cloudPlane = null;
  let dirty = false;

  const model = () => app.models[index];
  const code = () => app.codes.of(index);
  const view = () => app.viewOf(index, bounds);

  /** @type {import("../shared/view.js").Bounds} the bounds of a new map: the codes, and the prior to 3 σ */
  let home = { left: -3, right: 3, bottom: -3, top: 3 };
  const bounds = () => home;

  /** Project the codes into the plane, if the codes or the plane changed. */
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
      home = !hasPrior(model()) ? extentOf(cloud.xs, cloud.ys) : union(home, extentOf(cloud.xs, cloud.ys));
  }

  const shown = (/** @type {number} */ i) => !cloud || isShown(cloud, app.hiddenAt(index))(i);

  /** Return the index of the held-out code at a pixel, or −1. @param {number} x @param {number} y */
  const heldAt = (x, y) => (cloud && app.options.codes ? map.codeAt(cloud, app.hiddenAt(index), x, y) : -1);

  function goTo(/** @type {number} */ i) {
    const { codes: held, latentDim } = model();
    if (!held) return;
    const z = Array.from(held.points.subarray(i * latentDim, (i + 1) * latentDim));
    app.goTo(index, z, held.labels ? held.labels[i] : null);
  }

  /** @type {Record<string, [number, number]>} */
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  const map = createLatentMap(pad, layers, app.words, "lx-tool", {
    view,
    setView: (next) => app.setView(index, next),
    resized() {
      redraw();
      app.later();
    },
    drag(x, y, event) {
      const clamp = (/** @type {number} */ v) => Math.min(map.side(), Math.max(0, v));
      const spot = map.place(clamp(x), clamp(y));
      app.setCode(index, app.plane.place(code(), spot.x, app.plane.flat ? 0 : spot.y), event);
    },
    tap(x, y) {
      const held = heldAt(x, y);
      if (held >= 0) goTo(held);
    },
    release: () => app.commit(),
    settle: () => app.later(),
    hover(x, y) {
      const held = heldAt(x, y);
      pad.classList.toggle("lx-on-code", held >= 0);
      if (held < 0 || !cloud) return hover.hide();
      const spot = map.pixel(cloud.xs[held], cloud.ys[held]);
      hover.show(held, spot.x, spot.y, map.side());
    },
    leave: () => hover.hide(),
    key({ key, shiftKey }) {
      const arrow = ARROWS[key];
      const { plane } = app;
      const z = code();
      if (arrow) {
        const step = view().extent * KEY_STEP * (shiftKey ? 5 : 1);
        const y = plane.y(z) + (plane.flat ? 0 : arrow[1] * step);
        app.setCode(index, plane.place(z, plane.x(z) + arrow[0] * step, y));
      } else if (key === "Enter" && cloud) {
        const near = cloud.nearest(plane.x(z), plane.y(z), view().extent, shown);
        if (near >= 0) goTo(near);
      } else if (key === "Home") app.setZ(app.neutral());
      else return false;
      app.commitSoon();
      speak();
      return true;
    },
  });
  const [backdrop, codes, input, lines] = map.contexts;
  const element = el("div", "lx-map", [pad, el("div", "lx-map-tools", map.tools)]);

  /** Set the value for a screen reader: the coordinates and the label of a near code. */
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

  function drawBackdrop() {
    map.clear(backdrop);
    if (app.options.manifold) drawSheets(backdrop, manifold.sheets(), view(), map.side(), app.options.smooth);
  }

  function drawCodes() {
    const { options, theme, state, plane } = app;
    map.draw(codes, {
      cloud: options.codes ? cloud : null,
      hidden: app.hiddenAt(index),
      faint: options.manifold,
      names: model().classes,
      prior: options.prior ? priorLines(model(), state, app.hiddenAt(index)) : null,
      plane,
      theme,
    });
  }

  function drawLines() {
    const { state, plane, theme, course } = app;
    map.clear(lines);
    if (!state.path.length) return;
    const here = (/** @type {number[]} */ z) => app.codes.at(index, state.conditions, z);
    const stages = state.path.length - 1,
      steps = course === "spherical" ? 24 * stages : stages;
    const line = Array.from({ length: steps + 1 }, (_, i) => here(app.zAlong(steps && i / steps)));
    drawPath(lines, app.codes.path(index), line, plane, map.look(theme));
  }

  /** @type {import("./model.js").Posterior | null} the posterior as last drawn */
  let drawnPosterior = null;
  function drawInput() {
    const { plane, theme } = app;
    drawnPosterior = app.input.posteriors[index] ?? null;
    map.clear(input);
    if (!drawnPosterior || !map.side()) return;
    const contours = app.inquiry?.result(index)?.contours;
    if (contours) drawContours(input, contours, map.look(theme));
    drawPosterior(input, drawnPosterior, plane, map.look(theme));
  }

  /** @type {number[][]} the path as last drawn */
  let drawnPath = [];
  function moveCursor() {
    if (!map.side()) return;
    if ((app.input.posteriors[index] ?? null) !== drawnPosterior) drawInput();
    far.hidden = !outside(model(), code(), app.state.conditions);
    const { state, plane } = app;
    if (state.path !== drawnPath) drawLines();
    drawnPath = state.path;
    cursor.place(plane.x(code()), plane.flat ? 0 : plane.y(code()), view(), map.side());
  }

  function redraw() {
    if (!map.side()) return;
    project();
    drawBackdrop();
    drawCodes();
    drawInput();
    drawLines();
    moveCursor();
    dirty = false;
  }

  return {
    element,
    speak,
    moveCursor,
    drawLines,
    drawInput,
    bounds,
    project,
    /** Redraw everything with the next frame. */
    invalidate() {
      dirty = true;
      app.later();
    },
    /** Use changed codes. */
    forget() {
      cloudPlane = null;
      manifold.clear();
    },
    redrawIfDirty() {
      if (dirty) redraw();
    },
    /** Decode the manifold until the deadline; return whether more remains. @param {number} deadline */
    work(deadline) {
      if (!app.options.manifold || !map.side()) return false;
      const { state, plane, theme } = app;
      const given = givenOf(model(), state.conditions);
      const z = code();
      const off = plane.place(z, 0, 0).map((v) => v.toFixed(3)); // the position of the plane in the other dimensions
      const seen = model().decoderSees.length > 1 ? [[...given.vector], given.image] : [];
      const key = JSON.stringify([view(), plane.spec, off, seen, theme.dark]);
      manifold.request(model(), { view: view(), plane, z, given, dark: theme.dark }, key);
      if (manifold.work(deadline)) drawBackdrop();
      return manifold.busy();
    },
    /** Return the codes on the map and their places, for tests. */
    codePixels() {
      const { codes: held, latentDim: d } = model();
      const spot = (/** @type {number} */ i) => (cloud ? map.pixel(cloud.xs[i], cloud.ys[i]) : { x: 0, y: 0 });
      return Array.from({ length: Math.min(held?.count ?? 0, 50) }, (_, i) => ({
        ...spot(i),
        z: [...(held?.points ?? []).slice(i * d, (i + 1) * d)],
      }));
    },
    names: () => app.words.label(pad, hasPrior(model()) ? "map.pad" : "map.padFitted", { title: model().title }),
  };
}
