// A photo by the camera, a recording by the microphone: files as if they had been chosen.

import { openDialog } from "./dialogs.js";
import { h, quiet } from "./dom.js";
import { seconds } from "./words.js";
import { wavOf } from "./wav.js";

const LONGEST_SECONDS = 600;
const DENIED = { NotAllowedError: "The browser does not let this page use it. Allow it in the address bar, or choose a file.", NotFoundError: "There is none on this device. Choose a file." };

export const canFilm = () => Boolean(navigator.mediaDevices?.getUserMedia);
export const canRecord = () => canFilm() && "MediaRecorder" in window && "OfflineAudioContext" in window;

// Both answer a file, or null where somebody closes the dialog.

export const takePhoto = () => capturing("Take a photo", { video: { width: 1280, height: 960, facingMode: "user" } }, photoStage);
export const recordVoice = () => capturing("Record your voice", { audio: true }, recordingStage);

function capturing(title, wanted, stage) {
  return new Promise((resolve) => {
    const problem = h("p", { class: "problem", role: "alert", hidden: true }), body = h("div", { class: "capture" });
    const cancel = quiet("Cancel", () => dialog.close());
    const dialog = openDialog(title, body, problem, h("div", { class: "actions" }, cancel));
    let stream = null, file = null, isOpen = true;
    dialog.addEventListener("close", () => { isOpen = false; release(stream); resolve(file); });
    const fail = (error) => { problem.textContent = DENIED[error.name] ?? `It does not work: ${error.message}`; problem.hidden = false; };
    const use = (taken) => { file = taken; dialog.close(); };
    navigator.mediaDevices.getUserMedia(wanted).then((given) => {
      if (!isOpen) return release(given);
      stream = given;
      return stage({ stream, body, actions: cancel.parentElement, use, fail });
    }).catch(fail);
  });
}

const release = (stream) => stream?.getTracks().forEach((track) => track.stop());
const primary = (text, onclick) => h("button", { type: "button", class: "primary", onclick }, text);
const fileOf = (blob, name, ending) => new File([blob], `${name} ${new Date().toISOString().slice(0, 16).replace(/[T:]/gu, "-")}.${ending}`, { type: blob.type });

async function photoStage({ stream, body, actions, use, fail }) {
  const view = h("video", { playsinline: true, "aria-label": "What the camera sees" }), still = h("canvas", { role: "img", "aria-label": "The photo", hidden: true });
  Object.assign(view, { muted: true, srcObject: stream });
  body.append(view, still);
  await view.play();
  const keep = primary("Use this photo", () => still.toBlob((blob) => use(fileOf(blob, "Photo", "jpg")), "image/jpeg", 0.92));
  const freeze = (isTaken) => {
    [view.hidden, still.hidden, shoot.hidden, again.hidden, keep.hidden] = [isTaken, !isTaken, isTaken, !isTaken, !isTaken];
    (isTaken ? keep : shoot).focus();
  };
  const shoot = primary("Take the photo", () => { try { draw(view, still); freeze(true); } catch (error) { fail(error); } });
  const again = quiet("Take another", () => freeze(false));
  actions.append(again, shoot, keep);
  freeze(false);
}

function draw(view, still) {
  [still.width, still.height] = [view.videoWidth, view.videoHeight];
  still.getContext("2d").drawImage(view, 0, 0);
}

function recordingStage({ stream, body, actions, use, fail }) {
  const clock = h("p", { class: "clock", role: "timer" }, seconds(0)), sound = h("audio", { controls: true, hidden: true, "aria-label": "Your recording" });
  body.append(h("p", { class: "hint" }, "Speak as you want to be heard, in a quiet room. Ten minutes at most."), clock, sound);
  let recorder, wav;
  const showing = (state) => {
    [begin.hidden, stop.hidden, keep.hidden, sound.hidden] = [state === "on", state !== "on", state !== "done", state !== "done"];
    begin.textContent = state === "done" ? "Record again" : "Start recording";
    ({ on: stop, done: keep }[state] ?? begin).focus();
  };
  const finish = async (pieces, length) => {
    wav = await wavOf(new Blob(pieces, { type: recorder.mimeType }), length);
    URL.revokeObjectURL(sound.src);
    sound.src = URL.createObjectURL(wav);
    showing("done");
  };
  const begin = primary("Start recording", () => { recorder = record(stream, clock, (...done) => finish(...done).catch(fail)); showing("on"); });
  const stop = primary("Stop", () => recorder.stop()), keep = primary("Use this recording", () => use(fileOf(wav, "Recording", "wav")));
  actions.append(begin, stop, keep);
  showing("before");
}

function record(stream, clock, ondone) {
  const recorder = new MediaRecorder(stream), pieces = [], began = performance.now();
  const length = () => (performance.now() - began) / 1000;
  const timer = setInterval(() => {
    clock.textContent = seconds(length());
    if (length() >= LONGEST_SECONDS - 1 && recorder.state === "recording") recorder.stop();
  }, 250);
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  recorder.addEventListener("stop", () => { clearInterval(timer); if (stream.active) ondone(pieces, length()); });
  recorder.start();
  return recorder;
}
