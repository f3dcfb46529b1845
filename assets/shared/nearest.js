/** Find the point nearest to the pointer through a grid of cells. */

/**
 * @param {Float32Array} xs
 * @param {Float32Array} ys
 */
export function createNearest(xs, ys) {
  const n = xs.length;
  let left = Infinity,
    right = -Infinity,
    bottom = Infinity,
    top = -Infinity;
  for (let i = 0; i < n; i++) {
    left = Math.min(left, xs[i]);
    right = Math.max(right, xs[i]);
    bottom = Math.min(bottom, ys[i]);
    top = Math.max(top, ys[i]);
  }
  const across = Math.max(1, Math.round(Math.sqrt(n / 4)));
  const cell = Math.max(right - left, top - bottom, 1e-9) / across;
  const column = (/** @type {number} */ x) => Math.floor((x - left) / cell);
  const row = (/** @type {number} */ y) => Math.floor((y - bottom) / cell);
  const width = n ? column(right) + 1 : 0,
    height = n ? row(top) + 1 : 0;

  // `order` sorts the points by cell: those of cell c are order[starts[c] … starts[c + 1]).
  const starts = new Int32Array(width * height + 1),
    order = new Int32Array(n);
  for (let i = 0; i < n; i++) starts[row(ys[i]) * width + column(xs[i]) + 1]++;
  for (let c = 0; c < width * height; c++) starts[c + 1] += starts[c];
  const next = starts.slice();
  for (let i = 0; i < n; i++) order[next[row(ys[i]) * width + column(xs[i])]++] = i;

  /**
   * Return the index of the `allowed` point nearest to (x, y), or −1 if none is within the radius.
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {(i: number) => boolean} [allowed]
   */
  return function nearest(x, y, radius, allowed) {
    let best = -1,
      least = radius * radius;
    const x0 = Math.max(0, column(x - radius)),
      x1 = Math.min(width - 1, column(x + radius));
    const y0 = Math.max(0, row(y - radius)),
      y1 = Math.min(height - 1, row(y + radius));
    for (let r = y0; r <= y1; r++)
      for (let c = x0; c <= x1; c++)
        for (let k = starts[r * width + c]; k < starts[r * width + c + 1]; k++) {
          const i = order[k],
            distance = (xs[i] - x) ** 2 + (ys[i] - y) ** 2;
          if (distance <= least && (!allowed || allowed(i))) {
            least = distance;
            best = i;
          }
        }
    return best;
  };
}
