// A tab in the NATS mesh: it syncs by WebSocket, hears of what is new, and comes back when its connection was lost.

import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { browser, fossil, leaf as native, packageSite, scratch, serve } from "./bed.mjs"
import { assertSame, assertSound, comments, exported, sinks } from "./judge.mjs"
import { clone, commit as press, edit, open } from "./person.mjs"
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

/** A person with a clone of the project that is in the mesh. */
async function member({ person, server, url }) {
  const page = await person()
  await page.evaluate(async ([place, nats]) => {
    await leaf.clone(place, { user: "alice", password: "alice-pw", remember: true })
    globalThis.states = []
    leaf.on("mesh", ({ state }) => states.push(state))
    await leaf.connect({ nats })
  }, [server.url, url])
  return page
}

const commit = (page, message, files) =>
  page.evaluate(([message, files]) => leaf.commit({ message, files }), [message, files ?? { [`${message}.txt`]: message }])

/** Waits until a check-in is in the timeline; nobody asks for a sync. */
const sees = (page, message) => page.evaluate(async ([message, patience]) => {
  const end = Date.now() + patience
  for (;;) {
    const { entries } = await leaf.timeline({ limit: 20 }).page()
    if (entries.some(({ comment }) => comment === message)) return
    if (Date.now() > end) throw new Error(`${message} does not come; the mesh: ${JSON.stringify(leaf.meshStatus)}, syncs: ${JSON.stringify(leaf.syncStatus)}`)
    await new Promise((resolve) => {
      const stop = leaf.on("change", () => (stop(), resolve()))
      setTimeout(() => (stop(), resolve()), 1_000)
    })
  }
}, [message, PATIENCE_MS])

/** Waits for a state of the connection. */
const becomes = (page, state) => page.waitForFunction((state) => leaf.meshStatus.state === state, state, { timeout: PATIENCE_MS })

/** Waits until the server holds a check-in. */
async function holds(file, message) {
  for (const end = Date.now() + PATIENCE_MS; !comments(file).includes(message); await pause(50)) {
    assert.ok(Date.now() < end, `${message} does not come to the server`)
  }
}

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

test("what one tab commits is in another's timeline by itself, and so is what a program commits", async (t) => {
  const bed = await scene(t)
  const [one, other] = [await member(bed), await member(bed)]
  const took = []
  for (let number = 0; number < 7; number += 1) {
    const begin = performance.now()
    await commit(one, `tab ${number}`)
    await sees(other, `tab ${number}`)
    took.push(performance.now() - begin)
  }
  took.sort((a, b) => a - b)
  console.log(`commit in one tab to visible in another: p50 ${took[3].toFixed(0)} ms, longest ${took[6].toFixed(0)} ms`)
  await commit(other, "and back")
  await sees(one, "and back")
  writeFileSync(path.join(bed.folder, "b.txt"), "two")
  native(["commit", "-R", bed.file, "-m", "by a program", `b.txt=${path.join(bed.folder, "b.txt")}`])
  await Promise.all([sees(one, "by a program"), sees(other, "by a program")])
  const { unsent } = await one.evaluate(() => leaf.syncStatus)
  assert.equal(unsent, 0)
  assertSame(bed.file, await exported(one, bed.folder, "one.fossil"))
  assertSame(bed.file, await exported(other, bed.folder, "other.fossil"))
  assertSound(bed.file)
})

test("leaves and tabs of a mesh see each other, and who goes is gone", async (t) => {
  const bed = await scene(t, ["--nats", "127.0.0.1:0"])
  const [one, other] = [await member(bed), await member(bed)]
  const seen = (page) => page.evaluate(async () => (await leaf.peers()).map(({ kind, repository, lastSeen }) => [kind, repository, lastSeen]))
  const both = [["native", "project", null], ["tab", "", null]]
  const here = async (page) => (await seen(page)).filter(([, , lastSeen]) => lastSeen === null).toSorted()
  for (const page of [one, other]) {
    for (const end = Date.now() + PATIENCE_MS; (await here(page)).length !== 2;) assert.ok(Date.now() < end, "they do not see each other")
    assert.deepEqual(await here(page), both)
  }
  const { nats } = JSON.parse(readFileSync(bed.server.ready, "utf8"))
  const told = () => JSON.parse(native(["peers", `nats://${nats[0]}`, "--json"])).map(({ kind }) => kind).toSorted()
  assert.deepEqual(told(), ["native", "tab", "tab"])
  await other.evaluate(() => leaf.disconnect())
  for (const end = Date.now() + PATIENCE_MS; (await here(one)).length !== 1;) assert.ok(Date.now() < end, "who went is there still")
  assert.deepEqual(told(), ["native", "tab"])
})

test("a tab comes back when its server was killed, with what both made meanwhile", async (t) => {
  const bed = await scene(t)
  const page = await member(bed)
  await bed.server.stop()
  await becomes(page, "away")
  await commit(page, "made alone")
  writeFileSync(path.join(bed.folder, "b.txt"), "two")
  native(["commit", "-R", bed.file, "-m", "made elsewhere", "--allow-fork", `b.txt=${path.join(bed.folder, "b.txt")}`])
  await bed.start(`127.0.0.1:${bed.server.port}`)
  await becomes(page, "ready")
  await sees(page, "made elsewhere")
  await holds(bed.file, "made alone")
  assert.deepEqual(await page.evaluate(() => states), ["connecting", "ready", "away", "ready"])
  await page.evaluate(() => leaf.disconnect())
  assert.equal(await page.evaluate(() => leaf.meshStatus.state), "off")
  assertSame(bed.file, await exported(page, bed.folder, "tab.fossil"))
  assertSound(bed.file)
})

