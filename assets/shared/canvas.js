/** Create canvases that are as sharp as the screen. */

/**
 * Keep the resolution of canvases equal to the size of the element that they fill.
 * @param {HTMLElement} element
 * @param {HTMLCanvasElement[]} canvases
 * @param {() => void} changed called after a change of size, which empties them
 */
export function createSurface(element, canvases, changed) {
  const surface = {
    width: 0, // of the element, in CSS pixels
    height: 0,
    ratio: 1, // device pixels for each CSS pixel
    /** Empty a canvas and set its unit to CSS pixels. @param {CanvasRenderingContext2D} context */
    clear(context) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      context.setTransform(surface.ratio, 0, 0, surface.ratio, 0, 0);
    },
  };
  new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = element;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    if (width === surface.width && height === surface.height && ratio === surface.ratio) return;
    Object.assign(surface, { width, height, ratio });
    for (const canvas of canvases) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    changed();
  }).observe(element);
  return surface;
}

/** @param {HTMLCanvasElement} canvas */
export const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
