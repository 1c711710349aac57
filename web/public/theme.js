// Puts the theme on the page before it is painted: the chosen one, or else the system's, which is followed. Alone in a
// file, as inline scripts are refused. The settings call `showTheme` when another is chosen.
{
  const dark = matchMedia("(prefers-color-scheme: dark)")
  let chosen = null
  const paint = () => {
    document.documentElement.dataset.theme = chosen ?? (dark.matches ? "dark" : "light")
  }
  globalThis.showTheme = (theme) => {
    chosen = theme === "light" || theme === "dark" ? theme : null
    paint()
  }
  dark.addEventListener("change", paint)
  let kept = null
  try {
    kept = localStorage.getItem("leaf.theme")
  } catch {
    // Storage is off: the system's own theme.
  }
  globalThis.showTheme(kept)
}
