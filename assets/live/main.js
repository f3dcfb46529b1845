/**
 * Show the live view of a training. It asks Python for updates only after it has drawn the last ones, so that a slow
 * machine asks less often and a hidden tab never asks. No update changes the user's settings: zoom, cursor, hidden
 * classes and the replayed moment.
 */

import { createWords, el } from "../shared/dom.js";
import { PayloadError } from "../shared/problem.js";
import { readTheme } from "../shared/theme.js";
import { createCurves } from "./curves.js";
import { createDims } from "./dims.js";
import { createMap } from "./map.js";
import { createReplay } from "./replay.js";
import { createStatus } from "./status.js";
import { createStore, receive, seen, timeline } from "./store.js";
import { createStrip } from "./strip.js";

const VERSION = 1;
const LEAVING = 3000; // milliseconds without a request after the visitor leaves the page (app.py sets history.leftAt)
const OTHERS = [
  { light: "#0b7a75", dark: "#4fd1c5", dash: [7, 4] },
  { light: "#a23b72", dark: "#f08bbd", dash: [2, 3] },
  { light: "#5b6c00", dark: "#c3d350", dash: [10, 3, 2, 3] },
  { light: "#5f5f6e", dark: "#b8bcc8", dash: [4, 4] },
];

/**
 * @typedef {{
 *   curves: import("./curves.js").Look, map: import("./map.js").Look, replay: {step: number | null},
 * }} Looks the user's settings
 */

/** The user's settings, which survive leaving the page. @type {Map<string, Looks>} */
const kept = new Map();

/** @type {WeakMap<object, ReturnType<typeof createView>>} */
const views = new WeakMap();

/**
 * @typedef {(name: string, value: any) => void} Send
 * @typedef {import("./payload.d.ts").LivePayload} LivePayload
 * @param {{data: [LivePayload], parentElement: HTMLElement | ShadowRoot, setStateValue: Send}} component
 */
export function mountLive({ data: [data], parentElement, setStateValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = createView(data);
    views.set(parentElement, view);
    parentElement.append(view.root);
  }
  const { root, update, stop } = view;
  update(data, setStateValue);
  return () => {
    // Streamlit also calls this when a second run overtakes the first; the element is then still on the page.
    setTimeout(() => {
      if (!root.isConnected) stop();
    });
  };
}

