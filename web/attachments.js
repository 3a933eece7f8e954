// The files that the next message takes along: on their way to the server, there, or refused. No DOM.

import { newId } from "./id.js";

export const MOST_FILES = 10;

export class Attachments extends EventTarget {
  /** Each `{key, name, state: "sending"|"ready"|"failed", progress, file?, error?}` */
  entries = [];
  #upload;

  /** `upload({file, onProgress, signal})` gives the file as the server has it. Event: `change`. */
  constructor({ upload }) {
    super();
    this.#upload = upload;
  }

  get isBusy() {
    return this.entries.some(({ state }) => state !== "ready");
  }

  /** What is beyond the most that a message has is left out. */
  add(files) {
    for (const file of Array.from(files).slice(0, MOST_FILES - this.entries.length)) this.#send(file);
    this.#changed();
  }

  remove(key) {
    this.entries.find((entry) => entry.key === key)?.off.abort();
    this.entries = this.entries.filter((entry) => entry.key !== key);
    this.#changed();
  }

  /** The files that are there, which are the message's from now on. */
  take() {
    const files = this.entries.filter(({ state }) => state === "ready").map(({ file }) => file);
    this.entries = [];
    this.#changed();
    return files.map(({ id, name, mediaType, size, width, height, thumbnailUrl }) =>
      ({ fileId: id, name, mediaType, size, width, height, thumbnailUrl }));
  }

  async #send(file) {
    const entry = { key: newId(), name: file.name, state: "sending", progress: 0, off: new AbortController() };
    this.entries.push(entry);
    const onProgress = (progress) => { Object.assign(entry, { progress }); this.#changed(); };
    try {
      Object.assign(entry, { file: await this.#upload({ file, onProgress, signal: entry.off.signal }), state: "ready" });
    } catch (error) {
      Object.assign(entry, { error, state: "failed" });
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
