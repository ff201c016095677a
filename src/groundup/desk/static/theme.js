// Before the first paint: the theme that was chosen, if one was.
try {
  document.documentElement.dataset.theme = localStorage.getItem("groundup-theme") || "";
} catch {
  // a browser that keeps nothing follows the system
}
