import assert from "node:assert/strict";
import { test } from "node:test";
import { fitTo, inkBox, isBlank, sample } from "../../assets/explorer/pad/fit.js";
import { readHeader } from "../../assets/explorer/pad/formats.js";
import { inkOf, onBlack, threshold } from "../../assets/explorer/pad/levels.js";
import { BLANK, createSheet } from "../../assets/explorer/pad/sheet.js";
import { load, save } from "../../assets/explorer/pad/store.js";
import { createInk, ERASER, layInk, PEN, SIDE } from "../../assets/explorer/pad/strokes.js";
import { close, seeded } from "./helpers.mjs";

const random = seeded(7);
const MNIST = { imageShape: [1, 28, 28], fit: "mnist", classes: ["0", "1", "2"] };

function scribble(count, erase = false, width = PEN) {
  return { points: Array.from({ length: 2 * count }, () => random() * 1.2 - 0.1), width, erase };
}

// --- strokes ---------------------------------------------------------------------------------------------------------

/** Ink by its definition: each pixel by its distance from each segment of each stroke, on a picture. */
function inkByDefinition(strokes, side, under) {
  return Float32Array.from({ length: side * side }, (_, at) => {
    const x = (at % side) + 0.5,
      y = Math.floor(at / side) + 0.5;
    let ink = under ? under[at] : 0;
    for (const { points, width, erase } of strokes) {
      let cover = 0;
      for (let i = 0; i < points.length; i += 2) {
        const [ax, ay] = [points[Math.max(0, i - 2)] * side, points[Math.max(0, i - 2) + 1] * side];
        const [bx, by] = [points[i] * side, points[i + 1] * side];
        const square = (bx - ax) ** 2 + (by - ay) ** 2;
        const t = square ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square)) : 0;
        const distance = Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
        cover = Math.max(cover, Math.min(1, Math.max(0, (width / 2) * side + 0.5 - distance)));
      }
      ink = erase ? Math.min(ink, 1 - cover) : Math.max(ink, cover);
    }
    return ink;
  });
}

test("ink is what the distance from the strokes says, on paper and on a picture", () => {
  const side = 40,
    strokes = [scribble(6), scribble(1), scribble(4, true, ERASER), scribble(3, false, 0.02), scribble(2, true)];
  const ink = createInk(side);
  strokes.forEach(ink.add);
  const under = Float32Array.from({ length: side * side }, random);
  const out = new Float32Array(side * side);
  for (const below of [null, under]) {
    layInk(ink, below, out);
    close(out, inkByDefinition(strokes, side, below), 1e-4);
  }
});

test("a stroke drawn point by point is the whole stroke, and only its box changes", () => {
  const whole = createInk(60),
    grown = createInk(60);
  for (const stroke of [scribble(20), scribble(8, true)]) {
    whole.add(stroke);
    const points = [];
    for (let i = 0; i < stroke.points.length; i += 2) {
      const before = grown.low.slice();
      points.push(stroke.points[i], stroke.points[i + 1]);
      const { x, y, width, height } = grown.extend({ ...stroke, points });
      before.forEach((v, at) => {
        const inside = at % 60 >= x && at % 60 < x + width && at >= 60 * y && at < 60 * (y + height);
        assert.ok(inside || grown.low[at] === v);
      });
    }
    assert.deepEqual(grown.low, whole.low);
    assert.deepEqual(grown.high, whole.high);
  }
});

// --- the rules -------------------------------------------------------------------------------------------------------

const raster = (width, height, value, channels = 1) => ({
  width,
  height,
  channels,
  data: Float32Array.from({ length: width * height * channels }, value),
});

test("averages over areas are those of a finer grid", () => {
  const source = raster(9, 7, random);
  const [x0, y0, sx, sy, width, height, fine] = [-1.25, 0.5, 2.25, 1.75, 5, 4, 4]; // quarters of pixels
  const found = sample(source, x0, y0, sx, sy, width, height);
  const expected = [];
  for (let j = 0; j < height; j++)
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let v = 0; v < sy * fine; v++)
        for (let u = 0; u < sx * fine; u++) {
          const x = Math.floor(x0 + i * sx + (u + 0.5) / fine),
            y = Math.floor(y0 + j * sy + (v + 0.5) / fine);
          sum += x >= 0 && y >= 0 && x < 9 && y < 7 ? source.data[y * 9 + x] : 0;
        }
      expected.push(sum / (sx * sy * fine * fine));
    }
  close(found, expected, 1e-5);
});

