// Forms that order an own presenter or an own voice.

import { Order, allOf } from "./api.js";
import { loadWallet } from "./account.js";
import { CONSENT } from "./consent.js";
import { openDialog } from "./dialogs.js";
import { $, h, quiet } from "./dom.js";
import { dropzone } from "./dropzone.js";
import { on, tell } from "./hub.js";
import { announce, showProblem } from "./notices.js";
import { lengthOf, uploadsOf } from "./uploads.js";
import { languages } from "./voices.js";
import { credits } from "./words.js";

const order = new Order();
const FACE = {
  path: "avatars",
  title: "New presenter",
  kinds: [
    { value: "photo_avatar", fee: "photo_avatar", upload: "image", text: "A picture", hint: "One face, seen from the front, in good light." },
    { value: "digital_twin", fee: "digital_twin", upload: "video", text: "A film", hint: "One person who speaks for 15 seconds to 10 minutes. The person agrees on a page of the provider, too." },
  ],
};
const VOICE = {
  path: "voices",
  title: "New voice",
  kinds: [{ value: "clone", fee: "voice_clone", upload: "audio", text: "A recording", hint: "One person who speaks, without music or noise." }],
};
const DROP = { image: "Drop a picture here, or choose one", video: "Drop a film here, or choose one", audio: "Drop a recording here, or choose one" };

export function startMaking() {
  $("make-face").addEventListener("click", () => openForm(FACE));
  $("make-voice").addEventListener("click", () => openForm(VOICE));
  on("signed-out", () => order.forget());
}

function openForm(what) {
  const form = h("form", { class: "making", novalidate: true, method: "post" });
  const state = { what, form, fees: null };
  form.append(...fieldsOf(state));
  form.addEventListener("submit", (event) => { event.preventDefault(); send(state); });
  state.dialog = openDialog(what.title, form);
  if (what === FACE) form.addEventListener("change", (event) => event.target.name === "kind" && kindChanged(state));
  kindChanged(state);
  allOf("billing/fees").then((fees) => { state.fees = fees; showPrice(state); }, (error) => showProblem(form, state.problem, error));
}

const kindOf = ({ what, form }) => what.kinds.find(({ value }) => value === form.elements.kind?.value) ?? what.kinds[0];

function fieldsOf(state) {
  Object.assign(state, {
    hint: h("p", { class: "hint" }),
    drop: h("div"),
    files: h("select", { name: "upload_id" }),
    problem: h("p", { class: "problem", role: "alert", hidden: true }),
    price: h("p", { class: "hint price-line", role: "status" }),
    button: h("button", { class: "primary" }, "Make it"),
  });
  const name = h("label", { class: "field", "data-field": "name" }, "Name", h("input", { type: "text", name: "name", maxlength: 200, autocomplete: "off" }));
  const cancel = quiet("Cancel", () => state.dialog.close());
  return [
    state.what === FACE ? kindChoice(state.what) : null,
    state.hint, state.drop,
    h("label", { class: "field", "data-field": "upload_id" }, "File", state.files),
    name,
    state.what === VOICE ? languageChoice() : null,
    consentFields(state),
    state.price, state.problem,
    h("div", { class: "actions" }, cancel, state.button),
  ].filter(Boolean);
}

function kindChoice({ kinds }) {
  const choice = ({ value, text }, index) => h("label", {}, h("input", { type: "radio", name: "kind", value, checked: index === 0 }), h("span", {}, text));
  return h("div", { class: "tabs", role: "radiogroup", "aria-label": "Made from", "data-field": "kind" }, ...kinds.map(choice));
}

function languageChoice() {
  const options = languages().map((language) => h("option", { value: language, selected: language === $("language").value }, language));
  return h("label", { class: "field", "data-field": "language" }, "Language", h("select", { name: "language" }, ...options));
}

function consentFields({ form }) {
  const whose = (value, text, checked) => h("label", { class: "check" }, h("input", { type: "radio", name: "whose", value, checked }), text);
  const named = h("label", { class: "field", "data-field": "consent.subject_name", hidden: true }, "Name of the person", h("input", { type: "text", name: "subject_name", maxlength: 200, autocomplete: "off" }));
  const confirmed = h("div", { class: "field", "data-field": "consent.confirmed" }, h("label", { class: "check consent-text" }, h("input", { type: "checkbox", name: "confirmed" }), h("span", {}, CONSENT)));
  const box = h("fieldset", { "data-field": "consent" }, h("legend", {}, "Whose face or voice is it?"), whose("me", "My own", true), whose("other", "Another person's", false), named, confirmed);
  box.addEventListener("change", () => { named.hidden = form.elements.whose.value === "me"; });
  return box;
}

function kindChanged(state) {
  const { upload, hint } = kindOf(state);
  state.hint.textContent = hint;
  state.drop.replaceChildren(dropzone({ kinds: [upload], words: DROP[upload], onready: ({ id }) => showFiles(state, id) }));
  showFiles(state);
  showPrice(state);
}

function showFiles(state, chosen = "") {
  const option = (upload) => h("option", { value: upload.id, selected: upload.id === chosen }, [upload.filename, lengthOf(upload)].filter(Boolean).join(", "));
  state.files.replaceChildren(h("option", { value: "" }, "Choose one of your files"), ...uploadsOf(kindOf(state).upload).map(option));
}

function showPrice(state) {
  if (!state.fees) return;
  const fee = state.fees.find(({ what }) => what === kindOf(state).fee);
  state.button.textContent = fee ? `Make it for ${credits(fee.credits)}` : "Make it";
  state.price.textContent = fee ? `${credits(fee.credits)} are held now, charged once it is ready, and given back if it cannot be made.` : "It is not sold at present.";
}

function bodyOf({ what, form, files }) {
  const { kind, name, language, whose, subject_name: subject, confirmed } = form.elements;
  const isMe = whose.value === "me";
  return {
    kind: kind?.value ?? what.kinds[0].value,
    name: name.value.trim(),
    upload_id: files.value,
    ...(language && { language: language.value }),
    consent: { is_me: isMe, ...(!isMe && { subject_name: subject.value.trim() }), confirmed: confirmed.checked },
  };
}

// What the server would say one by one is said at once.
function missingIn(body) {
  const details = {};
  if (!body.upload_id) details.upload_id = "Send or choose a file.";
  if (!body.name) details.name = "Give it a name.";
  if (body.consent.subject_name === "") details["consent.subject_name"] = "Name the person.";
  if (!body.consent.confirmed) details["consent.confirmed"] = "Confirm that the person agrees.";
  return Object.keys(details).length ? { message: "Something is missing.", details } : null;
}

async function send(state) {
  const { what, form, problem, button, dialog } = state, body = bodyOf(state), missing = missingIn(body);
  if (missing) return refuse(state, missing);
  button.disabled = true;
  try {
    const { data } = await order.post(what.path, body);
    showProblem(form, problem, null);
    dialog.close();
    announce(`${data.name} is being made.`);
    for (const news of ["own-added", "materials-used"]) tell(news);
    return loadWallet().catch(() => {});
  } catch (error) {
    button.disabled = false;
    return refuse(state, error);
  }
}

function refuse({ form, problem, button, dialog }, error) {
  const buy = quiet("Get credits", () => { dialog.close(); tell("get-credits"); });
  showProblem(form, problem, error, error.code === "insufficient_credits" ? buy : null);
  (form.querySelector(".invalid input:not([type=file]), .invalid select") ?? button).focus();
}
