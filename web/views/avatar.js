// The round sign of a person or room: first letter, and a colour that follows from the id.

import { h } from "../dom.js";

const TINTS = 8;

export function avatar(id, name) {
  const element = h("span", { class: "avatar", "aria-hidden": "true" });
  paintAvatar(element, id, name);
  return element;
}

export function paintAvatar(element, id, name) {
  const sum = Array.from(id ?? "").reduce((total, letter) => (total * 31 + letter.codePointAt(0)) >>> 0, 7);
  element.dataset.tint = String(sum % TINTS);
  element.textContent = Array.from(name ?? "")[0]?.toUpperCase() ?? "";
}
