// The address bar: every video has an address of its own, and so has the credits area.

export const CREDITS = "/?billing";
export const addressOf = (video) => (video ? `/?video=${video.id}` : "/");

const isHere = (address) => location.pathname + location.search === address;

export const visit = (address) => isHere(address) || history.pushState(null, "", address);
export const correct = (address) => isHere(address) || history.replaceState(null, "", address);

// Links stay links, for who opens them in another tab.
export function leads(anchor, follow) {
  anchor.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    follow();
  });
  return anchor;
}
