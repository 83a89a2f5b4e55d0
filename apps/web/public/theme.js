// Sets the colour mode before the first paint. A file of its own, because the content security policy allows no inline script.
(() => {
  let preference = "system";
  try {
    preference = localStorage.getItem("syla.theme") ?? "system";
  } catch {
    // Storage may be blocked; the system's mode is then used.
  }
  const dark = preference === "dark" || (preference !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  const mode = dark ? "dark" : "light";
  document.documentElement.classList.add(mode);
  document.documentElement.style.colorScheme = mode;
})();
