/** Compute the plane of the map: two latent dimensions, or the two main directions of the codes. */

/**
 * @typedef {{kind: "dims", dims: number[]}
 *   | {kind: "pca", mean: number[], axes: number[][], explained: number[]}} PlaneSpec
 * @typedef {{
 *   spec: PlaneSpec, flat: boolean, axes: number[][],
 *   x: (z: ArrayLike<number>, from?: number) => number, y: (z: ArrayLike<number>, from?: number) => number,
 *   place: (z: number[], x: number, y: number) => number[],
 * }} Plane
 *   x, y: return the coordinates of the code that starts at index `from`. place: move z to (x, y) in the plane, and
 *   keep its part outside the plane. flat: a code has one dimension only, and y is always 0.
 *
 * A Gaussian over codes has a full `covariance` (d × d), or the variances exp(logVar).
 * @typedef {{mean: number[], logVar: number[], covariance?: number[][]}} Gaussian
 */

/**
 * @param {PlaneSpec} spec
 * @param {number} d
 * @returns {Plane}
 */
export function createPlane(spec, d) {
  const flat = d === 1;
  const unit = (/** @type {number} */ k) => Array.from({ length: d }, (_, i) => (i === k ? 1 : 0));
  const pca = spec.kind === "pca";
  const axes = pca ? spec.axes : flat ? [unit(0), [0]] : spec.dims.map(unit);
  const mean = pca ? spec.mean : new Array(d).fill(0);
  const along = (/** @type {number[]} */ axis) => {
    const offset = axis.reduce((sum, a, i) => sum + a * mean[i], 0);
    return (/** @type {ArrayLike<number>} */ z, from = 0) => {
      let sum = -offset;
      for (let i = 0; i < d; i++) sum += axis[i] * z[from + i];
      return sum;
    };
  };
  const x = along(axes[0]),
    y = along(axes[1]);
  const place = (/** @type {number[]} */ z, /** @type {number} */ px, /** @type {number} */ py) => {
    const dx = px - x(z),
      dy = py - y(z);
    return z.map((v, i) => v + dx * axes[0][i] + dy * axes[1][i]);
  };
  return { spec, flat, axes, x, y, place };
}

/**
 * Return a Gaussian's mean and 2 × 2 covariance in the plane.
 * @param {Plane} plane
 * @param {Gaussian} gaussian
 * @returns {{x: number, y: number, xx: number, xy: number, yy: number}}
 */
export function inPlane(plane, { mean, logVar, covariance }) {
  const between = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
    a.reduce((sum, ai, i) => {
      if (!covariance) return sum + ai * b[i] * Math.exp(logVar[i]);
      return sum + ai * b.reduce((inner, bj, j) => inner + bj * covariance[i][j], 0);
    }, 0);
  const [u, v] = plane.axes;
  return { x: plane.x(mean), y: plane.y(mean), xx: between(u, u), xy: between(u, v), yy: between(v, v) };
}

/**
 * Return the ellipse at one standard deviation: its half axes and the angle of the first.
 * @param {{xx: number, xy: number, yy: number}} covariance
 */
export function ellipse({ xx, xy, yy }) {
  const middle = (xx + yy) / 2,
    spread = Math.hypot((xx - yy) / 2, xy);
  return {
    a: Math.sqrt(Math.max(0, middle + spread)),
    b: Math.sqrt(Math.max(0, middle - spread)),
    angle: Math.atan2(2 * xy, xx - yy) / 2,
  };
}
