/** The latent map: the held-out codes of one moment, moving from one to the next. */

import { button, el, icon } from "../shared/dom.js";
import { attachGestures } from "../shared/gestures.js";
import { createPlane } from "../shared/plane.js";
import { createCloud, drawCloud } from "../shared/points.js";
import { drawGrid, drawNames, drawNumbers, drawPrior } from "../shared/scenery.js";
import { classColor } from "../shared/theme.js";
import { extentOf, fit, pan, toPlane, union, zoom } from "../shared/view.js";

const MOVE_MS = 380;
const MOVE_COST = 40; // milliseconds of drawing that one move may take: the training needs the processor more
const SMOOTH = 6; // pictures a move, at most
const REACH = 9; // pixels within which a point answers the pointer

/**
 * @typedef {{view: import("../shared/view.js").View | null, hidden: Set<number>}} Look what the user has set
 * @typedef {{classes: string[], prior: boolean, origin: number[], theme: import("../shared/theme.js").Theme}} Scene
 *   prior: whether it is N(0, I), which stands still
 */

/**
 * @param {import("../shared/dom.js").Words} words
 * @param {Look} look
 */
export function createMap(words, look) {
  const canvas = el("canvas", "lv-map-canvas", [], { tabindex: "0", role: "img" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const tip = el("div", "lv-tip", [], { "aria-hidden": "true" });
  tip.hidden = true;
  const tools = el("div", "lv-map-tools", [
    words.label(
      button("lv-tool", icon("plus"), () => zoomBy(1.5)),
      "map.zoomIn",
    ),
    words.label(
      button("lv-tool", icon("minus"), () => zoomBy(1 / 1.5)),
      "map.zoomOut",
    ),
    words.label(
      button("lv-tool", icon("fit"), () => move(null)),
      "map.fit",
    ),
  ]);
  const legend = el("div", "lv-legend", [], { role: "group" });
  words.label(legend, "map.classes");
  const caption = el("p", "lv-note");
  const element = el("div", "lv-map", [el("div", "lv-pad", [canvas, tip, tools]), legend, caption]);

  let side = 0,
    ratio = 1,
    names = "";
  /** @type {Scene | null} */
  let scene = null;
  /** @type {import("./store.js").Frame | null} */
  let frame = null;
  /** @type {import("../shared/points.js").Cloud | null} where the codes are, and */
  let cloud = null;
  /** @type {import("../shared/points.js").Cloud | null} how they are drawn, on their way there */
  let drawn = null;
  /** @type {import("../shared/view.js").View} */
  let home = { x: 0, y: 0, extent: 6.4 };
  let animation = 0;
  let cost = 3; // milliseconds that a picture takes, about
  let apart = false; // whether the classes lie apart, so that names at their middles say something

  const view = () => look.view ?? home;
  const flat = () => frame?.codes.width === 1;

  /** @param {import("../shared/view.js").View | null} next */
  function move(next) {
    look.view = next;
    draw();
  }
  const zoomBy = (/** @type {number} */ factor) => move(zoom(view(), side, factor, side / 2, side / 2));

  /** @type {{x: number, y: number} | null} */
  let grip = null;
  attachGestures(canvas, {
    drag(x, y, event) {
      if (grip && event.type !== "pointerdown") move(pan(view(), side, x - grip.x, y - grip.y));
      grip = { x, y };
    },
    tap: () => {},
    release: () => (grip = null),
    pan: (dx, dy) => move(pan(view(), side, dx, dy)),
    zoom: (factor, x, y) => move(zoom(view(), side, factor, x, y)),
    settle: () => {},
    wheel: (event) => event.ctrlKey || canvas.ownerDocument.activeElement === canvas,
    hover(x, y) {
      const spot = toPlane(view(), side, x, y);
      const code =
        cloud?.nearest(
          spot.x,
          spot.y,
          (REACH * view().extent) / side,
          (i) => !look.hidden.has(cloud?.labels?.[i] ?? -1),
        ) ?? -1;
      tip.hidden = code < 0 || !cloud?.labels;
      if (tip.hidden || !cloud?.labels) return;
      tip.textContent = scene?.classes[cloud.labels[code]] ?? "";
      tip.style.transform = `translate(${x + 12}px, ${y + 12}px)`;
    },
    leave: () => (tip.hidden = true),
  });
  canvas.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {{[key: string]: [number, number]}} */
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const arrow = arrows[event.key];
    if (arrow) move(pan(view(), side, (arrow[0] * side) / 12, (arrow[1] * side) / 12));
    else if (event.key === "+" || event.key === "=") zoomBy(1.25);
    else if (event.key === "-") zoomBy(0.8);
    else if (event.key === "Home") move(null);
    else return;
    event.preventDefault();
  };
  new ResizeObserver(() => {
    [side, ratio] = [canvas.clientWidth, Math.min(window.devicePixelRatio || 1, 2)];
    canvas.width = canvas.height = Math.round(side * ratio);
    draw();
  }).observe(canvas);

  /** A button a class, by which it is muted. @param {string[]} classes */
  function listClasses(classes) {
    if (JSON.stringify(classes) === names) return;
    names = JSON.stringify(classes);
    legend.replaceChildren(
      ...classes.map((name, k) => {
        const chip = button("lv-chip", null, () => {
          if (!look.hidden.delete(k)) look.hidden.add(k);
          chip.setAttribute("aria-pressed", String(!look.hidden.has(k)));
          draw();
        });
        const dot = el("span", "lv-dot");
        dot.style.background = classColor(k);
        chip.append(dot, name);
        chip.setAttribute("aria-pressed", String(!look.hidden.has(k)));
        return chip;
      }),
    );
  }

  function draw() {
    if (!side || !scene) return;
    const began = performance.now();
    const { theme, classes } = scene,
      shown = { view: view(), side, theme };
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, side, side);
    drawGrid(context, shown);
    if (drawn) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      drawCloud(context, drawn, { ...shown, ratio, hidden: look.hidden, faint: false });
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    if (scene.prior && frame) {
      const gaussian = { mean: scene.origin, logVar: [0, 0] };
      const lines = [{ gaussian, color: null, sigmas: [1, 2, 3], strong: true }];
      drawPrior(context, lines, createPlane({ kind: "dims", dims: [0, 1] }, 2), shown);
    }
    drawNumbers(context, shown, flat());
    if (drawn && apart) drawNames(context, drawn, classes, look.hidden, shown);
    cost += 0.3 * (performance.now() - began - cost);
  }

  /** Lets the codes go to their new places, or puts them there. @param {boolean} slowly */
  function go(slowly) {
    cancelAnimationFrame(animation);
    const from = drawn,
      to = cloud;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pictures = Math.min(SMOOTH, Math.floor(MOVE_COST / cost));
    if (!slowly || still || pictures < 2 || !from || !to || from.count !== to.count) {
      drawn = to;
      return draw();
    }
    const began = performance.now(),
      xs = new Float32Array(to.count),
      ys = new Float32Array(to.count);
    const [fromX, fromY] = [from.xs.slice(), from.ys.slice()];
    let due = began;
    const tick = () => {
      const now = performance.now(),
        share = Math.min(1, (now - began) / MOVE_MS),
        eased = share * (2 - share);
      if (share < 1) animation = requestAnimationFrame(tick);
      if (share < 1 && now < due) return;
      due += MOVE_MS / pictures;
      for (let i = 0; i < to.count; i++) {
        xs[i] = fromX[i] + eased * (to.xs[i] - fromX[i]);
        ys[i] = fromY[i] + eased * (to.ys[i] - fromY[i]);
      }
      drawn = share < 1 ? { ...to, xs, ys } : to;
      draw();
    };
    tick();
  }

  return {
    element,
    /**
     * @param {import("./store.js").Frame | null} next
     * @param {Uint8Array | null} labels
     * @param {Scene} setting
     * @param {boolean} slowly
     */
    update(next, labels, setting, slowly) {
      const other = setting.theme !== scene?.theme;
      scene = setting;
      listClasses(setting.classes);
      if (next === frame && !other) return;
      frame = next;
      cloud = next && cloudOf(next, labels);
      apart = cloud !== null && liesApart(cloud);
      go(slowly);
    },
    /**
     * What a fresh map shows: the codes of all moments, and the prior.
     * @param {import("./store.js").Frame[]} frames
     * @param {Scene} setting
     */
    frameAll(frames, { prior, origin }) {
      const reach = 3.2;
      let bounds = prior
        ? { left: origin[0] - reach, right: origin[0] + reach, bottom: origin[1] - reach, top: origin[1] + reach }
        : null;
      for (const frame of frames) bounds = bounds ? union(bounds, reachOf(frame)) : reachOf(frame);
      if (bounds) home = fit(bounds);
    },
    /** @param {string} text */
    say(text) {
      caption.textContent = text;
    },
    /** @param {string} text */
    describe: (text) => canvas.setAttribute("aria-label", text),
    draw,
    stop: () => cancelAnimationFrame(animation),
  };
}

