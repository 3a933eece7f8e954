// Calls by the names that openapi.json gives them. Paths and types are made from that document.

import { OPERATIONS } from "./operations.js";

/** @typedef {import("./api-types").Operations} Operations */
/** @typedef {{ key?: string, anonymous?: boolean, signal?: AbortSignal }} Options */

export class Client {
  #http;

  /** @param {import("./http.js").Http} http */
  constructor(http) {
    this.#http = http;
  }

  /**
   * What the operation answers as `data`.
   *
   * @template {keyof Operations} Name
   * @param {Name} name
   * @param {Operations[Name]["takes"] & Options} given
   * @returns {Promise<Operations[Name]["gives"]>}
   */
  call(name, given) {
    const { path = {}, query = {}, body, ...options } = /** @type {any} */ (given);
    const [method, template] = OPERATIONS[name];
    const url = template.replace(/\{(\w+)\}/g, (_, part) => encodeURIComponent(path[part]));
    if (method === "GET") return this.#http.get(url, query, options);
    const search = new URLSearchParams(query).toString();
    return this.#http.command(method, search ? `${url}?${search}` : url, { body, ...options });
  }
}
