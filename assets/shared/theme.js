/** Provide the colours of the page's theme, and the classes' fixed palette. */

/** petroff10 (Petroff 2021, arXiv:2107.02270) has ten colours that differ for any colour vision. */
const CLASSES = [
  "#3f90da",
  "#ffa90e",
  "#bd1f01",
  "#94a4a2",
  "#832db6",
  "#a96b59",
  "#e76300",
  "#b9ac70",
  "#717581",
  "#92dadd",
];

/**
 * @typedef {{
 *   dark: boolean, background: string, panel: string, text: string, border: string, accent: string, font: string,
 * }} Theme
 */

/** @param {number} index */
export const classColor = (index) => CLASSES[index % CLASSES.length];

/**
 * Return Streamlit's theme at an element.
 * @param {Element} element
 * @returns {Theme}
 */
export function readTheme(element) {
  const style = getComputedStyle(element);
  const value = (/** @type {string} */ name, /** @type {string} */ fallback) =>
    style.getPropertyValue(`--st-${name}`).trim() || fallback;
  const background = value("background-color", "#ffffff");
  return {
    dark: luminance(background) < 0.4,
    background,
    panel: value("secondary-background-color", "#f0f2f6"),
    text: value("text-color", "#31333f"),
    border: value("border-color", "#d6d6d9"),
    accent: value("primary-color", "#3f90da"),
    font: value("font", "sans-serif"),
  };
}

/** Return the perceived lightness of a CSS colour, in [0, 1]. @param {string} color */
function luminance(color) {
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext("2d"));
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
