// Short words to the person: a note that shows for a while, and one only for screen readers.

import { h } from "../dom.js";

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
  showFor(SHOWN_MS, text);
}

export function announce(text) {
  showFor(ANNOUNCED_MS, text);
}

function showFor(ms, text) {
  const note = h("p", { class: "notice" }, text);
  shown.append(note);
  setTimeout(() => note.remove(), ms);
}