/** A picture of few pixels, each an even area of a larger one. */
function enlarged(pixels, side, times) {
  return raster(side * times, side * times, (_, at) => {
    const x = at % (side * times),
      y = Math.floor(at / (side * times));
    return pixels[Math.floor(y / times) * side + Math.floor(x / times)];
  });
}

test("MNIST: the box of the ink in 20 × 20, its mass in the middle", () => {
  for (const [w, h] of [
    [20, 13],
    [9, 20],
    [20, 20],
  ]) {
    // prettier-ignore
    const pixels = new Float32Array(28 * 28);
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) pixels[(y + 2) * 28 + x + 5] = 0.1 + 0.9 * random();
    const { pixels: found, blank } = fitTo(enlarged(pixels, 28, 10), "mnist", [1, 28, 28]);
    assert.equal(blank, false);
    let mass = 0,
      mx = 0,
      my = 0;
    found.forEach((v, at) => ((mass += v), (mx += v * (at % 28)), (my += v * Math.floor(at / 28))));
    assert.ok(Math.abs(mx / mass - 14) <= 0.5 && Math.abs(my / mass - 14) <= 0.5);
    const moved = inkBox({ width: 28, height: 28, channels: 1, data: found });
    assert.deepEqual([moved.width, moved.height], [w, h]);
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        assert.ok(Math.abs(found[(y + moved.y) * 28 + x + moved.x] - pixels[(y + 2) * 28 + x + 5]) < 1e-5);
  }
});

test("MNIST: where and how large something was drawn does not matter", () => {
  const strokes = [[0.25, 0.2, 0.6, 0.25, 0.3, 0.7, 0.68, 0.72]];
  const fits = [1, 0.5].map((scale) => {
    const ink = createInk();
    for (const points of strokes)
      ink.add({ points: points.map((v) => v * scale + (1 - scale) / 3), width: PEN * scale, erase: false });
    return fitTo({ width: SIDE, height: SIDE, channels: 1, data: ink.low }, "mnist", [1, 28, 28]).pixels;
  });
  const difference = fits[0].reduce((sum, v, i) => sum + Math.abs(v - fits[1][i]), 0) / 784;
  assert.ok(difference < 0.01, `${difference}`);
});

test("digits: ink is counted in blocks, 0 … 16, over the full height", () => {
  const pixels = Float32Array.from({ length: 64 }, (_, at) =>
    at % 8 > 0 && at % 8 < 7 ? Math.max(1, Math.round(16 * random())) / 16 : 0,
  );
  close(fitTo(enlarged(pixels, 8, 35), "digits", [1, 8, 8]).pixels, pixels);
  const ink = createInk();
  ink.add({ points: [0.4, 0.3, 0.5, 0.5], width: PEN, erase: false });
  const small = fitTo({ width: SIDE, height: SIDE, channels: 1, data: ink.low }, "digits", [1, 8, 8]).pixels;
  assert.ok(small.every((v) => v >= 0 && v <= 1 && Number.isInteger(16 * v)));
  assert.ok(small.slice(0, 8).some(Boolean) && small.slice(56).some(Boolean));
});

test("plain: the whole picture, with its proportions, on paper", () => {
  const grey = fitTo(raster(40, 20, () => 0.5), "plain", [1, 10, 10]); // prettier-ignore
  grey.pixels.forEach((v, at) => assert.ok(Math.abs(v - (at >= 25 && at < 75 ? 0.5 : 0)) < 0.26));
  close([grey.pixels[0], grey.pixels[45], grey.pixels[99]], [0, 0.5, 0]);
  const colour = fitTo(raster(40, 20, (_, i) => (i % 3) / 4, 3), "plain", [3, 10, 10]); // prettier-ignore
  close(colour.pixels.slice(0, 3), [1, 1, 1]);
  close(colour.pixels.slice(3 * 45, 3 * 46), [0, 0.25, 0.5]);
  assert.throws(() =>
    fitTo(
      raster(4, 4, () => 0),
      "plain",
      [3, 8, 8],
    ),
  );
});

