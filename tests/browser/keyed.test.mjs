// Tabs that call and are called by key, through the relay of `leaf serve`: nothing else is between them.

import assert from "node:assert/strict"
import path from "node:path"
import test from "node:test"
import { browser, fossil, leaf as native, packageSite, scratch, serve } from "./bed.mjs"
import { assertSame, assertSound, comments, exported, sinks } from "./judge.mjs"
import { openPage, pause } from "./strike.mjs"

/** Patience for what others do. Units: milliseconds. */
const PATIENCE_MS = 60_000
const RELAYED = ["--iroh=127.0.0.1:0", "--relay", "--quiet"]

/** A site with the package, a folder, and a project of alice that is served with a relay. */
async function scene(t) {
  const folder = scratch(t)
  const origin = await packageSite(t, folder)
  const file = path.join(folder, "project.fossil")
  fossil(["init", "--project-name", "project", file, "-A", "alice"], { cwd: folder, stdio: "pipe" })
  // Nobody may do anything here but by key.
  fossil(["user", "capabilities", "nobody", "", "-R", file], { cwd: folder })
  const key = path.join(folder, "server.key")
  const start = (address) => serve(t, file, [...RELAYED, "--key", key, "--allow-origin", origin], address)
  const server = await start()
  const invite = (...args) => JSON.parse(native(["invite", file, "--json", "--key", key, ...args])).ticket
  /** A browser of its own with the leaf open as `leaf`. */
  const person = async (name = "keyed") => {
    const context = await browser(t)
    await sinks(context, folder)
    const page = await openPage(context, origin)
    await page.evaluate(async (name) => void (globalThis.leaf = await Leaf.open(name, { user: "bob" })), name)
    return page
  }
  /** A tab that has joined the served project. */
  const guest = async (name) => {
    const page = await person(name)
    await page.evaluate(async (ticket) => {
      globalThis.joined = await leaf.join(ticket)
      await leaf.clone(joined.url)
    }, invite())
    return page
  }
  return { folder, file, server, start, invite, person, guest }
}

/** Opens the leaf of a page that was loaded anew. */
const arrive = (page, name) => page.evaluate(async (name) => {
  const { Leaf } = await import("/pkg/index.js")
  globalThis.leaf = await Leaf.open(name)
}, name)
const commit = (page, message) =>
  page.evaluate((message) => leaf.commit({ message, files: { [`${message}.txt`]: message } }), message)
/** Runs `work` in the page and gives the failure that it ends in. */
const failure = (page, work, argument) =>
  page.evaluate(`(${work})(${JSON.stringify(argument)}).then(() => undefined, ({ code, message }) => ({ code, message }))`)
const said = (page) => page.evaluate(async () => (await leaf.timeline().page()).entries.map(({ comment }) => comment))

test("a tab joins a native leaf by a ticket, clones by its relay, and sends what it makes", async (t) => {
  const { folder, file, invite, person } = await scene(t)
  const page = await person()
  const joined = await page.evaluate((ticket) => leaf.join(ticket, { name: "the tab" }), invite("--cap", "gio"))
  assert.match(joined.code, /^\d{3} \d{3}$/)
  assert.equal(joined.capabilities, "gio")
  const cloned = await page.evaluate((url) => leaf.clone(url), joined.url)
  assert.ok(cloned.verified)
  await commit(page, "from a tab")
  const { sent } = await page.evaluate(() => leaf.sync())
  assert.ok(sent > 0)
  assert.ok(comments(file).includes("from a tab"))
  assertSound(file)
  assertSame(file, await exported(page, folder, "tab.fossil"))
  const { id, connections } = await page.evaluate(() => leaf.endpoint())
  assert.deepEqual(connections.map(({ path }) => path), ["relayed"])
  assert.ok(connections[0].rttMs > 0 && connections[0].sent > 0 && connections[0].received > 0)
  const listed = JSON.parse(native(["peers", "list", "-R", file, "--json"]))
  assert.deepEqual(listed.map((peer) => [peer.id, peer.name]), [[id, "the tab"]])
})

