// A browser's part of the demonstration: clone, edit, commit, and wait until it is sent.
//
// usage: node visit.mjs URL

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { launch } from "./bed.mjs"
import { clone, commit, edit } from "./person.mjs"

const [, , url] = process.argv
const profile = mkdtempSync(path.join(tmpdir(), "leaf-visit-"))
const context = await launch(profile)
try {
  const page = await context.newPage()
  const begin = performance.now()
  await clone(page, url)
  console.log(`   cloned into the browser in ${((performance.now() - begin) / 1000).toFixed(1)} s`)
  await edit(page, "notes/first.txt", "written in a browser")
  await commit(page, "A check-in by a browser")
  await page.getByRole("button", { name: /^Synced just now/ }).waitFor({ timeout: 30_000 })
  console.log("   committed and synced")
} finally {
  await context.close()
  rmSync(profile, { recursive: true, force: true })
}
