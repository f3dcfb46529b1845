/** Tell by the first bytes of a file which picture it is and how large. Nothing else of the file is trusted. */

/** @typedef {"png" | "jpeg" | "gif" | "bmp" | "webp"} Format */

export const HEADER = 1 << 20; // bytes of a file that are read for this: before its size a JPEG may hold much else

/**
 * Return the format and the size in pixels; null for a file of another kind, or one that ends too early.
 * @param {Uint8Array} bytes the beginning of the file
 * @returns {{format: Format, width: number, height: number} | null}
 */
export function readHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (/** @type {number} */ from, /** @type {number} */ count) =>
    String.fromCharCode(...bytes.subarray(from, from + count));
  try {
    const [format, width, height] = sizeOf(view, text);
    return width > 0 && height > 0 ? { format, width, height } : null;
  } catch (problem) {
    if (problem instanceof RangeError) return null; // the file ends within its header
    throw problem;
  }
}

/**
 * @param {DataView} view
 * @param {(from: number, count: number) => string} text
 * @returns {[Format, number, number]}
 */
function sizeOf(view, text) {
  if (text(0, 8) === "\x89PNG\r\n\x1a\n") return ["png", view.getUint32(16), view.getUint32(20)];
  if (/^GIF8[79]a/.test(text(0, 6))) return ["gif", view.getUint16(6, true), view.getUint16(8, true)];
  if (text(0, 2) === "BM" && view.getUint32(14, true) >= 40)
    return ["bmp", Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
  if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return ["webp", ...webpSize(view, text(12, 4))];
  if (text(0, 3) === "\xff\xd8\xff") return ["jpeg", ...jpegSize(view)];
  throw new RangeError("no picture");
}

/** @param {DataView} view @param {string} chunk @returns {[number, number]} */
function webpSize(view, chunk) {
  if (chunk === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  if (chunk === "VP8L") {
    const bits = view.getUint32(21, true);
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  }
  if (chunk !== "VP8X") throw new RangeError("no picture");
  const three = (/** @type {number} */ at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  return [three(24) + 1, three(27) + 1];
}

/** Look for the segment that starts a frame. @param {DataView} view @returns {[number, number]} */
function jpegSize(view) {
  let at = 2;
  for (;;) {
    if (view.getUint8(at) !== 0xff) throw new RangeError("no segment");
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // a byte that fills up
    } else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    } else {
      at += 2 + Math.max(2, view.getUint16(at + 2));
    }
  }
}
