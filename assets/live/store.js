/** What has arrived of a training. cvae/browser/live.py is the other side: it is told what is here, sends the rest. */

import { decodeBytes, decodeTensor } from "../shared/tensor.js";

/**
 * @typedef {import("./payload.d.ts").History} HistoryPayload
 * @typedef {{records: LogRecord[], kept: number}} History kept: how many of the first records stay, however many come
 * @typedef {{
 *   split: "train" | "validation", step: number, epoch: number, reconstruction: number, kl: number | null,
 *   neg_elbo: number | null, kl_per_dim: number[] | null, beta: number,
 * }} LogRecord
 * @typedef {{count: number, width: number, codes: Float32Array}} Codes width: numbers a code, 1 or 2
 * @typedef {{count: number, shape: number[], bytes: Uint8Array}} Pictures shape: C, H, W of each
 * @typedef {{step: number, codes: Codes, active: number, strip: Pictures | null}} Frame one moment of the training
 *   active: how many dimensions are active units, as Python counts them
 * @typedef {{key: string, kind: "codes" | "pca", origin: number[], explained: number[] | null}} PlaneSpec
 * @typedef {{
 *   token: string, status: import("./payload.d.ts").Status | null, history: History, steps: number[],
 *   frames: Map<number, Frame>, live: Frame | null,
 *   labels: Uint8Array | null, heldOut: Pictures | null, plane: PlaneSpec | null, others: Map<string, History>,
 * }} Store
 */

/** @returns {History} */
const createHistory = () => ({ records: [], kept: 0 });

/** @returns {Store} */
export const createStore = () => ({
  token: "",
  status: null,
  history: createHistory(),
  steps: [],
  frames: new Map(),
  live: null,
  labels: null,
  heldOut: null,
  plane: null,
  others: new Map(),
});

/**
 * Takes an answer in. What is about another training, or in another plane, takes the place of all that was there.
 * @param {Store} store
 * @param {import("./payload.d.ts").Answer} answer
 * @param {Record<string, HistoryPayload>} others  histories of other runs, by name
 */
export function receive(store, answer, others) {
  if (answer.token !== store.token) Object.assign(store, createStore(), { token: answer.token, others: store.others });
  if (answer.plane.key !== store.plane?.key) {
    store.frames.clear();
    store.live = null;
  }
  store.plane = answer.plane;
  store.status = answer.status;
  extend(store.history, answer.history);
  store.steps = answer.steps;
  const there = new Set(answer.steps);
  for (const step of store.frames.keys()) if (!there.has(step)) store.frames.delete(step);
  for (const spec of answer.snapshots) store.frames.set(spec.step, frameOf(spec));
  if (answer.live) store.live = frameOf(answer.live);
  if (answer.labels) store.labels = decodeBytes(answer.labels, "labels").data;
  if (answer.heldOut) store.heldOut = picturesOf(answer.heldOut);
  for (const name of store.others.keys()) if (!(name in others)) store.others.delete(name);
  for (const [name, history] of Object.entries(others)) {
    const known = store.others.get(name) ?? createHistory();
    extend(known, history);
    store.others.set(name, known);
  }
}

/**
 * An answer that begins behind what is here would leave a gap: what was lost is asked for again.
 * @param {History} history
 * @param {HistoryPayload} answer
 */
function extend(history, { from, records, kept }) {
  if (from > history.kept) return;
  history.records = [...history.records.slice(0, from), ...records];
  history.kept = kept;
}

/** How many records stay, and the step of the last of them. @param {History} history @returns {[number, number]} */
const placeIn = ({ records, kept }) => [kept, records[kept - 1]?.step ?? 0];

/** What the server is told. @param {Store} store */
export const seen = (store) => ({
  token: store.token,
  plane: store.plane?.key ?? "",
  records: placeIn(store.history)[0],
  last: placeIn(store.history)[1],
  steps: [...store.frames.keys()],
  live: store.live?.step ?? -1,
  others: Object.fromEntries([...store.others].map(([name, history]) => [name, placeIn(history)])),
});

/** The moments that can be shown, in their order; the present one last. @param {Store} store @returns {Frame[]} */
export function timeline({ frames, live }) {
  const all = [...frames.values()].sort((a, b) => a.step - b.step);
  if (live && live.step > (all.at(-1)?.step ?? -1)) all.push(live);
  return all;
}

/** @param {import("./payload.d.ts").FramePayload} spec @returns {Frame} */
function frameOf({ step, codes, active, strip }) {
  const { shape, data } = decodeTensor(codes, "codes");
  return { step, codes: { count: shape[0], width: shape[1], codes: data }, active, strip: strip && picturesOf(strip) };
}

/** @param {import("../shared/tensor.js").TensorSpec} spec @returns {Pictures} */
function picturesOf(spec) {
  const { shape, data } = decodeBytes(spec, "pictures");
  return { count: shape[0], shape: shape.slice(1), bytes: data };
}
