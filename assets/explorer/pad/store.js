/**
 * Keep the picture of the pad in the tab's session, so that it outlives pages, reloads, languages and themes. It is
 * never sent anywhere. Storage may be full, forbidden or hold anything at all: everything is checked when it is read.
 */

import { bytesFromBase64 } from "../../shared/tensor.js";
import { SIDE } from "./strokes.js";

const KEY = "cvae.pad";
const VERSION = 1;
const MOST_STROKES = 1000;
const MOST_POINTS = 50_000; // of all strokes
const MOST_TEXT = 2_000_000; // characters
const SOURCES = ["drawn", "example", "held-out", "decoded", "upload"];

/**
 * @typedef {import("./sheet.js").Content} Content
 * @typedef {Pick<Storage, "getItem" | "setItem">} Store
 */

/** Return the tab's storage, or null where the browser forbids it. @returns {Store | null} */
export function tabStorage() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** Store the content, if there is room. @param {Store | null} store @param {Content} content @returns {boolean} */
export function save(store, content) {
  try {
    store?.setItem(KEY, pack(content));
    return store !== null;
  } catch {
    return false; // the storage is full: what lies there is an earlier picture, and the pad goes on without it
  }
}

/** Return the stored content; null if there is none, or if it is damaged. @param {Store | null} store @returns {Content | null} */
export function load(store) {
  try {
    const text = store?.getItem(KEY);
    return text && text.length <= MOST_TEXT ? unpack(JSON.parse(text)) : null;
  } catch {
    return null;
  }
}

/** @type {WeakMap<Uint8Array, string>} */
const encoded = new WeakMap();

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = encoded.get(bytes);
  if (text === undefined) {
    const parts = [];
    for (let i = 0; i < bytes.length; i += 0x8000) parts.push(String.fromCharCode(...bytes.subarray(i, i + 0x8000)));
    text = btoa(parts.join(""));
    encoded.set(bytes, text);
  }
  return text;
}

/** @param {Content} content */
function pack({ source, label, strokes, base }) {
  const picture = base && { ...base, bytes: base64(base.bytes) };
  return JSON.stringify({ version: VERSION, source, label, strokes, base: picture });
}

/** @param {any} stored @returns {Content | null} */
function unpack(stored) {
  const { version, source, label, strokes, base } = stored ?? {};
  if (version !== VERSION || !SOURCES.includes(source)) return null;
  if (label !== null && (typeof label !== "string" || label.length > 1000)) return null;
  if (!Array.isArray(strokes) || strokes.length > MOST_STROKES || !strokes.every(isStroke)) return null;
  if (strokes.reduce((sum, { points }) => sum + points.length, 0) > 2 * MOST_POINTS) return null;
  const picture = base === null ? null : unpackBase(base);
  if (picture === undefined) return null;
  const copies = strokes.map(({ points, width, erase }) => ({ points, width, erase }));
  return { source, label, strokes: copies, base: picture };
}

/** @param {any} stroke */
function isStroke(stroke) {
  const { points, width, erase } = stroke ?? {};
  return (
    Array.isArray(points) &&
    points.length >= 2 &&
    points.length % 2 === 0 &&
    points.every((v) => Number.isFinite(v) && v >= -10 && v <= 10) &&
    Number.isFinite(width) &&
    width > 0 &&
    width <= 1 &&
    typeof erase === "boolean"
  );
}

/** @param {any} stored @returns {Content["base"] | undefined} */
function unpackBase(stored) {
  const { width, height, channels, bytes: text, file } = stored ?? {};
  const side = (/** @type {any} */ v) => Number.isInteger(v) && v > 0 && v <= SIDE;
  if (!side(width) || !side(height) || ![1, 3].includes(channels) || typeof file !== "boolean") return undefined;
  const bytes = typeof text === "string" ? bytesFromBase64(text) : new Uint8Array();
  return bytes.length === width * height * channels ? { width, height, channels, bytes, file } : undefined;
}
