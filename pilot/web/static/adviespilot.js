// Small comforts on pages that work without them.
"use strict";

// One click, one post. The nonce in the form already makes a second post harmless; this spares the wait.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  window.setTimeout(() => delete form.dataset.sent, 8000);
});

// A page brought back by the back button may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// What is not right yet gets the focus, also where a browser ignores autofocus on a block.
window.addEventListener("load", () => {
  const errors = document.querySelector(".errors[autofocus]");
  if (errors && document.activeElement === document.body) errors.focus();
});

// Buttons that print the page.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
