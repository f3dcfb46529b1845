/** Show the options of the maps (classes, codes, prior, manifold, plane) and of the images. */

import { button, el } from "../shared/dom.js";
import { createLegend } from "../shared/legend.js";
import { hasPrior } from "./model.js";

/** @param {import("./app.js").App} app */
export function createOptions(app) {
  const { words, options, models } = app;
  const labelled = models.find(({ codes }) => codes?.labels);
  const classes = labelled?.classes ?? [];

  const legend = createLegend(classes, options.hidden, { chip: "lx-class", dot: "lx-dot" }, () => changed());
  const all = words.put(
    button("lx-link", null, () => {
      const none = options.hidden.size === 0;
      options.hidden.clear();
      if (none) classes.forEach((_, k) => options.hidden.add(k));
      changed();
    }),
    "options.all",
  );
  const legendRow = el("div", "lx-legend", [...legend.chips, classes.length ? all : null], { role: "group" });
  words.label(legendRow, "options.classes");

  const held = models.some(({ codes }) => codes);
  /** @type {[("codes" | "drawn" | "chosenOnly" | "prior" | "manifold" | "sameScale"), boolean][]} */
  const wanted = [
    ["codes", held],
    [
      "chosenOnly",
      models.some(({ conditions, codes }) => codes?.labels && conditions.some(({ kind }) => kind === "class")),
    ],
    ["prior", true],
    ["manifold", true],
    ["sameScale", models.length > 1],
    ["drawn", models.some(({ likelihood, output }) => likelihood?.kind === "bernoulli" && output === "image")],
  ];
  const toggles = wanted.flatMap(([name, wants]) => {
    if (!wants) return [];
    const element = button("lx-toggle", null, () => {
      options[name] = !options[name];
      changed();
    });
    const fitted = name === "prior" && !models.some(hasPrior);
    return [{ name, element: words.put(element, fitted ? "options.fitted" : `options.${name}`) }];
  });
  const looks = [true, false].map((smooth) => {
    const element = button("lx-segment", null, () => {
      options.smooth = smooth;
      changed();
    });
    return { smooth, element: words.put(element, smooth ? "options.smooth" : "options.pixels") };
  });

  const planes = createPlaneChoice(app);
  const element = el("section", "lx-options", [
    classes.length ? legendRow : null,
    el("div", "lx-toggles", [
      ...toggles.map(({ element }) => element),
      el(
        "div",
        "lx-segments",
        looks.map(({ element }) => element),
      ),
      planes.element,
    ]),
    words.put(el("p", "lx-note"), "map.help"),
  ]);

  function changed() {
    update();
    app.caption();
    app.optionsChanged();
    app.draw();
  }

  function update() {
    legend.update();
    toggles.forEach(({ name, element }) => element.setAttribute("aria-pressed", String(options[name])));
    looks.forEach(({ smooth, element }) => element.setAttribute("aria-pressed", String(options.smooth === smooth)));
    planes.update();
  }
  return { element, update };
}

/**
 * Show the choice of plane for more than two dimensions: the main plane of the codes, or any two dimensions.
 * @param {import("./app.js").App} app
 */
function createPlaneChoice(app) {
  const { words } = app;
  const d = app.state.z.length;
  const element = el("span", "lx-planes");
  element.hidden = d < 3;
  const kinds = el("select", "lx-select", [
    app.mainPlane ? words.put(el("option", "", [], { value: "pca" }), "options.pca") : null,
    words.put(el("option", "", [], { value: "dims" }), "options.dims"),
  ]);
  words.label(kinds, "options.plane");
  const axes = [0, 1].map((which) => {
    const select = el(
      "select",
      "lx-select",
      Array.from({ length: d }, (_, i) => {
        const option = el("option", "", [], { value: String(i) });
        option.textContent = `z${i + 1}`;
        return option;
      }),
    );
    select.onchange = () => choose();
    return words.label(select, which ? "options.axisY" : "options.axisX");
  });
  kinds.onchange = () => choose();
  element.append(kinds, ...axes);

  function choose() {
    if (kinds.value === "pca" && app.mainPlane) return app.setPlane(app.mainPlane);
    const [x, y] = axes.map((select) => Number(select.value));
    app.setPlane({ kind: "dims", dims: [x, x === y ? (y + 1) % d : y] });
  }

  function update() {
    const { spec } = app.plane;
    kinds.value = spec.kind;
    axes.forEach((select, i) => {
      select.hidden = spec.kind !== "dims";
      if (spec.kind === "dims" && d > 1) select.value = String(spec.dims[i]);
    });
    if (spec.kind === "pca") axes.forEach((select, i) => (select.value = String(i)));
  }
  return { element, update };
}
