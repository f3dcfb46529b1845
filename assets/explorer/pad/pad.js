/** The user's own picture: draw it, choose it, paste it or open a file; beside it is what the network sees of it. */

import { contextOf } from "../../shared/canvas.js";
import { button, el, icon } from "../../shared/dom.js";
import { paint } from "../../shared/pixels.js";
import { createScreen } from "../picture.js";
import { DRAWINGS, FIRST } from "./drawings.js";
import { BLANK, createSheet, kindFor } from "./sheet.js";
import { load, save, tabStorage } from "./store.js";
import { ERASER, PEN, SIDE } from "./strokes.js";
import { createTray, drawn, picturesOf, takesDrawings } from "./tray.js";
import { readPicture, UploadError } from "./upload.js";

const SEEN = 84; // CSS pixels of what the network sees, about
const PEN_ERASER = 5; // the number of the button at the other end of a pen
const ACCEPT = "image/png,image/jpeg,image/webp,image/gif,image/bmp";

/** What lies on the pad, for the next pad of this page: the storage may be forbidden or full. @type {Content | null} */
let kept = null;

/**
 * What the pad asks of the page, and tells it.
 * @typedef {{
 *   words: import("../../shared/dom.js").Words, models: import("../model.js").Model[],
 *   theme: import("../../shared/theme.js").Theme, input: (picture: Picture) => void, settled: () => void,
 *   asSeen: (pixels: Float32Array) => Float32Array, replaced: () => void,
 * }} PadHost
 *   models, theme: read anew each time; the first model is the one whose view is shown, and whose pictures are offered.
 *   input: the picture has changed, perhaps several times a frame. settled: a stroke, a choice or an upload has ended.
 *   asSeen: the pixels as the networks see them. replaced: another picture is there, or none.
 *
 * @typedef {import("./sheet.js").Content} Content
 * @typedef {import("./sheet.js").Picture} Picture
 * @typedef {ReturnType<typeof createPad>} Pad
 */

/**
 * @param {PadHost} host
 * @param {import("./store.js").Store | null} [store]
 */
