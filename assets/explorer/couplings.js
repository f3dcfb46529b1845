/** Choose what several models share: the picture, the noise, or the numbers z. */

import { button, el } from "../shared/dom.js";
import { COUPLINGS } from "./state.js";

/** @param {import("./app.js").App} app */
export function createCouplings(app) {
  const { words } = app;
  const choices = COUPLINGS.map((coupling) => {
    const element = button("lx-segment", null, () => {
      app.setCoupling(coupling);
      app.commit();
    });
    return { coupling, element: words.put(element, `coupling.${coupling}`) };
  });
  const segments = el(
    "div",
    "lx-segments",
    choices.map(({ element }) => element),
    { role: "group" },
  );
  words.label(segments, "coupling.title");
  const note = el("p", "lx-note");
  const element = el("section", "lx-couplings", [
    el("div", "lx-head", [words.put(el("h3", "lx-heading"), "coupling.title"), segments]),
    note,
  ]);
  return {
    element,
    update() {
      const { coupling } = app.state;
      choices.forEach((one) => one.element.setAttribute("aria-pressed", String(one.coupling === coupling)));
      words.put(note, `coupling.${coupling}Note`);
    },
  };
}
