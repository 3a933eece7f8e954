// Short words to the person: a note that shows for a while, and one only for screen readers.

import { h } from "../dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6_000;
const SPOKEN_MS = 2_000;
// What operators say may change somebody's evening.
const ANNOUNCED_MS = 60_000;

const spoken = h("div", { class: "visually-hidden", "aria-live": "polite" });
const shown = h("div", { class: "notices", role: "status" });

export function mountNotices() {
  document.body.append(spoken, shown);
}

export function say(text) {
  const line = h("p", {}, text);
  spoken.append(line);
  setTimeout(() => line.remove(), SPOKEN_MS);
}

export function show(text) {
  showFor(SHOWN_MS, h("p", { class: "notice" }, text));
}

/** What operators say: it stays longer, so that it can be closed. */
export function announce(text) {
  const close = h("button", { type: "button", class: "quiet round", "aria-label": "Close", on: { click: () => note.remove() } }, icon("close"));
  const note = h("div", { class: "notice closable" }, h("p", { dir: "auto" }, text), close);
  showFor(ANNOUNCED_MS, note);
}

function showFor(ms, note) {
  shown.append(note);
  setTimeout(() => note.remove(), ms);
}
