// Sudden ends: of a tab, of a renderer, of the whole browser. And what the tests of them share.

import { randomInt } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { browser } from "./bed.mjs"

/** Numbers that are the same again for the same seed. */
export class Seed {
  constructor(test) {
    this.value = Number(process.env.LEAF_KILL_SEED ?? randomInt(2 ** 31))
    this.state = this.value
    console.log(`${test}: LEAF_KILL_SEED=${this.value}`)
  }

  /** From 0 up to, not including, `limit`. Source: mulberry32. */
  below(limit) {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit
  }

  /** The same things in another order. */
  shuffled(things) {
    const left = [...things]
    return things.map(() => left.splice(Math.floor(this.below(left.length)), 1)[0])
  }
}

/** A browser that is killed now and then and comes back with the same profile. */
export class Victim {
  /** What pages said: `note(...)` in a page. It is kept out here, where no kill reaches it. */
  notes = []
  page
  #crash

  constructor(t, profile, origin, prepare = async () => undefined) {
    Object.assign(this, { t, profile, origin, prepare })
  }

  /** A page with the package loaded as `Leaf`, in a new tab. Starts the browser if it does not run. */
  async open() {
    if (!this.context) {
      this.context = await browser(this.t, this.profile)
      await this.context.exposeBinding("note", (_, note) => void this.notes.push(note))
      await this.prepare(this.context)
    }
    this.page = await openPage(this.context, this.origin)
    const devtools = await this.context.newCDPSession(this.page)
    this.#crash = () => void devtools.send("Page.crash").catch(() => undefined)
    return this.page
  }

  /** Ends the page, or more. */
  async kill(how) {
    if (how === "tab") {
      await this.page.close()
    } else if (how === "renderer") {
      const crashed = this.page.waitForEvent("crash")
      this.#crash()
      await crashed
      await this.page.close()
    } else {
      const closed = new Promise((resolve) => this.context.once("close", resolve))
      killBrowser(this.profile)
      await closed
      await ended(this.profile)
      this.context = undefined
    }
  }
}

/** A new tab with the package loaded as `Leaf`. */
export async function openPage(context, origin) {
  const page = await context.newPage()
  page.on("pageerror", (error) => console.log(`error in a page: ${error.message}`))
  await page.goto(origin)
  await page.evaluate(async () => Object.assign(globalThis, await import("/pkg/index.js")))
  return page
}

/** Every process of the browser with this profile: the first, and what it started. */
function processes(profile) {
  const children = new Map()
  let first
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) . /s, "").split(" ")[0]
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1")
      children.set(parent, [...(children.get(parent) ?? []), Number(pid)])
      if (line.includes(`--user-data-dir=${profile}`) && !line.includes("--type=") && !line.includes("crashpad")) first ??= Number(pid)
    } catch {
      // It ended while we looked.
    }
  }
  const all = first === undefined ? [] : [first]
  for (const pid of all) all.push(...(children.get(String(pid)) ?? []))
  return all
}

function killBrowser(profile) {
  const all = processes(profile)
  if (all.length < 2) throw new Error("the browser's processes were not found")
  for (const pid of all) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // Its parent's end ended it.
    }
  }
}

/** A killed browser lets go of its profile a moment later. */
async function ended(profile) {
  for (let tries = 0; processes(profile).length > 0; tries += 1) {
    if (tries > 200) throw new Error("the browser does not end")
    await pause(10)
  }
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
