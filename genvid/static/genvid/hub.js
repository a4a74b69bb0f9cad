// What parts of the page tell each other without knowing each other.

const hub = new EventTarget();

export const on = (name, react) => hub.addEventListener(name, (event) => react(event.detail));
export const tell = (name, detail) => hub.dispatchEvent(new CustomEvent(name, { detail }));
