/**
 * Turn a photograph or a scan into ink: 1 where a pen wrote, 0 on the paper. Pure functions on grey pictures in [0, 1].
 */

const RIM = 0.04; // of the smaller side: the border that shows what the paper is
const CELL = 8; // the picture is divided into so many cells along a side, for the light on the paper
const CONTRAST = 0.1; // ink that differs less from the paper is none
const NOISE = 4; // paper may differ so many times its usual difference
const GRAIN = 0.05; // and at least so much: the traces of JPEG
const STEPS = 1024; // of lightness, for quantiles
const SPECK = 0.03; // a spot smaller than this share of the largest is dirt

/**
 * Return a picture with its background at 0: a bright one, by its border, is inverted.
 * @param {Float32Array} grey H × W
 * @param {number} width
 * @param {number} height
 */
export function onBlack(grey, width, height) {
  return median(border(grey, width, height)) > threshold(grey).at ? grey.map((v) => 1 - v) : grey.slice();
}

/**
 * Return the ink of a picture: whatever is not paper, of the lightness of the pen, without shadows, noise or specks.
 * @param {Float32Array} grey H × W
 * @param {number} width
 * @param {number} height
 * @returns {Float32Array}
 */
export function inkOf(grey, width, height) {
  const ink = onBlack(grey, width, height);
  const light = lightOn(ink, width, height);
  for (let i = 0; i < ink.length; i++) ink[i] = Math.max(0, ink[i] - light[i]) / Math.max(0.2, 1 - light[i]);
  const { at, gap } = threshold(ink);
  if (gap < CONTRAST) return ink.fill(0);
  const paper = ink.filter((v) => v <= at),
    pen = ink.filter((v) => v > at);
  const middle = median(paper);
  const noise = 1.4826 * median(paper.map((v) => Math.abs(v - middle))); // the deviation of a normal distribution
  const low = Math.min(at, middle + Math.max(GRAIN, NOISE * noise)),
    full = Math.max(low + GRAIN, quantile(pen, 0.7));
  for (let i = 0; i < ink.length; i++) ink[i] = Math.min(1, Math.max(0, (ink[i] - low) / (full - low)));
  return withoutSpecks(ink, width, height);
}

/**
 * Return the lightness of the paper at every pixel: the background is the darkest third of each cell with those around
 * it, so that a stroke does not count, and changes evenly between the middles of the cells.
 * @param {Float32Array} grey on black @param {number} width @param {number} height
 */
function lightOn(grey, width, height) {
  const cells = new Float32Array(CELL * CELL);
  for (let j = 0; j < CELL; j++)
    for (let i = 0; i < CELL; i++) {
      const left = Math.floor((Math.max(0, i - 1) * width) / CELL),
        right = Math.ceil((Math.min(CELL, i + 2) * width) / CELL);
      const top = Math.floor((Math.max(0, j - 1) * height) / CELL),
        bottom = Math.ceil((Math.min(CELL, j + 2) * height) / CELL);
      const near = [];
      for (let y = top; y < bottom; y += 2) for (let x = left; x < right; x += 2) near.push(grey[y * width + x]);
      cells[j * CELL + i] = quantile(Float32Array.from(near), 0.3);
    }
  const out = new Float32Array(grey.length);
  const place = (/** @type {number} */ p, /** @type {number} */ size) => {
    const at = Math.min(CELL - 1, Math.max(0, ((p + 0.5) * CELL) / size - 0.5));
    const first = Math.min(CELL - 2, Math.floor(at));
    return { first, share: at - first };
  };
  const columns = Array.from({ length: width }, (_, x) => place(x, width));
  for (let y = 0; y < height; y++) {
    const row = place(y, height);
    for (let x = 0; x < width; x++) {
      const { first, share } = columns[x],
        at = row.first * CELL + first;
      const upper = cells[at] * (1 - share) + cells[at + 1] * share,
        lower = cells[at + CELL] * (1 - share) + cells[at + CELL + 1] * share;
      out[y * width + x] = upper * (1 - row.share) + lower * row.share;
    }
  }
  return out;
}

/**
 * Return Otsu's threshold: the value that parts the pixels into two groups which differ most, and how far their means
 * are apart.
 * @param {Float32Array} grey
 */
export function threshold(grey) {
  const bins = 256,
    counts = new Float64Array(bins);
  for (const v of grey) counts[Math.min(bins - 1, Math.floor(v * bins))]++;
  let total = 0;
  for (let b = 0; b < bins; b++) total += b * counts[b];
  let below = 0,
    sum = 0,
    best = -1,
    first = 0,
    last = 0,
    gap = 0;
  for (let b = 0; b < bins - 1; b++) {
    below += counts[b];
    sum += b * counts[b];
    const above = grey.length - below;
    if (!below || !above) continue;
    const apart = (total - sum) / above - sum / below;
    const between = below * above * apart * apart;
    if (between > best * (1 + 1e-9)) {
      best = between;
      first = b;
      gap = apart / bins;
    }
    if (between >= best * (1 - 1e-9)) last = b; // a gap without pixels is parted in its middle
  }
  return { at: (first + last + 2) / 2 / bins, gap };
}

/**
 * Erase spots that are small beside the largest one.
 * @param {Float32Array} ink changed @param {number} width @param {number} height
 */
function withoutSpecks(ink, width, height) {
  const spot = new Int32Array(ink.length); // its number from 1 on; 0: none yet
  /** @type {number[]} */
  const sizes = [0];
  const waiting = new Int32Array(ink.length);
  for (let start = 0; start < ink.length; start++) {
    if (!ink[start] || spot[start]) continue;
    const number = sizes.length;
    let size = 0,
      count = 1;
    waiting[0] = start;
    spot[start] = number;
    while (count) {
      const at = waiting[--count];
      size += ink[at];
      const x = at % width,
        y = (at - x) / width;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const next = v * width + u;
          if (!ink[next] || spot[next]) continue;
          spot[next] = number;
          waiting[count++] = next;
        }
    }
    sizes.push(size);
  }
  const least = SPECK * sizes.reduce((a, b) => Math.max(a, b), 0);
  for (let i = 0; i < ink.length; i++) if (sizes[spot[i]] < least) ink[i] = 0;
  return ink;
}

/** @param {Float32Array} grey @param {number} width @param {number} height */
function border(grey, width, height) {
  const rim = Math.max(1, Math.round(RIM * Math.min(width, height)));
  return grey.filter((_, i) => {
    const x = i % width,
      y = (i - x) / width;
    return x < rim || y < rim || x >= width - rim || y >= height - rim;
  });
}

/**
 * Return the value below which a share of the values lies, exact to a step of 1/STEPS: counting is faster than sorting.
 * @param {Float32Array} values in [0, 1] @param {number} share 0 … 1
 */
function quantile(values, share) {
  const counts = new Uint32Array(STEPS + 1);
  for (const v of values) counts[Math.floor(v * STEPS)]++;
  let left = Math.round(share * (values.length - 1));
  for (let step = 0; step <= STEPS; step++) if ((left -= counts[step]) < 0) return step / STEPS;
  return 0;
}

/** @param {Float32Array} values */
const median = (values) => quantile(values, 0.5);
