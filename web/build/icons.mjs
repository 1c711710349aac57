// Draws the icons that cannot be SVG from public/icons/leaf.svg, with whichever Chromium is installed.
// Run by hand (`npm run icons`) after the drawing changed; what it makes is checked in.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const browser = process.env.CHROMIUM ?? "chromium"
const icons = new URL("../public/icons/", import.meta.url)
const drawing = readFileSync(new URL("leaf.svg", icons), "utf8")
// Launchers cut maskable icons to any shape: the ground runs to the edge, the leaf stays in the middle.
const maskable = drawing
  .replace('rx="15" ', "")
  .replace(/(<path[\s\S]*)<\/svg>/, '<g transform="translate(8 8) scale(.75)">$1</g></svg>')

const folder = mkdtempSync(join(tmpdir(), "leaf-icons-"))
for (const [name, size, svg] of [
  ["leaf-192.png", 192, drawing],
  ["leaf-512.png", 512, drawing],
  ["leaf-maskable-512.png", 512, maskable],
]) {
  const page = join(folder, "icon.html")
  const image = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`
  writeFileSync(page, `<body style="margin:0"><img src="${image}" width="${size}" height="${size}" style="display:block">`)
  execFileSync(browser, [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--default-background-color=00000000",
    `--window-size=${size},${size}`,
    `--screenshot=${new URL(name, icons).pathname}`,
    `file://${page}`,
  ], { stdio: "ignore" })
}
rmSync(folder, { recursive: true })
