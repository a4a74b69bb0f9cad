// Which files are taken, and how large they may be.

export const ENDINGS = { image: ".jpg,.jpeg,.png,.webp", audio: ".wav,.mp3", video: ".mp4,.webm" };
const TYPES = { jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp", wav: "audio/wav", mp3: "audio/mpeg", mp4: "video/mp4", webm: "video/webm" };
const WORDS = { image: "JPEG, PNG or WebP", audio: "WAV or MP3, up to 10 minutes", video: "MP4 or WebM, up to 10 minutes" };
// Straight to the bucket.
const LARGEST_MB = { image: 50, audio: 120, video: 500 };
const MEGABYTE = 1_000_000;
const FORM_LIMIT = 20 * 1024 * 1024;
const hasBucket = () => document.body.dataset.directUploads === "yes";

export const sizeOf = (bytes) => (bytes < MEGABYTE ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / MEGABYTE).toFixed(1)} MB`);
export const isLarge = (file) => file.size > FORM_LIMIT;

// By its name: browsers know some types by other words, and some not at all.
export const typeOf = (file) => TYPES[file.name.split(".").pop().toLowerCase()];

// The limits of these kinds of files, in words.
export function limitsOf(kinds) {
  const wordsOf = (kind) => (hasBucket() ? `${WORDS[kind]}, ${LARGEST_MB[kind]} MB at most` : WORDS[kind]);
  const each = kinds.map(wordsOf).join("; ");
  return hasBucket() ? `${each}.` : `${each}. 20 MB at most.`;
}

// Throws what the server would say of it only once it was sent.
export function requireSendable(file) {
  if (!isLarge(file)) return;
  const type = typeOf(file), most = hasBucket() ? LARGEST_MB[type?.split("/")[0]] : 20;
  if (!most) throw new Error("Only JPEG, PNG, WebP, WAV, MP3, MP4 and WebM are taken.");
  if (hasBucket() && file.size <= most * MEGABYTE) return;
  throw new Error(`It has ${sizeOf(file.size)}, and this site takes ${most} MB at most. Send a shorter or a smaller one.`);
}
