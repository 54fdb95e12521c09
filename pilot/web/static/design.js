// The sample size moves along while a number is typed; without this script the button "Compute" does the same.
"use strict";

const WAIT = 450;

for (const form of document.querySelectorAll("form[data-live]")) {
  const place = document.querySelector(form.dataset.live);
  const said = document.querySelector("[data-said]");
  let timer = 0;
  let asked = 0;

  const query = () => new URLSearchParams(new FormData(form));

  const carry = () => {
    for (const copy of document.querySelectorAll("[data-copy-of]")) {
      copy.replaceChildren();
      for (const [name, value] of query()) {
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        field.value = value;
        copy.append(field);
      }
    }
  };

  // Links to the document ask for the numbers as they stand.
  const follow = () => {
    for (const link of document.querySelectorAll("[data-follow] a")) link.search = query().toString();
  };

  const show = async () => {
    const mine = ++asked;
    const wanted = query();
    carry();
    follow();
    wanted.set("part", "answer");
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${form.action || location.pathname}?${wanted}`, { headers: { Accept: "text/html" } });
      const text = await answer.text();
      if (mine !== asked || answer.redirected || ![200, 422].includes(answer.status)) return;
      const parsed = new DOMParser().parseFromString(text, "text/html");
      const open = [...place.querySelectorAll("details")].map((one) => one.open);
      place.replaceChildren(...parsed.body.childNodes);
      place.querySelectorAll("details").forEach((one, index) => (one.open = Boolean(open[index])));
      document.dispatchEvent(new Event("figures"));
      const summary = place.querySelector("[data-summary]");
      if (said && summary) said.textContent = summary.dataset.summary;
      wanted.delete("part");
      history.replaceState(null, "", `?${wanted}`);
    } catch {
      // No connection: what stands there stays, and the button still works.
    } finally {
      if (mine === asked) place.removeAttribute("aria-busy");
    }
  };

  form.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(show, WAIT);
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
  });
}
