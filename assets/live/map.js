/** Show the latent map: the held-out codes of one moment, which move to those of the next. */

import { el } from "../shared/dom.js";
import { createLegend } from "../shared/legend.js";
import { createLatentMap } from "../shared/map.js";
import { createPlane } from "../shared/plane.js";
import { createCloud } from "../shared/points.js";
import { extentOf, fit, union } from "../shared/view.js";

const MOVE_MS = 380;
const MOVE_COST = 40; // the most milliseconds for drawing one move, because the training needs the processor
const SMOOTH = 6; // the most frames of a move

/**
 * @typedef {{view: import("../shared/view.js").View | null, hidden: Set<number>}} Look the user's settings
 * @typedef {{classes: string[], prior: boolean, origin: number[], theme: import("../shared/theme.js").Theme}} Scene
 *   prior: whether it is N(0, I), which does not move
 */

/**
 * @param {import("../shared/dom.js").Words} words
 * @param {Look} look
 */
export function createMap(words, look) {
  const canvas = el("canvas", "lv-map-canvas", [], { tabindex: "0", role: "img" });
  const tip = el("div", "lv-tip", [], { "aria-hidden": "true" });
  tip.hidden = true;
  const legend = el("div", "lv-legend", [], { role: "group" });
  words.label(legend, "map.classes");
  const caption = el("p", "lv-note");

  let names = "";
  /** @type {Scene | null} */
  let scene = null;
  /** @type {import("./store.js").Frame | null} */
  let frame = null;
  /** @type {import("../shared/points.js").Cloud | null} the codes at their places */
  let cloud = null;
  /** @type {import("../shared/points.js").Cloud | null} the codes as drawn, during a move */
  let drawn = null;
  /** @type {import("../shared/view.js").View} */
  let home = { x: 0, y: 0, extent: 6.4 };
  let animation = 0;
  let cost = 3; // approximate milliseconds for a frame
  let apart = false; // whether the classes are separate, so that names at their middles are useful

  const view = () => look.view ?? home;

  /** @param {import("../shared/view.js").View | null} next */
  function move(next) {
    look.view = next;
    draw();
  }

  /** @type {{x: number, y: number} | null} */
  let grip = null;
  /** @type {Record<string, [number, number]>} */
  const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const map = createLatentMap(canvas, [canvas], words, "lv-tool", {
    view,
    setView: move,
    resized: () => draw(),
    drag(x, y, event) {
      if (grip && event.type !== "pointerdown") map.panBy(x - grip.x, y - grip.y);
      grip = { x, y };
    },
    release: () => (grip = null),
    hover(x, y) {
      const code = cloud ? map.codeAt(cloud, look.hidden, x, y) : -1;
      tip.hidden = code < 0 || !cloud?.labels;
      if (tip.hidden || !cloud?.labels) return;
      tip.textContent = scene?.classes[cloud.labels[code]] ?? "";
      tip.style.transform = `translate(${x + 12}px, ${y + 12}px)`;
    },
    leave: () => (tip.hidden = true),
    key({ key }) {
      const arrow = ARROWS[key];
      if (arrow) map.panBy((arrow[0] * map.side()) / 12, (arrow[1] * map.side()) / 12);
      else if (key === "Home") move(null);
      else return false;
      return true;
    },
  });
  const pad = el("div", "lv-pad", [canvas, tip, el("div", "lv-map-tools", map.tools)]);
  const element = el("div", "lv-map", [pad, legend, caption]);

  /** Show a button for each class, which mutes it. @param {string[]} classes */
  function listClasses(classes) {
    if (JSON.stringify(classes) === names) return;
    names = JSON.stringify(classes);
    const { chips } = createLegend(classes, look.hidden, { chip: "lv-chip", dot: "lv-dot" }, draw);
    legend.replaceChildren(...chips);
  }

  function draw() {
    if (!map.side() || !scene) return;
    const began = performance.now();
    const { theme, classes, origin } = scene;
    const prior = { gaussian: { mean: origin, logVar: [0, 0] }, color: null, sigmas: [1, 2, 3], strong: true };
    map.draw(map.contexts[0], {
      cloud: drawn,
      hidden: look.hidden,
      faint: false,
      names: apart ? classes : null,
      prior: scene.prior && frame ? [prior] : null,
      plane: planeOf(frame?.codes.width ?? 2),
      theme,
    });
    cost += 0.3 * (performance.now() - began - cost);
  }

  /** Move the codes to their new places, slowly or at once. @param {boolean} slowly */
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
     * Set the view of a new map: the codes of all moments, and the prior.
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

/** Return the bounds of most of a moment's codes. @param {import("./store.js").Frame} frame */
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
 * Return whether the middles of the classes are far from each other, compared with the codes' distances from them.
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
  const known = labels?.length === count ? labels : null;
  return createCloud({ count, points: codes, labels: known }, width, planeOf(width));
}

/** Return the plane of codes with one or two coordinates. @param {number} width how many */
const planeOf = (width) => createPlane({ kind: "dims", dims: [0, 1] }, width);
