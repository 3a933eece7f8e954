// Where a message is written. Enter sends where there is a keyboard, but never while an input method is composing.

import { h, setAttribute } from "../dom.js";
import { waiting } from "./attachments.js";
import { icon } from "./icons.js";

const LONGEST = 10_000;
const COUNTED_FROM = 9_000;

export class Composer {
  #draftKey;
  #send;
  #area;
  #count = h("span", { class: "count", role: "status" });
  #button = h("button", { type: "submit", class: "primary round", "aria-label": "Send" }, icon("send"));
  /** `{name: "reply"|"edit", message}` while what is written is not just said. */
  #about = null;
  #aboutWords = h("span", { class: "words", dir: "auto" });
  #aboutLine = h("div", { class: "about", hidden: true }, this.#aboutWords,
    h("button", { type: "button", class: "quiet round", "aria-label": "Cancel", on: { click: () => this.cancel() } }, icon("close")));
  #touch = matchMedia("(pointer: coarse)");
  #attachments;
  #files = h("ul", { class: "waiting", "aria-label": "Files" });
  #picker = h("input", { type: "file", multiple: true, hidden: true,
    on: { change: () => { this.#attachments.add(this.#picker.files); this.#picker.value = ""; } } });
  #attach = h("button", { type: "button", class: "quiet round", "aria-label": "Attach files", title: "Attach files",
    on: { click: () => this.#picker.click() } }, icon("clip"));

  constructor({ draftKey, send, attachments }) {
    this.#attachments = attachments;
    this.#draftKey = draftKey;
    this.#send = send;
    this.#area = h("textarea", { rows: "1", "aria-label": "Message", placeholder: "Write a message", dir: "auto",
      on: { input: () => this.#changed(), keydown: (event) => this.#pressed(event), paste: (event) => this.#taken(event, event.clipboardData) } });
    this.element = h("form", { class: "composer", on: {
      submit: (event) => { event.preventDefault(); this.#submit(); },
      dragover: (event) => event.preventDefault(),
      drop: (event) => this.#taken(event, event.dataTransfer),
    } }, this.#aboutLine, this.#files, this.#picker, this.#attach, this.#area, this.#count, this.#button);
    attachments.addEventListener("change", () => this.#filesChanged());
    this.#area.value = sessionStorage.getItem(draftKey) ?? "";
    this.#changed();
  }

  focus() {
    if (!this.#touch.matches) this.#area.focus();
  }

  /** What is written from now on answers a message, or takes its place. */
  begin(name, message, words) {
    this.#about = { name, message };
    this.#aboutWords.textContent = words;
    setAttribute(this.#aboutLine, "hidden", false);
    if (name === "edit") this.#area.value = message.content;
    this.#changed();
    this.#area.focus();
  }

  cancel() {
    if (this.#about?.name === "edit") this.#area.value = "";
    this.#about = null;
    setAttribute(this.#aboutLine, "hidden", true);
    this.#changed();
  }

  close(words) {
    this.#area.disabled = words !== null;
    this.#area.placeholder = words ?? "Write a message";
    this.#changed();
  }

  /** Files that were pasted or dropped; text goes its own way. */
  #taken(event, transfer) {
    if (this.#area.disabled || !transfer?.files.length) return;
    event.preventDefault();
    this.#attachments.add(transfer.files);
  }

  #filesChanged() {
    this.#files.replaceChildren(...waiting(this.#attachments));
    this.#changed();
  }

  #pressed(event) {
    if (event.key === "Escape" && this.#about && !event.isComposing) {
      event.stopPropagation();
      this.cancel();
      return;
    }
    // Safari ends the composition before the key that ended it arrives; 229 is what that key still says.
    const isComposing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || isComposing || this.#touch.matches) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    if (this.#button.disabled) return;
    this.#send(this.#area.value.trimEnd(), this.#about);
    this.#area.value = "";
    this.cancel();
    this.#area.focus();
  }

  #changed() {
    const text = this.#area.value;
    const length = Array.from(text.trimEnd()).length;
    const left = LONGEST - length;
    const { entries, isBusy } = this.#attachments;
    const isEmpty = text.trim() === "" && (entries.length === 0 || this.#about?.name === "edit");
    this.#button.disabled = this.#area.disabled || left < 0 || isEmpty || isBusy;
    this.#attach.disabled = this.#area.disabled;
    this.#count.textContent = length < COUNTED_FROM ? "" : left < 0 ? `${-left} too many` : `${left} left`;
    setAttribute(this.#count, "data-over", left < 0);
    this.#area.rows = Math.min(8, text.split("\n").length);
    if (this.#about?.name === "edit") return;
    if (text) sessionStorage.setItem(this.#draftKey, text);
    else sessionStorage.removeItem(this.#draftKey);
  }
}
