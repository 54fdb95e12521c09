// Draws each figure from its data block, in place of the drawing that stands there for whoever has no script.
// The contract is in dashboards/figure.py: the div carries data-figure="x", its data are in the block x-data.
(function () {
  "use strict";
  function draw(place) {
    var block = document.getElementById(place.dataset.figure + "-data");
    if (!block) return;
    var figure = JSON.parse(block.textContent);
    var fallback = Array.prototype.slice.call(place.childNodes);
    place.replaceChildren();
    window.Plotly.newPlot(place, figure.data, figure.layout, figure.config).catch(function () {
      place.replaceChildren.apply(place, fallback);
    });
  }
  function all() {
    if (window.Plotly && window.innerWidth >= 704) document.querySelectorAll("[data-figure]").forEach(draw);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
  // A script that puts new figures on a page says so.
  document.addEventListener("figures", all);
})();
