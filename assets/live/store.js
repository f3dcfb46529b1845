/** Store the data of a training. The browser tells cvae/browser/live.py what it has, and gets the rest. */

import { decodeBytes, decodeTensor } from "../shared/tensor.js";

/**
 * @typedef {{
 *   split: "train" | "validation", step: number, epoch: number, reconstruction: number, kl: number | null,
 *   neg_elbo: number | null, kl_per_dim: number[] | null, beta: number,
 * }} LogRecord
 * @typedef {{count: number, width: number, codes: Float32Array}} Codes width: numbers of a code, 1 or 2
 * @typedef {{count: number, shape: number[], bytes: Uint8Array}} Pictures shape: C, H, W of each
 * @typedef {{step: number, codes: Codes, active: number, strip: Pictures | null}} Frame one moment of the training
 *   active: the number of active units, counted by Python
 * @typedef {{key: string, kind: "codes" | "pca", origin: number[], explained: number[] | null}} PlaneSpec
 * @typedef {{
 *   token: string, status: import("./payload.d.ts").Status | null, records: LogRecord[], steps: number[],
 *   frames: Map<number, Frame>, live: Frame | null,
 *   labels: Uint8Array | null, heldOut: Pictures | null, plane: PlaneSpec | null, others: Map<string, LogRecord[]>,
 * }} Store
 */

/** @returns {Store} */
export const createStore = () => ({
  token: "",
  status: null,
  records: [],
  steps: [],
  frames: new Map(),
  live: null,
  labels: null,
  heldOut: null,
  plane: null,
  others: new Map(),
});

/**
 * Add an answer to the store. An answer on another training, or in another plane, replaces the old data.
 * @param {Store} store
 * @param {import("./payload.d.ts").Answer} answer
 * @param {Record<string, {from: number, records: LogRecord[]}>} others  histories of other runs, by name
 */
export function receive(store, answer, others) {
  if (answer.token !== store.token) Object.assign(store, createStore(), { token: answer.token, others: store.others });
  if (answer.plane.key !== store.plane?.key) {
    store.frames.clear();
    store.live = null;
  }
  store.plane = answer.plane;
  store.status = answer.status;
  extend(store.records, answer.history);
  store.steps = answer.steps;
  const there = new Set(answer.steps);
  for (const step of store.frames.keys()) if (!there.has(step)) store.frames.delete(step);
  for (const spec of answer.snapshots) store.frames.set(spec.step, frameOf(spec));
  if (answer.live) store.live = frameOf(answer.live);
  if (answer.labels) store.labels = decodeBytes(answer.labels, "labels").data;
  if (answer.heldOut) store.heldOut = picturesOf(answer.heldOut);
  for (const name of store.others.keys()) if (!(name in others)) store.others.delete(name);
  for (const [name, history] of Object.entries(others)) {
    const records = store.others.get(name) ?? [];
    extend(records, history);
    store.others.set(name, records);
  }
}

/**
 * Add records, unless they would leave a gap: the browser then asks for the lost ones again.
 * @param {LogRecord[]} records
 * @param {{from: number, records: LogRecord[]}} history
 */
function extend(records, history) {
  if (history.from > records.length) return;
  records.length = history.from;
  records.push(...history.records);
}

/** Return what the browser reports to the server. @param {Store} store */
export const seen = (store) => ({
  token: store.token,
  plane: store.plane?.key ?? "",
  records: store.records.length,
  last: store.records.at(-1)?.step ?? 0,
  steps: [...store.frames.keys()],
  live: store.live?.step ?? -1,
  others: Object.fromEntries(
    [...store.others].map(([name, records]) => [name, [records.length, records.at(-1)?.step ?? 0]]),
  ),
});

/** Return the stored moments in their order, the present one last. @param {Store} store @returns {Frame[]} */
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
