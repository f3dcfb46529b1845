/** Distinguish an error in the payload from a mistake in this program. */

/** An error in the payload: `code` names a sentence of the text file (`error.<code>`), `values` fill its gaps. */
export class PayloadError extends Error {
  /**
   * @param {string} code
   * @param {Record<string, string | number>} [values]
   */
  constructor(code, values = {}) {
    super(`${code} ${JSON.stringify(values)}`);
    this.name = "PayloadError";
    this.code = code;
    this.values = values;
  }
}
