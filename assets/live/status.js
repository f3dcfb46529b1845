/** Show the state and the progress of the training in one line. */

import { el } from "../shared/dom.js";

/** @param {import("../shared/dom.js").Words} words */
export function createStatus(words) {
  const state = el("span", "lv-state", [], { role: "status" });
  const parts = el("span", "lv-parts");
  const bar = el("div", "lv-bar", [el("div", "lv-bar-fill")]);
  const message = el("p", "lv-message", [], { role: "alert" });
  const element = el("div", "lv-status", [el("div", "lv-line", [state, parts]), bar, message]);
  return {
    element,
    /**
     * @param {import("./payload.d.ts").Status} status
     * @param {string} language
     * @param {string | null} waitsFor the run before it in the queue
     */
    update(status, language, waitsFor) {
      const count = new Intl.NumberFormat(language);
      const text = words.say(`state.${status.state}`);
      if (state.textContent !== text) state.textContent = text;
      state.dataset.state = status.state;
      const epoch = new Intl.NumberFormat(language, {
        maximumFractionDigits: 1,
        minimumFractionDigits: status.epochs < 100 ? 1 : 0,
      });
      const said = [];
      if (status.state === "queued" && waitsFor) said.push(words.say("status.waits", { name: waitsFor }));
      if (status.steps) {
        said.push(
          words.say("status.epoch", { epoch: epoch.format(status.epoch), epochs: count.format(status.epochs) }),
        );
        said.push(words.say("status.step", { step: count.format(status.step) }));
      }
      if (status.images_per_second)
        said.push(words.say("status.speed", { speed: count.format(status.images_per_second) }));
      if (status.seconds_left !== null && status.seconds_left > 0.5 && ["running", "paused"].includes(status.state))
        said.push(words.say("status.left", { time: clock(status.seconds_left) }));
      parts.textContent = said.join(" · ");
      /** @type {HTMLElement} */ (bar.firstChild).style.width = `${(100 * status.step) / Math.max(1, status.steps)}%`;
      message.textContent = status.message ?? "";
      message.hidden = !status.message;
    },
  };
}

/** Write seconds as minutes, 75 → 1:15. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.round(seconds),
    hours = Math.floor(whole / 3600),
    minutes = Math.floor(whole / 60) % 60;
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
