// Small helpers for the page's elements.

export const $ = (id) => document.getElementById(id);

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// Nothing where there is none, or none that can be shown: browsers would draw a frame of it.
export const image = (src, loading = "lazy") => (src ? h("img", { src, alt: "", loading, onerror: (event) => event.target.remove() }) : null);

export const quiet = (text, onclick, attributes = {}) => h("button", { type: "button", class: "quiet", onclick, ...attributes }, text);

export function later(milliseconds, action) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(action, milliseconds); };
}

export const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

// As the page names it: the operator's brand stands in it.
const STUDIO = document.title;
const TITLES = { welcome: STUDIO, studio: STUDIO, billing: `Credits · ${STUDIO}` };
let view = "welcome", subject = null;

export function show(wanted) {
  view = wanted;
  for (const each of Object.keys(TITLES)) $(each).hidden = each !== view;
  retitle(subject);
}

// A new view is read, and seen, from its top.
export function beginAtTop() {
  $("main").focus({ preventScroll: true });
  scrollTo(0, 0);
}

// In the tab and in the browser's history, the studio is called by the video on stage.
export function retitle(name) {
  subject = name;
  document.title = view === "studio" && name ? `${name} · ${STUDIO}` : TITLES[view];
}
