/**
 * A component that shows nothing: it keeps a part of an explorer's payload for as long as it is on the page, where
 * parts.js finds it. A part is a line with its hash, then JSON.
 * @param {{data: Uint8Array, parentElement: HTMLElement | ShadowRoot}} component
 */
export default function mountPart({ data, parentElement }) {
  const world = /** @type {any} */ (globalThis);
  /** @type {Map<string, {owner: object, text: string}>} */
  const parts = (world.cvaeParts ??= new Map());
  const lines = new TextDecoder().decode(data);
  const hash = lines.slice(0, lines.indexOf("\n"));
  parts.set(hash, { owner: parentElement, text: lines.slice(hash.length + 1) });
  dispatchEvent(new Event("cvae-part"));
  return () => {
    // Streamlit also calls this before it mounts the same element again.
    setTimeout(() => {
      if (!parentElement.isConnected && parts.get(hash)?.owner === parentElement) parts.delete(hash);
    });
  };
}
