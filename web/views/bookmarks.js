// One's bookmarks in a dialog, newest first: each leads to its room, or is removed.

import { h } from "../dom.js";
import { explain } from "../errors.js";
import { hashOf } from "../route.js";
import { openDialog } from "./dialog.js";
import { dayName } from "./times.js";

export function bookmarksDialog({ chat, api }) {
  openDialog("Bookmarks", (close) => {
    const list = h("ol", { class: "bookmarks" });
    const state = h("p", { class: "empty", role: "status" }, "Loading…");
    const more = h("button", { type: "button", hidden: true }, "Earlier ones");
    const load = async (cursor) => {
      try {
        const page = await api.bookmarks(cursor);
        list.append(...page.items.map((bookmark) => row(bookmark, { chat, api, close })));
        state.textContent = list.children.length === 0 ? "Nothing yet. Keep a message with “Keep”." : "";
        more.hidden = page.nextCursor === null;
        more.onclick = () => load(page.nextCursor);
      } catch (error) {
        state.textContent = explain(error);
      }
    };
    load();
    return h("div", {}, list, state, more);
  });
}

function row({ id, message, createdAt }, { chat, api, close }) {
  const room = chat.rooms.get(message.roomId);
  const words = message.hidden ? "You are not in this room any more"
    : message.deleted ? "Message deleted" : message.content;
  const where = h("a", { href: hashOf(message.roomId), on: { click: close } }, room?.name ?? "Room");
  const problem = h("span", { role: "alert" });
  const remove = async () => {
    try {
      await api.removeBookmark(id);
      element.remove();
    } catch (error) {
      problem.textContent = explain(error);
    }
  };
  const element = h("li", {},
    h("p", { class: "text", dir: "auto" }, words),
    h("p", { class: "meta" }, chat.people.name(message.senderId), " · ", room ? where : "", " · ", dayName(createdAt),
      h("button", { type: "button", class: "small quiet", on: { click: remove } }, "Remove"), problem));
  return element;
}
