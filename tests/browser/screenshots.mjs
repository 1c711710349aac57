// Pictures of the real page for the README, into web/screenshots.
//
// usage: node screenshots.mjs FILE.fossil

import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { launch, leaf, root, serve } from "./bed.mjs"
import { clone, edit, open } from "./person.mjs"

const [, , file] = process.argv
const into = path.join(root, "web/screenshots")
const folder = mkdtempSync(path.join(tmpdir(), "leaf-pictures-"))
const ends = []
const t = { after: (end) => ends.push(end) }
try {
  mkdirSync(into, { recursive: true })
  const copy = path.join(folder, "packages.fossil")
  cpSync(file, copy)
  leaf(["user", "caps", "nobody", "gjoriyz", "-R", copy])
  const { url } = await serve(t, copy)
  const context = await launch(path.join(folder, "profile"), { viewport: { width: 1280, height: 800 } })
  ends.push(() => context.close())
  const page = await context.newPage()
  const shoot = async (name) => {
    await page.waitForTimeout(600)
    await page.screenshot({ path: path.join(into, `${name}.png`) })
  }
  await page.goto(url)
  await page.getByRole("button", { name: "Clone", exact: true }).waitFor()
  await shoot("welcome")
  await clone(page, url)
  await page.getByRole("button", { name: "Dismiss" }).first().click()
  await open(page, "#/timeline")
  await page.getByRole("checkbox", { name: "Check-ins only" }).check()
  await page.getByRole("checkbox", { name: "Check-ins only" }).check()
  await shoot("timeline")
  await edit(page, "notes/first.txt", "written in a browser")
  await shoot("review")
  await page.setViewportSize({ width: 390, height: 844 })
  await page.emulateMedia({ colorScheme: "dark" })
  await open(page, "#/files/trunk/notes/first.txt")
  await shoot("phone")
} finally {
  for (const end of ends.reverse()) await end()
  rmSync(folder, { recursive: true, force: true })
}
execFileSync("ls", ["-l", into], { stdio: "inherit" })
