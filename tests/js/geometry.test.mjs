import assert from "node:assert/strict";
import { test } from "node:test";
import { createNearest } from "../../assets/shared/nearest.js";
import { along, pointName } from "../../assets/explorer/path.js";
import { createPlane, ellipse, inPlane } from "../../assets/shared/plane.js";
import { ticks } from "../../assets/shared/scale.js";
import { extentOf, fit, pan, toPixel, toPlane, union, zoom } from "../../assets/shared/view.js";
import { close, seeded } from "./helpers.mjs";

test("the nearest point is the one that a search of all finds", () => {
  const random = seeded(5);
  const xs = Float32Array.from({ length: 3000 }, () => random() * 4 - 2),
    ys = Float32Array.from({ length: 3000 }, () => random() ** 3);
  const nearest = createNearest(xs, ys);
  for (let trial = 0; trial < 300; trial++) {
    const x = random() * 6 - 3,
      y = random() * 3 - 1,
      radius = random();
    let best = -1,
      least = radius ** 2;
    for (let i = 0; i < xs.length; i++) {
      const distance = (xs[i] - x) ** 2 + (ys[i] - y) ** 2;
      if (i % 3 && distance <= least) [best, least] = [i, distance];
    }
    assert.equal(
      nearest(x, y, radius, (i) => i % 3 !== 0),
      best,
    );
  }
});

test("nearest of none, of one, of equal points", () => {
  assert.equal(createNearest(new Float32Array(), new Float32Array())(0, 0, 1), -1);
  const one = createNearest(Float32Array.of(2), Float32Array.of(3));
  assert.equal(one(2, 3.4, 0.5), 0);
  assert.equal(one(2, 3.6, 0.5), -1);
  assert.ok(createNearest(new Float32Array(5), new Float32Array(5))(0, 0, 1) >= 0);
});

test("plane and pixels, there and back", () => {
  const view = { x: 1, y: -2, extent: 8 };
  const pixel = toPixel(view, 400, 3, 0);
  assert.deepEqual(pixel, { x: 300, y: 100 });
  assert.deepEqual(toPlane(view, 400, pixel.x, pixel.y), { x: 3, y: 0 });
});

test("zoom keeps the point under the pointer; pan moves with it", () => {
  const view = { x: 1, y: -2, extent: 8 },
    before = toPlane(view, 400, 320, 50);
  const after = toPlane(zoom(view, 400, 3, 320, 50), 400, 320, 50);
  close([after.x, after.y], [before.x, before.y]);
  const moved = toPlane(pan(view, 400, 20, -30), 400, 340, 20);
  close([moved.x, moved.y], [before.x, before.y]);
  assert.ok(zoom(view, 400, 1e9, 0, 0).extent > 0);
});

test("fit holds the bounds; a bulk of points ignores one far away", () => {
  const bounds = union({ left: -1, right: 3, bottom: 0, top: 1 }, { left: 0, right: 2, bottom: -2, top: 0 });
  const view = fit(bounds);
  assert.ok(view.x - view.extent / 2 < -1 && view.x + view.extent / 2 > 3);
  const xs = Float32Array.from({ length: 1000 }, (_, i) => (i ? i / 1000 : 1e6));
  assert.ok(extentOf(xs, xs).right < 1);
});

test("round ticks", () => {
  assert.deepEqual(ticks(-3.2, 3.2, 6), [-2, 0, 2]);
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(-25, 25, 5), [-20, -10, 0, 10, 20]);
});

test("two dimensions of a code", () => {
  const plane = createPlane({ kind: "dims", dims: [2, 0] }, 3);
  assert.equal(plane.x([1, 2, 3]), 3);
  assert.equal(plane.y([9, 9, 9, 1, 2, 3], 3), 1);
  assert.deepEqual(plane.place([1, 2, 3], 30, 10), [10, 2, 30]);
});

test("a plane through the codes: what lies off it stays", () => {
  const s = Math.SQRT1_2;
  const plane = createPlane(
    {
      kind: "pca",
      mean: [1, 1, 1],
      axes: [
        [s, s, 0],
        [0, 0, 1],
      ],
      explained: [0.6, 0.3],
    },
    3,
  );
  const z = [2, -1, 0.5];
  const moved = plane.place(z, 4, -2);
  close([plane.x(moved), plane.y(moved)], [4, -2]);
  close([moved[0] - moved[1]], [z[0] - z[1]]);
  close(plane.place(moved, plane.x(z), plane.y(z)), z);
});

test("one dimension", () => {
  const plane = createPlane({ kind: "dims", dims: [0, 0] }, 1);
  assert.equal(plane.flat, true);
  assert.equal(plane.x([3]), 3);
  assert.deepEqual(plane.place([3], 5, 0), [5]);
});

test("a Gaussian in the plane", () => {
  const plane = createPlane({ kind: "dims", dims: [0, 1] }, 2);
  const diagonal = inPlane(plane, { mean: [1, 2], logVar: [Math.log(4), 0] });
  close([diagonal.x, diagonal.y, diagonal.xx, diagonal.xy, diagonal.yy], [1, 2, 4, 0, 1]);
  const full = inPlane(plane, {
    mean: [0, 0],
    logVar: [0, 0],
    covariance: [
      [2, 1],
      [1, 2],
    ],
  });
  const { a, b, angle } = ellipse(full);
  close([a, b, angle], [Math.sqrt(3), 1, Math.PI / 4]);
});

test("paths", () => {
  const [a, b, c] = [
    [0, 0],
    [2, 4],
    [2, 0],
  ];
  close(along([a, b, c], 0.25), [1, 2]);
  close(along([a, b, c], 0.75), [2, 2]);
  close(along([a, b, c], 1), c);
  close(along([a], 0.7), a);
  const middle = along(
    [
      [3, 0, 0],
      [0, 3, 0],
    ],
    0.5,
    "spherical",
  );
  close([Math.hypot(...middle)], [3]);
  close(
    along(
      [
        [1, 0],
        [3, 0],
      ],
      0.5,
      "spherical",
    ),
    [2, 0],
  );
  close(
    along(
      [
        [0, 0],
        [3, 0],
      ],
      0.5,
      "spherical",
    ),
    [1.5, 0],
  );
  assert.equal(pointName(2), "C");
});
