// The account's own files: the list of them, and the choice among those of one kind.

import { call } from "./api.js";
import { ask } from "./dialogs.js";
import { $, h, quiet } from "./dom.js";
import { on, tell } from "./hub.js";
import { announce, fail } from "./notices.js";
import { signedLink } from "./player.js";
import { day, seconds } from "./words.js";

const KINDS = { image: "Picture", audio: "Recording", video: "Film" };
const WARNING = "The file goes, here and at the provider. What was made with it stays.";
const MEGABYTE = 1_000_000;
let rows = [], next = null;

export const uploadsOf = (kind) => rows.filter((upload) => upload.kind === kind && upload.status === "ready");
export const uploadOf = (id) => rows.find((upload) => upload.id === id);
export const sizeOf = (bytes) => (bytes < MEGABYTE ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / MEGABYTE).toFixed(1)} MB`);
export const hasMoreUploads = () => next !== null;

export function startUploads() {
  on("upload-added", (upload) => setRows([upload, ...rows.filter(({ id }) => id !== upload.id)]));
  on("materials-used", () => loadUploads().catch(fail));
  on("videos-changed", () => loadUploads().catch(fail));
  on("signed-out", () => { next = null; setRows([]); });
  $("more-files").addEventListener("click", () => loadUploads(next).catch(fail));
}

export async function loadUploads(cursor = null) {
  const { data, meta } = await call(`uploads?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  next = meta.next_cursor;
  setRows(cursor ? [...rows, ...data] : data);
}

function setRows(changed) {
  rows = changed;
  $("more-files").hidden = !next;
  const focused = $("files").contains(document.activeElement) ? document.activeElement.closest("li").dataset.id : null;
  $("files").replaceChildren(...(rows.length ? rows.map(fileRow) : [h("li", { class: "empty" }, "No files yet. Pictures, recordings and films that you send appear here.")]));
  if (focused) focusRow(focused);
  tell("uploads-changed");
}

function focusRow(id) {
  const row = rows.some((upload) => upload.id === id) ? $("files").querySelector(`[data-id="${CSS.escape(id)}"]`) : $("files").querySelector("[data-id]");
  (row?.querySelector("button") ?? $("files-drop").querySelector("input")).focus({ preventScroll: true });
}

function fileRow(upload) {
  const problem = h("span", { class: "wrong", role: "alert" }), remove = quiet("Delete…", () => askToRemove(upload, problem), { "aria-label": `Delete ${upload.filename}…` });
  const notes = [...upload.notes, upload.error?.message].filter(Boolean).map((note) => h("small", { class: "file-note" }, note));
  const about = h("span", { class: "about" }, h("b", {}, upload.filename), h("small", {}, factsOf(upload)), ...notes, problem);
  return h("li", { class: "file", "data-id": upload.id }, h("span", { class: "still" }, thumbOf(upload)), about, remove);
}

export const lengthOf = (upload) => (upload.duration_seconds == null ? null : seconds(upload.duration_seconds));

export function factsOf(upload) {
  const fate = upload.in_use ? "in use" : upload.expires_at && `goes on ${day(upload.expires_at)} unless used`;
  const shape = upload.kind === "image" && upload.width ? `${upload.width} by ${upload.height}` : lengthOf(upload);
  const state = { waiting: "being checked", refused: "refused" }[upload.status];
  return [KINDS[upload.kind], shape, sizeOf(upload.bytes), state ?? fate].filter(Boolean).join(" · ");
}

function thumbOf(upload) {
  const thumb = h("span", { class: "thumb", "data-kind": upload.kind });
  if (upload.kind === "image" && upload.status === "ready") showPicture(upload, thumb);
  return thumb;
}

export function showPicture(upload, frame) {
  signedLink(`uploads/${upload.id}/file`).then((src) => frame.append(h("img", { src, alt: "" })), () => {});
}

async function askToRemove(upload, problem) {
  if (!await ask(`Delete “${upload.filename}”?`, WARNING)) return;
  try {
    await call(`uploads/${upload.id}`, { method: "DELETE" });
    announce(`${upload.filename} is deleted.`);
    const at = rows.findIndex(({ id }) => id === upload.id);
    setRows(rows.filter(({ id }) => id !== upload.id));
    focusRow((rows[at] ?? rows[at - 1])?.id);
  } catch (error) {
    problem.textContent = error.message;
  }
}
