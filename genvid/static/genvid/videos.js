// What a video is called and how it stands, in words.

export const ACTIVE = ["queued", "processing"];
export const WORDS = { draft: "Draft", queued: "Waiting in the queue", processing: "Being made", completed: "Finished", failed: "Failed", canceled: "Canceled" };
const FIRST_WORDS = 6, LONGEST_NAME = 60;
const FILE_WORDS = 8, LONGEST_FILE_NAME = 80;

// A video of a recording has no script.
const saidIn = (video) => video.script ?? "Own recording";
export const titleOf = (video) => video.title || saidIn(video);

// Short enough for a sentence, a tab or a file.
export function nameOf(video) {
  const name = video.title || saidIn(video).trim().split(/\s+/u).slice(0, FIRST_WORDS).join(" ");
  const letters = [...name];
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME).join("").trimEnd()}…` : name;
}

// As the server names it too: the title or the first words, without what some system does not allow in names of files.
export function fileNameOf(video, ending) {
  const words = video.title || saidIn(video).replace(/<[^>]*>/gu, " ").trim().split(/\s+/u).slice(0, FILE_WORDS).join(" ");
  const plain = words.replace(/[\p{C}\\/:*?"<>|]+/gu, " ").replace(/\s+/gu, " ");
  const name = [...plain].slice(0, LONGEST_FILE_NAME).join("").replace(/^[ .]+|[ .]+$/gu, "");
  return `${name || "video"}.${ending}`;
}

// How it ended without a film, and that it cost nothing.
export function endOf(video) {
  const why = video.error?.message ?? `${WORDS[video.status]}.`;
  return video.credits.charged || why.includes("Nothing was charged.") ? why : `${why} Nothing was charged.`;
}
