// Who speaks: a presenter of the catalogue, one of the account's own, or a picture.

import { chosen } from "./catalogue.js";
import { $ } from "./dom.js";
import { on, tell } from "./hub.js";
import { chosenOwn } from "./own.js";
import { picker } from "./pickers.js";
import { speakFor } from "./voices.js";

const PARTS = ["catalogue", "mine", "picture"];
let picture;

export function startSources() {
  picture = picker("picture", { kind: "image", words: "Drop a picture here, or choose one", none: "No pictures yet. A picture of one face speaks your words, without being made into a presenter first." });
  on("presenter-chosen", () => speakFor(presenter()));
  $("sources").addEventListener("change", sourceChanged);
}

const source = () => $("make").elements.source.value;
const presenter = () => ({ catalogue: chosen, mine: chosenOwn })[source()] ?? null;

function sourceChanged() {
  for (const part of PARTS) $(`source-${part}`).hidden = part !== source();
  if (presenter()) speakFor(presenter());
  else tell("request-changed");
}

// The fields of the request; none where nobody is chosen.
export function subject() {
  if (source() !== "picture") return presenter() ? { avatar_id: presenter().id } : {};
  return picture.chosen() ? { picture: { upload_id: picture.chosen().id } } : {};
}

export const nobody = () => ({ mine: "Choose a presenter of your own, or make one.", picture: "Choose a picture." })[source()] ?? "Choose a presenter.";
