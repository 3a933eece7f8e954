// One row of the timeline: a message, a day, or the line above what is new.

import { actions, EMOJIS, reactionsOf } from "../actions.js";
import { h, setAttribute } from "../dom.js";
import { explain } from "../errors.js";
import { attached } from "./attachments.js";
import { avatar, paintAvatar } from "./avatar.js";
import { clockTime, dayName, fullTime } from "./times.js";

const WORDS = { reply: "Reply", keep: "Keep", edit: "Edit", delete: "Delete" };

/** `outbox` is told to try again or to give up, `act(name, message, emoji)` what is to be done with a message. */
export function createRow(row, { outbox, act, media }) {
  if (row.kind === "day") return h("li", { class: "divider" }, h("span", {}, dayName(row.at)));
  if (row.kind === "new") return h("li", { class: "divider new" }, h("span", {}, "New"));
  if (row.kind === "system") return h("li", { class: "divider" }, h("span", { dir: "auto" }, row.message.content));
  const parts = {
    sign: avatar(),
    author: h("span", { class: "author", dir: "auto" }),
    quote: h("p", { class: "quote", dir: "auto", hidden: true }),
    text: h("p", { class: "text", dir: "auto" }),
    files: h("div", { class: "files" }),
    time: h("time"),
    state: h("span", { class: "state" }),
    reactions: h("div", { class: "reactions" }),
    tools: h("div", { class: "tools", role: "group", "aria-label": "Message actions" }),
    problem: h("div", { class: "not-sent", hidden: true }),
  };
  const bubble = h("div", { class: "bubble" }, parts.author, parts.quote, parts.text, parts.files);
  const meta = h("span", { class: "meta" }, parts.time, parts.state);
  const element = h("li", { class: "message" }, h("div", { class: "line" }, parts.sign, bubble, meta, parts.tools),
    parts.reactions, parts.problem);
  return Object.assign(element, { parts, outbox, act, media });
}

export function updateRow(element, row, { people, room }) {
  if (row.kind !== "message") return;
  const name = row.isMine ? "You" : people.name(row.message.senderId);
  const { message, isLead, entry, replied } = row;
  const quoted = replied && people.name(replied.senderId);
  const shown = [entry ? entry.clientMessageId : message, entry?.state, isLead, name, replied, quoted, room?.role, room?.status];
  // A long timeline is gone through for every message that comes, and nearly all of it stays as it is.
  if (element.shown?.every((value, index) => value === shown[index])) return;
  element.shown = shown;
  paint(element, row, name);
  paintQuote(element.parts.quote, row, quoted);
  paintFiles(element, message);
  paintReactions(element, message);
  paintTools(element, actions({ message, isMine: row.isMine, room }), message);
}

function paint(element, { message, isMine, isLead, entry, isDraft }, name) {
  const { sign, author, text, time, state, problem } = element.parts;
  element.classList.toggle("mine", isMine);
  element.classList.toggle("lead", isLead);
  // The words of somebody who was erased are gone for good: no content is left to show.
  const isGone = message.deleted || message.content === null;
  element.classList.toggle("deleted", isGone);
  setAttribute(element, "data-state", entry?.state);
  paintAvatar(sign, message.senderId, name);
  author.textContent = name;
  if (message.senderType === "bot") author.append(" ", h("span", { class: "badge" }, "bot"));
  setText(text, isGone ? "Message deleted" : message.content);
  setText(time, clockTime(message.createdAt));
  setAttribute(time, "datetime", message.createdAt);
  setAttribute(time, "title", fullTime(message.createdAt));
  setText(state, isDraft ? "writing…" : stateWords(message, entry));
  paintProblem(problem, entry, element.outbox);
}

function paintQuote(quote, { replied }, author) {
  setAttribute(quote, "hidden", replied === undefined);
  const isGone = !replied || replied.deleted || replied.content === null;
  setText(quote, isGone ? "In reply to an earlier message" : `${author}: ${replied.content}`);
}

/** Files never change; they only go with their message. */
function paintFiles({ parts, media }, { attachments = [], deleted }) {
  const files = deleted ? [] : attachments;
  if (parts.files.childElementCount !== files.length) parts.files.replaceChildren(...attached(files, media));
}

function paintReactions({ parts, act }, message) {
  parts.reactions.replaceChildren(...reactionsOf(message).map(({ emoji, count, me }) =>
    h("button", { type: "button", class: "small", "aria-pressed": String(me), "aria-label": `${emoji} ${count}`,
      on: { click: () => act(me ? "unreact" : "react", message, emoji) } }, `${emoji} ${count}`)));
}

function paintTools({ parts, act }, names, message) {
  const button = (label, click) => h("button", { type: "button", class: "small quiet", on: { click } }, label);
  parts.tools.replaceChildren(...names.flatMap((name) => (name === "react"
    ? EMOJIS.map((emoji) => button(emoji, () => act("react", message, emoji)))
    : [button(WORDS[name], () => act(name, message))])));
}

function stateWords(message, entry) {
  if (!entry) return message.editedAt && message.content !== null ? "edited" : "";
  return { queued: "waiting", sending: "sending…", failed: "not sent" }[entry.state];
}

function paintProblem(problem, entry, outbox) {
  const isFailed = entry?.state === "failed";
  if (problem.hidden === !isFailed) return;
  setAttribute(problem, "hidden", !isFailed);
  if (!isFailed) return;
  const button = (text, act) => h("button", { type: "button", class: "small", on: { click: act } }, text);
  problem.replaceChildren(
    h("span", { role: "alert" }, `Not sent. ${explain(entry.error)}`),
    button("Try again", () => outbox.retry(entry.clientMessageId)),
    button("Discard", () => outbox.drop(entry.clientMessageId)));
}

/** Leaves the node alone when nothing changed, so that a selection survives. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
