// The ledger, payments and invoices: lists that go on by cursor.

import { call } from "./api.js";
import { $, h } from "./dom.js";
import { guarded } from "./notices.js";
import { credits, day, moment, money, signed } from "./words.js";

const KINDS = { grant: "Added", charge: "Spent", refund: "Given back", expiry: "Expired", clawback: "Taken back", adjustment: "Corrected" };
const PAYMENT_STATES = { paid: ["Paid", "completed"], refunded: ["Refunded", ""], partially_refunded: ["Partly refunded", ""], disputed: ["Disputed", "failed"] };
const INVOICE_STATES = { draft: ["Draft", ""], open: ["To be paid", "failed"], paid: ["Paid", "completed"], void: ["Void", ""], uncollectible: ["Not paid", "failed"] };

function listing(name, path, row, none) {
  let next = null;
  const rows = $(`${name}-rows`), more = $(`${name}-more`), box = $(`${name}-problem`);
  const nothing = () => h("tr", {}, h("td", { class: "hint", colspan: 5 }, none));
  async function load(cursor = null) {
    const { data, meta } = await call(`${path}?limit=10${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    next = meta.next_cursor;
    more.hidden = !next;
    if (cursor) rows.append(...data.map(row));
    else rows.replaceChildren(...(data.length ? data.map(row) : [nothing()]));
  }
  more.addEventListener("click", () => guarded(box, () => load(next)));
  return () => guarded(box, load);
}

export function startPapers() {
  const lists = [
    listing("ledger", "billing/ledger", ledgerRow, "Nothing yet."),
    listing("payments", "billing/payments", paymentRow, "Nothing has been paid yet."),
    listing("invoices", "billing/invoices", invoiceRow, "There are no invoices yet."),
  ];
  return () => Promise.all(lists.map((load) => load()));
}

const cell = (...content) => h("td", {}, ...content);
const figure = (...content) => h("td", { class: "figure" }, ...content);
const links = (...content) => h("td", { class: "links" }, ...content.filter(Boolean));
const when = (time) => cell(h("time", { datetime: time }, moment(time)));
const chip = ([word, style]) => h("span", { class: `chip ${style}` }, word);
const note = (text) => h("small", {}, text);
const link = (href, text, of) => (href ? h("a", { href, target: "_blank", rel: "noopener", "aria-label": `${text} ${of}` }, text) : null);

function ledgerRow(entry) {
  const kind = entry.kind === "clawback" && entry.credits > 0 ? "Returned" : KINDS[entry.kind];
  const what = cell(h("span", { class: "chip" }, kind), " ", entry.description);
  const moved = h("td", { class: entry.credits > 0 ? "figure gain" : "figure" }, signed(entry.credits));
  return h("tr", {}, when(entry.created_at), what, moved, figure(entry.balance_after.toLocaleString()));
}

function paymentRow(payment) {
  const notes = [
    payment.status === "partially_refunded" && `${money(payment.amount_refunded, payment.currency)} given back`,
    payment.amount_disputed > 0 && `${money(payment.amount_disputed, payment.currency)} is with the card's bank`,
    payment.credits_taken_back > 0 && `${credits(payment.credits_taken_back)} taken back`,
  ].filter(Boolean);
  const state = cell(chip(PAYMENT_STATES[payment.status]), notes.length ? note(notes.join(" · ")) : null);
  return h("tr", {}, when(payment.paid_at), cell(payment.description), state, figure(money(payment.amount, payment.currency)), links(link(payment.receipt_url, "Receipt", `for ${payment.description}`)));
}

function invoiceRow(invoice) {
  const number = invoice.number ?? "Draft";
  const again = invoice.status === "open" && invoice.next_attempt_at ? note(`tried again on ${day(invoice.next_attempt_at)}`) : null;
  const amount = money(invoice.status === "paid" ? invoice.amount_paid : invoice.amount_due, invoice.currency);
  const papers = [link(invoice.hosted_url, "View", `invoice ${number}`), link(invoice.pdf_url, "PDF", `of invoice ${number}`)];
  return h("tr", {}, when(invoice.created_at), cell(number), cell(chip(INVOICE_STATES[invoice.status]), again), figure(amount), links(...papers));
}
