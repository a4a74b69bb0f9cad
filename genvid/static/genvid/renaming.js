// Gives an own presenter or an own voice another name.

import { call } from "./api.js";
import { openDialog } from "./dialogs.js";
import { h, quiet } from "./dom.js";
import { tell } from "./hub.js";
import { announce, showProblem } from "./notices.js";

const NAMELESS = { message: "Something is missing.", details: { name: "Give it a name." } };

// `path`: of the list that it is in.
export function openRenaming(path, entry) {
  const input = h("input", { type: "text", name: "name", value: entry.name, maxlength: 200, autocomplete: "off" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true }), button = h("button", { class: "primary" }, "Rename");
  const field = h("label", { class: "field", "data-field": "name" }, "Name", input);
  const form = h("form", { class: "making", novalidate: true, method: "post" }, field, problem, h("div", { class: "actions" }, quiet("Cancel", () => dialog.close()), button));
  const dialog = openDialog(`Rename “${entry.name}”`, form);
  input.select();
  // The list may have been drawn anew meanwhile.
  dialog.addEventListener("close", () => document.querySelector(`[data-key="rename ${CSS.escape(entry.id)}"]`)?.focus({ preventScroll: true }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const refusal = await rename(path, entry, input.value.trim());
    button.disabled = false;
    if (!refusal) return dialog.close();
    showProblem(form, problem, refusal);
    return input.focus();
  });
}

// Answers what is wrong with it, or null.
async function rename(path, entry, name) {
  if (!name) return NAMELESS;
  if (name === entry.name) return null;
  try {
    const { data } = await call(`${path}/${entry.id}`, { method: "PATCH", body: { name } });
    announce(`It is called ${data.name} now.`);
    tell("own-added");
    return null;
  } catch (error) {
    return error;
  }
}
