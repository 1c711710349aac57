// Tabs, renderers and browsers are killed at random moments of clone, sync and commit: what was acknowledged is there,
// once; what was not is there once or not at all; an unfinished clone goes on.
//
// `$LEAF_KILL_SEED` gives the moments again. Twenty kills of each kind; one that comes after the end of its command
// does not count, and another is made.

import assert from "node:assert/strict"
import { copyFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { leaf as native, packageSite, scratch, serve } from "./bed.mjs"
import { artifacts, assertSame, assertSound, comments, large, exported, sinks } from "./judge.mjs"
import { pause, Seed, Victim } from "./strike.mjs"

const KILLS = { clone: 7, commit: 7, sync: 6 }
/** Kills that may come too late, for each that counts. */
const TRIES = 5
const NAME = "killed"

for (const how of ["tab", "renderer", "browser"]) {
  test(`${Object.values(KILLS).reduce((a, b) => a + b)} kills of a ${how}`, async (t) => {
    const scene = await Scene.set(t, how)
    await scene.clones()
    const work = scene.seed.shuffled([...Array(KILLS.commit).fill("commit"), ...Array(KILLS.sync).fill("sync")])
    for (const what of work) await scene[what]()
    await scene.end()
    console.log(`${how}: ${JSON.stringify(scene.hits)} kills, ${scene.late} too late; ${scene.acknowledged.size} check-ins acknowledged, ${scene.open} more made`)
  })
}

class Scene {
  hits = { clone: 0, commit: 0, sync: 0 }
  late = 0
  /** Messages of check-ins whose reply came. */
  acknowledged = new Set()
  /** Messages of check-ins that were asked for, no reply seen. */
  asked = new Set()
  open = 0
  #number = 0

  static async set(t, how) {
    const scene = new Scene()
    const folder = scratch(t)
    const origin = await packageSite(t, folder)
    const remote = path.join(folder, "remote.fossil")
    copyFileSync(large(), remote)
    const { url } = await serve(t, remote, ["--allow-origin", origin, "--quiet"])
    const victim = new Victim(t, scratch(t), origin, (context) => sinks(context, folder))
    return Object.assign(scene, { how, folder, remote, url, victim, seed: new Seed(how) })
  }

  /** A page with the leaf open as `leaf`, and what is in it: a new one if the one before was killed. */
  async page() {
    this.victim.notes.length = 0
    this.live ??= await this.victim.open()
    const page = this.live
    const found = await page.evaluate(async (name) => {
      globalThis.leaf ??= await Leaf.open(name)
      return leaf.info()
    }, NAME)
    return { page, found }
  }

  /** Kills after a while within `whole` milliseconds. Whether `work`, which runs in the page, was still at it. */
  async strike(what, work, whole) {
    let hasEnded = false
    const ending = work.then(() => (hasEnded = true), (error) => {
      // Nothing else may end it but the kill.
      if (!/closed|crashed|disconnected|destroyed/i.test(error.message)) throw error
    })
    await Promise.race([pause(this.seed.below(whole)), ending])
    const isHit = !hasEnded
    this.live = undefined
    await this.victim.kill(this.how)
    await ending
    if (isHit) this.hits[what] += 1
    else this.late += 1
    assert.ok(this.late < TRIES * 20, "too many kills came too late")
    return isHit
  }

  async clones() {
    const { url } = this
    const run = (page) => page.evaluate(async (url) => {
      const onProgress = ({ stage, done, rounds }) => void note({ stage, done, rounds })
      const result = await leaf.clone(url, { user: "alice", password: "alice-pw", remember: true, onProgress })
      return { ...result, left: (await leaf.info()).artifacts }
    }, url)
    let { page, found } = await this.page()
    const begin = performance.now()
    const undisturbed = await run(page)
    const whole = performance.now() - begin
    assert.ok(undisturbed.rounds > 3, `a clone of ${undisturbed.rounds} rounds is too short`)
    const total = undisturbed.left
    console.log(`${this.how}: an undisturbed clone takes ${Math.round(whole)} ms, ${undisturbed.rounds} rounds, ${total} artifacts`)
    await this.again(page)

    let goneOn = 0
    while (this.hits.clone < KILLS.clone) {
      ;({ page, found } = await this.page())
      if (found.state === "ready") {
        assert.equal(found.artifacts, total)
        await this.verify(page)
        await this.again(page)
        continue
      }
      const before = found.artifacts
      goneOn += before > 0 ? 1 : 0
      await this.strike("clone", run(page), whole)
      const seen = this.victim.notes.filter(({ stage }) => stage === "cloning").at(-1)?.done ?? 0
      const { state, artifacts } = (await this.page()).found
      assert.ok(artifacts >= before + seen, `${artifacts} artifacts are left of ${before} and ${seen} more`)
      assert.ok(state !== "empty" || before + seen === 0, "a clone began anew")
    }
    assert.ok(goneOn > 0, "no killed clone had got anywhere")
    ;({ page, found } = await this.page())
    if (found.state !== "ready") {
      const result = await run(page)
      assert.ok(result.artifacts <= total - found.artifacts, `${result.artifacts} came, ${found.artifacts} of ${total} were there`)
    }
    await this.verify(page)
  }

  /** Deletes the leaf. */
  async again(page) {
    await page.evaluate(async (name) => {
      await leaf.close()
      await Leaf.delete(name)
      delete globalThis.leaf
    }, NAME)
  }

  async verify(page) {
    const { isSound, faults } = await page.evaluate(() => leaf.verify())
    assert.ok(isSound, faults.join("\n"))
  }

  async commit() {
    const { page } = await this.page()
    const prefix = this.prefix()
    const work = page.evaluate(async (prefix) => {
      for (let number = 0; ; number += 1) {
        const id = `${prefix}.${number}`
        await note({ ask: id })
        const bytes = crypto.getRandomValues(new Uint8Array(2 ** (4 + (number % 12))))
        await leaf.commit({ message: id, files: { [`made/${number % 5}.bin`]: bytes, "made/last.txt": id } })
        await note({ done: id })
      }
    }, prefix)
    await this.strike("commit", work, 700)
    this.collect()
    const last = this.victim.notes.filter((note) => note.ask || note.done).at(-1)
    // Between two check-ins nothing was hit.
    if (!last?.ask) {
      this.hits.commit -= 1
      this.late += 1
    }
    await this.holds()
    if (!last?.ask) await this.commit()
  }

  async sync() {
    const { page } = await this.page()
    const prefix = this.prefix()
    await page.evaluate(async (prefix) => {
      for (let number = 0; number < 3; number += 1) {
        const id = `${prefix}.${number}`
        await note({ ask: id })
        const pieces = Array.from({ length: 10 }, () => crypto.getRandomValues(new Uint8Array(50_000)))
        await leaf.commit({ message: id, files: { "made/large.bin": new Blob(pieces), "made/last.txt": id } })
        await note({ done: id })
      }
    }, prefix)
    this.collect()
    const file = path.join(this.folder, "input")
    for (const branch of ["one", "two", "three"]) {
      writeFileSync(file, Buffer.from(Array.from({ length: 300_000 }, () => this.seed.below(256))))
      const place = this.branches?.has(branch) ? ["--branch", branch] : ["--new-branch", branch]
      this.branches = (this.branches ?? new Set()).add(branch)
      native(["commit", "-q", "-R", this.remote, "--user", "alice", "-m", `there ${prefix}`, ...place, `there.bin=${file}`])
    }
    const isHit = await this.strike("sync", page.evaluate(() => leaf.sync()), this.syncTakes ?? 400)
    await this.holds()
    if (!isHit) await this.sync()
  }

  prefix() {
    return `${this.how}-${this.#number++}`
  }

  /** Takes over what the pages noted. */
  collect() {
    for (const note of this.victim.notes) {
      if (note.ask) this.asked.add(note.ask)
      if (note.done) {
        this.acknowledged.add(note.done)
        this.asked.delete(note.done)
      }
    }
  }

  /** Everything acknowledged is there once, and nothing twice. */
  async holds() {
    const { page, found } = await this.page()
    assert.equal(found.state, "ready")
    const messages = await page.evaluate(async () => {
      const found = []
      for await (const { comment } of leaf.timeline({ checkins: true, limit: 1000 })) found.push(comment)
      return found
    })
    this.count(messages)
    await this.verify(page)
  }

  count(messages) {
    const counts = new Map()
    for (const message of messages) counts.set(message, (counts.get(message) ?? 0) + 1)
    for (const id of this.acknowledged) assert.equal(counts.get(id) ?? 0, 1, `check-in ${id} was acknowledged`)
    this.open = 0
    for (const id of this.asked) {
      const times = counts.get(id) ?? 0
      assert.ok(times <= 1, `check-in ${id} was made ${times} times`)
      this.open += times
    }
  }

  /** What is left converges, and stock finds no fault in it. */
  async end() {
    const { page } = await this.page()
    await page.evaluate(() => leaf.sync())
    const file = await exported(page, this.folder, "exported.fossil")
    this.count(comments(file))
    assertSame(file, this.remote)
    assertSound(file)
    assertSound(this.remote)
    assert.ok(artifacts(file).size > 2_400)
  }
}