test("a blank picture gives a blank input, and says so", () => {
  for (const [fit, shape] of [
    ["mnist", [1, 28, 28]],
    ["digits", [1, 8, 8]],
    ["plain", [1, 9, 13]],
  ]) {
    // prettier-ignore
    const { pixels, blank } = fitTo(raster(SIDE, SIDE, () => 0), fit, shape); // prettier-ignore
    assert.ok(blank && pixels.every((v) => v === 0));
    assert.equal(pixels.length, shape[1] * shape[2]);
  }
  const { pixels, blank } = fitTo(raster(SIDE, SIDE, () => 1, 3), "plain", [3, 8, 8]); // prettier-ignore
  assert.ok(blank && pixels.every((v) => Math.abs(v - 1) < 1e-5));
  assert.ok(isBlank(raster(5, 5, () => 0)) && !isBlank(raster(5, 5, (_, i) => Number(i === 24))));
});

// --- photographs -----------------------------------------------------------------------------------------------------

test("a photographed digit becomes ink: not the shadow, the squares, the noise or the dirt", () => {
  const ink = createInk();
  ink.add({ points: [0.35, 0.2, 0.6, 0.25, 0.4, 0.5, 0.65, 0.75, 0.35, 0.8], width: 0.06, erase: false });
  const photograph = Float32Array.from(ink.low, (v, at) => {
    const x = (at % SIDE) / SIDE,
      y = Math.floor(at / SIDE) / SIDE;
    const speck = Math.hypot(x - 0.1, y - 0.9) < 0.012 ? 0.6 : 0;
    const light = 0.9 - 0.4 * x - 0.15 * y;
    const squares = at % 20 < 1 || Math.floor(at / SIDE) % 20 < 1 ? 0.15 : 0;
    return light * (1 - 0.75 * Math.max(v, speck, squares)) + 0.03 * (random() - 0.5);
  });
  const found = inkOf(photograph, SIDE, SIDE);
  let wrong = 0;
  found.forEach((v, at) => (wrong += Math.abs(v - ink.low[at])));
  assert.ok(wrong / found.length < 0.01, `${wrong / found.length}`);
  const box = inkBox({ width: SIDE, height: SIDE, channels: 1, data: found });
  const real = inkBox({ width: SIDE, height: SIDE, channels: 1, data: ink.low });
  for (const side of ["x", "y", "width", "height"]) assert.ok(Math.abs(box[side] - real[side]) <= 3, side);
});

test("the border decides what is paper; plain paper has no ink", () => {
  const dark = Float32Array.from({ length: 400 }, (_, at) => Number(at === 210 || at === 211));
  const light = dark.map((v) => 1 - v);
  assert.deepEqual(onBlack(dark, 20, 20), dark);
  assert.deepEqual(onBlack(light, 20, 20), dark);
  close(inkOf(dark, 20, 20), dark);
  close(inkOf(light, 20, 20), dark);
  for (const grey of [0, 0.3, 1]) assert.ok(inkOf(new Float32Array(400).fill(grey), 20, 20).every((v) => v === 0));
  const noisy = Float32Array.from({ length: 400 }, () => 0.7 + 0.04 * random());
  assert.ok(inkOf(noisy, 20, 20).every((v) => v === 0));
  const counts = new Uint32Array(1025);
  counts[100] = 5;
  counts[300] = 2;
  const { at, gap } = threshold(counts);
  close([at * 1024, gap * 1024], [201, 200], 1);
});

// --- the sheet -------------------------------------------------------------------------------------------------------

