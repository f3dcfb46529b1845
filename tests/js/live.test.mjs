/** What the live view keeps of a training, and the scales of its curves. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { liesApart } from "../../assets/live/map.js";
import { epochsOf, lineOf, nearestIndex, valuesOf, zoomed } from "../../assets/live/scale.js";
import { clock } from "../../assets/live/status.js";
import { createStore, receive, seen, timeline } from "../../assets/live/store.js";
import { base64 } from "./helpers.mjs";

const record = (step, more = {}) => ({
  split: "train",
  step,
  epoch: step / 10,
  reconstruction: 100 - step,
  kl: step,
  neg_elbo: 100,
  kl_per_dim: [step],
  beta: 1,
  ...more,
});
const codes = (...values) => ({ dtype: "f32", shape: [values.length / 2, 2], data: base64(Float32Array.from(values)) });
const frame = (step, ...values) => ({ step, codes: codes(...values), active: 1, strip: null });
const plane = { key: "codes", kind: "codes", origin: [0, 0], explained: null };
const answer = (change = {}) => ({
  token: "a",
  status: { state: "running" },
  history: { from: 0, records: [], kept: 0 },
  steps: [],
  snapshots: [],
  live: null,
  labels: null,
  heldOut: null,
  plane,
  more: false,
  ...change,
});

test("what is told to the server is what arrived", () => {
  const store = createStore();
  receive(
    store,
    answer({
      history: { from: 0, records: [record(1), record(2)], kept: 2 },
      steps: [0, 1],
      snapshots: [frame(1, 3, 4)],
    }),
    { other: { from: 0, records: [record(7)], kept: 1 } },
  );
  assert.deepEqual(seen(store), {
    token: "a",
    plane: "codes",
    records: 2,
    last: 2,
    steps: [1],
    live: -1,
    others: { other: [1, 7] },
  });
});

test("records go on where they stopped, are cut back, and never leave a gap", () => {
  const store = createStore();
  const steps = () => store.history.records.map(({ step }) => step);
  receive(store, answer({ history: { from: 0, records: [record(1), record(2)], kept: 2 } }), {});
  receive(store, answer({ history: { from: 2, records: [record(3)], kept: 3 } }), {});
  assert.deepEqual(steps(), [1, 2, 3]);
  receive(store, answer({ history: { from: 5, records: [record(9)], kept: 6 } }), {});
  assert.deepEqual(steps(), [1, 2, 3]);
  receive(store, answer({ history: { from: 1, records: [record(4)], kept: 2 } }), {});
  assert.deepEqual(steps(), [1, 4]);
});

test("the newest records of a long history are replaced, and a thinner one takes its place", () => {
  const store = createStore();
  const steps = () => store.history.records.map(({ step }) => step);
  receive(store, answer({ history: { from: 0, records: [record(1), record(3), record(4)], kept: 2 } }), {});
  assert.deepEqual([seen(store).records, seen(store).last], [2, 3]);
  receive(store, answer({ history: { from: 2, records: [record(5), record(6)], kept: 3 } }), {});
  assert.deepEqual(steps(), [1, 3, 5, 6]);
  receive(store, answer({ history: { from: 0, records: [record(1), record(5), record(7)], kept: 2 } }), {});
  assert.deepEqual(steps(), [1, 5, 7]);
});

test("another training, or another plane, takes the place of what was there", () => {
  const store = createStore();
  receive(
    store,
    answer({
      history: { from: 0, records: [record(1)], kept: 1 },
      steps: [0],
      snapshots: [frame(0, 1, 1)],
      live: frame(4, 2, 2),
    }),
    {},
  );
  receive(
    store,
    answer({ plane: { ...plane, key: "pca 4" }, history: { from: 1, records: [], kept: 1 }, steps: [0] }),
    {},
  );
  assert.equal(timeline(store).length, 0);
  assert.equal(store.history.records.length, 1);
  receive(store, answer({ token: "b" }), {});
  assert.equal(store.history.records.length, 0);
});

test("moments are in the order of training, the live one last and only if it is newer", () => {
  const store = createStore();
  receive(
    store,
    answer({ steps: [0, 8, 4], snapshots: [frame(8, 1, 1), frame(0, 1, 1), frame(4, 1, 1)], live: frame(6, 1, 1) }),
    {},
  );
  assert.deepEqual(
    timeline(store).map(({ step }) => step),
    [0, 4, 8],
  );
  receive(store, answer({ steps: [0, 4, 8], live: frame(9, 5, 6) }), {});
  assert.deepEqual(
    timeline(store).map(({ step }) => step),
    [0, 4, 8, 9],
  );
  assert.deepEqual([...timeline(store).at(-1).codes.codes], [5, 6]);
  receive(store, answer({ steps: [0, 4] }), {}); // cut back by a resume
  assert.deepEqual(
    timeline(store).map(({ step }) => step),
    [0, 4, 9],
  );
});

test("runs that are no longer laid over are forgotten", () => {
  const store = createStore();
  receive(store, answer(), {
    x: { from: 0, records: [record(1)], kept: 1 },
    y: { from: 0, records: [record(1)], kept: 1 },
  });
  receive(store, answer(), { y: { from: 1, records: [record(2)], kept: 2 } });
  assert.deepEqual(seen(store).others, { y: [2, 2] });
});

test("damaged data are refused", () => {
  assert.throws(() =>
    receive(
      createStore(),
      answer({ steps: [0], snapshots: [{ step: 0, codes: { ...codes(1, 2), shape: [9, 2] }, strip: null }] }),
      {},
    ),
  );
});

test("a line is one quantity of one split, without what is missing", () => {
  const records = [record(1), record(2, { split: "validation" }), record(3, { kl: null })];
  assert.deepEqual(lineOf(records, "train", "kl"), { x: [0.1], y: [1] });
  assert.deepEqual(lineOf(records, "train", "reconstruction"), { x: [0.1, 0.3], y: [99, 97] });
});

test("epochs begin at 0 and end with the last record", () => {
  assert.deepEqual(epochsOf([]), { from: 0, to: 1 });
  assert.deepEqual(
    epochsOf([
      { x: [0.5, 3], y: [1, 1] },
      { x: [2], y: [1] },
    ]),
    { from: 0, to: 3 },
  );
});

test("the fall of the very first steps does not flatten the rest", () => {
  const x = Array.from({ length: 101 }, (_, i) => i),
    y = x.map((i) => (i === 0 ? 500 : 100 + 20 * Math.exp(-i / 20)));
  const all = valuesOf([{ x, y }], { from: 0, to: 100 });
  assert.ok(all.to < 140 && all.from < 100 && all.to > 120, JSON.stringify(all));
  const few = valuesOf([{ x: [0, 1], y: [500, 100] }], { from: 0, to: 1 });
  assert.ok(few.to > 500);
});

test("the values of a zoomed range are those within it", () => {
  const line = { x: [0, 1, 2, 3], y: [100, 10, 9, 8] };
  const { from, to } = valuesOf([line], { from: 1.5, to: 3 });
  assert.ok(from < 8 && from > 7 && to > 9 && to < 10);
});

test("nearest in a rising list", () => {
  assert.deepEqual(
    [-5, 0.4, 0.6, 2.4, 99].map((x) => nearestIndex([0, 1, 2, 3], x)),
    [0, 0, 1, 2, 3],
  );
  assert.equal(nearestIndex([], 1), -1);
});

test("zooming keeps the point under the cursor and stays within the limits", () => {
  const limits = { from: 0, to: 10 };
  assert.deepEqual(zoomed({ from: 0, to: 10 }, 2, 5, limits), { from: 2.5, to: 7.5 });
  assert.deepEqual(zoomed({ from: 0, to: 5 }, 0.5, 0, limits), limits);
  const near = zoomed({ from: 0, to: 10 }, 4, 9, limits);
  assert.ok(Math.abs((9 - near.from) / (near.to - near.from) - 0.9) < 1e-9);
});

test("names stand on the map only where classes lie apart", () => {
  const cloud = (gap) => {
    const xs = [],
      ys = [],
      labels = [];
    for (let k = 0; k < 3; k++)
      for (let i = 0; i < 50; i++) {
        xs.push(gap * k + Math.cos(i));
        ys.push(Math.sin(i));
        labels.push(k);
      }
    const centres = [0, 1, 2].map((label) => ({ label, x: gap * label, y: 0 }));
    return { xs, ys, labels: Uint8Array.from(labels), centres };
  };
  assert.equal(liesApart(cloud(3)), true);
  assert.equal(liesApart(cloud(0.2)), false);
  assert.equal(liesApart({ ...cloud(3), labels: null }), false);
});

test("a time as a clock shows it", () => {
  assert.deepEqual([0.4, 75, 3599.6, 7325].map(clock), ["0:00", "1:15", "1:00:00", "2:02:05"]);
});
