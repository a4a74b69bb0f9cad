// What the page says: notices on top, problems beside what caused them.

import { tokens } from "./api.js";
import { $, h, quiet } from "./dom.js";

export function notify(text, { bad = false, action } = {}) {
  const note = h("p", { class: bad ? "notice bad" : "notice" }, h("span", {}, text));
  note.append(action ?? quiet("Close", () => note.remove()));
  $("notices").append(note);
}

export const fail = (error) => { if (tokens.get()) notify(error.message, { bad: true }); };

function clearProblems(form) {
  form.querySelectorAll(".wrong").forEach((element) => element.remove());
  form.querySelectorAll(".invalid").forEach((element) => element.classList.remove("invalid"));
}

export function showProblem(form, box, error, action = null) {
  clearProblems(form);
  const homeless = [];
  for (const [name, message] of Object.entries(error?.details ?? {})) {
    const field = form.querySelector(`[data-field="${CSS.escape(name.split(".")[0])}"]`);
    field?.classList.add("invalid");
    if (field?.classList.contains("field")) field.append(h("span", { class: "wrong" }, message));
    else homeless.push(`${name}: ${message}`);
  }
  box.hidden = !error;
  box.textContent = error ? [error.message, ...homeless].join("\n") : "";
  if (error && action) box.append(action);
}

// A part of the page that could not be shown says why, and can be asked again.
export async function guarded(box, load) {
  box.hidden = true;
  try {
    await load();
  } catch (error) {
    box.replaceChildren(h("span", {}, error.message), quiet("Try again", () => guarded(box, load)));
    box.hidden = !tokens.get();
  }
}

// A step that leads off this page leaves its button disabled: a second click would be a second step.
export async function attempt(button, part, box, step) {
  button.disabled = true;
  showProblem(part, box, null);
  try {
    await step();
  } catch (error) {
    showProblem(part, box, error);
    button.disabled = false;
  }
}