test("what is drawn, undone and cleared", () => {
  const sheet = createSheet();
  const { picture } = sheet;
  assert.ok(picture.blank && !sheet.undoable && picture.source === "drawn");
  const pen = { width: PEN, erase: false };
  sheet.begin(pen, 0.5, 0.2);
  sheet.extend(0.5, 0.8);
  const one = picture.pixelsFor(MNIST);
  assert.equal(picture.pixelsFor(MNIST), one); // until the picture changes
  assert.ok(!picture.blank && one.some((v) => v > 0.9));
  const version = picture.version;
  sheet.begin({ width: ERASER, erase: true }, 0.5, 0.2);
  sheet.extend(0.5, 0.8);
  assert.ok(picture.blank && picture.version > version);
  sheet.undo();
  assert.deepEqual(picture.pixelsFor(MNIST), one);
  sheet.put({ ...BLANK, source: "example", label: "2" });
  assert.equal(picture.labelFor(MNIST), 2);
  assert.equal(picture.labelFor({ ...MNIST, classes: [] }), null);
  sheet.begin(pen, 0.1, 0.1);
  assert.equal(picture.label, null);
  for (let i = 0; i < 9; i++) sheet.undo();
  assert.ok(picture.blank && !sheet.undoable);
});

test("a held-out picture passes untouched, until it is drawn on", () => {
  const bytes = Uint8Array.from({ length: 784 }, (_, at) => (at % 28 > 10 && at % 28 < 17 ? 255 * random() : 0));
  const base = { width: 28, height: 28, channels: 1, bytes, file: false };
  const sheet = createSheet({ source: "held-out", label: "1", strokes: [], base });
  const exact = Float32Array.from(bytes, (v) => v / 255);
  assert.deepEqual(sheet.picture.pixelsFor(MNIST), exact);
  assert.equal(sheet.picture.pixelsFor({ ...MNIST, imageShape: [1, 8, 8], fit: "digits" }).length, 64);
  const large = sheet.raster("ink").data;
  for (let at = 0; at < large.length; at += 97)
    assert.ok(Math.abs(large[at] - exact[28 * Math.floor(at / SIDE / 10) + Math.floor((at % SIDE) / 10)]) < 1e-6);
  sheet.begin({ width: PEN, erase: false }, 0.1, 0.1);
  assert.notDeepEqual(sheet.picture.pixelsFor(MNIST), exact);
  assert.equal(sheet.picture.source, "drawn");
});

test("a colour model sees a file in its colours, with strokes in black", () => {
  const bytes = Uint8Array.from({ length: 3 * 16 }, (_, i) => [200, 100, 0][i % 3]);
  const base = { width: 4, height: 4, channels: 3, bytes, file: true };
  const sheet = createSheet({ source: "upload", label: null, strokes: [], base });
  const model = { imageShape: [3, 8, 8], fit: "plain", classes: [] };
  close(sheet.picture.pixelsFor(model).slice(0, 3), [200 / 255, 100 / 255, 0]);
  sheet.begin({ width: 1, erase: false }, 0.5, 0.5);
  close(sheet.picture.pixelsFor(model).slice(3 * 27, 3 * 28), [0, 0, 0]);
});

// --- the store -------------------------------------------------------------------------------------------------------

function memory(text = null) {
  return { text, getItem: () => text, setItem: (_, value) => void (text = value), read: () => text };
}

test("what is stored comes back", () => {
  const bytes = Uint8Array.from({ length: 3 * 70_000 }, () => 256 * random());
  for (const base of [null, { width: 250, height: 280, channels: 3, bytes, file: true }]) {
    const content = { source: "drawn", label: "7", strokes: [scribble(5), scribble(2, true)], base };
    const store = memory();
    assert.ok(save(store, content));
    assert.deepEqual(load(store), content);
  }
});

