/** Show a button in the colour of each class of a map, which mutes the class. */

import { button, el } from "./dom.js";
import { classColor } from "./theme.js";

/**
 * @param {string[]} classes
 * @param {Set<number>} hidden the muted classes, which the buttons change
 * @param {{chip: string, dot: string}} styles classes of CSS
 * @param {() => void} changed
 */
export function createLegend(classes, hidden, styles, changed) {
  const chips = classes.map((name, k) => {
    const dot = el("span", styles.dot, [], { "aria-hidden": "true" });
    dot.style.background = classColor(k);
    const chip = button(styles.chip, dot, () => {
      if (!hidden.delete(k)) hidden.add(k);
      update();
      changed();
    });
    chip.append(el("span", "", [name]));
    return chip;
  });
  const update = () => chips.forEach((chip, k) => chip.setAttribute("aria-pressed", String(!hidden.has(k))));
  update();
  return { chips, update };
}
