// The account's own files: the list of them, and the choice among those of one kind.

import { call } from "./api.js";
import { ask } from "./dialogs.js";
import { $, h, image, pause, quiet } from "./dom.js";
import { sizeOf } from "./formats.js";
import { on, tell } from "./hub.js";
import { announce, fail } from "./notices.js";
import { signedLink } from "./player.js";
import { seconds, shortDay } from "./words.js";

const KINDS = { image: "Picture", audio: "Recording", video: "Film" };
const POLL_MS = 3000;
const LONGEST_POLL_MS = 60_000;
const WARNING = "The file goes, here and at the provider. What was made with it stays.";
// More of them would push everything below out of reach.
const AT_FIRST = 10;
let rows = [], next = null, looking = false, shown = AT_FIRST;

// Those of test keys are for test videos alone.
export const uploadsOf = (kind) => rows.filter((upload) => upload.kind === kind && upload.status === "ready" && !upload.is_test);
export const uploadOf = (id) => rows.find((upload) => upload.id === id);
export const hasMoreUploads = () => next !== null;

export function startUploads() {
  on("upload-added", (upload) => setRows([upload, ...rows.filter(({ id }) => id !== upload.id)]));
  on("materials-used", () => loadUploads().catch(fail));
  on("videos-changed", () => loadUploads().catch(fail));
  on("signed-out", () => { [next, shown] = [null, AT_FIRST]; setRows([]); });
  $("more-files").addEventListener("click", () => showMore().catch(fail));
}

export const loadMoreUploads = () => loadUploads(next);

async function showMore() {
  const before = shown;
  shown += 2 * AT_FIRST;
  if (shown > rows.length && next) await loadMoreUploads();
  else setRows(rows);
  $("files").children[before]?.querySelector("button").focus();
}

export async function loadUploads(cursor = null) {
  const { data, meta } = await call(`uploads?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  next = meta.next_cursor;
  setRows(cursor ? [...rows, ...data] : data);
  keepLooking();
}

const isWaiting = ({ status }) => status === "waiting";

// While one is being checked, ever more seldom: one that was never sent whole waits for hours.
async function keepLooking() {
  if (looking) return;
  looking = true;
  for (let wait = POLL_MS; rows.some(isWaiting); wait = Math.min(2 * wait, LONGEST_POLL_MS)) {
    await pause(wait);
    if (!document.hidden) await Promise.all(rows.filter(isWaiting).map(lookAt));
  }
  looking = false;
}

async function lookAt({ id }) {
  const found = await call(`uploads/${id}`).then(({ data }) => data, (error) => (error.status === 404 ? null : undefined));
  const isNews = found === null || (found && !isWaiting(found));
  if (isNews && rows.some((row) => row.id === id && isWaiting(row))) setRows(rows.flatMap((row) => (row.id === id ? found ?? [] : row)));
}

function setRows(changed) {
  rows = changed;
  $("more-files").hidden = !next && rows.length <= shown;
  const focused = $("files").contains(document.activeElement) ? document.activeElement.closest("li").dataset.id : null;
  $("files").replaceChildren(...(rows.length ? rows.slice(0, shown).map(fileRow) : [h("li", { class: "empty" }, "No files yet. Pictures, recordings and films that you send appear here.")]));
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
  const about = h("span", { class: "about" }, h("b", { title: upload.filename }, upload.filename), h("small", {}, factsOf(upload)), ...notes, problem);
  return h("li", { class: "file", "data-id": upload.id }, h("span", { class: "still" }, thumbOf(upload)), about, remove);
}

export const lengthOf = (upload) => (upload.duration_seconds == null ? null : seconds(upload.duration_seconds));

export function factsOf(upload) {
  const fate = upload.in_use ? "in use" : upload.expires_at && `deleted on ${shortDay(upload.expires_at)} unless used`;
  const shape = upload.kind === "image" && upload.width ? `${upload.width} by ${upload.height}` : lengthOf(upload);
  const state = { waiting: "being sent or checked", refused: "refused" }[upload.status];
  return [KINDS[upload.kind], upload.is_test ? "of a test key" : null, shape, upload.bytes ? sizeOf(upload.bytes) : null, state ?? fate].filter(Boolean).join(" · ");
}

function thumbOf(upload) {
  const thumb = h("span", { class: "thumb", "data-kind": upload.kind });
  if (upload.kind === "image" && upload.status === "ready") showPicture(upload, thumb);
  return thumb;
}

export function showPicture(upload, frame) {
  signedLink(`uploads/${upload.id}/file`).then((src) => frame.append(image(src, "eager")), () => {});
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
