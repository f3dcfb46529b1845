import assert from "node:assert/strict";
import { test } from "node:test";
import { createWords, number } from "../../assets/explorer/dom.js";
import { createModel } from "../../assets/explorer/model.js";
import { paint } from "../../assets/explorer/picture.js";
import { initialState, mainLabel, merge, mixture, oneHot } from "../../assets/explorer/state.js";
import { base64, close } from "./helpers.mjs";

const extent = { latentDim: 2, classes: 3, conditions: 0 };

test("a state from Python is taken over where it fits", () => {
  const state = initialState(extent);
  const next = merge(
    state,
    {
      z: [1, 2],
      weights: [0, 0.5, 0.5],
      mixing: true,
      path: [
        [0, 0],
        [1, 1],
      ],
      progress: 7,
    },
    extent,
  );
  assert.deepEqual(next, {
    z: [1, 2],
    mixing: true,
    weights: [0, 0.5, 0.5],
    condition: 0,
    path: [
      [0, 0],
      [1, 1],
    ],
    progress: 1,
  });
});

test("what does not fit is left as it was", () => {
  const state = initialState(extent);
  for (const change of [
    null,
    5,
    "x",
    { z: [1] },
    { z: [1, NaN] },
    { weights: [1, -1, 0] },
    { condition: 0 },
    { path: [[1]] },
    { path: {} },
  ])
    assert.deepEqual(merge(state, change, extent), state);
});

test("label weights", () => {
  assert.deepEqual(mixture([1, 3, 0]), [0.25, 0.75, 0]);
  assert.deepEqual(mixture([0, 0]), [0.5, 0.5]);
  assert.deepEqual(oneHot(1, 3), [0, 1, 0]);
  assert.equal(mainLabel([0.2, 0.9, 0.1]), 1);
});

test("words: gaps are filled, unknown keys are seen, a new language reaches every place", () => {
  const fake = () => ({
    attributes: {},
    setAttribute(name, value) {
      this.attributes[name] = value;
    },
  });
  const words = createWords({ a: { b: "at {x} and {y}" }, c: "hello" });
  assert.equal(words.say("a.b", { x: 1 }), "at 1 and {y}");
  assert.equal(words.say("a.none"), "a.none");
  const element = words.label(words.put(fake(), "c"), "a.b", { x: "<b>", y: 2 });
  assert.equal(element.textContent, "hello");
  words.change({ a: { b: "在 {x}、{y}" }, c: "你好" });
  assert.equal(element.textContent, "你好");
  assert.equal(element.attributes["aria-label"], "在 <b>、2");
});

test("numbers as they are read", () => {
  assert.equal(number(-1.239), "−1.24");
  assert.equal(number(-0.001), "0.00");
});

test("ink on paper in a light theme, light on black in a dark one, colours as they are", () => {
  const rgba = new Uint8ClampedArray(8);
  paint([0, 1], 1, false, rgba);
  assert.deepEqual([...rgba], [255, 255, 255, 255, 0, 0, 0, 255]);
  paint([0, 0.2], 1, true, rgba);
  assert.deepEqual([...rgba], [0, 0, 0, 255, 51, 51, 51, 255]);
  paint([0.2, 0.4, 0.6, 1, 0, 1], 3, false, rgba);
  assert.deepEqual([...rgba], [51, 102, 153, 255, 255, 0, 255, 255]);
});

const f32 = (shape, values) => ({ dtype: "f32", shape, data: base64(Float32Array.from(values)) });
const payload = () => ({
  id: "m",
  title: "M",
  family: "cvae",
  latentDim: 1,
  imageShape: [1, 1, 2],
  classes: ["a", "b"],
  decoderSees: "z,label",
  output: "image",
  prior: { kind: "standard", overall: { mean: [0], logVar: [0] }, parts: [] },
  codes: null,
  thumbnails: null,
  conditions: null,
  decoder: {
    trunk: [],
    head: [
      { op: "linear", in: 3, out: 2 },
      { op: "reshape", shape: [1, 1, 2] },
    ],
    weights: { "head.0.weight": f32([2, 3], [1, 2, 3, 4, 5, 6]), "head.0.bias": f32([2], [0, -1]) },
  },
});

test("a model decodes z with a label", () => {
  const logits = [1 * 0.5 + 2 * 0.25 + 3 * 0.75, 4 * 0.5 + 5 * 0.25 + 6 * 0.75 - 1];
  close(
    createModel(payload()).decode([0.5], [0.25, 0.75], 0),
    logits.map((v) => 1 / (1 + Math.exp(-v))),
  );
});

test("a model of labels answers with probabilities", () => {
  const model = payload();
  model.output = "label";
  model.decoder.head.pop();
  const [a, b] = createModel(model).decode([0.5], [1, 0], 0);
  assert.ok(Math.abs(a + b - 1) < 1e-6 && b > a);
});

test("a model that does not hold together is refused, and says why", () => {
  const broken = (change) => {
    const model = payload();
    change(model);
    return () => createModel(model);
  };
  assert.throws(
    broken((m) => delete m.decoder.weights["head.0.bias"]),
    { code: "tensor" },
  );
  assert.throws(
    broken((m) => (m.latentDim = 2)),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => (m.imageShape = [1, 2, 2])),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => (m.prior.overall.mean = [])),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => (m.decoder = null)),
    { code: "decoder" },
  );
  assert.throws(
    broken((m) => (m.decoder.head[0].op = "evil")),
    { code: "operation" },
  );
  assert.throws(
    broken((m) => (m.decoderSees = "z,condition")),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => delete m.classes),
    { code: "model" },
  );
});
