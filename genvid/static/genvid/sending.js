// Sends a file with its progress, which fetch does not tell.

import { API, readAnswer, renewing, unreachable } from "./api.js";
import { tokens } from "./tokens.js";

export const CANCELED = "canceled";
const FORM_LIMIT = 20 * 1024 * 1024;
const TOO_LARGE = "The file is larger than 20 MB.";

// Answers the upload. `onprogress` hears of percents; `signal` aborts it, which rejects with CANCELED.
export async function sendFile(file, { onprogress, signal }) {
  if (file.size > FORM_LIMIT) throw new Error(TOO_LARGE);
  const { status, text } = await renewing(() => post(file, onprogress, signal));
  return readAnswer(status, text).data;
}

function post(file, onprogress, signal) {
  const form = new FormData(), request = new XMLHttpRequest();
  form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => onprogress(Math.floor((loaded * 100) / total));
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new Error(CANCELED));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", `${API}uploads`);
    request.setRequestHeader("Authorization", `Bearer ${tokens.get()?.access}`);
    request.send(form);
  });
}
