// A form with one action: busy while it runs, its refusal shown at the field it names or below.

import { h, setAttribute } from "../dom.js";
import { explain } from "../errors.js";
import { newId } from "../id.js";

let fields = 0;

export function field({ label, name, hint, ...attributes }) {
  const id = `field-${(fields += 1)}`;
  const input = h("input", { id, name, "aria-describedby": `${id}-note`, ...attributes });
  const note = h("span", { id: `${id}-note`, class: "note" }, hint ?? "");
  return h("div", { class: "field", "data-field": name, "data-hint": hint }, h("label", { for: id }, label), input, note);
}

/** `action(values, key)` may reject; the key stays the same while the values do, so that trying again repeats nothing. */
export function actionForm({ submit, action, cancel, values = inputs }, ...children) {
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, submit);
  const intent = { body: null, key: null };
  const form = h("form", { on: { submit: (event) => { event.preventDefault(); run(); } } },
    children, problem, h("div", { class: "buttons" }, cancel, button));

  async function run() {
    if (button.disabled) return;
    const given = values(form);
    const body = JSON.stringify(given);
    if (intent.body !== body) Object.assign(intent, { body, key: newId() });
    setBusy(form, button, true);
    showRefusal(form, problem, null);
    try {
      await action(given, intent.key);
      intent.body = null;
    } catch (error) {
      showRefusal(form, problem, error);
    } finally {
      setBusy(form, button, false);
    }
  }
  return form;
}

export function inputs(form) {
  return Object.fromEntries(new FormData(form));
}

function setBusy(form, button, isBusy) {
  setAttribute(form, "aria-busy", isBusy && "true");
  button.disabled = isBusy;
}

function showRefusal(form, problem, error) {
  const reasons = new Map((error?.fields ?? []).map(({ field: name, reason }) => [name, reason]));
  let isShownAtField = false;
  for (const box of form.querySelectorAll("[data-field]")) {
    const reason = reasons.get(box.dataset.field);
    isShownAtField ||= reason !== undefined;
    setAttribute(box.querySelector("input, select"), "aria-invalid", reason && "true");
    box.querySelector(".note").textContent = reason ?? box.dataset.hint ?? "";
  }
  problem.textContent = error && !isShownAtField ? explain(error) : "";
  form.querySelector("[aria-invalid]")?.focus();
}
