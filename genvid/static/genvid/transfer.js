// Posts a form with its progress, which fetch does not tell.

import { unreachable } from "./api.js";

export const CANCELED = "canceled";

// Answers status and text. `onprogress` hears of bytes and of how many there are; `signal` aborts it, which rejects with CANCELED.
export function postForm(url, fields, { headers = {}, onprogress, signal }) {
  const form = new FormData(), request = new XMLHttpRequest();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new Error(CANCELED));
    if (signal.aborted) return cancel();
    request.upload.onprogress = ({ loaded, total }) => onprogress(loaded, total);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(unreachable());
    request.onabort = cancel;
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    return request.send(form);
  });
}
