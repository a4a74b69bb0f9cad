// A click on a test card fills the form; a form that is on its way is not sent twice.
for (const link of document.querySelectorAll("[data-card]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const filled = { number: link.querySelector("code").textContent, expiry: "12 / 34", cvc: "123", name: "Test Buyer" };
    for (const [name, value] of Object.entries(filled)) document.getElementById(name).value = value;
    const card = document.getElementById("method-card");
    if (card) card.checked = true;
    document.getElementById("number").form.querySelector("button.pay").focus();
  });
}
for (const form of document.forms) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button")) button.disabled = false;
});
