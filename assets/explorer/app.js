/** Run one explorer: hold its models and its state, and draw everything that depends on them. */

import { createCard } from "./card.js";
import { KINDS } from "./controls/index.js";
import { el } from "../shared/dom.js";
import { createMap } from "./map.js";
import { hasPrior, seenBy, takesPictures } from "./model.js";
import { createOptions } from "./options.js";
import { createPathBar } from "./pathbar.js";
import { createInquiry } from "./posterior/inquiry.js";
import { createPanel } from "./posterior/panel.js";
import { createPlane } from "../shared/plane.js";
import { along } from "./path.js";
import { captionOf } from "./caption.js";
import { createCodes } from "./codes.js";
import { createCouplings } from "./couplings.js";
import { createEntry } from "./entry.js";
import { createInput, valuesOfLabel } from "./input.js";
import { extentOf } from "./extent.js";
import { conditionsMoveCode, drawFrom, priorAt } from "./prior.js";
import { reportInput, reportPosteriors } from "./report.js";
import { isTractable } from "./posterior/exact.js";
import { createSliders } from "./sliders.js";
import { givenOf, initialState, labelOf, merge } from "./state.js";
import { fit, union } from "../shared/view.js";

const FRAME = 9; // the most milliseconds for the images of one pointer move; the rest of the strip then waits
const SLICE = 7; // milliseconds for the manifold between two frames
const QUIET = 120; // milliseconds without a move before the manifold continues
const HEARD = 100; // milliseconds between two questions to the judges
const KEY_REST = 350; // milliseconds from the last key to the sending of the state

/**
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./state.js").State} State
 * @typedef {{
 *   codes: boolean, prior: boolean, manifold: boolean, sameScale: boolean, smooth: boolean, hidden: Set<number>,
 *   chosenOnly: boolean, drawn: boolean,
 * }} Options
 *   hidden: muted classes. chosenOnly: a model that is given a class shows the codes of this class alone.
 *   drawn: the pixels of the picture are drawn, black or white, and not their means
 * @typedef {"pad" | "map" | "picture" | "labels" | "sliders" | "path" | "options"} Panel
 * @typedef {{
 *   models: Model[], judges: import("./judge.js").Judge[], planeSpec: import("../shared/plane.js").PlaneSpec | null, panels: Panel[],
 *   words: import("../shared/dom.js").Words,
 *   theme: import("../shared/theme.js").Theme, send: (state: any) => void,
 * }} Setup
 */

export class App {
  /** @type {Options} */
  options = {
    codes: true,
    prior: true,
    manifold: false,
    sameScale: false,
    smooth: true,
    hidden: new Set(),
    chosenOnly: false,
    drawn: false,
  };
  /** @type {import("./path.js").Course} */
  course = "linear";
  frames = 0; // pictures decoded since the app was made
  lastMove = 0; // the time of the last move by the pointer
  scheduled = 0; // the id of the requested animation frame
  rest = 0; // the timer after the last key
  /** @type {import("./state.js").Values} of the conditions of earlier models */
  elsewhere = {};
  /** @type {string | null} the last state that was sent */
  sent = null;
  /** @type {((frame: {event: PointerEvent | null, start: number, end: number, waiting: number}) => void) | null} */
  onframe = null;

  /** @type {import("./map.js").LatentMap[]} */ maps = [];
  /** @type {ReturnType<typeof createCard>[]} */ cards = [];
  /** @type {HTMLElement[]} of the maps */ captions = [];
  /** @type {Map<string, import("./controls/index.js").Control>} by the names of the conditions */
  controls = new Map();
  /** @type {ReturnType<typeof createSliders> | null} */ sliders = null;
  /** @type {ReturnType<typeof createPathBar> | null} */ path = null;
  /** @type {ReturnType<typeof createOptions> | null} */ optionsBar = null;
  /** @type {ReturnType<typeof createCouplings> | null} */ couplings = null;
  /** @type {ReturnType<typeof createEntry> | null} the pad, and what is beside it */ entry = null;
  /** @type {ReturnType<typeof createInquiry> | null} the true posteriors */ inquiry = null;
  /** @type {ReturnType<typeof createPanel> | null} */ cost = null;
  unheard = false; // whether the judges have not seen the present pictures
  judged = 0; // the time at which they last saw some
  hearing = 0; // the timer until they may be asked again
  shownInput = 0; // the version of the input that the page's attributes and the judge have seen

