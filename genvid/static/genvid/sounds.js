// What is said: a script, or a recording of the account's own.

import { $ } from "./dom.js";
import { tell } from "./hub.js";
import { picker } from "./pickers.js";

let recordings;

export function startSounds() {
  recordings = picker("recording", { kind: "audio", words: "Drop a recording here, or choose one", none: "No recordings yet. The presenter moves the lips to what you send." });
  $("sounds").addEventListener("change", soundChanged);
}

const isRecording = () => $("make").elements.sound.value === "audio";

export function soundIs(sound) {
  $("make").elements.sound.value = sound;
  soundChanged();
}

// A recording has a voice already.
function soundChanged() {
  for (const part of ["sound-script", "voice-step"]) $(part).hidden = isRecording();
  $("sound-audio").hidden = !isRecording();
  tell("request-changed");
}

// The field of the request: null while a script is said, empty while no recording is chosen.
export function recording() {
  if (!isRecording()) return null;
  const chosen = recordings.chosen();
  return chosen ? { audio: { upload_id: chosen.id } } : {};
}
