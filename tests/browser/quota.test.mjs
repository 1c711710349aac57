// No room left: the command says so, nothing is half done, and with room again the work goes on.

import assert from "node:assert/strict"
import test from "node:test"
import { browser, packageSite, scratch, serve } from "./bed.mjs"
import { assertSound, comments, exported, large, sinks } from "./judge.mjs"
import { openPage } from "./strike.mjs"

const MIB = 2 ** 20

/** A page with an empty leaf, and what sets how much room its origin has beyond what it takes. */
async function scene(t) {
  const folder = scratch(t)
  const origin = await packageSite(t, folder)
  const context = await browser(t)
  await sinks(context, folder)
  const page = await openPage(context, origin)
  const devtools = await context.newCDPSession(page)
  const room = async (bytes) => {
    const { usage } = await devtools.send("Storage.getUsageAndQuota", { origin })
    await devtools.send("Storage.overrideQuotaForOrigin", { origin, ...(bytes !== null && { quotaSize: usage + bytes }) })
  }
  await page.evaluate(async () => void (globalThis.leaf = await Leaf.open("full", { user: "quentin" })))
  return { folder, origin, context, page, room }
}

test("a clone that finds no room says so, and goes on when there is some", async (t) => {
  const bed = await scene(t)
  const server = await serve(t, large(), ["--allow-origin", bed.origin, "--quiet"])
  const clone = () => bed.page.evaluate(async (url) => {
    const error = await leaf.clone(url).then(() => null, ({ code, blame, message }) => ({ code, blame, message }))
    return { error, ...(await leaf.info()) }
  }, server.url)

  // Not even for the tables.
  await bed.room(20_000)
  const none = await clone()
  assert.deepEqual([none.error?.code, none.error?.blame, none.state], ["quotaExceeded", "storage", "empty"], JSON.stringify(none))
  // For some rounds of it.
  await bed.room(16 * MIB)
  const some = await clone()
  assert.deepEqual([some.error?.code, some.state], ["quotaExceeded", "cloning"], JSON.stringify(some))
  assert.ok(some.artifacts > 0, "no round found room")
  const again = await clone()
  assert.deepEqual([again.error?.code, again.state], ["quotaExceeded", "cloning"])
  assert.ok(again.artifacts >= some.artifacts, "what was there is gone")

  await bed.room(null)
  const done = await bed.page.evaluate(async (url) => {
    const result = await leaf.clone(url)
    return { result, info: await leaf.info(), verified: await leaf.verify() }
  }, server.url)
  assert.equal(done.info.state, "ready")
  assert.equal(done.result.artifacts, done.info.artifacts - again.artifacts)
  assert.deepEqual([done.verified.isSound, done.verified.faults], [true, []])
  assertSound(await exported(bed.page, bed.folder, "cloned.fossil"))
})

test("a check-in that finds no room is not made, and everything else stays usable", async (t) => {
  const bed = await scene(t)
  await bed.page.evaluate(async () => {
    await leaf.create()
    await leaf.commit({ message: "before", files: { "a.txt": "a" } })
    globalThis.noise = (pieces) => new Blob(Array.from({ length: pieces }, () => crypto.getRandomValues(new Uint8Array(65_536))))
  })
  await bed.room(2 * MIB)
  const full = await bed.page.evaluate(async () => {
    const failures = []
    let made = 0
    for (let number = 0; failures.length < 3 && number < 40; number += 1) {
      await leaf.commit({ message: `full ${number}`, files: { "large.bin": noise(8) } }).then(() => (made += 1), ({ code }) => failures.push(code))
    }
    const uv = await leaf.uv.write("large.bin", noise(32)).then(() => "none", ({ code }) => code)
    const { entries } = await leaf.timeline({ checkins: true }).page()
    return { failures, made, uv, entries: entries.map(({ comment }) => comment), text: await leaf.readText("a.txt"), faults: (await leaf.verify()).faults, state: leaf.state }
  })
  assert.deepEqual(full.failures, Array(3).fill("quotaExceeded"), JSON.stringify(full))
  assert.deepEqual([full.uv, full.text, full.faults, full.state], ["quotaExceeded", "a", [], "ready"])
  assert.equal(full.entries.length, full.made + 2)

  // The same after a reload, still without room.
  await bed.page.reload()
  const reloaded = await bed.page.evaluate(async () => {
    Object.assign(globalThis, await import("/pkg/index.js"))
    globalThis.noise = (pieces) => new Blob(Array.from({ length: pieces }, () => crypto.getRandomValues(new Uint8Array(65_536))))
    globalThis.leaf = await Leaf.open("full")
    return { checkins: (await leaf.info()).checkins, code: await leaf.commit({ message: "no", files: { "large.bin": noise(64) } }).catch(({ code }) => code), faults: (await leaf.verify()).faults }
  })
  assert.deepEqual(reloaded, { checkins: full.made + 2, code: "quotaExceeded", faults: [] })

  await bed.room(null)
  await bed.page.evaluate(() => leaf.commit({ message: "after", files: { "large.bin": noise(64) } }))
  const file = await exported(bed.page, bed.folder, "full.fossil")
  assertSound(file)
  assert.deepEqual([comments(file).length, comments(file).filter((comment) => comment === "no").length], [full.made + 3, 0])
})

test("an import that finds no room leaves nothing", async (t) => {
  const bed = await scene(t)
  await bed.room(4 * MIB)
  const refused = await bed.page.evaluate(async () => {
    const bytes = new Uint8Array(32 * 2 ** 20)
    bytes.set(new TextEncoder().encode("SQLite format 3\0"))
    bytes.set([16, 0, 2, 2, 0, 64, 32, 32], 16)
    return { code: await leaf.importFile(new Blob([bytes])).catch(({ code }) => code), state: (await leaf.info()).state }
  })
  assert.deepEqual(refused, { code: "quotaExceeded", state: "empty" })
  await bed.room(null)
  assert.equal(await bed.page.evaluate(() => leaf.create().then(({ state }) => state)), "ready")
})
