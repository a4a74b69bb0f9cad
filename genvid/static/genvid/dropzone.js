// Takes files: dropped, chosen, photographed or recorded.

import { canFilm, canRecord, recordVoice, takePhoto } from "./capture.js";
import { $, h, quiet } from "./dom.js";
import { ENDINGS, limitsOf, sizeOf } from "./formats.js";
import { on, tell } from "./hub.js";
import { announce } from "./notices.js";
import { sendFile } from "./sending.js";
import { CANCELED } from "./transfer.js";

const underWay = new Set();
// Counts sign-outs: what somebody has dropped is not sent for the next one.
let session = 0;
// The zone that is always there: it takes over from a form that was closed.
let home = null;

// `kinds`: of uploads. `words`: what to drop. `onready` gets each upload.
export function dropzone({ kinds, words, onready = () => {}, isHome = false }) {
  const input = h("input", { type: "file", accept: kinds.map((kind) => ENDINGS[kind]).join(), multiple: true });
  const surface = h("label", { class: "drop" }, input, h("span", {}, h("b", {}, words), h("small", {}, limitsOf(kinds))));
  const sending = h("div", { class: "sending" }), problem = h("p", { class: "problem", role: "alert", hidden: true });
  const take = (files) => { showRefusals(parts, []); sendAll([...files], parts); }, parts = { input, sending, problem, onready };
  if (isHome) home = parts;
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

const zoneOf = (parts) => (parts.input.isConnected ? parts : home);

// One after the other: the server takes each as a whole.
async function sendAll(files, parts) {
  const mine = session;
  for (const file of files) if (mine === session) await send(file, parts);
}

async function send(file, parts) {
  const mine = session;
  const stop = new AbortController(), row = sendingRow(file, stop, parts);
  parts.sending.append(row.element);
  underWay.add(stop);
  try {
    const upload = await sendFile(file, { signal: stop.signal, onprogress: row.progress, onchecking: row.checking });
    if (stop.signal.aborted) return;
    announce([`${file.name} is uploaded.`, ...upload.notes].join(" "));
    tell("upload-added", upload);
    parts.onready(upload);
  } catch (error) {
    if (error.message === CANCELED) announce(`${file.name} is not sent.`);
    else if (mine === session) refuse(zoneOf(parts), file, error);
  } finally {
    underWay.delete(stop);
    const held = row.element.contains(document.activeElement);
    row.element.remove();
    if (held) zoneOf(parts).input.focus();
  }
}

function sendingRow(file, stop, parts) {
  const bar = h("progress", { max: 100, value: 0, "aria-label": `Sending ${file.name}` }), state = h("small", {}, sizeOf(file.size));
  const about = h("span", { class: "about" }, h("b", {}, file.name), state);
  const element = h("div", { class: "sending-row" }, about, bar, quiet("Stop", () => stop.abort(), { "aria-label": `Stop sending ${file.name}` }));
  const moveHome = () => element.isConnected || zoneOf(parts).sending.append(element);
  const progress = (loaded, total) => {
    moveHome();
    bar.value = Math.floor((loaded * 100) / total);
    state.textContent = `${sizeOf(Math.min(loaded, file.size))} of ${sizeOf(file.size)}`;
  };
  // How long the check takes, nobody knows.
  const checking = () => {
    moveHome();
    if (!bar.hasAttribute("value")) return;
    bar.removeAttribute("value");
    bar.setAttribute("aria-label", `Checking ${file.name}`);
    state.textContent = "Being checked…";
    announce(`${file.name} is sent, and is being checked.`);
  };
  return { element, progress, checking };
}

function refuse(parts, file, error) {
  const words = `${file.name}: ${[error.message, ...Object.values(error.details ?? {})].join(" ")}`;
  const help = error.help ? h("a", { href: error.help, target: "_blank" }, "What the operator has to do") : null;
  const again = () => { showRefusals(parts, [...parts.problem.children].filter((each) => each !== line)); sendAll([file], parts); };
  const retry = error.mayRetry || error.status === 0 ? quiet("Send again", again, { "aria-label": `Send ${file.name} again` }) : null;
  const line = h("span", { class: "refusal" }, words, help, retry);
  showRefusals(parts, [...parts.problem.children, line]);
  if (error.code === "upload_refused") tell("materials-used");
}

function showRefusals({ problem, input }, lines) {
  problem.replaceChildren(...lines);
  problem.hidden = !lines.length;
  input.setAttribute("aria-invalid", String(Boolean(lines.length)));
}

function stopAll() {
  session += 1;
  underWay.forEach((stop) => stop.abort());
}

const zones = () => [...document.querySelectorAll(".dropzone")].map((zone) => ({ input: zone.querySelector("input"), problem: zone.querySelector(".problem") }));

// A file that misses a zone would otherwise replace the page.
export function startDropzones() {
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => { if (event.dataTransfer?.types.includes("Files") && !event.target.closest?.(".drop")) event.preventDefault(); });
  }
  on("signing-out", stopAll);
  on("signed-out", () => { stopAll(); zones().forEach((zone) => showRefusals(zone, [])); });
  addEventListener("beforeunload", (event) => { if (underWay.size) event.preventDefault(); });
  $("files-drop").append(dropzone({ kinds: ["image", "audio", "video"], words: "Drop files here, or choose some", isHome: true }));
}
