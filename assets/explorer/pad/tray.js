/**
 * Show pictures to choose from: drawings made for this project, and held-out pictures of the first model, or what it
 * draws in their place where the pictures themselves are not at hand.
 */

import { button, el, icon } from "../../shared/dom.js";
import { toPixels } from "../../shared/pixels.js";
import { createScreen } from "../picture.js";
import { givenOfLabel } from "../state.js";
import { DRAWINGS } from "./drawings.js";
import { createInk, PEN } from "./strokes.js";

const TILE = 56; // pixels of the picture of a drawing
const SHOWN = 10; // held-out pictures at a time

/**
 * @typedef {import("../model.js").Model} Model
 * @typedef {import("./sheet.js").Content} Content
 * @typedef {NonNullable<ReturnType<typeof picturesOf>>} Pictures
 */

/** @param {(typeof DRAWINGS)[number]} drawing @returns {Content} */
export function drawn({ digit, strokes }) {
  const pen = { width: PEN, erase: false };
  const inSquare = strokes.map((points) => ({ ...pen, points: points.map((v) => v / 1000) }));
  return { source: "example", label: String(digit), strokes: inSquare, base: null };
}

/** Return whether the drawings are pictures of a model's kind. @param {Model} model */
export const takesDrawings = ({ classes, fit }) =>
  fit !== "plain" || DRAWINGS.every(({ digit }) => classes.includes(String(digit)));

/**
 * Return the pictures that a model has or can draw, each when it is asked for; null if it has no codes.
 * @param {Model} model
 * @returns {{source: "held-out" | "decoded", count: number, labelOf: (i: number) => number, at: (i: number) => Content} | null}
 */
export function picturesOf(model) {
  const { codes, thumbnails, imageShape, latentDim, classes, output } = model;
  if (!codes?.count) return null;
  const { points, labels } = codes;
  const images = thumbnails && thumbnails.shape.slice(1).join() === imageShape.join() ? thumbnails : null;
  if (!images && (output !== "image" || !givenOfLabel(model, labels ? labels[0] : -1))) return null;
  const source = images ? "held-out" : "decoded";
  const labelOf = (/** @type {number} */ i) => (labels ? labels[i] : -1);
  const [channels, height, width] = imageShape;

  /** @param {number} i */
  function pixels(i) {
    const size = channels * height * width;
    if (images) return toPixels(images.data.subarray(i * size, (i + 1) * size), imageShape);
    const given = givenOfLabel(model, labelOf(i));
    return given && model.decode(points.subarray(i * latentDim, (i + 1) * latentDim), given);
  }

  return {
    source,
    count: codes.count,
    labelOf,
    at(i) {
      const values = pixels(i) ?? new Float32Array(channels * height * width);
      const bytes = Uint8Array.from(values, (v) => Math.round(255 * v));
      return {
        source,
        label: classes[labelOf(i)] ?? null,
        strokes: [],
        base: { width, height, channels, bytes, file: false },
      };
    },
  };
}

/**
 * Return which pictures to show together: the next of each class in turn, or the next ones where there are no labels.
 * @param {Pictures} pictures
 * @param {number} page 0, 1, …; it begins again after the last
 */
export function pageOf({ count, labelOf }, page) {
  /** @type {Map<number, number[]>} */
  const classes = new Map();
  for (let i = 0; i < count; i++) classes.set(labelOf(i), [...(classes.get(labelOf(i)) ?? []), i]);
  const labels = [...classes.keys()].sort((a, b) => a - b);
  const shown = Math.min(SHOWN, count);
  return Array.from({ length: shown }, (_, j) => {
    const turn = page * shown + j;
    const members = /** @type {number[]} */ (classes.get(labels[turn % labels.length]));
    return members[Math.floor(turn / labels.length) % members.length];
  });
}

/**
 * @param {import("./pad.js").PadHost} host
 * @param {(content: Content) => void} choose
 */
export function createTray(host, choose) {
  const { words } = host;
  const element = el("div", "lx-tray", [], { role: "group" });
  words.label(element, "pad.choose");
  element.hidden = true;
  let page = 0;
  /** @type {Model | null} the model whose pictures were made */
  let shown = null;
  /** @type {{screen: ReturnType<typeof createScreen>, values: ArrayLike<number>}[]} */
  let tiles = [];

  /** @param {number[]} shape @param {ArrayLike<number>} values @param {() => Content} content @param {string} key @param {any} gaps */
  function tile(shape, values, content, key, gaps) {
    const screen = createScreen(shape);
    tiles.push({ screen, values });
    screen.show(values, host.theme.dark);
    const chosen = button("lx-tile-button lx-tray-tile", screen.canvas, () => choose(content()));
    return words.label(chosen, key, gaps);
  }

  function build() {
    const [model] = host.models;
    tiles = [];
    const groups = [];
    if (takesDrawings(model)) {
      const drawings = DRAWINGS.map((drawing) => {
        const ink = createInk(TILE);
        drawn(drawing).strokes.forEach(ink.add);
        return tile([1, TILE, TILE], ink.low, () => drawn(drawing), "pad.drawingOf", { label: drawing.digit });
      });
      groups.push(words.put(el("h4", "lx-tray-title"), "pad.drawings"), el("div", "lx-tray-tiles", drawings));
    }
    const pictures = picturesOf(model);
    if (pictures) {
      const title = el("h4", "lx-tray-title");
      words.put(title, pictures.source === "decoded" ? "pad.decoded" : "pad.heldOut", { title: model.title });
      const found = pageOf(pictures, page).map((i) => {
        const content = pictures.at(i);
        const values = Float32Array.from(content.base?.bytes ?? [], (byte) => byte / 255);
        const key = content.label === null ? "pad.pictureNumber" : "pad.pictureOf";
        return tile(model.imageShape, values, () => content, key, { label: content.label ?? "", number: i + 1 });
      });
      const others = button("lx-tool", icon("others"), () => {
        page++;
        build();
        /** @type {HTMLElement | null} */ (element.querySelector(".lx-tray-head .lx-tool"))?.focus();
      });
      words.label(others, "pad.others");
      groups.push(el("div", "lx-tray-head", [title, others]), el("div", "lx-tray-tiles", found));
    }
    element.replaceChildren(...groups);
    element.querySelectorAll(".lx-tray-tile").forEach((one, i) => one.setAttribute("tabindex", i ? "-1" : "0"));
    shown = model;
  }

  element.onkeydown = (event) => {
    const all = [...element.querySelectorAll(".lx-tray-tile")].map((one) => /** @type {HTMLElement} */ (one));
    const here = all.findIndex((one) => one === event.target);
    const row = here < 0 ? 1 : all.filter((one) => one.offsetTop === all[here].offsetTop).length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[event.key];
    if (!step || here < 0) return;
    event.preventDefault();
    const next = all[Math.min(all.length - 1, Math.max(0, here + step))];
    all.forEach((one) => one.setAttribute("tabindex", one === next ? "0" : "-1"));
    next.focus();
  };

  return {
    element,
    open() {
      if (shown !== host.models[0]) build();
      element.hidden = false;
      /** @type {HTMLElement | null} */ (element.querySelector(".lx-tray-tile[tabindex='0']"))?.focus();
    },
    /** Show changed models, or another theme. */
    update() {
      if (shown === host.models[0]) tiles.forEach(({ screen, values }) => screen.show(values, host.theme.dark));
      else if (!element.hidden) build();
    },
  };
}
