// A tab in the NATS mesh: it syncs by WebSocket, hears of what is new, and comes back when its connection was lost.

import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { browser, fossil, leaf as native, packageSite, scratch, serve } from "./bed.mjs"
import { assertSame, assertSound, comments, exported, large, sinks } from "./judge.mjs"
import { openPage, pause } from "./strike.mjs"

/** Patience for what others do. Units: milliseconds. */
const PATIENCE_MS = 60_000

/** A site with the package, a folder, and a served project of alice (alice-pw), who may do everything. */
async function scene(t, args = []) {
  const folder = scratch(t)
  const origin = await packageSite(t, folder)
  const file = path.join(folder, "project.fossil")
  fossil(["init", "--project-name", "project", file, "-A", "alice"], { cwd: folder, stdio: "pipe" })
  fossil(["user", "password", "alice", "alice-pw", "-R", file], { cwd: folder })
  const start = (address) => serve(t, file, ["--allow-origin", origin, "--quiet", ...args], address)
  const server = await start()
  /** A browser of its own with the leaf open as `leaf`. */
  const person = async (options = {}) => {
    const context = await browser(t)
    await sinks(context, folder)
    const page = await openPage(context, origin)
    await page.evaluate(async (options) => void (globalThis.leaf = await Leaf.open("mesh", options)), options)
    return page
  }
  const url = server.url.replace("http", "ws") + "nats"
  return { folder, file, server, start, person, url, login: url.replace("//", "//alice:alice-pw@") }
}

const failed = (page, work, given) => page.evaluate(
  ([work, given]) => new Function(`return ${work}`)()(given).then(() => null, ({ code, message }) => ({ code, message })),
  [work.toString(), given],
)

test("a tab clones, pulls and pushes by WebSocket, and stock finds the server's file sound", async (t) => {
  const { folder, file, person, login } = await scene(t)
  const page = await person()
  const seen = await page.evaluate(async (url) => {
    const { artifacts } = await leaf.clone(url, { remember: true })
    const { remote, remoteUser } = await leaf.info()
    await leaf.commit({ message: "by NATS", files: { "a.txt": "one" } })
    const { sent } = await leaf.sync()
    return { artifacts, remote, remoteUser, sent }
  }, login)
  assert.deepEqual(seen, { artifacts: 1, remote: login.replace("alice:alice-pw@", ""), remoteUser: "alice", sent: 2 })
  assert.ok(comments(file).includes("by NATS"))
  writeFileSync(path.join(folder, "b.txt"), "two")
  native(["commit", "-R", file, "-m", "by a program", `b.txt=${path.join(folder, "b.txt")}`])
  assert.equal(await page.evaluate(async () => (await leaf.pull()).received), 2)
  assertSame(file, await exported(page, folder, "tab.fossil"))
  assertSound(file)
})
