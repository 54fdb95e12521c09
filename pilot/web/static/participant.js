// Comforts for people who take part, on pages that work without them: reading aloud, and keeping what was typed.
"use strict";

(() => {
  const button = document.querySelector("button.read");
  const speech = window.speechSynthesis;

  // Reading aloud: a block at a time, each in its own language. A recording on the page comes before a machine's voice.
  function blocks() {
    const found = document.querySelectorAll(
      "main h1, main h2, main p, main li, main dt, main dd, main label, main legend, main .errors a"
    );
    return [...found].filter(
      (block) => block.offsetParent !== null && !block.closest(".foot, .way, [hidden]")
        && !block.querySelector("h1, h2, p, li, label, legend, dt, dd") && block.textContent.trim()
    );
  }

  // Words that stand in another language than the block around them are spoken in that language.
  function parts(block) {
    const own = block.closest("[lang]").lang;
    const inner = [...block.querySelectorAll("[lang]")];
    if (!inner.length) return [[block, own, block.textContent]];
    const rest = [...block.childNodes].filter((node) => !inner.includes(node)).map((node) => node.textContent).join(" ");
    return [...inner.map((node) => [block, node.lang, node.textContent]), [block, own, rest]].filter((one) => one[2].trim());
  }

  function quiet() {
    speech.cancel();
    for (const block of document.querySelectorAll(".spoken")) block.classList.remove("spoken");
    button.querySelector("span").textContent = button.dataset.start;
    button.setAttribute("aria-pressed", "false");
  }

  function read() {
    speech.cancel();
    const all = blocks().flatMap(parts);
    all.forEach(([block, lang, words], number) => {
      const said = new SpeechSynthesisUtterance(words.replace(/\s+/g, " ").trim());
      said.lang = lang;
      said.rate = 0.9;
      said.onstart = () => block.classList.add("spoken");
      said.onend = said.onerror = () => {
        block.classList.remove("spoken");
        if (number === all.length - 1) quiet();
      };
      speech.speak(said);
    });
    button.querySelector("span").textContent = button.dataset.stop;
    button.setAttribute("aria-pressed", "true");
  }

  if (button && speech && window.SpeechSynthesisUtterance && !document.querySelector("audio")) {
    button.dataset.start = button.querySelector("span").textContent;
    button.hidden = false;
    button.addEventListener("click", () => (button.getAttribute("aria-pressed") === "true" ? quiet() : read()));
    window.addEventListener("pagehide", () => speech.cancel());
  }

  // What was typed stays in this tab until the page was sent, so that a lost line or a closed lid costs nothing.
  const form = document.querySelector("main form[method=post]");
  const notice = document.querySelector(".offline");
  const key = "typed:" + location.pathname;
  const fields = () => [...form.elements].filter((one) => one.name && one.type !== "hidden" && one.type !== "password");

  function store(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, value);
    } catch {
      // A browser that keeps nothing: the page works as it does without scripts.
    }
  }

  function stored(name) {
    try {
      return sessionStorage.getItem(name);
    } catch {
      return null;
    }
  }

  // An answer that was given elsewhere meanwhile has another mark: what was typed here then does not come back.
  const seen = () => form.elements.seen?.value ?? "";

  function keep() {
    const typed = fields().map((one) => [one.name, one.value, Boolean(one.checked)]);
    store(key, JSON.stringify({ seen: seen(), typed }));
  }

  function bringBack() {
    const kept = JSON.parse(stored(key) ?? "null");
    if (kept === null || kept.seen !== seen()) return;
    for (const one of fields()) {
      const choice = one.type === "radio" || one.type === "checkbox";
      const was = kept.typed.find(([name, value]) => name === one.name && (!choice || value === one.value));
      if (!was) continue;
      if (choice) one.checked = was[2];
      else one.value = was[1];
    }
  }

  // Any answer of the site to what was sent ends the keeping, except the very same page without a word about it: then
  // it never arrived.
  const sent = stored("sent");
  const told = document.querySelector(".errors, .notice.warning[role=alert]");
  if (sent !== null && (sent !== key || told)) store(sent, null);
  store("sent", null);

  if (form) {
    bringBack();
    form.addEventListener("input", keep);
    form.addEventListener(
      "submit",
      (event) => {
        keep();
        if (navigator.onLine === false) {
          event.preventDefault();
          notice.hidden = false;
          notice.scrollIntoView({ block: "center" });
          return;
        }
        store("sent", key);
      },
      true
    );
    window.addEventListener("online", () => (notice.hidden = true));
  }
})();
