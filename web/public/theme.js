// Puts the chosen theme on the page before it is painted. Alone in a file, as inline scripts are refused.
try {
  const theme = localStorage.getItem("leaf.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
} catch {
  // Storage is off: the system's own theme.
}
