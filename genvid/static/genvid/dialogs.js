// Questions and other dialogs over the page.

import { $, h } from "./dom.js";
import { on } from "./hub.js";

export function startDialogs() {
  on("signed-out", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close()));
}

// Resolves to whether the answer is yes.
export function ask(question, warning, verb = "Delete") {
  const dialog = $("delete-dialog");
  $("delete-question").textContent = question;
  $("delete-warning").textContent = warning;
  $("delete-yes").textContent = verb;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => { dialog.onclose = () => resolve(dialog.returnValue === "delete"); });
}

// One that lives as long as it is open. The browser gives the focus back to what had it before.
export function openDialog(title, ...children) {
  const dialog = h("dialog", { class: "panel", "aria-label": title }, h("h2", {}, title), ...children);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
