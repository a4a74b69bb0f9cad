// Files beyond what one request takes: a form that the server signs, sent straight to the bucket, and checked there.

import { Order, call } from "./api.js";
import { pause } from "./dom.js";
import { typeOf } from "./formats.js";
import { on } from "./hub.js";
import { CANCELED, postForm } from "./transfer.js";

const BETWEEN_LOOKS_MS = 2000;
const LATE = "The time for sending it is over. Send it again.";
const BROKEN = "The connection broke while it was sent. Send it again.";
const FAR = "The storage of this site cannot be reached. Some networks do not let files out: send it again, or from another network.";
const CLOSED = "The storage of this site takes no files from web pages yet: the operator has to permit it (a CORS rule of the bucket). Until then, send a file of 20 MB at most, or send it by the API.";
const order = new Order();
on("signed-out", () => order.forget());

// A fresh form may help, or nothing but the operator.
const again = (message, more = {}) => Object.assign(new Error(message), { mayRetry: true, ...more });

export async function sendToBucket(file, { onprogress, onchecking, signal }) {
  const { data: form } = await order.post("uploads", { filename: file.name, content_type: typeOf(file), size_bytes: file.size });
  const remove = () => { call(`uploads/${form.id}`, { method: "DELETE", keepalive: true }).catch(() => {}); };
  // At once: after a sign-out nothing could be removed.
  if (signal.aborted) remove();
  else signal.addEventListener("abort", remove);
  try {
    await put(file, form, onprogress, signal);
    return await checked(form, onchecking, signal);
  } catch (error) {
    // What was refused stays in the list, with the reason; of anything else nothing is left.
    if (!signal.aborted && error.code !== "upload_refused") remove();
    throw error;
  } finally {
    signal.removeEventListener("abort", remove);
  }
}

async function put(file, form, onprogress, signal) {
  let sent = 0, whole = Infinity;
  const progress = (loaded, total) => { [sent, whole] = [loaded, total]; onprogress(loaded, total); };
  const answer = await postForm(form.upload_url, { ...form.upload_fields, file }, { onprogress: progress, signal }).catch((error) => error);
  if (answer.message === CANCELED) throw answer;
  // Only its answer is lost: whether the file is there, `complete` knows.
  if (answer.status === 0 && sent < whole) throw await reasonOf(form, sent);
  if (answer.status >= 300) throw refusalOf(answer, form);
}

const isLate = ({ expires_at: end }) => Date.now() >= Date.parse(end);

// A browser does not say why there is no answer. Without a CORS rule it does not even begin to send.
async function reasonOf(form, sent) {
  if (isLate(form)) return again(LATE);
  if (sent) return again(BROKEN);
  const isThere = await fetch(form.upload_url, { mode: "no-cors", cache: "no-store" }).then(() => true, () => false);
  return isThere ? again(CLOSED, { help: "/docs/production#pages-of-other-origins" }) : again(FAR);
}

// In the bucket's words, which are XML.
function refusalOf({ status, text }, form) {
  const answer = new DOMParser().parseFromString(text, "text/xml");
  const [code, message] = ["Code", "Message"].map((name) => answer.querySelector(name)?.textContent ?? "");
  if (isLate(form) || /expired/i.test(message)) return again(LATE);
  return again(`The storage of this site did not take it (${code || status}). Send it again.`);
}

const isTemporary = ({ status }) => status === 0 || status === 429 || status >= 500;

const stopped = (signal) => new Promise((resolve) => { signal.addEventListener("abort", resolve, { once: true }); });

// The bytes are there: a server that does not answer now is asked until it does.
async function checked({ id }, onchecking, signal) {
  const stop = stopped(signal);
  while (!signal.aborted) {
    onchecking();
    const { data } = await call(`uploads/${id}/complete`, { method: "POST" }).catch((error) => {
      if (!isTemporary(error)) throw error.code === "invalid_state" ? again(BROKEN) : error;
      return {};
    });
    if (data?.status === "ready" && !signal.aborted) return data;
    await Promise.race([pause(BETWEEN_LOOKS_MS), stop]);
  }
  throw new Error(CANCELED);
}
