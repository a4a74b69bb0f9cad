// Deleting asks first, and can be undone for some seconds: the server cannot bring a video back.

import { call } from "./api.js";
import { ask } from "./dialogs.js";
import { quiet } from "./dom.js";
import { on, tell } from "./hub.js";
import { notify } from "./notices.js";
import { nameOf } from "./videos.js";

const UNDO_MS = 10_000;
const WARNING = "Its film, picture and subtitles go, here and at the provider. You can undo it for ten seconds.";
const waiting = new Map();

export const isBeingDeleted = (id) => waiting.has(id);

export function startDeletion() {
  on("signing-out", deleteAllNow);
  addEventListener("pagehide", deleteAllNow);
}

export async function askToDelete(video) {
  if (await ask(`Delete “${nameOf(video)}”?`, WARNING)) deleteSoon(video);
}

function deleteSoon(video) {
  const undo = quiet("Undo", () => takeBack(video));
  const note = notify(`“${nameOf(video)}” is deleted.`, { action: undo });
  waiting.set(video.id, { note, timer: setTimeout(() => deleteNow(video.id), UNDO_MS) });
  tell("video-hidden", video);
  undo.focus({ preventScroll: true });
}

function settle(id) {
  const { note, timer } = waiting.get(id);
  clearTimeout(timer);
  note.dismiss();
}

function takeBack(video) {
  settle(video.id);
  waiting.delete(video.id);
  tell("video-unhidden", video);
}

async function deleteNow(id) {
  settle(id);
  try {
    await call(`videos/${id}`, { method: "DELETE", keepalive: true });
  } catch (error) {
    if (error.status !== 404) notify(`The video was not deleted. ${error.message}`, { bad: true });
  }
  waiting.delete(id);
  tell("videos-changed");
}

function deleteAllNow() {
  for (const id of waiting.keys()) deleteNow(id);
}
