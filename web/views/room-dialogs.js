// The dialogs that change rooms: make one, rename it, invite people, leave, remove somebody.

import { h } from "../dom.js";
import { DoranError } from "../errors.js";
import { roomOf } from "../my-rooms.js";
import { hashOf } from "../route.js";
import { cancelButton, confirmDialog, openDialog } from "./dialog.js";
import { actionForm, field, inputs } from "./form.js";
import { show } from "./notices.js";
import { PeoplePicker } from "./people-picker.js";

export function newRoomDialog({ chat, api }) {
  const picker = new PeoplePicker({ api, without: new Set([chat.me.id]) });
  openDialog("New room", (close) => actionForm({
    submit: "Create room",
    cancel: cancelButton(close),
    values: (form) => roomOf(inputs(form), picker.ids),
    action: async (values, key) => {
      const room = await chat.rooms.create(values, key);
      close();
      location.hash = hashOf(room.id);
    },
  }, roomName(""), bots(chat.bots), picker.element));
}

function bots(offered) {
  if (offered.length === 0) return null;
  const options = [h("option", { value: "" }, "None"), ...offered.map(({ id, name }) => h("option", { value: id }, name))];
  return h("div", { class: "field", "data-field": "botId" }, h("label", { for: "room-bot" }, "Bot that answers"),
    h("select", { id: "room-bot", name: "botId" }, options), h("span", { class: "note" }));
}

export function renameDialog({ chat, room }) {
  openDialog("Rename room", (close) => actionForm({
    submit: "Rename",
    cancel: cancelButton(close),
    action: async ({ name }, key) => {
      await chat.rooms.rename(room.id, name, key);
      close();
    },
  }, roomName(room.name)));
}

export function inviteDialog({ chat, api, room }) {
  const known = chat.members.of(room.id).items ?? [];
  const picker = new PeoplePicker({ api, without: new Set(known.map(({ userId }) => userId)) });
  openDialog("Invite people", (close) => actionForm({
    submit: "Invite",
    cancel: cancelButton(close),
    values: () => picker.ids,
    action: async (userIds, key) => {
      if (userIds.length === 0) throw new DoranError({ code: "NOBODY_CHOSEN", message: "Choose somebody first." });
      await chat.members.add(room.id, userIds, key);
      chat.rooms.refresh();
      close();
      show(userIds.length === 1 ? `One more person is in ${room.name}.` : `${userIds.length} more people are in ${room.name}.`);
    },
  }, picker.element));
}

export function leaveDialog({ chat, room }) {
  confirmDialog({
    title: "Leave room",
    text: `You will not see what is said in ${room.name} any more, until somebody invites you again.`,
    submit: "Leave",
    action: () => chat.rooms.leave(room.id),
  });
}

export function removeDialog({ chat, room, member }) {
  confirmDialog({
    title: "Remove from room",
    text: `${member.name} will not see what is said in ${room.name} any more.`,
    submit: "Remove",
    action: async () => {
      await chat.members.remove(room.id, member.userId);
      chat.rooms.refresh();
    },
  });
}

function roomName(value) {
  return field({ label: "Name", name: "name", required: true, pattern: ".*\\S.*", title: "A name", maxlength: 100, autocomplete: "off", value });
}
