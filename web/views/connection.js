// The state of the connection in words: a line that is always there, and a bar while something is wrong.

import { h, setAttribute } from "../dom.js";

export function connection({ socket, signal }) {
  const text = h("span");
  const line = h("p", { class: "connection", role: "status" }, h("span", { class: "dot", "aria-hidden": "true" }), text);
  const why = h("span");
  const countdown = h("span", { class: "countdown", "aria-hidden": "true" });
  const button = h("button", { type: "button", class: "small", on: { click: () => act(socket) } });
  const bar = h("section", { class: "connection-bar", hidden: true, "aria-label": "Connection" }, why, countdown, button);
  let ticking = null;

  function update() {
    const { state } = socket;
    line.dataset.state = state.name;
    text.textContent = words(state).short;
    why.textContent = words(state).long;
    button.textContent = state.name === "stopped" ? "Reload" : "Try now";
    // While it tries again the bar stays, so that the page does not jump up and down.
    if (state.name !== "connecting") setAttribute(bar, "hidden", state.name === "ready" || state.name === "idle");
    setAttribute(button, "hidden", state.name === "connecting");
    setAttribute(bar, "data-state", state.name);
    clearInterval(ticking);
    if (state.name === "waiting") ticking = setInterval(tick, 500);
    tick();
  }

  function tick() {
    const seconds = Math.ceil((socket.state.retryAt - Date.now()) / 1000);
    countdown.textContent = seconds > 0 ? `Trying again in ${seconds} s.` : "";
  }

  socket.addEventListener("state", update, { signal });
  signal.addEventListener("abort", () => clearInterval(ticking));
  update();
  return { line, bar };
}

function words({ name, why }) {
  switch (name) {
    case "ready": return { short: "Connected", long: "" };
    case "waiting": return { short: "Not connected", long: why || "The connection is lost." };
    case "stopped": return { short: "Stopped", long: why };
    default: return { short: "Connecting…", long: "Connecting…" };
  }
}

function act(socket) {
  if (socket.state.name === "stopped") location.reload();
  else socket.wake();
}
