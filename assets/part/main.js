/**
 * A component that shows nothing: it keeps a part of an explorer's payload for as long as it is on the page, where
 * parts.js finds it. A part is a line with its hash, then what cvae/browser/parts.py says.
 * @param {{data: Uint8Array, parentElement: HTMLElement | ShadowRoot}} component
 */
export default function mountPart({ data, parentElement }) {
  const world = /** @type {any} */ (globalThis);
  /** @type {Map<string, {owner: object, bytes: Uint8Array}>} */
  const parts = (world.cvaeParts ??= new Map());
  const line = data.indexOf(10); // the end of the first line
  const hash = new TextDecoder().decode(data.subarray(0, line));
  parts.set(hash, { owner: parentElement, bytes: data.subarray(line + 1) });
  dispatchEvent(new Event("cvae-part"));
  return () => {
    // Streamlit also calls this before it mounts the same element again.
    setTimeout(() => {
      if (!parentElement.isConnected && parts.get(hash)?.owner === parentElement) parts.delete(hash);
    });
  };
}
