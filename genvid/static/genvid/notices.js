// What the page says: notices on top, problems beside what caused them.

import { $, h, quiet } from "./dom.js";
import { tokens } from "./tokens.js";

// Answers the note, which its `dismiss` takes away.
export function notify(text, { bad = false, action } = {}) {
  const note = h("p", { class: bad ? "notice bad" : "notice" }, h("span", {}, text));
  note.dismiss = () => {
    const held = note.contains(document.activeElement);
    note.remove();
    if (held) $("main").focus({ preventScroll: true });
  };
  note.append(action ?? quiet("Close", note.dismiss));
  $("notices").append(note);
  return note;
}

// For those who cannot see what changes on stage.
export const announce = (words) => { $("announcement").textContent = words; };

export const fail = (error) => { if (tokens.get()) notify(error.message, { bad: true }); };

function clearProblems(form) {
  form.querySelectorAll(".wrong").forEach((element) => element.remove());
  form.querySelectorAll(".invalid").forEach((element) => element.classList.remove("invalid"));
}

// `consent.is_me` belongs to the field of that name, or else to `consent`.
function fieldOf(form, name) {
  const named = (part) => form.querySelector(`[data-field="${CSS.escape(part)}"]`);
  return named(name) ?? named(name.split(".")[0]);
}

export function showProblem(form, box, error, action = null) {
  clearProblems(form);
  const homeless = [];
  for (const [name, message] of Object.entries(error?.details ?? {})) {
    const field = fieldOf(form, name);
    field?.classList.add("invalid");
    if (field?.classList.contains("field")) field.append(h("span", { class: "wrong" }, message));
    else homeless.push(`${name}: ${message}`);
  }
  const text = error ? [error.message, ...homeless].join("\n") : "";
  // The same words again would be read out again.
  if (action || box.hidden === Boolean(error) || box.textContent !== text) box.textContent = text;
  box.hidden = !error;
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
    button.focus({ preventScroll: true });
  }
}
