// Files on the page: those of a message that is being written, and those of messages.

import { h } from "../dom.js";
import { explain } from "../errors.js";
import { show } from "./notices.js";
import { icon } from "./icons.js";

const UNITS = ["bytes", "KB", "MB", "GB"];

/** The files that wait in the composer. */
export function waiting(attachments) {
  return attachments.entries.map(({ key, name, state, progress, error }) =>
    h("li", { "data-state": state },
      h("span", { class: "name", dir: "auto" }, name),
      state === "sending" && h("progress", { max: "1", value: String(progress), "aria-label": `Sending ${name}` }),
      state === "failed" && h("span", { class: "problem", role: "alert" }, explain(error)),
      h("button", { type: "button", class: "quiet round small", "aria-label": `Remove ${name}`,
        on: { click: () => attachments.remove(key) } }, icon("close"))));
}

/** The files of a message: pictures small, everything else by name. */
export function attached(files, media) {
  return files.map((file) => {
    const label = `${file.name}, ${sizeWords(file.size)}`;
    const open = () => save(file, media);
    if (!file.thumbnailUrl) {
      return h("button", { type: "button", class: "file", title: label, on: { click: open } }, icon("file"),
        h("span", { class: "name", dir: "auto" }, file.name), h("span", { class: "size" }, sizeWords(file.size)));
    }
    const image = h("img", { alt: file.name, ...fitted(file) });
    media.url(file.thumbnailUrl).then((url) => { image.src = url; }, () => image.classList.add("missing"));
    return h("button", { type: "button", class: "picture", title: label, on: { click: open } }, image);
  });
}

/** Hands the bytes to the browser as a download. */
async function save(file, media) {
  try {
    const url = await media.url(`/api/store/files/${file.fileId}`);
    h("a", { href: url, download: file.name }).click();
  } catch (error) {
    show(explain(error));
  }
}

/** The place that a thumbnail will take, so that the timeline does not jump. */
function fitted({ width, height }) {
  const scale = Math.min(1, 320 / Math.max(width, height));
  return { width: String(Math.round(width * scale)), height: String(Math.round(height * scale)) };
}

export function sizeWords(bytes) {
  const step = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log(bytes) / Math.log(1000)));
  const value = bytes / 1000 ** step;
  return `${step > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[step]}`;
}