test("a key that is not listed, and a ticket that was used or has expired, get a tab nothing", async (t) => {
  const { file, invite, person, guest } = await scene(t)
  const known = await guest()
  const url = await known.evaluate(() => joined.url)
  const stranger = await person("stranger")
  const used = invite()
  await known.evaluate((ticket) => leaf.join(ticket), used)
  const join = "(ticket) => leaf.join(ticket)"
  // Nobody is awaited: the relay itself lets no stranger in.
  const shut = await failure(stranger, join, used)
  assert.equal(shut.code, "denied")
  assert.match(shut.message, /the relay .* does not let this leaf in/)
  // Somebody is, so that the relay lets a stranger in; the leaf does not.
  invite()
  await stranger.reload()
  await arrive(stranger, "stranger")
  assert.match((await failure(stranger, join, used)).message, /used before/)
  const expired = invite("--hours", "0")
  assert.match((await failure(stranger, join, expired)).message, /expired/)
  assert.equal((await failure(stranger, join, "leaf1nonsense")).code, "badArguments")
  assert.equal((await failure(stranger, "(url) => leaf.clone(url)", url)).code, "denied")
  assert.equal(await stranger.evaluate(() => leaf.state), "empty")

  const { id } = await known.evaluate(() => leaf.endpoint())
  native(["peers", "revoke", id, "-R", file])
  const end = Date.now() + PATIENCE_MS
  for (let refused; refused?.code !== "denied"; await pause(200)) {
    assert.ok(Date.now() < end, "who was revoked is not refused")
    refused = await failure(known, "() => leaf.sync()")
  }
})

test("two tabs join each other and sync, and a native leaf clones from a tab", async (t) => {
  const { folder, file, server, guest } = await scene(t)
  const [ann, bea] = await Promise.all([guest("ann"), guest("bea")])
  const { url } = await ann.evaluate((relay) => leaf.reach(relay), server.url)
  assert.match(url, /^iroh:\/\/[0-9a-f]{64}\?relay=/)
  const { ticket } = await ann.evaluate(() => leaf.invite({ name: "bea" }))
  const joined = await bea.evaluate(async (ticket) => (globalThis.tab = await leaf.join(ticket)), ticket)
  const shown = await ann.evaluate(async () => (await leaf.endpoint()).joined)
  assert.deepEqual(shown.map(({ code, capabilities }) => [code, capabilities]), [[joined.code, "gio"]])
  await commit(ann, "of ann")
  await commit(bea, "of bea")
  const heard = ann.evaluate(() => new Promise((resolve) => leaf.on("change", ({ kinds }) => kinds.includes("sync") && resolve(true))))
  const moved = await bea.evaluate(() => leaf.sync({ url: tab.url }))
  assert.ok(moved.sent > 0 && moved.received > 0, JSON.stringify(moved))
  assert.ok(await heard)
  for (const page of [ann, bea]) {
    const entries = await said(page)
    assert.ok(entries.includes("of ann") && entries.includes("of bea"), entries.join())
  }
  assertSame(await exported(ann, folder, "ann.fossil"), await exported(bea, folder, "bea.fossil"))
  // The server had no part in it but to relay.
  assert.ok(!comments(file).includes("of ann"))

  const [other, copy] = [path.join(folder, "other.key"), path.join(folder, "copy.fossil")]
  const own = native(["id", "--key", other]).trim()
  native(["peers", "allow", own, "-R", file])
  const again = await ann.evaluate(() => leaf.invite())
  native(["join", again.ticket, copy, "--key", other, "--quiet"])
  assertSound(copy)
  assertSame(copy, path.join(folder, "ann.fossil"))
  // Whom the tab revokes gets nothing more.
  await ann.evaluate((id) => leaf.guests.revoke(id), own)
  assert.throws(() => native(["sync", "-R", copy, "--key", other], { stdio: "pipe" }), /has not listed our key/)
})

test("a tab keeps its key, and syncs again when the relay was down", async (t) => {
  const { file, server, start, guest } = await scene(t)
  const page = await guest()
  const { id } = await page.evaluate(() => leaf.endpoint())
  await server.stop()
  await commit(page, "while it was down")
  assert.equal((await failure(page, "() => leaf.sync()")).code, "network")
  await start(`127.0.0.1:${server.port}`)
  const end = Date.now() + PATIENCE_MS
  while (!comments(file).includes("while it was down")) {
    assert.ok(Date.now() < end, "the tab does not come back")
    await failure(page, "() => leaf.sync()")
    await pause(200)
  }
  await page.reload()
  await arrive(page, "keyed")
  const again = await page.evaluate(async () => {
    await leaf.sync()
    return (await leaf.endpoint()).id
  })
  assert.equal(again, id)
})