test("storage that is full, forbidden or damaged is survived", () => {
  const forbidden = {
    getItem() {
      throw new Error("forbidden");
    },
    setItem() {
      throw new Error("full");
    },
  };
  assert.equal(save(forbidden, BLANK), false);
  assert.equal(load(forbidden), null);
  assert.equal(save(null, BLANK), false);
  assert.equal(load(null), null);
  const store = memory();
  save(store, { ...BLANK, strokes: [scribble(3)] });
  const good = JSON.parse(store.read());
  const stroke = good.strokes[0];
  const base = { width: 2, height: 2, channels: 1, bytes: "AAAAAA==", file: false };
  assert.ok(load(memory(JSON.stringify({ ...good, base }))));
  for (const damage of [
    { version: 2 },
    { source: "elsewhere" },
    { label: { a: 1 } },
    { label: "x".repeat(5000) },
    { strokes: "none" },
    { strokes: [null] },
    { strokes: [{ ...stroke, points: [1, 2, 3] }] },
    { strokes: [{ ...stroke, points: [] }] },
    { strokes: [{ ...stroke, points: [1e300, 0] }] },
    { strokes: [{ ...stroke, points: ["<img onerror=alert(1)>", 0] }] },
    { strokes: [{ ...stroke, width: -1 }] },
    { strokes: [{ ...stroke, erase: "yes" }] },
    { strokes: Array(5000).fill(stroke) },
    { strokes: [{ ...stroke, points: Array(200_000).fill(0.5) }] },
    { base: 7 },
    { base: { ...base, width: 3 } },
    { base: { ...base, width: 1e9, height: 1e9 } },
    { base: { ...base, channels: 2 } },
    { base: { ...base, bytes: "%%%" } },
    { base: { ...base, bytes: null } },
    { base: { ...base, file: 1 } },
  ])
    assert.equal(load(memory(JSON.stringify({ ...good, ...damage }))), null, JSON.stringify(damage).slice(0, 80));
  for (const text of ["", "{", "null", "7", "[]", '"x"', '{"__proto__":{}}', "x".repeat(3_000_000)])
    assert.equal(load(memory(text)), null);
});

// --- files -----------------------------------------------------------------------------------------------------------

const bytesOf = (...parts) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));

test("the size of a picture stands in its first bytes", () => {
  const png = bytesOf("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, 1, 2, 0, 0, 3, 4, 8, 6]);
  const jpeg = bytesOf([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc2, 0, 17, 8, 0, 5, 1, 0, 3]);
  const gif = bytesOf("GIF89a", [7, 1, 2, 0]);
  const bmp = bytesOf("BM", Array(12).fill(0), [40, 0, 0, 0], [9, 0, 0, 0], [0xf6, 0xff, 0xff, 0xff]);
  const webp = bytesOf("RIFF", [0, 0, 0, 0], "WEBPVP8X", [10, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0], [2, 0, 1]);
  const lossless = bytesOf("RIFF", [0, 0, 0, 0], "WEBPVP8L", [9, 0, 0, 0, 0x2f], [0x09, 0x40, 0x00, 0x00]);
  const lossy = bytesOf("RIFF", [0, 0, 0, 0], "WEBPVP8 ", Array(10).fill(0), [5, 0, 6, 0]);
  const known = { png: [258, 772], jpeg: [256, 5], gif: [263, 2], bmp: [9, 10] };
  const found = [png, jpeg, gif, bmp].map(readHeader);
  assert.deepEqual(Object.fromEntries(found.map(({ format, width, height }) => [format, [width, height]])), known);
  const sizes = [webp, lossless, lossy].map(readHeader).map(({ width, height }) => [width, height]);
  assert.deepEqual(sizes, [[258, 65539], [10, 2], [5, 6]]); // prettier-ignore
  for (const whole of [png, jpeg, gif, bmp, webp, lossless, lossy])
    for (let end = 0; end < 10; end++) assert.equal(readHeader(whole.subarray(0, end)), null);
});

test("a file of another kind is none, whatever its name", () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  for (const text of [
    "",
    "hello",
    svg,
    "<?xml version='1.0'?>" + svg,
    "%PDF-1.7",
    "\x00\x00\x00 ftypavif",
    "GIF90a1234",
  ])
    assert.equal(readHeader(bytesOf(text)), null, text.slice(0, 20));
  assert.equal(readHeader(bytesOf("\x89PNG\r\n\x1a\n", Array(20).fill(0))), null); // without a size
  assert.equal(readHeader(bytesOf([0xff, 0xd8, 0xff, 0xe0, 0, 0], Array(50).fill(0))), null);
});