export function createPad(host, store = tabStorage()) {
  const { words } = host;
  const sheet = createSheet(kept ?? load(store) ?? first(host.models[0]));
  const kind = () => kindFor(host.models[0]);

  // --- what is shown --------------------------------------------------------------------------------------------------

  const canvas = el("canvas", "lx-draw-canvas", [], { tabindex: "0", role: "application", "data-testid": "pad" });
  canvas.width = canvas.height = SIDE;
  const context = contextOf(canvas);
  const image = context.createImageData(SIDE, SIDE);
  const hint = el("span", "lx-draw-hint", [], { "aria-hidden": "true" });
  const ring = el("span", "lx-draw-ring", [], { "aria-hidden": "true" });
  ring.style.width = `${100 * ERASER}%`;
  ring.hidden = true;
  const frame = el("div", "lx-draw-frame", [canvas, hint, ring]);

  let erasing = false;
  const pens = [false, true].map((erases) => {
    const element = button("lx-segment lx-draw-pen", icon(erases ? "erase" : "draw"), () => setErasing(erases));
    return { erases, element: words.label(element, erases ? "pad.erase" : "pad.draw") };
  });
  const tray = createTray(host, put);
  const file = el("input", "", [], { type: "file", accept: ACCEPT, tabindex: "-1", "aria-hidden": "true" });
  file.hidden = true;
  /** @param {import("../../shared/dom.js").IconName} name @param {() => void} act */
  const tool = (name, act) => words.label(button("lx-tool", icon(name), act), `pad.${name}`);
  const undo = tool("undo", () => takeBack()),
    clear = tool("clear", () => clearable() && put(BLANK)),
    choose = tool("choose", () => toggleTray(tray.element.hidden)),
    open = tool("upload", () => file.click());
  const segments = pens.map(({ element }) => element);
  const tools = el("div", "lx-draw-tools", [el("div", "lx-segments", segments), undo, clear, choose, open, file]);

  let seen = createScreen(host.models[0].imageShape);
  const caption = el("p", "lx-note");
  const about = el("p", "lx-note");
  const status = el("p", "lx-note", [], { role: "status" });
  const sees = el("div", "lx-draw-sees", [el("div"), el("div", "", [caption, about, status])]);
  const element = el("section", "lx-draw", [frame, el("div", "lx-draw-bar", [tools, tray.element]), sees]);
  words.label(element, "pad.title");
  words.label(canvas, "pad.canvas");

  /** Copy a part of the picture to the screen. @param {import("./strokes.js").Box} box */
  function show({ x, y, width, height }) {
    if (!width || !height) return;
    const { data, channels } = sheet.raster(kind());
    for (let row = y; row < y + height; row++) {
      const from = row * SIDE + x;
      paint(data.subarray(from * channels, (from + width) * channels), channels, host.theme.dark, image.data, 4 * from);
    }
    context.putImageData(image, 0, 0, x, y, width, height);
  }

  let frameAsked = 0;

  /** Tell that the picture has changed. */
  function changed() {
    frameAsked ||= requestAnimationFrame(() => {
      frameAsked = 0;
      showSeen();
    });
    host.input(sheet.picture);
  }

  function showSeen() {
    const [model] = host.models;
    seen.show(host.asSeen(sheet.picture.pixelsFor(model)), host.theme.dark);
    const { blank, source } = sheet.picture;
    const base = sheet.content.base !== null;
    hint.hidden = !blank || base;
    able(undo, sheet.undoable);
    able(clear, clearable());
    const from = source === "drawn" && base ? "from.changed" : `from.${source}`;
    const key = !blank ? from : base ? "noInk" : "blank";
    about.textContent = words.say(`pad.${key}`, { title: model.title });
  }

  /** Say whether a button does anything; unlike a disabled one it keeps the focus. @param {Element} tool @param {boolean} able */
  function able(tool, able) {
    tool.setAttribute("aria-disabled", String(!able));
  }

  const clearable = () => !sheet.picture.blank || sheet.content.base !== null;

  /** @type {string | null} */
  let message = null;
  /** Say a sentence, or nothing. @param {string | null} code */
  function say(code) {
    message = code;
    status.textContent = code ? words.say(`pad.${code}`) : "";
  }

  /** Show and tell a change of the whole picture. */
  function replaced() {
    say(null);
    show({ x: 0, y: 0, width: SIDE, height: SIDE });
    changed();
    settled();
  }

  function settled() {
    kept = sheet.content;
    save(store, kept);
    host.settled();
  }

  /** @param {Content} content */
  function put(content) {
    pointer = null; // a picture that arrives ends a stroke
    sheet.put(content);
    host.replaced();
    replaced();
  }

  function takeBack() {
    if (pointer !== null || !sheet.undoable) return;
    sheet.undo();
    replaced();
  }

  /** @param {boolean} erases */
  function setErasing(erases) {
    erasing = erases;
    pens.forEach((pen) => pen.element.setAttribute("aria-pressed", String(pen.erases === erasing)));
    frame.classList.toggle("lx-erasing", erasing);
    if (!erasing) ring.hidden = true;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  /** @type {number | null} the pointer that draws */
  let pointer = null;
  let box = canvas.getBoundingClientRect();
  const place = (/** @type {MouseEvent} */ event) => ({
    x: (event.clientX - box.left) / box.width,
    y: (event.clientY - box.top) / box.height,
  });

  canvas.onpointerdown = (event) => {
    if (pointer !== null || (event.button !== 0 && event.button !== PEN_ERASER)) return;
    const erase = erasing || event.button === PEN_ERASER;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pointer = event.pointerId;
    box = canvas.getBoundingClientRect(); // not at each move: it forces a layout
    const { x, y } = place(event);
    say(null);
    show(sheet.begin({ width: erase ? ERASER : PEN, erase }, x, y));
    changed();
  };

  canvas.onpointermove = (event) => {
    if (pointer === null) box = canvas.getBoundingClientRect();
    moveRing(event);
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const { x, y } = place(each);
      show(sheet.extend(x, y));
    }
    changed();
  };

  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    settled();
  };

  canvas.onpointerleave = () => (ring.hidden = true);

  /** Show what the eraser would erase. @param {PointerEvent} event */
  function moveRing(event) {
    ring.hidden = !erasing || event.pointerType === "touch";
    if (ring.hidden) return;
    const { x, y } = place(event);
    ring.style.left = `${100 * x}%`;
    ring.style.top = `${100 * y}%`;
  }

  // --- keys -----------------------------------------------------------------------------------------------------------

  let turn = FIRST; // the drawing that keys chose last

  canvas.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !step || !takesDrawings(host.models[0])) return;
    event.preventDefault();
    turn = (turn + step + DRAWINGS.length) % DRAWINGS.length;
    put(drawn(DRAWINGS[turn]));
  };

  element.onkeydown = (event) => {
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z" && !event.shiftKey) {
      event.preventDefault();
      takeBack();
    } else if (key === "escape" && !tray.element.hidden) {
      event.stopPropagation();
      toggleTray(false);
      choose.focus();
    }
  };

  // --- choosing and opening -------------------------------------------------------------------------------------------

  /** @param {boolean} opens */
  function toggleTray(opens) {
    if (opens) tray.open();
    else tray.element.hidden = true;
    choose.setAttribute("aria-expanded", String(opens));
  }

  let reading = 0;

  /** @param {Blob} blob */
  async function upload(blob) {
    const mine = ++reading;
    say("reading");
    try {
      const picture = await readPicture(blob);
      const base = { ...picture, file: true };
      await nextTask(); // so that no task is long
      sheet.prepare(base, kind());
      await nextTask();
      if (mine !== reading || stopping.signal.aborted) return; // a later file has come
      put({ source: "upload", label: null, strokes: [], base });
    } catch (problem) {
      if (!(problem instanceof UploadError)) throw problem;
      if (mine === reading) say(problem.code);
    }
  }

  file.onchange = () => {
    const [chosen] = file.files ?? [];
    if (chosen) upload(chosen);
    file.value = ""; // so that the same file can be chosen again
  };

  /** Return the files of a drop or of the clipboard. @param {DataTransfer | null} data */
  const filesOf = (data) => [...(data?.files ?? [])];

  element.ondragover = (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    frame.classList.add("lx-dropping");
  };
  element.ondragleave = () => frame.classList.remove("lx-dropping");
  element.ondrop = (event) => {
    event.preventDefault();
    frame.classList.remove("lx-dropping");
    const [dropped] = filesOf(event.dataTransfer);
    if (dropped) upload(dropped);
    else say("noPicture"); // what lies elsewhere is not fetched
  };

  const stopping = new AbortController();
  document.addEventListener(
    "paste",
    (event) => {
      const target = event.composedPath()[0];
      const writes = target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)); // prettier-ignore
      if (!element.isConnected || writes) return;
      const [pasted] = filesOf(event.clipboardData);
      if (pasted) upload(pasted);
      else if (event.composedPath().includes(element)) say("noPicture");
      else return;
      event.preventDefault();
    },
    stopping,
  );
  document.addEventListener(
    "pointerdown",
    (event) => {
      const path = event.composedPath();
      if (!tray.element.hidden && ![tools, tray.element, frame].some((part) => path.includes(part))) toggleTray(false);
    },
    stopping,
  );

  /** Show everything anew: other models, another theme or language. */
  function update() {
    const [model] = host.models;
    const [, height, width] = model.imageShape;
    if (seen.canvas.width !== width || seen.canvas.height !== height) seen = createScreen(model.imageShape);
    seen.canvas.setAttribute("role", "img");
    seen.canvas.style.width = `${width * Math.max(1, Math.round(SEEN / width))}px`; // each pixel of the same size
    words.put(caption, "pad.seen", { width, height });
    words.label(seen.canvas, "pad.seen", { width, height });
    sees.firstElementChild?.replaceChildren(seen.canvas);
    words.put(hint, takesDrawings(model) ? "pad.hintDigit" : "pad.hint");
    element.classList.toggle("lx-draw-dark", host.theme.dark && kind() !== "rgb");
    show({ x: 0, y: 0, width: SIDE, height: SIDE });
    showSeen();
    say(message);
    tray.update();
  }

  setErasing(false);
  toggleTray(false);
  update();

  return {
    element,
    /** The picture that lies on the pad: always the same object, which changes with the pad. */
    picture: sheet.picture,
    update,
    /** Put a held-out picture of the first model on the pad, by its index; return whether it is at hand. @param {number} i */
    choose(i) {
      const pictures = picturesOf(host.models[0]);
      if (!pictures || i < 0 || i >= pictures.count) return false;
      put(pictures.at(i));
      return true;
    },
    stop() {
      stopping.abort();
      cancelAnimationFrame(frameAsked);
    },
  };
}

const nextTask = () => new Promise((done) => setTimeout(done));

/** Return what lies on the pad at first. @param {import("../model.js").Model} model */
function first(model) {
  if (takesDrawings(model)) return drawn(DRAWINGS[FIRST]);
  return picturesOf(model)?.at(0) ?? BLANK;
}
