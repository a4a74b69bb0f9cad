// Chooses one of the account's files, or a new one.

import { $, h, quiet } from "./dom.js";
import { dropzone } from "./dropzone.js";
import { on, tell } from "./hub.js";
import { fail } from "./notices.js";
import { signedLink } from "./player.js";
import { factsOf, hasMoreUploads, loadMoreUploads, showPicture, uploadOf, uploadsOf } from "./uploads.js";

const CARDS = { image: pictureCard, audio: soundRow };

// In the element `name`-picker. `chosen()` answers the upload.
export function picker(name, { kind, words, none }) {
  const list = h("div", { class: kind === "image" ? "presenters" : "sounds" }), preview = h("audio", { controls: true, preload: "none", hidden: true, "aria-label": "The chosen recording" });
  let chosen = null;
  const choose = (upload) => {
    chosen = upload?.id ?? null;
    if (kind === "audio") hear(preview, upload);
    tell("request-changed");
  };
  const draw = () => {
    const held = list.contains(document.activeElement) ? document.activeElement.value : null;
    const uploads = uploadsOf(kind);
    list.replaceChildren(...(uploads.length ? uploads.map((upload) => CARDS[kind](upload, name, upload.id === chosen, () => choose(upload))) : [h("p", { class: "empty" }, none)]));
    if (hasMoreUploads()) list.append(quiet("More files", () => loadMoreUploads().catch(fail)));
    if (held) list.querySelector(`[value="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
    if (chosen && !uploads.some(({ id }) => id === chosen)) choose(null);
  };
  on("uploads-changed", draw);
  on("signed-out", () => choose(null));
  $(`${name}-picker`).append(list, preview, dropzone({ kinds: [kind], words, onready: (upload) => { choose(upload); draw(); } }));
  draw();
  return { chosen: () => (chosen ? uploadOf(chosen) : null) };
}

const radioFor = (upload, name, checked, onchange) => {
  const radio = h("input", { type: "radio", name: `${name}_id`, value: upload.id, onchange });
  radio.checked = checked;
  return radio;
};

function pictureCard(upload, ...choice) {
  const frame = h("span", { class: "frame" });
  showPicture(upload, frame);
  return h("div", { class: "presenter" }, h("label", { title: upload.filename }, radioFor(upload, ...choice), h("span", {}, frame, h("span", { class: "caption" }, h("b", {}, upload.filename), h("small", {}, factsOf(upload))))));
}

function soundRow(upload, ...choice) {
  return h("label", { class: "sound", title: upload.filename }, radioFor(upload, ...choice), h("span", {}, h("b", {}, upload.filename), h("small", {}, factsOf(upload))));
}

function hear(preview, upload) {
  preview.hidden = !upload;
  preview.removeAttribute("src");
  if (upload) signedLink(`uploads/${upload.id}/file`).then((src) => { preview.src = src; }, fail);
}
