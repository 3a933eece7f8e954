import assert from "node:assert/strict";
import { mock, test } from "node:test";

/** As much of an element as notes need; text stays text. */
class FakeElement extends EventTarget {
  children = [];
  parent = null;
  attributes = {};

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  append(...children) {
    for (const child of children) if (typeof child !== "string") child.parent = this;
    this.children.push(...children);
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
  }
}

mock.timers.enable({ apis: ["setTimeout"] });
const body = new FakeElement();
globalThis.document = { body, createElement: () => new FakeElement(), createElementNS: () => new FakeElement() };
const { announce, mountNotices, show } = await import("../views/notices.js");
mountNotices();
const shown = body.children.find(({ attributes }) => attributes.role === "status");

test("what operators say is text, stays for a minute and can be closed before", () => {
  announce("<b>22시</b> 점검");
  const [note] = shown.children;
  const [text, close] = note.children;
  assert.deepEqual(text.children, ["<b>22시</b> 점검"]);
  mock.timers.tick(59_000);
  assert.deepEqual(shown.children, [note]);
  close.dispatchEvent(new Event("click"));
  assert.deepEqual(shown.children, []);

  announce("again");
  mock.timers.tick(60_000);
  assert.deepEqual(shown.children, []);
});

test("other notes go soon by themselves", () => {
  show("Not sent");
  assert.deepEqual(shown.children[0].children, ["Not sent"]);
  mock.timers.tick(6_000);
  assert.deepEqual(shown.children, []);
});
