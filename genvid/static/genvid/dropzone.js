// Takes files: dropped, chosen, photographed or recorded.

import { canFilm, canRecord, recordVoice, takePhoto } from "./capture.js";
import { $, h, quiet } from "./dom.js";
import { tell } from "./hub.js";
import { announce } from "./notices.js";
import { CANCELED, sendFile } from "./sending.js";

export const ENDINGS = { image: ".jpg,.jpeg,.png,.webp", audio: ".wav,.mp3", video: ".mp4,.webm" };
const FORMATS = { image: "JPEG, PNG or WebP", audio: "WAV or MP3, up to 10 minutes", video: "MP4 or WebM, up to 10 minutes" };

// `kinds`: of uploads. `words`: what to drop. `onready` gets each upload.
export function dropzone({ kinds, words, onready = () => {} }) {
  const input = h("input", { type: "file", accept: kinds.map((kind) => ENDINGS[kind]).join(), multiple: true });
  const limits = `${kinds.map((kind) => FORMATS[kind]).join("; ")}. 20 MB at most.`;
  const surface = h("label", { class: "drop" }, input, h("span", {}, h("b", {}, words), h("small", {}, limits)));
  const sending = h("div", { class: "sending" }), problem = h("p", { class: "problem", role: "alert", hidden: true });
  const take = (files) => sendAll([...files], { input, sending, problem, onready });
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  acceptDrops(surface, take);
  return h("div", { class: "dropzone" }, surface, h("div", { class: "actions" }, ...devices(kinds, take)), sending, problem);
}

function devices(kinds, take) {
  const offer = (text, capture) => quiet(text, async () => { const file = await capture(); if (file) take([file]); });
  return [
    kinds.includes("image") && canFilm() ? offer("Take a photo…", takePhoto) : null,
    kinds.includes("audio") && canRecord() ? offer("Record…", recordVoice) : null,
  ].filter(Boolean);
}

function acceptDrops(surface, take) {
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  const light = (isOver) => surface.classList.toggle("over", isOver);
  surface.addEventListener("dragover", (event) => { if (isFile(event)) { event.preventDefault(); light(true); } });
  surface.addEventListener("dragleave", () => light(false));
  surface.addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    light(false);
    take(event.dataTransfer.files);
  });
}

// One after the other: the server takes each as a whole.
async function sendAll(files, parts) {
  parts.problem.hidden = true;
  for (const file of files) await send(file, parts);
}

async function send(file, { input, sending, problem, onready }) {
  const stop = new AbortController(), bar = h("progress", { max: 100, value: 0, "aria-label": `Sending ${file.name}` });
  const row = h("div", { class: "sending-row" }, h("span", {}, file.name), bar, quiet("Stop", () => stop.abort(), { "aria-label": `Stop sending ${file.name}` }));
  sending.append(row);
  try {
    const upload = await sendFile(file, { signal: stop.signal, onprogress: (percent) => { bar.value = percent; } });
    announce([`${file.name} is uploaded.`, ...upload.notes].join(" "));
    tell("upload-added", upload);
    onready(upload);
  } catch (error) {
    if (error.message === CANCELED) announce(`${file.name} is not sent.`);
    else refuse(problem, file, error);
  } finally {
    const held = row.contains(document.activeElement);
    row.remove();
    if (held) input.focus();
  }
}

function refuse(problem, file, error) {
  const line = `${file.name}: ${[error.message, ...Object.values(error.details ?? {})].join(" ")}`;
  problem.textContent = problem.hidden ? line : `${problem.textContent}\n${line}`;
  problem.hidden = false;
}

// A file that misses a zone would otherwise replace the page.
export function startDropzones() {
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => { if (event.dataTransfer?.types.includes("Files") && !event.target.closest?.(".drop")) event.preventDefault(); });
  }
  $("files-drop").append(dropzone({ kinds: ["image", "audio", "video"], words: "Drop files here, or choose some" }));
}
