// Voices to choose from: those of the catalogue, and the account's own.

import { allOf } from "./api.js";
import { $, h } from "./dom.js";
import { on, tell } from "./hub.js";
import { notify } from "./notices.js";
import { ownVoices } from "./own.js";

let shared = [], presenter = null;
const sample = new Audio();
const voices = () => [...ownVoices().filter((voice) => voice.status === "ready" && voice.is_available), ...shared];

export const languages = () => [...new Set(shared.map((voice) => voice.language))].sort();

export function startVoices() {
  on("own-changed", showLanguages);
  on("signed-out", () => { shared = []; presenter = null; });
  $("language").addEventListener("change", () => showVoices());
  $("voice").addEventListener("change", voiceChanged);
  $("sample").addEventListener("click", playSample);
  for (const name of ["play", "pause", "ended"]) sample.addEventListener(name, () => $("sample").classList.toggle("playing", !sample.paused));
}

export async function loadVoices() {
  shared = (await allOf("voices?owner=shared")).filter((voice) => voice.is_available);
  showLanguages();
  speakFor(presenter);
}

// What was chosen stays chosen while the lists change.
function showLanguages() {
  const language = $("language").value, voice = $("voice").value;
  const known = [...new Set(voices().map((each) => each.language))].sort();
  $("language").replaceChildren(...known.map((each) => h("option", { value: each }, each)));
  if (known.includes(language)) $("language").value = language;
  showVoices(voice);
}

// With the presenter's own voice, in its language, if it has one.
export function speakFor(avatar) {
  presenter = avatar;
  const own = voices().find((voice) => voice.id === avatar?.default_voice_id);
  if (own) $("language").value = own.language;
  showVoices(own?.id);
}

function showVoices(selected) {
  const { gender, default_voice_id: own } = presenter ?? {};
  const rank = (voice) => [voice.id !== own, voice.owner !== "me", voice.gender !== gender, voice.name].join();
  const fitting = voices().filter((voice) => voice.language === $("language").value);
  fitting.sort((a, b) => rank(a).localeCompare(rank(b)));
  const about = (voice) => (voice.id === own ? "the presenter's own" : voice.owner === "me" ? "yours" : voice.gender);
  $("voice").replaceChildren(...fitting.map((voice) => h("option", { value: voice.id }, `${voice.name}, ${about(voice)}`)));
  if (fitting.some(({ id }) => id === selected)) $("voice").value = selected;
  voiceChanged();
}

function voiceChanged() {
  sample.pause();
  const voice = voices().find(({ id }) => id === $("voice").value);
  $("sample").disabled = !voice?.preview_audio_url;
  $("sample").dataset.url = voice?.preview_audio_url ?? "";
  tell("request-changed");
}

function playSample() {
  if (!sample.paused) return sample.pause();
  sample.src = $("sample").dataset.url;
  // Choosing another voice while this one loads ends the wait: that is no failure.
  return sample.play().catch((error) => error.name === "AbortError" || notify("The sample could not be played.", { bad: true }));
}
