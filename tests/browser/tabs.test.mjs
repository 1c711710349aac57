// Several tabs, one repository: one of them leads, the others work through it; when it dies another takes over, at
// once, and nothing is lost or done twice.

import assert from "node:assert/strict"
import { copyFileSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { browser, leaf as native, packageSite, scratch, serve } from "./bed.mjs"
import { assertSound, comments, large, exported, sinks } from "./judge.mjs"
import { openPage, pause, Seed } from "./strike.mjs"

const NAME = "shared"
/** From the death of a leader to the first reply of the next one. Units: milliseconds. */
const HANDOVER_MAX_MS = 2_000

/** Tabs of one browser on one repository, and what they said. */
class Tabs {
  /** `{tab, at, ...what the page noted}`, oldest first. */
  notes = []
  tabs = []
  #count = 0

  static async set(t) {
    const folder = scratch(t)
    const origin = await packageSite(t, folder)
    const context = await browser(t)
    const tabs = Object.assign(new Tabs(), { t, folder, origin, context })
    await context.exposeBinding("note", (_, note) => void tabs.notes.push({ at: performance.now(), ...note }))
    await sinks(context, folder)
    return tabs
  }

  /** One more tab with the leaf open. */
  async open() {
    const page = await openPage(this.context, this.origin)
    const tab = this.#count++
    page.on("crash", () => (page.hasCrashed = true))
    await page.evaluate(async ({ tab, name }) => {
      globalThis.tab = tab
      globalThis.leaf = await Leaf.open(name, { user: `user${tab}` })
      leaf.on("leader", ({ isLeader, epoch }) => void note({ tab, leader: isLeader, epoch }))
      leaf.on("change", ({ kinds }) => void note({ tab, change: kinds }))
    }, { tab, name: NAME })
    const opened = { tab, page }
    this.tabs.push(opened)
    return opened
  }

  /** Lets a tab commit without end, each time after the reply to the time before. */
  commits({ tab, page }) {
    page.evaluate(async () => {
      for (let number = 0; !globalThis.isEnough; number += 1) {
        const id = `${tab}.${number}`
        await note({ tab, ask: id })
        await leaf.commit({ message: id, files: { [`tab${tab}.txt`]: id } })
        await note({ tab, done: id })
      }
      await note({ tab, stopped: true })
    }).catch((error) => {
      if (!/closed|crashed/i.test(error.message)) this.notes.push({ tab, at: performance.now(), failed: error.message })
    })
  }

  async stop() {
    for (const { page } of this.tabs) await page.evaluate(() => void (globalThis.isEnough = true))
    await this.until(() => this.tabs.every(({ tab }) => this.notes.some((note) => note.tab === tab && note.stopped)), "all tabs stop")
  }

  async leader() {
    const leads = await Promise.all(this.tabs.map(({ page }) => page.evaluate(() => leaf.isLeader)))
    assert.equal(leads.filter(Boolean).length, 1, `leaders: ${leads}`)
    return this.tabs[leads.indexOf(true)]
  }

  async until(isSo, what) {
    for (let tries = 0; !isSo(); tries += 1) {
      const failed = this.notes.find((note) => note.failed && this.tabs.some(({ tab }) => tab === note.tab))
      if (failed) assert.fail(`tab ${failed.tab}: ${failed.failed}`)
      if (tries > 2000) assert.fail(`waited in vain until ${what}`)
      await pause(5)
    }
  }

  /** Ends a tab suddenly, and counts the milliseconds until another one has taken over and replied. */
  async kill(dying, how) {
    const devtools = await this.context.newCDPSession(dying.page)
    this.tabs = this.tabs.filter((tab) => tab !== dying)
    const from = this.notes.length
    const death = performance.now()
    if (how === "tab") await dying.page.close()
    else if (how === "close") void dying.page.evaluate(() => leaf.close()).catch(() => undefined)
    else void devtools.send("Page.crash").catch(() => undefined)
    const next = () => this.notes.findIndex((note, index) => index >= from && note.leader && note.tab !== dying.tab)
    const reply = () => this.notes.find((note, index) => index > next() && note.done && note.tab !== dying.tab)
    await this.until(() => next() >= 0 && reply(), `another tab leads after the end of ${how} ${dying.tab}`)
    assert.ok(this.tabs.every(({ page }) => !page.hasCrashed), "the tabs share one renderer")
    const took = reply().at - death
    assert.ok(took < HANDOVER_MAX_MS, `the hand-over took ${took} ms`)
    if (how !== "tab") await dying.page.close()
    return took
  }

  /** Every check-in that was acknowledged is in `messages` once, and none is there twice. */
  holds(messages) {
    const counts = new Map()
    for (const message of messages) counts.set(message, (counts.get(message) ?? 0) + 1)
    const done = this.notes.flatMap((note) => (note.done ? [note.done] : []))
    assert.ok(done.length > 0)
    for (const id of done) assert.equal(counts.get(id) ?? 0, 1, `check-in ${id} was acknowledged`)
    for (const [message, times] of counts) assert.equal(times, 1, `check-in ${message} was made ${times} times`)
    return done.length
  }
}

for (const count of [2, 5]) {
  test(`${count} tabs: when the leader dies another takes over within ${HANDOVER_MAX_MS} ms, and nothing is lost or done twice`, async (t) => {
    const seed = new Seed(`${count} tabs`)
    const tabs = await Tabs.set(t)
    const first = await tabs.open()
    await first.page.evaluate(() => leaf.create({ user: "somebody" }))
    while (tabs.tabs.length < count) await tabs.open()
    assert.equal((await tabs.leader()).tab, first.tab)
    tabs.tabs.forEach((tab) => tabs.commits(tab))
    const took = []
    for (const how of seed.shuffled([...Array(4).fill("tab"), ...Array(4).fill("renderer"), "close", "close"])) {
      await pause(100 + seed.below(300))
      took.push(await tabs.kill(await tabs.leader(), how))
      await tabs.leader()
      tabs.commits(await tabs.open())
    }
    const { epochs } = tabs.notes.reduce((all, note) => (note.leader ? { epochs: [...all.epochs, note.epoch] } : all), { epochs: [] })
    assert.equal(new Set(epochs).size, epochs.length, "each leader has an epoch of its own")
    // Every tab but the leader heard of the last leader, and of changes by others.
    const last = epochs.at(-1)
    const follower = tabs.tabs.find(({ tab }) => !tabs.notes.some((note) => note.tab === tab && note.leader))
    assert.ok(follower.tab === tabs.tabs.at(-1).tab || tabs.notes.some((note) => note.tab === follower.tab && note.epoch === last && !note.leader))
    await tabs.until(() => tabs.notes.some((note) => note.tab === follower.tab && note.change?.includes("commit")), "a follower hears of changes")
    await tabs.stop()

    const { page } = tabs.tabs.find((tab) => tab === follower)
    assert.deepEqual(await page.evaluate(() => leaf.verify().then(({ faults }) => faults)), [])
    const file = await exported(page, tabs.folder, "exported.fossil")
    const messages = comments(file).filter((message) => /^\d+\.\d+$/.test(message))
    const done = tabs.holds(messages)
    assertSound(file)
    console.log(`${count} tabs: ${took.length} hand-overs, ${Math.round(Math.min(...took))} to ${Math.round(Math.max(...took))} ms; ${done} check-ins acknowledged, ${messages.length - done} more made`)

    for (const { page } of tabs.tabs) await page.close()
    tabs.tabs = []
    const again = await tabs.open()
    assert.equal(await again.page.evaluate(() => leaf.info().then(({ checkins }) => checkins)), messages.length + 1)
    assert.ok(await again.page.evaluate(() => leaf.isLeader))
  })
}

test("a follower clones, hears of progress, reads, gives up and is heard", async (t) => {
  const tabs = await Tabs.set(t)
  const remote = large()
  const { url } = await serve(t, remote, ["--allow-origin", tabs.origin, "--quiet"])
  const leader = await tabs.open()
  const follower = await tabs.open()
  const cut = await follower.page.evaluate(async (url) => {
    const giveUp = new AbortController()
    let progress = 0
    const onProgress = ({ rounds, done }) => {
      progress += 1
      if (rounds > 1 && done > 0) giveUp.abort()
    }
    const code = await leaf.clone(url, { signal: giveUp.signal, onProgress }).then(() => "none", (error) => error.code)
    return { code, progress, ...(await leaf.info()) }
  }, url)
  assert.equal(cut.code, "aborted")
  assert.equal(cut.state, "cloning")
  assert.ok(cut.progress > 0 && cut.artifacts > 0)
  assert.equal(await leader.page.evaluate(() => leaf.timeline().page().catch((error) => error.code)), "cloning")

  // The leader dies while a follower clones: the clone goes on in the next leader, and its reply arrives.
  const cloning = follower.page.evaluate(async (url) => {
    const result = await leaf.clone(url, { onProgress: ({ stage, done }) => void note({ stage, done }) })
    return { ...result, ...(await leaf.info()) }
  }, url)
  await tabs.until(() => tabs.notes.some(({ stage, done }) => stage === "cloning" && done > 0), "the clone gets anywhere")
  await leader.page.close()
  const whole = await cloning
  tabs.tabs = tabs.tabs.filter((tab) => tab !== leader)
  assert.equal(whole.state, "ready")
  assert.ok(whole.checkins >= 60)
  assert.equal((await tabs.leader()).tab, follower.tab)

  // A second follower reads what is there, and gives up a command that the leader has not begun.
  const other = await tabs.open()
  const read = await other.page.evaluate(async () => {
    const { entries } = await leaf.timeline({ limit: 10 }).page()
    const { files } = await leaf.listFiles()
    const { bytes } = await leaf.readFile(files[0].path)
    const giveUp = new AbortController()
    const verifying = leaf.verify({ signal: giveUp.signal }).catch((error) => error.code)
    giveUp.abort()
    return { entries: entries.length, files: files.length, bytes: bytes.length, size: files[0].size, code: await verifying }
  })
  assert.deepEqual([read.entries, read.files, read.bytes, read.code], [10, 40, read.size, "aborted"])

  // Given up before the leader is lost and asked again after: it stays given up.
  await pause(50)
  const again = other.page.evaluate(async () => {
    const giveUp = new AbortController()
    const verifying = leaf.verify({ signal: giveUp.signal }).catch((error) => error.code)
    await new Promise((resolve) => setTimeout(resolve, 20))
    void note({ verifying: true })
    await new Promise((resolve) => leaf.on("leader", resolve))
    giveUp.abort()
    return verifying
  })
  await tabs.until(() => tabs.notes.some((note) => note.verifying), "the follower verifies")
  await follower.page.close()
  assert.equal(await again, "aborted")
})

test("a leader dies while a follower imports and exports: the import begins again, the export says that it is cut off", async (t) => {
  const tabs = await Tabs.set(t)
  copyFileSync(large(), path.join(tabs.folder, "site/large.fossil"))
  const leader = await tabs.open()
  const follower = await tabs.open()
  const importing = follower.page.evaluate(async () => {
    const file = await (await fetch("/large.fossil")).blob()
    // A file that tells how far it was read.
    const slice = file.slice.bind(file)
    file.slice = (from, to) => (void note({ read: from }), slice(from, to))
    const { checkins } = await leaf.importFile(file)
    return { checkins, isLeader: leaf.isLeader, faults: (await leaf.verify()).faults }
  })
  await tabs.until(() => tabs.notes.some(({ read }) => read > 10_000_000), "some of it is in")
  await leader.page.close()
  assert.deepEqual(await importing, { checkins: 60, isLeader: true, faults: [] })
  assert.equal(tabs.notes.filter(({ read }) => read === 0).length, 2)

  const last = await tabs.open()
  await last.page.evaluate(async () => {
    globalThis.reader = (await leaf.exportFile()).getReader()
    await reader.read()
  })
  await follower.page.close()
  const code = await last.page.evaluate(async () => {
    for (;;) {
      const { done } = await reader.read().catch(({ code }) => ({ done: code }))
      if (done) return done
    }
  })
  assert.equal(code, "aborted")
  tabs.tabs = [last]
  assertSound(await exported(last.page, tabs.folder, "exported.fossil"))
})

test("one tab may close and delete at once, and another then finds nothing", async (t) => {
  const tabs = await Tabs.set(t)
  const one = await tabs.open()
  await one.page.evaluate(() => leaf.create({ user: "somebody" }))
  const other = await tabs.open()
  assert.equal(await other.page.evaluate((name) => Leaf.delete(name).then(() => "gone", (error) => error.code), NAME), "locked")
  await one.page.close()
  await other.page.evaluate(async (name) => {
    await leaf.close()
    await Leaf.delete(name)
  }, NAME)
  assert.deepEqual(await other.page.evaluate(() => Leaf.list()), [])
  const next = await tabs.open()
  assert.equal(await next.page.evaluate(() => leaf.state), "empty")
})
