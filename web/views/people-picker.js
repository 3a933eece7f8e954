// Finding people by name, initial consonants or e-mail address, and choosing some of them.

import { h, keyed, setAttribute } from "../dom.js";
import { explain } from "../errors.js";
import { nameOf } from "../people.js";
import { avatar } from "./avatar.js";

const PAUSE_MS = 250;

export class PeoplePicker {
  chosen = new Map();
  #api;
  #without;
  #search;
  #found = h("ul", { class: "found" });
  #note = h("p", { class: "note", role: "status" });
  #chips = h("ul", { class: "chips", "aria-label": "Chosen people" });
  #timer = null;
  #asking = null;

  /** `without` holds the ids of people who are not to be offered. */
  constructor({ api, without }) {
    this.#api = api;
    this.#without = without;
    this.#search = h("input", { type: "search", id: "people-search", autocomplete: "off", autocapitalize: "none", maxlength: 254,
      placeholder: "Name or e-mail address",
      on: { input: () => this.#later(), keydown: (event) => this.#pressed(event) } });
    this.element = h("div", { class: "field people-picker" },
      h("label", { for: "people-search" }, "People"), this.#chips, this.#search, this.#note, this.#found);
  }

  get ids() {
    return Array.from(this.chosen.keys());
  }

  #pressed(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (!event.isComposing && event.keyCode !== 229) this.#found.querySelector("button")?.click();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const q = this.#search.value.trim();
    if (!q) {
      this.#offer([], "");
      return;
    }
    try {
      const people = (await this.#api.searchUsers(q, asking)).filter(({ id }) => !this.#without.has(id) && !this.chosen.has(id));
      this.#offer(people, people.length > 0 ? "" : nobody(q));
    } catch (error) {
      if (!asking.signal.aborted) this.#offer([], explain(error));
    }
  }

  #offer(people, words) {
    this.#note.textContent = words;
    const rows = people.map((person) => ({ key: person.id, person }));
    keyed(this.#found, rows, { create: ({ person }) => this.#offered(person), update: () => {} });
  }

  #offered(person) {
    return h("li", {}, h("button", { type: "button", class: "person", on: { click: () => this.#choose(person) } },
      avatar(person.id, nameOf(person)), h("span", { dir: "auto" }, nameOf(person)), h("span", { class: "add" }, "Add")));
  }

  #choose(person) {
    this.chosen.set(person.id, person);
    this.#search.value = "";
    this.#offer([], "");
    this.#paintChosen();
    this.#search.focus();
  }

  #paintChosen() {
    const rows = Array.from(this.chosen.values(), (person) => ({ key: person.id, person }));
    keyed(this.#chips, rows, { create: ({ person }) => this.#chip(person), update: () => {} });
    setAttribute(this.#chips, "hidden", rows.length === 0);
  }

  #chip(person) {
    const drop = () => { this.chosen.delete(person.id); this.#paintChosen(); this.#search.focus(); };
    return h("li", {}, h("span", { dir: "auto" }, nameOf(person)),
      h("button", { type: "button", "aria-label": `Remove ${nameOf(person)}`, on: { click: drop } }, "×"));
  }
}

function nobody(q) {
  return q.includes("@") ? "Nobody here has exactly this address." : "Nobody found.";
}