test("what is larger than a NATS message goes both ways in parts", async (t) => {
  const bed = await scene(t)
  const [one, other] = [await member(bed), await member(bed)]
  const hash = await one.evaluate(async () => {
    const bytes = new Uint8Array(5_000_000)
    // What cannot be packed.
    for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
    await leaf.commit({ message: "large", files: { "large.bin": bytes } })
    return (await leaf.listFiles()).files.find(({ path }) => path === "large.bin").hash
  })
  await sees(other, "large")
  assert.equal(await other.evaluate(async (hash) => (await leaf.readArtifact(hash)).bytes.length, hash), 5_000_000)
  assertSound(bed.file)
})

test("a refused login, a server that is none, and one that is away are told apart", async (t) => {
  const settings = path.join(scratch(t), "leaf.toml")
  writeFileSync(settings, '[nats]\ntoken = "open sesame"\n')
  const bed = await scene(t, ["--config", settings])
  const page = await bed.person()
  const failed = (options) => page.evaluate(
    (options) => leaf.connect(options).then(() => null, ({ code, message }) => ({ code, message, state: leaf.meshStatus.state })),
    options,
  )
  assert.equal((await failed({ nats: bed.url })).code, "empty")
  await page.evaluate((url) => leaf.clone(url, { user: "alice", password: "alice-pw" }), bed.server.url)
  assert.equal((await failed({ nats: "nats://localhost:4222" })).code, "badArguments")
  const denied = await failed({ nats: bed.url, token: "open barley" })
  assert.deepEqual([denied.code, denied.state], ["denied", "denied"])
  assert.match(denied.message, /check user, password or token/)
  assert.equal(await failed({ nats: bed.url, token: "open sesame" }), null)
  assert.equal(await page.evaluate(() => leaf.meshStatus.state), "ready")
  await bed.server.stop()
  const away = await failed({ nats: bed.url, token: "open" })
  assert.deepEqual([away.code, away.state], ["network", "away"])
  assert.match(away.message, /cannot be reached/)
})

test("all tabs of a browser share one connection, and keep it when the tab that leads is closed", async (t) => {
  const bed = await scene(t)
  const first = await member(bed)
  const second = await openPage(first.context(), new URL(first.url()).origin)
  await second.evaluate(async (nats) => {
    globalThis.leaf = await Leaf.open("mesh")
    await leaf.connect({ nats })
  }, bed.url)
  assert.deepEqual(await second.evaluate(() => [leaf.isLeader, leaf.meshStatus.state]), [false, "ready"])
  const other = await member(bed)
  await commit(other, "for both")
  await Promise.all([sees(first, "for both"), sees(second, "for both")])
  await commit(second, "by one who follows")
  await sees(other, "by one who follows")
  await first.close()
  await commit(other, "for the one who leads now")
  await sees(second, "for the one who leads now")
  assert.equal(await second.evaluate(() => leaf.isLeader), true)
})

test("the page of a server is live: what others commit is shown as it comes, and what is made offline goes out afterwards", async (t) => {
  const folder = scratch(t)
  const file = path.join(folder, "garden.fossil")
  fossil(["init", "--project-name", "Garden", file], { cwd: folder, stdio: "pipe" })
  native(["user", "caps", "nobody", "gjoriyz", "-R", file])
  writeFileSync(path.join(folder, "a.txt"), "one\n")
  native(["commit", "-R", file, "-m", "Begin", `a.txt=${path.join(folder, "a.txt")}`])
  const { url } = await serve(t, file)
  const people = []
  for (const name of ["one", "other"]) {
    const page = await (await browser(t)).newPage()
    page.on("pageerror", (error) => assert.fail(`${name}: ${error.message}`))
    await clone(page, url)
    await page.getByText("Live", { exact: true }).waitFor({ timeout: PATIENCE_MS })
    people.push(page)
  }
  const [one, other] = people
  await open(one, "#/peers")
  const peers = one.getByRole("list", { name: "There now" })
  await peers.getByText("garden", { exact: true }).waitFor({ timeout: PATIENCE_MS })
  await peers.getByText("browser", { exact: true }).waitFor({ timeout: PATIENCE_MS })
  assert.equal(await peers.getByRole("listitem").count(), 2)
  const shows = (page, message) => page.getByText(message, { exact: true }).first().waitFor({ timeout: PATIENCE_MS })
  await edit(one, "a.txt", "two")
  await press(one, "Written by one")
  await shows(other, "Written by one")
  writeFileSync(path.join(folder, "b.txt"), "three\n")
  native(["commit", "-R", file, "-m", "Written by a program", `b.txt=${path.join(folder, "b.txt")}`])
  await open(one, "#/timeline")
  await Promise.all([shows(one, "Written by a program"), shows(other, "Written by a program")])

  await one.context().setOffline(true)
  await one.getByText("Live", { exact: true }).waitFor({ state: "detached", timeout: PATIENCE_MS })
  await edit(one, "a.txt", "four")
  await press(one, "Written offline")
  await pause(1_000)
  assert.ok(!comments(file).includes("Written offline"))
  await one.context().setOffline(false)
  await one.getByText("Live", { exact: true }).waitFor({ timeout: PATIENCE_MS })
  await shows(other, "Written offline")
  assertSound(file)
})