/** @type {WeakMap<object, import("../shared/view.js").Bounds>} */
const reaches = new WeakMap();

/** Where most of a moment's codes lie. @param {import("./store.js").Frame} frame */
function reachOf(frame) {
  const known = reaches.get(frame);
  if (known) return known;
  const { xs, ys } = coordinates(frame.codes),
    reach = extentOf(xs, ys);
  reaches.set(frame, reach);
  return reach;
}

/** @param {import("./store.js").Codes} codes */
function coordinates({ count, width, codes }) {
  const xs = new Float32Array(count),
    ys = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    xs[i] = codes[i * width];
    ys[i] = width > 1 ? codes[i * width + 1] : 0;
  }
  return { xs, ys };
}

/**
 * Whether the middles of the classes are farther from each other than codes from their middle.
 * @param {Pick<import("../shared/points.js").Cloud, "centres" | "labels" | "xs" | "ys">} cloud
 */
export function liesApart({ centres, labels, xs, ys }) {
  if (!labels || centres.length < 2) return false;
  const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];
  const places = new Map(centres.map((centre) => [centre.label, centre]));
  const radii = Array.from(labels, (label, i) =>
    Math.hypot(xs[i] - (places.get(label)?.x ?? 0), ys[i] - (places.get(label)?.y ?? 0)),
  );
  const gaps = centres.map((a) =>
    Math.min(...centres.filter((b) => b !== a).map((b) => Math.hypot(a.x - b.x, a.y - b.y))),
  );
  return median(gaps) > 0.6 * median(radii);
}

/** @param {import("./store.js").Frame} frame @param {Uint8Array | null} labels */
function cloudOf({ codes: { count, width, codes } }, labels) {
  const plane = createPlane({ kind: "dims", dims: [0, 1] }, width);
  return createCloud({ count, points: codes, labels: labels?.length === count ? labels : null }, width, plane);
}