  /** @param {HTMLElement} root @param {Setup} setup */
  constructor(root, { models, judges, planeSpec, panels, words, theme, send }) {
    const [first] = models;
    this.root = root;
    this.words = words;
    this.models = models;
    this.judges = judges;
    this.theme = theme;
    this.send = send;
    this.extent = extentOf(models);
    this.state = initialState(this.extent);
    this.state.z = this.neutral();
    this.input = createInput(this);
    this.codes = createCodes(this);
    this.mainPlane = planeSpec?.kind === "pca" ? planeSpec : null;
    this.plane = createPlane(planeSpec ?? { kind: "dims", dims: [0, 1] }, first.latentDim);
    /** @type {(import("../shared/view.js").View | null)[]} null: the fitted view */
    this.views = models.map(() => null);
    const shown = new Set(panels);
    if (shown.has("pad") && !shown.has("options")) Object.assign(this.options, { manifold: true, chosenOnly: true });
    this.build(shown);
  }

  // --- building ---------------------------------------------------------------------------------------------------

  /** @param {Set<Panel>} panels */
  build(panels) {
    const { models, words } = this;
    this.controls = this.buildControls(panels);
    this.entry = panels.has("pad") && models.some(takesPictures) ? createEntry(this) : null;
    this.maps = panels.has("map") ? models.map((_, i) => createMap(this, i)) : [];
    this.cards = models.map((_, i) => createCard(this, i));
    this.captions = models.map(() => el("p", "lx-note lx-caption"));
    const several = models.length > 1;
    const half = hasPrior(models[0]) ? "half.map" : "half.code";
    const columns = models.map((model, i) => {
      const title = several ? el("h3", "lx-title") : words.put(el("h2", "lx-heading"), half, { x: seenBy(models) });
      if (several) title.textContent = title.title = model.title;
      const map = this.maps[i]
        ? el("div", "lx-map-column", [several || this.entry ? title : null, this.maps[i].element, this.captions[i]])
        : null;
      return el("div", "lx-model", [map, panels.has("picture") ? this.cards[i].element : null]);
    });
    this.sliders = panels.has("sliders") ? createSliders(this) : null;
    this.path = panels.has("path") ? createPathBar(this) : null;
    this.optionsBar = panels.has("options") ? createOptions(this) : null;
    this.couplings = several ? createCouplings(this) : null;
    const parts = [this.couplings, ...this.controls.values(), this.sliders, this.path];
    const controls = parts.flatMap((part) => part?.element ?? []);
    if (this.entry && models.some(isTractable)) {
      this.inquiry = createInquiry(this, () => this.showPosteriors());
      this.cost = createPanel(this, panels.has("options"));
    }
    const body = el("div", several ? "lx-body lx-several" : "lx-body lx-single", [
      this.entry?.element ?? null,
      el("div", "lx-models", columns),
      this.optionsBar?.element ?? null,
      el("div", "lx-controls", controls),
      this.cost?.element ?? null,
    ]);
    body.classList.toggle("lx-with-entry", this.entry !== null);
    body.style.setProperty("--lx-models", String(models.length));
    body.onkeydown = (event) => this.type(event);
    this.root.replaceChildren(body);
    words.label(this.root, "title");
    this.rename();
  }

  /** Create a control for every condition whose panel is shown. @param {Set<string>} panels */
  buildControls(panels) {
    const order = Object.keys(KINDS);
    const shown = this.extent.conditions.filter(({ kind }) => {
      const { panel } = KINDS[kind];
      return !panel || panels.has(panel);
    });
    shown.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    return new Map(shown.map(({ name, kind }) => [name, KINDS[kind].create(this, name)]));
  }

