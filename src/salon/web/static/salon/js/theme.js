// Runs before the first paint (classic script in <head>), so that a chosen theme never flashes.
(function () {
  var root = document.documentElement;
  function kept() { try { return localStorage.getItem("salon-theme"); } catch (e) { return null; } }
  function keep(name) { try { localStorage.setItem("salon-theme", name); } catch (e) { /* private window: for this page only */ } }
  function shown() {
    return root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "day");
  }
  var choice = kept();
  if (choice === "day" || choice === "night") root.dataset.theme = choice;
  root.classList.add("js");
  document.addEventListener("DOMContentLoaded", function () {
    var button = document.getElementById("theme");
    if (!button) return;
    function tell() { button.setAttribute("aria-pressed", String(shown() === "night")); }
    button.hidden = false;
    tell();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
    button.addEventListener("click", function () {
      root.dataset.theme = shown() === "night" ? "day" : "night";
      keep(root.dataset.theme);
      tell();
    });
  });
})();
