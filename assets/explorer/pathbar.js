/** Show the controls of the path: set A, B, …, play the path between them, and move along it. */

import { button, el, icon } from "../shared/dom.js";
import { pointName } from "./path.js";

const SPEEDS = [0.5, 1, 2, 4]; // stages in two seconds
const STAGE = 2000; // milliseconds from a point to the next at speed 1
const STILL_STEP = 400; // milliseconds between stops, for users who prefer reduced motion
const STILL_STOPS = 6; // stops from a point to the next

/** @param {import("./app.js").App} app */
export function createPathBar(app) {
  const { words } = app;
  let speed = 1,
    direction = 1,
    playing = false,
    last = 0;

  const add = button("lx-button", null, () => {
    app.addPoint();
    app.commit();
  });
  const chips = el("div", "lx-chips");
  const clear = words.put(
    button("lx-button", null, () => (app.setPath([], 0), app.commit())),
    "path.clear",
  );
  const play = button("lx-tool lx-play", icon("play"), () => (playing ? stop() : start()));
  const scrub = el("input", "lx-range", [], { type: "range", min: "0", max: "1", step: "0.001" });
  words.label(scrub, "path.scrub");
  scrub.oninput = () => {
    playing = false;
    go(scrub.valueAsNumber);
  };
  scrub.onchange = () => app.commit();
  const speeds = el(
    "select",
    "lx-select",
    SPEEDS.map((value) => {
      const option = el("option", "", [], { value: String(value) });
      option.textContent = `${value}×`;
      return option;
    }),
  );
  speeds.value = "1";
  speeds.onchange = () => void (speed = Number(speeds.value));
  words.label(speeds, "path.speed");
  const courses = el(
    "select",
    "lx-select",
    ["linear", "spherical"].map((value) => words.put(el("option", "", [], { value }), `path.${value}`)),
  );
  courses.onchange = () => app.setCourse(/** @type {import("./path.js").Course} */ (courses.value));
  words.label(courses, "path.course");
  courses.hidden = app.state.z.length < 3;

  const transport = el("div", "lx-transport", [play, scrub, speeds, courses]);
  const hint = words.put(el("p", "lx-note"), "path.hint");
  const title = words.put(el("h3", "lx-heading"), "path.title");
  const element = el("section", "lx-path", [
    el("div", "lx-head", [title, el("div", "lx-buttons", [chips, add, clear])]),
    transport,
    hint,
  ]);

  /** @param {number} progress */
  function go(progress) {
    app.setProgress(progress, app.zAlong(progress));
  }

  function start() {
    playing = true;
    if (app.state.progress >= 1) direction = -1;
    if (app.state.progress <= 0) direction = 1;
    last = performance.now();
    requestAnimationFrame(tick);
    update();
  }

  function stop() {
    playing = false;
    update();
    app.commit();
  }

  /** @param {number} now */
  function tick(now) {
    const stages = app.state.path.length - 1;
    if (!playing || !element.isConnected || stages < 1) return;
    const stepwise = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const passed = now - last;
    if (!stepwise || passed >= STILL_STEP / speed) {
      const stride = stepwise ? 1 / STILL_STOPS : (Math.min(passed, 100) * speed) / STAGE;
      let progress = app.state.progress + (direction * stride) / stages;
      if (progress >= 1 || progress <= 0) {
        direction = progress >= 1 ? -1 : 1; // turn around at the end
        progress = Math.min(1, Math.max(0, progress));
      }
      last = now;
      go(progress);
    }
    requestAnimationFrame(tick);
  }

  let shown = "";
  function update() {
    const { path, progress } = app.state;
    if (playing && path.length < 2) playing = false;
    const key = JSON.stringify([path, playing]);
    scrub.valueAsNumber = progress;
    scrub.style.setProperty("--lx-share", String(progress));
    if (key === shown) return;
    shown = key;
    words.put(add, "path.set", { name: pointName(path.length) });
    add.disabled = path.length >= 26;
    clear.hidden = path.length === 0;
    transport.hidden = path.length < 2;
    hint.hidden = path.length >= 2;
    play.replaceChildren(icon(playing ? "pause" : "play"));
    words.label(play, playing ? "path.pause" : "path.play");
    chips.replaceChildren(
      ...path.map((z, i) => {
        const chip = button("lx-chip", null, () => {
          playing = false;
          app.setProgress(path.length > 1 ? i / (path.length - 1) : 0, [...z]);
          app.commit();
        });
        chip.textContent = pointName(i);
        chip.setAttribute("aria-label", words.say("path.goTo", { name: pointName(i) }));
        return chip;
      }),
    );
  }

  return { element, update, stop: () => void (playing = false) };
}
