/**
 * Mount the component. Streamlit calls this entry at first, and after each change of the data or the theme. The user's
 * state stays: the app belongs to its element, and reads only changed parts of the data again.
 */

import { App } from "./app.js";
import { createWords, el } from "../shared/dom.js";
import { createJudge } from "./judge.js";
import { createModel } from "./model.js";
import { ARRIVED, whole, wholeJudges } from "./parts.js";
import { PayloadError } from "../shared/problem.js";
import { readTheme } from "../shared/theme.js";

const VERSION = 2; // of the payload
const SHOWN = 400; // milliseconds after which a page has been shown, and the true posteriors are asked for

/**
 * @typedef {{
 *   root: HTMLElement, app: App | null, words: import("../shared/dom.js").Words | null, text: string, hash: string,
 *   structure: string, state: string, send: (name: string, value: any) => void, awaited: (() => void) | null,
 * }} Mount awaited: what is done when a part of the models arrives
 */

/** @type {WeakMap<object, Mount>} */
const mounts = new WeakMap();

/** The memory of each page, by its key from Python, for the user's return. @type {Map<string, any>} */
const memories = new Map();

/**
 * @typedef {(name: string, value: any) => void} Send
 * @typedef {import("./payload.d.ts").Payload} Payload
 * @param {{data: [Payload], parentElement: HTMLElement | ShadowRoot, setStateValue: Send}} component
 */
export function mountExplorer({ data: [data], parentElement, setStateValue }) {
  let mount = mounts.get(parentElement);
  if (!mount) {
    const root = el("div", "lx-root", [], {
      "data-testid": "latent-explorer",
      role: "group",
      "data-frames": "0",
      "data-z": "[]",
    });
    parentElement.append(root);
    const blank = { app: null, words: null, text: "", hash: "", structure: "", state: "", awaited: null };
    mount = { root, ...blank, send: setStateValue };
    mounts.set(parentElement, mount);
    exposeForTests(mount);
  }
  mount.send = setStateValue;
  whenArrived(mount, null);
  show(mount, data);
  const { root } = mount;
  return () => {
    // Streamlit also calls this when a second run overtakes the first; the element is then still on the page.
    setTimeout(() => {
      if (!root.isConnected) mounts.get(parentElement)?.app?.stop();
    });
  };
}

/** Shows what arrived, or waits for what is still missing of it. @param {Mount} mount @param {Payload} data */
function show(mount, data) {
  try {
    if (!update(mount, data)) whenArrived(mount, () => show(mount, data));
  } catch (problem) {
    showProblem(mount, problem, data);
  }
}

/** @param {Mount} mount @param {Mount["awaited"]} then */
function whenArrived(mount, then) {
  if (mount.awaited) removeEventListener(ARRIVED, mount.awaited);
  mount.awaited = then && (() => (whenArrived(mount, null), mount.root.isConnected && then()));
  if (mount.awaited) addEventListener(ARRIVED, mount.awaited);
}

/**
 * @param {Mount} mount
 * @param {import("./payload.d.ts").Payload} data
 * @returns {boolean} false while a part of the models is missing
 */
function update(mount, data) {
  if (data?.version !== VERSION || !Array.isArray(data.models) || !data.models.length)
    throw new PayloadError("version");
  mount.root.lang = data.language ?? "en";
  const text = JSON.stringify(data.text);
  if (mount.words && text !== mount.text) mount.words.change(data.text);
  mount.words ??= createWords(data.text);
  mount.text = text;
  const theme = readTheme(mount.root);
  mount.root.classList.toggle("lx-dark", theme.dark);

  if (!mount.app || data.hash !== mount.hash) {
    const models = whole(data.models),
      judges = wholeJudges(data.judges ?? []);
    if (!models || !judges) return false;
    readModels(mount, data, models, judges, theme);
  }
  const app = /** @type {App} */ (mount.app);
  const state = JSON.stringify(data.state ?? null);
  if (state !== mount.state) {
    app.apply(data.state);
    mount.state = state;
  }
  app.theme = theme;
  app.rename();
  app.redrawAll();
  return true;
}

/**
 * @param {Mount} mount
 * @param {import("./payload.d.ts").Payload} data
 * @param {import("./payload.d.ts").ModelPayload[]} sent
 * @param {import("./payload.d.ts").JudgePayload[]} sentJudges
 * @param {import("../shared/theme.js").Theme} theme
 */
