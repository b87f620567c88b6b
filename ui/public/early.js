// Runs before the first paint, so that a dark window never flashes light and Arabic never starts on the left.
// The app writes these three when settings change; the values are checked because any script could have.
(function () {
  var root = document.documentElement;
  try {
    var look = JSON.parse(localStorage.getItem("look") || "{}");
    if (look.theme === "dark" || look.theme === "light") root.dataset.theme = look.theme;
    if (typeof look.textScale === "number") root.style.setProperty("--text-scale", String(look.textScale));
    if (typeof look.language === "string") root.lang = look.language;
    if (look.language === "ar") root.dir = "rtl";
    // The words are on their way with the code that asks for them. A development server has them elsewhere.
    var language = look.language || navigator.language.slice(0, 2);
    var words = document.querySelector('meta[name="words"]').content.split(" ");
    var own = words.find((file) => file.startsWith("assets/" + language + "-"));
    if (own) import("/" + own).catch(function () {});
  } catch {
    // A broken note of last time's look is not worth a word: the settings are applied a moment later.
  }
})();
