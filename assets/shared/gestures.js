/** Handle pointers on a map: one moves the cursor; two (or the middle button, or shift) move the map. */

const STILL = 4; // the most pixels that a pointer moves in a tap

/**
 * @typedef {{
 *   drag: (x: number, y: number, event: PointerEvent) => void, tap: (x: number, y: number) => void, release: () =>
 *   void, pan: (dx: number, dy: number) => void, zoom: (factor: number, x: number, y: number) => void, settle: () =>
 *   void, hover: (x: number, y: number) => void, leave: () => void, wheel: (event: WheelEvent) => boolean,
 * }} Gestures
 *   x, y: pixels from the element's upper left corner. settle: panning or zooming has ended. wheel: return whether
 *   the wheel zooms.
 */

/**
 * @param {HTMLElement} element
 * @param {Gestures} on
 */
export function attachGestures(element, on) {
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  /** @type {"drag" | "pan" | null} */
  let mode = null;
  let start = { x: 0, y: 0 },
    still = true,
    dragged = false,
    panned = false;

  let box = element.getBoundingClientRect(); // measured only at the start: each measurement forces a layout
  const at = (/** @type {MouseEvent} */ event) => {
    if (!down.size) box = element.getBoundingClientRect();
    return { x: event.clientX - box.left - element.clientLeft, y: event.clientY - box.top - element.clientTop };
  };
  const spread = () => {
    const [a, b] = [...down.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  };

  element.onpointerdown = (event) => {
    if (event.button > 1 || down.size === 2) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    element.focus({ preventScroll: true });
    on.leave();
    const spot = at(event);
    down.set(event.pointerId, spot);
    mode = down.size === 2 || event.button === 1 || event.shiftKey ? "pan" : "drag";
    start = spot;
    still = mode === "drag";
    if (mode === "drag") on.drag(spot.x, spot.y, event);
  };

  element.onpointermove = (event) => {
    const spot = at(event),
      before = down.get(event.pointerId);
    if (!before) {
      if (!down.size && event.pointerType !== "touch") on.hover(spot.x, spot.y);
      return;
    }
    if (Math.hypot(spot.x - start.x, spot.y - start.y) > STILL) still = false;
    if (mode === "drag") {
      dragged = true;
      on.drag(spot.x, spot.y, event);
      return;
    }
    panned = true;
    const earlier = down.size === 2 ? spread() : null;
    down.set(event.pointerId, spot);
    if (earlier) {
      const now = spread();
      on.pan(now.x - earlier.x, now.y - earlier.y);
      on.zoom(now.distance / earlier.distance, now.x, now.y);
    } else {
      on.pan(spot.x - before.x, spot.y - before.y);
    }
  };

  element.onpointerup = element.onpointercancel = (event) => {
    if (!down.delete(event.pointerId) || down.size) return;
    const tapped = still && event.type === "pointerup";
    if (tapped) on.tap(start.x, start.y);
    if (tapped || dragged) on.release();
    if (panned) on.settle();
    dragged = panned = still = false;
  };

  element.onpointerleave = () => on.leave();

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let rest;
  element.onwheel = (event) => {
    if (!on.wheel(event)) return;
    event.preventDefault();
    const { x, y } = at(event);
    on.leave();
    on.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), x, y);
    clearTimeout(rest);
    rest = setTimeout(on.settle, 160);
  };
}
