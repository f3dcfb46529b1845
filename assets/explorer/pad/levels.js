/**
 * Turn a photograph or a scan into ink: 1 where a pen wrote, 0 on the paper. Pure functions on grey pictures in [0, 1].
 */

const RIM = 0.04; // of the smaller side: the border that shows what the paper is
const CELL = 8; // the picture is divided into so many cells along a side, for the light on the paper
const CONTRAST = 0.1; // ink that differs less from the paper is none
const NOISE = 4; // paper may differ so many times its usual difference
const GRAIN = 0.05; // and at least so much: the traces of JPEG
const STEPS = 1024; // of lightness: pixels are counted, which is faster than sorting them
const FAINT = 0.6; // what differs less than this share of the threshold is printed on the paper: lines and squares
const SMALL = 64; // pixels of a side of a picture that was made for a model: it is no photograph, and each pixel counts
const ENOUGH = 100; // pixels counted along a side
const SPECK = 0.03; // a spot smaller than this share of the largest is dirt

/**
 * Return a picture with its background at 0: a bright one, by its border, is inverted.
 * @param {Float32Array} grey H × W
 * @param {number} width
 * @param {number} height
 */
export function onBlack(grey, width, height) {
  const rim = Math.max(1, Math.round(RIM * Math.min(width, height))),
    stride = strideOf(width, height);
  const all = new Uint32Array(STEPS + 1),
    border = new Uint32Array(STEPS + 1);
  for (let y = 0; y < height; y += stride)
    for (let x = 0; x < width; x += stride) {
      const step = Math.floor(grey[y * width + x] * STEPS);
      all[step]++;
      if (x < rim || y < rim || x >= width - rim || y >= height - rim) border[step]++;
    }
  const out = grey.slice();
  if (quantile(border, 0.5) > threshold(all).at) for (let i = 0; i < out.length; i++) out[i] = 1 - out[i];
  return out;
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
  const small = Math.max(width, height) <= SMALL;
  if (!small) takeLight(ink, width, height);
  const counts = new Uint32Array(STEPS + 1);
  const stride = strideOf(width, height);
  for (let y = 0; y < height; y += stride)
    for (let x = 0; x < width; x += stride) counts[Math.floor(ink[y * width + x] * STEPS)]++;
  const { at, gap } = threshold(counts);
  if (gap < CONTRAST) return ink.fill(0);
  if (small) return ink;
  const last = Math.floor(at * STEPS);
  const paper = counts.slice(0, last + 1),
    pen = counts.slice(last + 1);
  const middle = quantile(paper, 0.5);
  const apart = new Uint32Array(STEPS + 1); // how far from the middle
  paper.forEach((count, step) => (apart[Math.abs(step - Math.round(middle * STEPS))] += count));
  const noise = 1.4826 * quantile(apart, 0.5); // the deviation of a normal distribution
  const low = Math.min(at, Math.max(FAINT * at, middle + Math.max(GRAIN, NOISE * noise))),
    full = Math.max(low + GRAIN, (last + 1) / STEPS + quantile(pen, 0.7));
  for (let i = 0; i < ink.length; i++) ink[i] = Math.min(1, Math.max(0, (ink[i] - low) / (full - low)));
  return withoutSpecks(ink, width, height);
}

/**
 * Take the lightness of the paper from every pixel. In each cell with those around it, a third of the pixels is darker
 * than it, so that a stroke does not count; between the middles of the cells it changes evenly.
 * @param {Float32Array} grey on black, changed @param {number} width @param {number} height
 */
function takeLight(grey, width, height) {
  const counts = Array.from({ length: CELL * CELL }, () => new Uint32Array(STEPS + 1));
  const stride = strideOf(width, height);
  for (let y = 0; y < height; y += stride) {
    const row = Math.floor((y * CELL) / height) * CELL;
    for (let x = 0; x < width; x += stride)
      counts[row + Math.floor((x * CELL) / width)][Math.floor(grey[y * width + x] * STEPS)]++;
  }
  const cells = new Float32Array(CELL * CELL);
  const near = new Uint32Array(STEPS + 1);
  for (let j = 0; j < CELL; j++)
    for (let i = 0; i < CELL; i++) {
      near.fill(0);
      for (let v = Math.max(0, j - 1); v <= Math.min(CELL - 1, j + 1); v++)
        for (let u = Math.max(0, i - 1); u <= Math.min(CELL - 1, i + 1); u++) {
          const cell = counts[v * CELL + u];
          for (let step = 0; step <= STEPS; step++) near[step] += cell[step];
        }
      cells[j * CELL + i] = quantile(near, 0.33);
    }
  const columns = places(width),
    rows = places(height);
  for (let y = 0; y < height; y++) {
    const down = rows.share[y];
    for (let x = 0; x < width; x++) {
      const share = columns.share[x],
        at = rows.first[y] * CELL + columns.first[x];
      const upper = cells[at] * (1 - share) + cells[at + 1] * share,
        lower = cells[at + CELL] * (1 - share) + cells[at + CELL + 1] * share;
      const light = upper * (1 - down) + lower * down,
        i = y * width + x;
      grey[i] = Math.min(1, Math.max(0, grey[i] - light) / Math.max(0.2, 1 - light));
    }
  }
}

/** Return the step from one counted pixel to the next: of a large picture some are enough. @param {number} width @param {number} height */
const strideOf = (width, height) => Math.max(1, Math.round(Math.max(width, height) / ENOUGH));

/**
 * Return between the middles of which two cells each pixel of a line lies, and how far it is from the first to the next.
 * @param {number} size of the line
 */
function places(size) {
  const first = new Uint8Array(size),
    share = new Float32Array(size);
  for (let p = 0; p < size; p++) {
    const at = Math.min(CELL - 1, Math.max(0, ((p + 0.5) * CELL) / size - 0.5));
    first[p] = Math.min(CELL - 2, Math.floor(at));
    share[p] = at - first[p];
  }
  return { first, share };
}

/**
 * Return Otsu's threshold: the lightness that parts the pixels into two groups which differ most, and how far their
 * means are apart.
 * @param {Uint32Array} counts of pixels by lightness
 */
export function threshold(counts) {
  let pixels = 0,
    total = 0;
  counts.forEach((count, step) => ((pixels += count), (total += step * count)));
  let below = 0,
    sum = 0,
    best = 0,
    first = 0,
    last = 0,
    gap = 0;
  for (let step = 0; step < counts.length - 1; step++) {
    below += counts[step];
    sum += step * counts[step];
    const above = pixels - below;
    if (!below || !above) continue;
    const apart = (total - sum) / above - sum / below;
    const between = below * above * apart * apart;
    if (between > best * (1 + 1e-9)) {
      best = between;
      first = step;
      gap = apart / STEPS;
    }
    if (between >= best * (1 - 1e-9)) last = step; // where there are no pixels, it parts in the middle
  }
  return { at: (first + last + 2) / 2 / STEPS, gap };
}

/**
 * Return the lightness below which a share of the pixels lies.
 * @param {Uint32Array} counts of pixels by lightness
 * @param {number} share 0 … 1
 */
function quantile(counts, share) {
  let left = Math.round(share * (counts.reduce((a, b) => a + b, 0) - 1));
  for (let step = 0; step < counts.length; step++) if ((left -= counts[step]) < 0) return step / STEPS;
  return 0;
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
