/** Show the slider through training time, and its play button. At its right end, it follows the training. */

import { button, el, icon } from "../shared/dom.js";

const PLAY_MS = 6000; // milliseconds for all moments

/**
 * @param {import("../shared/dom.js").Words} words
 * @param {{step: number | null}} look the replayed step; null: the newest one
 * @param {(replayed: boolean) => void} changed
 */
export function createReplay(words, look, changed) {
  const slider = el("input", "lv-range", [], { type: "range", min: "0", max: "0", step: "1", value: "0" });
  words.label(slider, "replay.slider");
  slider.removeAttribute("title");
  const where = el("output", "lv-where");
  const play = words.label(
    button("lv-tool", icon("play"), () => (timer ? stop() : start())),
    "replay.play",
  );
  const element = el("div", "lv-replay", [play, slider, where]);
  /** @type {number[]} */
  let steps = [];
  let timer = 0;
  /** @type {(step: number) => string} */
  let describe = String;

  const index = () => {
    const at = look.step === null ? -1 : steps.indexOf(look.step);
    return at < 0 ? steps.length - 1 : at;
  };
  slider.oninput = () => {
    stop();
    go(slider.valueAsNumber);
  };

  /** @param {number} next */
  function go(next) {
    look.step = next >= steps.length - 1 ? null : steps[next];
    show();
    changed(true);
  }
  function show() {
    slider.max = String(Math.max(0, steps.length - 1));
    slider.valueAsNumber = Math.max(0, index());
    const text = steps.length ? describe(steps[index()]) : "";
    where.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  }
  function start() {
    if (steps.length < 2) return;
    let next = look.step === null ? 0 : index();
    const tick = () => {
      go(next++);
      timer = next < steps.length ? window.setTimeout(tick, PLAY_MS / steps.length) : 0;
      if (!timer) stop();
    };
    play.replaceChildren(icon("pause"));
    words.label(play, "replay.pause");
    tick();
  }
  function stop() {
    clearTimeout(timer);
    timer = 0;
    play.replaceChildren(icon("play"));
    words.label(play, "replay.play");
  }

  return {
    element,
    index,
    stop,
    /** @param {number[]} next @param {(step: number) => string} text */
    update(next, text) {
      [steps, describe] = [next, text];
      if (look.step !== null && !steps.includes(look.step)) look.step = null;
      element.hidden = steps.length < 2;
      show();
    },
  };
}
