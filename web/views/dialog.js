// A modal dialog around some content; it is gone when closed.

import { h } from "../dom.js";
import { icon } from "./icons.js";
import { actionForm } from "./form.js";

/** `content(close)` gives the children. */
export function openDialog(title, content) {
  const close = () => dialog.close();
  const dialog = h("dialog", { "aria-label": title, on: { close: () => dialog.remove() } },
    h("header", {},
      h("h2", {}, title),
      h("button", { type: "button", class: "quiet round", "aria-label": "Close", on: { click: close } }, icon("close"))),
    content(close));
  document.body.append(dialog);
  dialog.showModal();
}

export function confirmDialog({ title, text, submit, action }) {
  openDialog(title, (close) => actionForm({
    submit,
    cancel: cancelButton(close),
    action: async () => { await action(); close(); },
  }, h("p", {}, text)));
}

export function cancelButton(close) {
  return h("button", { type: "button", class: "quiet", on: { click: close } }, "Cancel");
}
