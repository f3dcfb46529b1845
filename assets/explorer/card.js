/** Show the image of one model, with buttons to copy and to save it. */

import { KINDS } from "./controls/index.js";
import { button, el, icon } from "../shared/dom.js";
import { copyPicture, createBars, createScreen, createSeam, savePicture, toPng } from "./picture.js";
import { givenOf } from "./state.js";

const COARSE = 12; // the longest side, in pixels, of an image that smoothing also blurs a little
const ANSWER = 1600; // milliseconds for which a button shows its result

/**
 * @param {import("./app.js").App} app
 * @param {number} index of the model
 */
export function createCard(app, index) {
  const { output, imageShape, classes } = app.models[index];
  const screen = output === "label" ? createBars(classes) : createScreen(imageShape);
  screen.canvas.setAttribute("role", "img");
  const heard = el("span", "lx-heard", [], { role: "status" });

  /**
   * @param {"copy" | "save"} name
   * @param {(png: Promise<Blob>) => Promise<void>} act
   */
  const action = (name, act) => {
    const element = button("lx-tool", icon(name), async () => {
      let went = "failed";
      try {
        await act(toPng(screen.canvas, app.options.smooth));
        went = "done";
      } catch {
        // The page may have no access to the clipboard; the button shows this.
      }
      heard.textContent = app.words.say(`picture.${name}${went === "done" ? "Done" : "Failed"}`);
      element.replaceChildren(icon(/** @type {"done" | "failed"} */ (went)));
      setTimeout(() => {
        element.replaceChildren(icon(name));
        heard.textContent = "";
      }, ANSWER);
    });
    return app.words.label(element, `picture.${name}`);
  };
  const save = async (/** @type {Promise<Blob>} */ png) => savePicture(await png, fileName(app, index));
  const tools = el("div", "lx-picture-tools", [action("copy", copyPicture), action("save", save), heard]);
  const visible = output === "image" ? app.models[index].visible : null;
  const frame = el("div", "lx-frame", [screen.canvas, visible ? createSeam(visible, imageShape) : null]);
  frame.classList.toggle("lx-coarse", output === "image" && Math.max(...imageShape.slice(1)) <= COARSE);
  const heading = app.entry && app.models.length === 1 ? app.words.put(el("h2", "lx-heading"), "half.output") : null;
  const judged = el("p", "lx-note lx-judged");
  judged.hidden = output === "label" || app.models[index].judge === null;
  const element = el("div", "lx-picture", [el("div", "lx-shown", [heading, frame, judged]), tools]);

  /** @type {Float32Array | null} a copy of the last decoded numbers: the model overwrites its own buffer */
  let last = null;
  return {
    element,
    draw() {
      const { state, theme, models } = app;
      const values = models[index].decode(app.codes.of(index), givenOf(models[index], state.conditions));
      const drawn = app.options.drawn && models[index].likelihood?.kind === "bernoulli" && output === "image";
      screen.show(drawn ? values.map((p) => Number(Math.random() < p)) : values, theme.dark, theme);
      last ??= new Float32Array(values.length);
      last.set(values);
    },
    /** Show what the judge says of the picture. */
    judge() {
      const verdict = judged.hidden || !last ? null : app.verdict(index, last);
      if (verdict) judged.textContent = app.words.say("judge.says", spoken(verdict));
    },
    /** Return the last decoded numbers, H × W × C, before their conversion to bytes. */
    values: () => last?.slice() ?? null,
    names: () => app.words.label(screen.canvas, "picture.of", { title: app.models[index].title }),
  };
}

/** @param {import("./judge.js").Verdict & {accuracy: number}} verdict */
const spoken = ({ name, share, accuracy }) => ({
  name,
  share: `${(100 * share).toFixed(0)} %`,
  accuracy: `${(100 * accuracy).toFixed(1)} %`,
});

/** @param {import("./app.js").App} app @param {number} index */
function fileName(app, index) {
  const { models, state } = app;
  const { id, decoderSees, conditions } = models[index];
  const seen = decoderSees.includes("condition") ? conditions : [];
  const names = seen.flatMap((one) => KINDS[one.kind].named?.(state.conditions[one.name], one) ?? []);
  const z = app.codes
    .of(index)
    .slice(0, 4)
    .map((v) => v.toFixed(2));
  return [id, ...names, "z", z.join("_")].join("-");
}
