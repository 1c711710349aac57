// Without network, or without server: work goes on, what is made waits, and it is sent when the way is free again,
// without being asked.

import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { browser, leaf as native, packageSite, scratch, serve } from "./bed.mjs"
import { assertSound, comments } from "./judge.mjs"
import { openPage, pause } from "./strike.mjs"

const WAIT_MS = 20_000

async function scene(t) {
  const folder = scratch(t)
  const origin = await packageSite(t, folder)
  const remote = path.join(folder, "remote.fossil")
  native(["new", remote, "--user", "alice"])
  native(["user", "add", "bob", "gio", "-R", remote], { input: "secret\n" })
  writeFileSync(path.join(folder, "a.txt"), "a\n")
  native(["commit", "-q", "-m", "Begin", "-R", remote, "--user", "alice", `a.txt=${folder}/a.txt`])
  const start = (address = "127.0.0.1:0") => serve(t, remote, ["--allow-origin", origin, "--quiet"], address)
  const context = await browser(t)
  /** A tab that syncs by itself. */
  const tab = async () => {
    const page = await openPage(context, origin)
    await page.evaluate(async () => {
      globalThis.leaf = await Leaf.open("roaming", { autosync: { intervalMs: 60_000 } })
      globalThis.phases = []
      leaf.on("sync", ({ phase, unsent }) => phases.push(`${phase} ${unsent}`))
    })
    return page
  }
  return { folder, origin, remote, context, start, tab }
}

/** The scene with its server running, and a tab that has cloned it. */
async function cloned(t) {
  const bed = await scene(t)
  const server = await bed.start()
  const page = await bed.tab()
  await page.evaluate((url) => leaf.clone(url, { user: "bob", password: "secret", remember: true }), server.url)
  return { bed, server, page }
}

/** Waits until `isSo` of the sync status, which it gets. */
async function until(page, isSo, what) {
  const begin = Date.now()
  for (;;) {
    const status = await page.evaluate(() => leaf.syncStatus)
    if (isSo(status)) return status
    if (Date.now() - begin > WAIT_MS) assert.fail(`waited in vain until ${what}: ${JSON.stringify(status)}`)
    await pause(25)
  }
}

const commit = (page, message) => page.evaluate((message) => leaf.commit({ message, files: { "a.txt": message } }), message)

test("offline, check-ins wait; online again they are sent by themselves", async (t) => {
  const { bed, page } = await cloned(t)
  await commit(page, "online")
  await until(page, ({ unsent, phase }) => unsent === 0 && phase === "idle", "the first check-in is sent by itself")
  assert.ok(comments(bed.remote).includes("online"))

  await bed.context.setOffline(true)
  await until(page, ({ phase }) => phase === "offline", "it is known that there is no network")
  for (const message of ["offline 1", "offline 2"]) await commit(page, message)
  const status = await until(page, ({ unsent }) => unsent === 4, "two check-ins wait")
  assert.deepEqual([status.phase, status.nextTry], ["offline", null])
  assert.equal(await page.evaluate(() => leaf.sync().catch(({ code }) => code)), "network")
  assert.deepEqual(await page.evaluate(() => leaf.timeline({ checkins: true }).page().then(({ entries }) => entries.map(({ isUnsent }) => isUnsent).slice(0, 3))), [true, true, false])
  assert.equal((await page.evaluate(() => leaf.syncStatus)).phase, "offline")

  await bed.context.setOffline(false)
  const sent = await until(page, ({ unsent }) => unsent === 0, "what waited is sent")
  assert.ok(sent.lastSync > 0)
  assert.deepEqual([sent.error, comments(bed.remote).filter((comment) => comment.startsWith("offline")).length], [null, 2])
  assertSound(bed.remote)
})

test("while the server is gone it is tried again, less and less often; then all is sent, from any tab", async (t) => {
  const { bed, server, page } = await cloned(t)
  const follower = await bed.tab()
  await until(page, ({ phase, lastSync }) => phase === "idle" && lastSync !== null, "the first sync")
  await server.stop()
  await commit(follower, "from a follower")
  await commit(page, "from the leader")
  const waiting = await until(follower, ({ phase, unsent }) => phase === "waiting" && unsent === 4, "a failed sync")
  assert.equal(waiting.error.code, "network")
  assert.ok(waiting.nextTry > Date.now() - 1_000)
  // The page is told, too, when it is closed and opened meanwhile.
  await page.close()
  await until(follower, ({ phase, unsent }) => phase === "waiting" && unsent === 4, "the next leader fails, too")
  assert.ok((await follower.evaluate(() => phases)).some((phase) => phase.startsWith("syncing")))

  await bed.start(`127.0.0.1:${server.port}`)
  await until(follower, ({ phase, unsent, error }) => phase === "idle" && unsent === 0 && error === null, "everything is sent")
  assert.deepEqual(comments(bed.remote).filter((comment) => comment.startsWith("from")).sort(), ["from a follower", "from the leader"])

  // What the user must set right is said, and not tried again and again.
  await follower.evaluate(() => leaf.configure({ password: "wrong" }))
  await commit(follower, "refused")
  const failed = await until(follower, ({ phase }) => phase === "failed", "the login fails")
  assert.deepEqual([failed.error.code, failed.nextTry], ["denied", null])
  await follower.evaluate(() => leaf.configure({ password: "secret" }))
  await until(follower, ({ unsent, phase }) => unsent === 0 && phase === "idle", "it is sent with the right password")
})

test("autosync switched off sends nothing, and stays off after a reload", async (t) => {
  const bed = await scene(t)
  const server = await bed.start()
  const page = await bed.tab()
  await page.evaluate(async (url) => {
    await leaf.clone(url, { user: "bob", password: "secret", remember: true })
    await leaf.configure({ autosync: false })
    await leaf.commit({ message: "kept", files: { "a.txt": "kept" } })
  }, server.url)
  await page.reload()
  await page.evaluate(async () => {
    Object.assign(globalThis, await import("/pkg/index.js"))
    globalThis.leaf = await Leaf.open("roaming")
  })
  await pause(2_000)
  const status = await page.evaluate(() => leaf.syncStatus)
  assert.deepEqual([status.autosync, status.unsent, status.lastSync], [false, 2, null])
  assert.ok(!comments(bed.remote).includes("kept"))
  await page.evaluate(() => leaf.configure({ autosync: true }))
  await until(page, ({ unsent }) => unsent === 0, "it is sent when it is switched on")
})