/** @param {import("./payload.d.ts").LivePayload} first the data at the creation */
function createView(first) {
  const looks = kept.get(first.key) ?? {
    curves: { range: null, cursor: null, pinned: false },
    map: { view: null, hidden: new Set() },
    replay: { step: null },
  };
  kept.set(first.key, looks);
  const words = createWords(first.text);
  const store = createStore();
  const status = createStatus(words),
    curves = createCurves(words, looks.curves),
    dims = createDims(words);
  const map = createMap(words, looks.map),
    strip = createStrip(words);
  const replay = createReplay(words, looks.replay, () => show(false));
  const legend = el("div", "lv-runs");
  const problem = el("p", "lv-message", [], { role: "alert" });
  curves.element.append(dims.element);
  const root = el(
    "div",
    "lv-root",
    [
      status.element,
      problem,
      el("div", "lv-body", [el("div", "lv-left", [curves.element, legend]), map.element]),
      replay.element,
      strip.element,
    ],
    { "data-testid": "live-view", "data-records": "0", "data-updates": "0" },
  );

  Object.defineProperty(root, "looks", { value: looks }); // for tests

  let data = first,
    timer = 0,
    updates = 0,
    text = JSON.stringify(first.text);
  let theme = readTheme(document.body);
  /** @type {(name: string, value: any) => void} */
  let send = () => {};

  const scene = () => ({ classes: data.classes, prior: data.prior, origin: store.plane?.origin ?? [0, 0], theme });
  const epochOf = (/** @type {number} */ step) => step / (store.status?.stepsPerEpoch || 1);

  /** @param {boolean} slowly whether the codes move to their places or jump */
  function show(slowly) {
    const frames = timeline(store),
      now = /** @type {import("./payload.d.ts").Status} */ (store.status);
    const numbers = new Intl.NumberFormat(data.language);
    replay.update(
      frames.map(({ step }) => step),
      (step) =>
        words.say("replay.where", {
          step: numbers.format(step),
          epoch: epochOf(step).toFixed(epochOf(step) < 10 ? 2 : 1),
        }),
    );
    const frame = frames[replay.index()] ?? null;
    const replayed = looks.replay.step === null || !frame ? null : epochOf(frame.step);
    /** @type {import("./curves.js").Series[]} */
    const series = [
      { name: data.name, title: data.title, color: theme.accent, dash: [], records: store.history.records },
      ...data.others.map(({ name, title }, i) => {
        const { light, dark, dash } = OTHERS[i % OTHERS.length];
        return { name, title, color: theme.dark ? dark : light, dash, records: store.others.get(name)?.records ?? [] };
      }),
    ];
    curves.update(series, replayed, theme);
    listLines(series);
    dims.update(
      klAt(replayed),
      frame?.active ?? null,
      store.history.records.some((record) => !record.kl_per_dim),
      theme,
    );
    map.frameAll(frames, scene());
    map.update(frame, store.labels, scene(), slowly);
    const { explained } = store.plane ?? {};
    map.say(
      explained
        ? words.say("map.pca", { share: Math.round(100 * (explained[0] + explained[1])), d: data.latentDim })
        : "",
    );
    map.describe(
      words.say("map.alt", { codes: numbers.format(frame?.codes.count ?? 0), step: numbers.format(frame?.step ?? 0) }),
    );
    strip.update(store.heldOut, frame?.strip ?? null, theme.dark);
    status.update(now, data.language, data.waitsFor);
    Object.assign(root.dataset, {
      records: String(store.history.records.length),
      frames: String(frames.length),
      step: String(now.step),
      state: now.state,
      shown: String(frame?.step ?? -1),
      updates: String(updates),
    });
  }

  /**
   * Return the KL of each dimension at an epoch, if possible on the validation images.
   * @param {number | null} epoch null: now
   */
  function klAt(epoch) {
    const known = store.history.records.filter(
      (record) => record.kl_per_dim && (epoch === null || record.epoch <= epoch + 1e-6),
    );
    return (known.findLast(({ split }) => split === "validation") ?? known.at(-1))?.kl_per_dim ?? null;
  }

  /** Show the legend of the lines. @param {import("./curves.js").Series[]} series */
  function listLines(series) {
    const line = (/** @type {string} */ name, /** @type {string} */ color, /** @type {number} */ thickness) => {
      const swatch = el("span", "lv-swatch"),
        text = el("span");
      Object.assign(swatch.style, { background: color, height: `${thickness}px` });
      text.textContent = name;
      return el("span", "lv-key", [swatch, text]);
    };
    const unit = el("span", "lv-unit");
    unit.textContent = words.say("curves.unit");
    const runs = series.length > 1 ? series.map(({ title, color }) => line(title, color, 3)) : [];
    const splits = [
      line(words.say("curves.train"), theme.accent, 1.5),
      line(words.say("curves.validation"), theme.accent, 3.5),
    ];
    legend.replaceChildren(...splits, ...runs, unit);
  }

  /** Ask for updates after the pause that Python sets. */
  function later() {
    clearTimeout(timer);
    timer = data.poll > 0 ? window.setTimeout(ask, 1000 * data.poll) : 0;
  }
  function ask() {
    if (document.hidden) {
      document.addEventListener("visibilitychange", later, { once: true });
      return;
    }
    if (performance.now() - /** @type {any} */ (history).leftAt < LEAVING) return later();
    send("seen", { ...seen(store), tick: data.tick + 1 });
    timer = window.setTimeout(ask, 15_000); // ask again if the answer gets lost
  }

  return {
    root,
    /** @param {import("./payload.d.ts").LivePayload} next @param {(name: string, value: any) => void} setStateValue */
    update(next, setStateValue) {
      const another = next.name !== data.name;
      data = next;
      send = setStateValue;
      problem.textContent = "";
      problem.hidden = true;
      try {
        if (next.version !== VERSION) throw new PayloadError("version");
        const colours = readTheme(root),
          nextText = JSON.stringify(next.text);
        if (nextText !== text) words.change(next.text);
        // A new theme object makes all parts redraw, also for another language.
        if (nextText !== text || JSON.stringify(colours) !== JSON.stringify(theme)) theme = colours;
        text = nextText;
        root.lang = next.language;
        const before = timeline(store).at(-1);
        receive(store, next.main, Object.fromEntries(next.others.map((o) => [o.name, o.history])));
        if (another) {
          Object.assign(looks.curves, { range: null, cursor: null, pinned: false });
          Object.assign(looks.map, { view: null });
          looks.replay.step = null;
        }
        updates++;
        show(looks.replay.step === null && !another && before !== undefined);
      } catch (error) {
        if (!(error instanceof PayloadError)) console.error(error);
        problem.textContent = words.say("damaged");
        problem.hidden = false;
      }
      later();
    },
    stop() {
      clearTimeout(timer);
      replay.stop();
      map.stop();
    },
  };
}

export default mountLive;