  /** Offer a typed character to the controls. @param {KeyboardEvent} event */
  type(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type === "number") return;
    if ([...this.controls.values()].some((control) => control.key?.(event.key))) this.commitSoon();
  }

  // --- the conditions, for their controls -------------------------------------------------------------------------

  /** Return the condition of the first model that has it. @param {string} name */
  condition(name) {
    const found = this.models.flatMap(({ conditions }) => conditions).find((one) => one.name === name);
    return /** @type {import("./state.js").Condition} */ (found);
  }

  /** Return the indices of the models that have a condition. @param {string} name */
  modelsGiven(name) {
    return this.models.flatMap(({ conditions }, i) => (conditions.some((one) => one.name === name) ? [i] : []));
  }

  /** Return the muted classes of a model's map. @param {number} index */
  hiddenAt(index) {
    const { options, models, state } = this;
    const { classes, conditions } = models[index];
    const chosen = options.chosenOnly ? labelOf(conditions, state.conditions) : null;
    return chosen === null ? options.hidden : new Set(classes.flatMap((_, k) => (k === chosen ? [] : k)));
  }

  /** Return what the judge of a model says of a picture; null without a judge. @param {number} i @param {Float32Array} x */
  verdict(i, x) {
    const { judge } = this.models[i];
    return judge === null ? null : { ...this.judges[judge].verdict(x), accuracy: this.judges[judge].accuracy };
  }

  /** Return the model whose code the state holds, the last that was dragged. */
  lead() {
    return this.models[this.state.lead];
  }

  /**
   * Return the code and the given inputs of a model for another value of a condition.
   * @param {number} index
   * @param {string} name
   * @param {any} value
   */
  at(index, name, value) {
    const values = { ...this.state.conditions, [name]: value };
    return { z: this.codes.at(index, values), given: givenOf(this.models[index], values) };
  }

  /** Return whether the code of a model changes with the conditions. @param {Model} model */
  movesCode(model) {
    return conditionsMoveCode(model);
  }

  // --- the user's actions -----------------------------------------------------------------------------------------

  /** Set the code of the leading model. @param {number[]} z @param {PointerEvent | null} [event] the cause */
  setZ(z, event = null) {
    this.setCode(this.state.lead, z, event);
  }

  /**
   * Set the code of a model, which then leads; the others follow.
   * @param {number} index
   * @param {number[]} code
   * @param {PointerEvent | null} [event] the cause
   */
  setCode(index, code, event = null) {
    this.codes.leadBy(index);
    this.state.z = code;
    this.input.following = false;
    if (event) this.lastMove = performance.now();
    this.draw(event);
  }

  /** @param {string} name @param {any} value */
  setCondition(name, value) {
    this.state.conditions = { ...this.state.conditions, [name]: value };
    this.conditionsChanged();
  }

  /** @param {import("./state.js").Coupling} coupling */
  setCoupling(coupling) {
    this.codes.leadBy(this.state.lead);
    this.state.coupling = coupling;
    this.couplings?.update();
    this.draw();
    this.maps.forEach((map) => map.invalidate());
  }

  // --- the picture that is put in ---------------------------------------------------------------------------------

  /**
   * Put a picture in, as one of a class: all codes follow it, and it is drawn as what it is.
   * @param {import("./input.js").Picture} picture
   * @param {number | null} label null: as the class that is chosen now
   */
  putIn(picture, label) {
    const before = this.state.conditions;
    this.takeIn(picture, label);
    this.lastMove = performance.now();
    if (JSON.stringify(this.state.conditions) !== JSON.stringify(before)) this.conditionsChanged();
    else this.draw();
  }

  /** Do the same without drawing. @param {import("./input.js").Picture} picture @param {number | null} label */
  takeIn(picture, label) {
    const { state, input } = this;
    const values = valuesOfLabel(this.extent, state.conditions, label);
    input.encode(picture, values);
    this.inquiry?.forget();
    if (input.following)
      Object.assign(state, { path: this.codes.path(state.lead, values), told: values, conditions: values });
    this.codes.forget();
  }

  /** Do what waits for the end of a stroke, a choice or an upload. */
  settle() {
    this.entry?.read();
    this.inquiry?.ask();
    this.showPosteriors();
    this.commitSoon(); // the answer comes first
  }

  /** Show what is known of the true posteriors by now. */
  showPosteriors() {
    this.cost?.update();
    reportPosteriors(this);
    for (const map of this.maps) map.drawInput();
  }

  /** Return to the picture that was put in, at a noise ε of its posterior. @param {number[]} noise */
  followPicture(noise) {
    const { state, input } = this;
    input.setNoise(noise);
    input.following = input.posteriors.some(Boolean);
    if (input.following) Object.assign(state, { path: this.codes.path(state.lead, input.values), told: input.values });
    this.draw();
  }

  conditionsChanged() {
    this.controls.forEach((control) => control.update());
    this.caption();
    this.draw();
    this.maps.forEach((map) => map.invalidate());
  }

  /**
   * Set a held-out code of a model, with its label.
   * @param {number} index of the model
   * @param {number[]} code
   * @param {number | null} label
   */
  goTo(index, code, label) {
    const { state } = this;
    const values = { ...state.conditions };
    for (const condition of this.extent.conditions) {
      const { name, kind } = condition;
      if (label === null || !this.controls.has(name) || KINDS[kind].follows?.(values[name]) === false) continue;
      values[name] = KINDS[kind].ofLabel?.(label, condition) ?? values[name];
    }
    state.conditions = values;
    this.codes.leadBy(index);
    state.z = code;
    this.input.following = false;
    this.conditionsChanged();
  }

  /** @param {number[][]} path @param {number} progress */
  setPath(path, progress) {
    this.state.path = path;
    this.state.progress = progress;
    this.draw();
  }

  /** Add the present code to the path. */
  addPoint() {
    this.codes.leadBy(this.state.lead);
    this.setPath([...this.state.path, [...this.codes.of(this.state.lead)]], 1);
  }

  /** Return the leading model's code at a place of the path. @param {number} progress 0 … 1 */
  zAlong(progress) {
    const { path, told } = this.state;
    return along(path, progress, this.course, [...priorAt(this.lead(), told).mean]);
  }

  /** @param {number} progress @param {number[]} z there */
  setProgress(progress, z) {
    Object.assign(this.state, { progress, z });
    this.input.following = false;
    this.draw();
  }

  /** @param {import("./path.js").Course} course */
  setCourse(course) {
    this.course = course;
    this.maps.forEach((map) => map.drawLines());
  }

  /** @param {import("../shared/plane.js").PlaneSpec} spec */
  setPlane(spec) {
    this.plane = createPlane(spec, this.extent.latentDim);
    this.views.fill(null);
    this.optionsBar?.update();
    this.rename();
    this.redrawAll();
  }

  /** Return the middle of the leading model's prior. */
  neutral() {
    return [...priorAt(this.lead(), this.state.conditions).mean];
  }

  random() {
    return drawFrom(this.lead(), this.state.conditions);
  }

  optionsChanged() {
    this.root.classList.toggle("lx-pixels", !this.options.smooth);
    this.maps.forEach((map) => map.invalidate());
  }

  // --- views of the maps ------------------------------------------------------------------------------------------

  /**
   * @param {number} index
   * @param {() => import("../shared/view.js").Bounds} bounds
   * @returns {import("../shared/view.js").View}
   */
  viewOf(index, bounds) {
    const { views, options, maps } = this;
    if (!options.sameScale) return views[index] ?? fit(bounds());
    return views[0] ?? fit(maps.map((map) => (map.project(), map.bounds())).reduce(union));
  }

  /** @param {number} index @param {import("../shared/view.js").View | null} view */
  setView(index, view) {
    const { options, maps } = this;
    this.views[options.sameScale ? 0 : index] = view;
    this.lastMove = performance.now();
    if (options.sameScale) maps.forEach((map) => map.invalidate());
    else maps[index].invalidate();
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  /** Draw images, cursor and numbers for the present state. @param {PointerEvent | null} [event] */
  draw(event = null) {
    const start = performance.now();
    const { root, state, maps, cards, sliders, path } = this;
    this.codes.forget();
    for (const card of cards) card.draw();
    this.controls.forEach((control) => control.invalidate?.());
    const waiting = this.drawControls(start + FRAME);
    for (const map of maps) map.moveCursor();
    sliders?.update();
    path?.update();
    this.entry?.update();
    if (this.entry && this.input.version !== this.shownInput) reportInput(this);
    this.shownInput = this.input.version;
    root.classList.toggle("lx-following", this.input.following);
    root.dataset.frames = String(++this.frames);
    root.dataset.z = JSON.stringify(this.codes.of(state.lead));
    this.unheard = true;
    this.later();
    this.onframe?.({ event, start, end: performance.now(), waiting });
  }

  /** Ask the judges about the pictures, a few times a second. @param {number} now */
  judge(now) {
    if (!this.unheard) return;
    if (now - this.judged < HEARD) {
      this.hearing ||= window.setTimeout(() => ((this.hearing = 0), this.later()), HEARD);
      return;
    }
    this.unheard = false;
    this.judged = now;
    this.entry?.judge();
    for (const card of this.cards) card.judge();
  }

  /** Draw images of the controls until the deadline; return how many remain. @param {number} deadline */
  drawControls(deadline) {
    let waiting = 0;
    for (const control of this.controls.values()) waiting += control.draw?.(deadline) ?? 0;
    return waiting;
  }

  /** Request a frame for the waiting work. */
  later() {
    this.scheduled ||= requestAnimationFrame(() => {
      this.scheduled = 0;
      if (!this.root.isConnected) return;
      const { maps } = this;
      const now = performance.now();
      let more = this.drawControls(now + SLICE) > 0;
      if (!more) this.judge(now);
      for (const map of maps) map.redrawIfDirty();
      if (now - this.lastMove < QUIET) more ||= this.options.manifold;
      else for (const map of maps) more = map.work(performance.now() + SLICE / maps.length) || more;
      if (more) this.later();
    });
  }

  /** Redraw everything, after a change of models, theme or language. */
  redrawAll() {
    this.controls.forEach((control) => (control.redraw?.(), control.update()));
    this.entry?.redraw();
    this.couplings?.update();
    this.cost?.update();
    this.optionsBar?.update();
    this.optionsChanged();
    this.draw();
    this.speak();
  }

  /** Say below each map what it shows. */
  caption() {
    this.captions.forEach((element, i) => (element.textContent = captionOf(this, i)));
  }

  /** Update the texts that consist of several words. */
  rename() {
    this.caption();
    this.maps.forEach((map) => map.names());
    this.cards.forEach((card) => card.names());
  }

  // --- Python -----------------------------------------------------------------------------------------------------

  /** Send the state to Python, if it has changed. */
  commit() {
    clearTimeout(this.rest);
    this.speak();
    const { plane } = this;
    const z = this.codes.of(this.state.lead);
    const value = { ...this.snapshot(), cursor: [plane.x(z), plane.flat ? 0 : plane.y(z)] };
    const text = JSON.stringify(value);
    if (text === this.sent) return;
    this.sent = text;
    this.send(JSON.parse(text));
  }

  /** Return the state as Python and a later visit know it; z is null where it is that of the picture put in. */
  snapshot() {
    const { lead, coupling, conditions, progress } = this.state;
    const z = this.input.following ? null : this.codes.of(lead);
    return { z, lead, coupling, conditions, path: this.codes.path(lead), progress };
  }

  /** Send the state after the last of several keys. */
  commitSoon() {
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => this.commit(), KEY_REST);
  }

  speak() {
    this.sliders?.speak();
    this.maps.forEach((map) => map.speak());
  }

  /** Apply a state from Python. @param {any} change */
  apply(change) {
    this.state = merge(this.state, change, this.extent);
    this.codes.forget();
    if (change?.z) this.input.following = false;
  }

  /**
   * Replace the models by similar ones with other weights or codes.
   * @param {Model[]} models
   * @param {import("./judge.js").Judge[]} judges
   * @param {import("../shared/plane.js").PlaneSpec | null} planeSpec
   */
  replaceModels(models, judges, planeSpec) {
    this.models = models;
    this.judges = judges;
    this.codes.forget();
    if (planeSpec?.kind === "pca") {
      if (this.plane.spec.kind === "pca") this.plane = createPlane(planeSpec, this.extent.latentDim);
      this.mainPlane = planeSpec;
    }
    this.maps.forEach((map) => map.forget());
    this.entry?.take();
    this.inquiry?.replace();
  }

  stop() {
    cancelAnimationFrame(this.scheduled);
    clearTimeout(this.rest);
    clearTimeout(this.hearing);
    this.path?.stop();
    this.entry?.stop();
    this.inquiry?.stop();
  }
}