function readModels(mount, data, sent, sentJudges, theme) {
  const models = sent.map(createModel),
    judges = sentJudges.map(createJudge);
  const parts = [
    data.panels,
    ...sent.map((m) => [
      m.id,
      m.title,
      m.family,
      m.latentDim,
      m.imageShape,
      m.classes,
      m.networks?.decoder?.sees,
      m.output,
      m.judge,
      m.conditions,
      Boolean(m.codes),
      Boolean(m.codes?.labels),
      m.thumbnails?.shape?.slice(1),
    ]),
  ];
  const structure = JSON.stringify(parts, (_, part) => (part?.dtype ? part.shape : part)); // only the shape of a tensor
  if (mount.app && structure === mount.structure) {
    mount.app.replaceModels(models, judges, data.map);
  } else {
    const before = mount.app ? remember(mount.app) : memories.get(data.key);
    mount.app?.stop();
    const send = (/** @type {any} */ state) => {
      memories.set(data.key, remember(/** @type {App} */ (mount.app)));
      mount.send("state", state);
    };
    const words = createWords(data.text);
    mount.words = words;
    mount.app = new App(mount.root, { models, judges, planeSpec: data.map, panels: data.panels, words, theme, send });
    mount.app.entry?.take();
    const { inquiry } = mount.app;
    setTimeout(() => inquiry?.ask(), SHOWN);
    if (before) {
      recall(mount.app, before);
      const { app } = mount;
      setTimeout(() => app.root.isConnected && app.commit()); // Python forgets a component when it leaves the page
    }
    mount.structure = structure;
  }
  mount.hash = data.hash;
}

/** Return the memory of a page, with the values of conditions that these models lack. @param {App} app */
const remember = (app) => {
  const { elsewhere, options, views, models } = app;
  const state = app.snapshot();
  const conditions = { ...elsewhere, ...state.conditions };
  return { state: { ...state, conditions }, options, views, ids: models.map(({ id }) => id).join("\n") };
};

/** @param {App} app @param {any} memory */
function recall(app, { state, options, views, ids }) {
  app.apply(state);
  app.elsewhere = state.conditions;
  Object.assign(app.options, options);
  if (ids === app.models.map(({ id }) => id).join("\n")) app.views = views;
}

/**
 * Show a clear sentence in place of the component.
 * @param {Mount} mount
 * @param {unknown} problem
 * @param {import("./payload.d.ts").Payload} data
 */
function showProblem(mount, problem, data) {
  const words = createWords(data?.text ?? {});
  const known = problem instanceof PayloadError;
  if (!known) console.error(problem);
  mount.app?.stop();
  mount.app = null;
  mount.structure = mount.hash = "";
  const title = words.put(el("strong"), "error.title"),
    detail = el("p");
  const fallback = "This explorer cannot be shown: its data are damaged.";
  if (title.textContent === "error.title") title.textContent = fallback;
  else detail.textContent = known ? words.say(`error.${problem.code}`, problem.values) : words.say("error.unknown");
  mount.root.replaceChildren(el("div", "lx-problem", [title, detail], { role: "alert" }));
}

/**
 * Define `root.explorer` for tests and the benchmark.
 * @param {Mount} mount
 */
function exposeForTests(mount) {
  Object.defineProperty(mount.root, "explorer", {
    value: {
      /** Return the last decoded image of a model, H × W × C in [0, 1]. @param {number} index */
      values: (index) => mount.app?.cards?.[index].values() ?? null,
      /** @param {any} state */
      set(state) {
        mount.app?.apply(state);
        mount.app?.redrawAll();
      },
      /** The posterior of a picture, H × W × C in [0, 1]. @type {(i: number, x: number[], y: number[]) => any} */
      encode: (index, pixels, vector) => mount.app?.models[index].encode?.(new Float32Array(pixels), vector) ?? null,
      state: () => mount.app?.state,
      codes: () => mount.app?.models.map((_, i) => mount.app?.codes.of(i)),
      /** Return codes of a model with their places on its map. @param {number} index */
      codePixels: (index) => mount.app?.maps?.[index].codePixels(),
      views: () => mount.app?.views,
      /** @param {App["onframe"]} listen called after each frame */
      onframe(listen) {
        if (mount.app) mount.app.onframe = listen;
      },
    },
  });
}

export default mountExplorer;
