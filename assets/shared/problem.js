/** What is wrong with the data that arrived, told apart from mistakes in this program. */

/** A fault of the payload. `code` names a sentence of the text file (`error.<code>`), `values` fill its gaps. */
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
