/** Create elements and set their words, always as text, never as markup. */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [className]
 * @param {(Node | string | null)[]} [children]
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, className = "", children = [], attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) if (child) element.append(child);
  return element;
}

const ICONS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  play: "M5 3l8 5-8 5z",
  pause: "M5.5 3v10M10.5 3v10",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  save: "M8 2.5v7.5M4.5 7L8 10.5 11.5 7M2.5 13.5h11",
  die: "M3 3h10v10H3zM6 6v.01M10 6v.01M6 10v.01M10 10v.01M8 8v.01",
  done: "M3 8.5l3.5 3.5L13 4.5",
  failed: "M4 4l8 8M12 4l-8 8",
  draw: "M2.5 13.5l.8-3.3 7.6-7.6a1.2 1.2 0 0 1 1.7 0l.8.8a1.2 1.2 0 0 1 0 1.7l-7.6 7.6zM9.5 4l2.5 2.5",
  erase:
    "M6.2 13.5L2.9 10.2a1.2 1.2 0 0 1 0-1.7l5.6-5.6a1.2 1.2 0 0 1 1.7 0l3 3a1.2 1.2 0 0 1 0 1.7l-5.9 5.9zM5.7 5.7l4.7 4.7M6 13.5h7.5",
  undo: "M5.5 3L2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6",
  clear: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.8 7v4M9.2 7v4",
  choose: "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z",
  upload: "M8 10V2.5M4.5 6L8 2.5 11.5 6M2.5 13.5h11",
  others: "M13 5.5A5.5 5.5 0 0 0 3 6M3 2.5V6h3.5M3 10.5a5.5 5.5 0 0 0 10-.5M13 13.5V10H9.5",
};

/** @typedef {keyof typeof ICONS} IconName */

/** @param {IconName} name */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "lx-icon");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {string} className
 * @param {Node | null} content
 * @param {() => void} act
 */
export function button(className, content, act) {
  const element = el("button", className, [content], { type: "button" });
  element.onclick = act;
  return element;
}

/**
 * Words are the words of one language, with the elements that show them, so that a change of language changes only
 * words.
 * @typedef {{
 *   say: (key: string, values?: Record<string, string | number>) => string,
 *   put: <T extends Element>(element: T, key: string, values?: Record<string, string | number>) => T,
 *   label: <T extends Element>(element: T, key: string, values?: Record<string, string | number>) => T,
 *   change: (text: any) => void,
 * }} Words  put: set the text of an element; label: set its accessible name, and the tooltip of a button
 */

/** @param {any} text nested keys → sentences with {gaps} @returns {Words} */
export function createWords(text) {
  /** @type {Map<Element, {put?: [string, any], label?: [string, any]}>} */
  const places = new Map();
  const say = (/** @type {string} */ key, /** @type {Record<string, any>} */ values = {}) => {
    const found = key.split(".").reduce((/** @type {any} */ level, part) => level?.[part], text);
    if (typeof found !== "string") return key;
    return found.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap));
  };
  const write = (
    /** @type {Element} */ element,
    /** @type {{put?: [string, any], label?: [string, any]}} */ { put, label },
  ) => {
    if (put) element.textContent = say(...put);
    if (label) {
      element.setAttribute("aria-label", say(...label));
      if (element.tagName === "BUTTON") element.setAttribute("title", say(...label)); // of an icon
    }
  };
  const place = (/** @type {Element} */ element, /** @type {{put?: [string, any], label?: [string, any]}} */ words) => {
    places.set(element, { ...places.get(element), ...words });
    write(element, words);
  };
  return {
    say,
    put: (element, key, values) => (place(element, { put: [key, values] }), element),
    label: (element, key, values) => (place(element, { label: [key, values] }), element),
    change: (next) => {
      text = next;
      places.forEach((words, element) => write(element, words));
    },
  };
}

/** Write a number in short form, with a real minus sign. @param {number} value @param {number} [digits] */
export const number = (value, digits = 2) => {
  const text = value.toFixed(digits);
  return Number(text) < 0 ? text.replace("-", "−") : text.replace("-", "");
};
