// Official NATS clients on the broker of `leaf serve`: by TCP in Node, by WebSocket in a page of Chromium.

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import { test } from "node:test"
import { connect } from "@nats-io/transport-node"
import { browser, root, scratch, serve, site } from "./bed.mjs"

/** What a client does that uses everything a broker has; runs in Node and in a page. Gives what it saw. */
async function exercise(nats, { headers, createInbox }) {
  const saw = {}
  const collect = (subject, max, options = {}) => {
    const sub = nats.subscribe(subject, { max, ...options })
    return (async () => {
      const got = []
      for await (const message of sub) got.push(`${message.subject} ${message.string()}`)
      return got
    })()
  }
  const stars = collect("news.*.today", 2)
  const rest = collect("news.>", 3)
  nats.publish("news.sport.today", "goal")
  nats.publish("news.art.today", "song")
  nats.publish("news.art", "late")
  saw.stars = await stars
  saw.rest = await rest

  const answered = nats.subscribe("ask", {
    callback: (_, message) => message.respond(`${message.headers?.get("Colour") ?? "no"} ${message.string()}`, { headers: message.headers }),
  })
  const sent = headers()
  sent.set("Colour", "blue")
  const reply = await nats.request("ask", "sky", { timeout: 5000, headers: sent })
  saw.reply = [reply.string(), reply.headers.get("Colour")]
  answered.unsubscribe()
  await nats.flush()
  saw.nobody = await nats.request("ask", "", { timeout: 5000 }).then(() => "answered", (error) => error.isNoResponders() ? "nobody" : String(error))

  let shares = [0, 0, 0]
  for (let at = 0; at < 3; at += 1) nats.subscribe("work", { queue: "q", callback: () => { shares[at] += 1 } })
  for (let at = 0; at < 300; at += 1) nats.publish("work")
  await nats.flush()
  saw.shared = shares.reduce((sum, share) => sum + share, 0)
  saw.all = shares.every((share) => share > 30)

  const many = []
  const replies = createInbox()
  nats.subscribe(replies, { callback: (_, message) => many.push(message.data.length) })
  const big = new Uint8Array(nats.info.max_payload).fill(7)
  nats.publish(replies, big)
  await nats.flush()
  saw.big = many[0] === nats.info.max_payload
  const trip = await nats.rtt()
  saw.rtt = trip >= 0
  return saw
}

const WANTED = {
  stars: ["news.sport.today goal", "news.art.today song"],
  rest: ["news.sport.today goal", "news.art.today song", "news.art late"],
  reply: ["blue sky", "blue"],
  nobody: "nobody",
  shared: 300,
  all: true,
  big: true,
  rtt: true,
}

/** `leaf serve` with a broker that listens, and with a token if one is given. */
async function broker(t, token) {
  const folder = scratch(t)
  mkdirSync(path.join(folder, "repositories"))
  const settings = path.join(folder, "leaf.toml")
  writeFileSync(settings, `[nats]\nlisten = ["127.0.0.1:0"]\n${token ? `token = "${token}"\n` : ""}`)
  const server = await serve(t, path.join(folder, "repositories"), ["--config", settings, "--allow-origin", "*"])
  const [nats] = JSON.parse(readFileSync(server.ready, "utf8")).nats
  return { ...server, nats }
}

test("the official client for Node publishes, asks, shares work and is told that nobody hears", async (t) => {
  const { nats: address } = await broker(t)
  const core = await import("@nats-io/nats-core")
  const nats = await connect({ servers: address })
  t.after(() => nats.close())
  assert.deepEqual(await exercise(nats, core), WANTED)
  await nats.drain()
})

test("the official client is let in with the token, and not without it", async (t) => {
  const { nats: address } = await broker(t, "open sesame")
  const nats = await connect({ servers: address, token: "open sesame" })
  await nats.flush()
  await nats.close()
  await assert.rejects(connect({ servers: address, token: "open barley", reconnect: false }), /Authorization/i)
})

test("the official client comes back when the broker was away, and hears again", async (t) => {
  const first = await broker(t)
  const nats = await connect({ servers: first.nats, reconnectTimeWait: 100, maxReconnectAttempts: -1 })
  t.after(() => nats.close())
  const heard = new Promise((resolve) => nats.subscribe("after", { callback: (_, message) => resolve(message.string()) }))
  await nats.flush()
  const back = (async () => { for await (const status of nats.status()) if (status.type === "reconnect") return })()
  await first.stop()
  const again = path.join(scratch(t), "repositories")
  mkdirSync(again)
  await serve(t, again, ["--nats", first.nats])
  await back
  nats.publish("after", "the break")
  assert.equal(await heard, "the break")
})

test("the official client in a page does the same by WebSocket", async (t) => {
  const { url } = await broker(t)
  const folder = scratch(t)
  const bundle = path.join(folder, "nats.js")
  const esbuild = path.join(root, "npm/node_modules/.bin/esbuild")
  execFileSync(
    esbuild,
    ["--bundle", "--format=esm", "--platform=browser", `--outfile=${bundle}`, "--log-level=error"],
    { input: 'export { createInbox, headers, wsconnect } from "@nats-io/nats-core"', cwd: import.meta.dirname },
  )
  writeFileSync(path.join(folder, "index.html"), "<!doctype html><title>nats</title>")
  const place = await site(t, { "/": folder })
  const page = await (await browser(t)).newPage()
  await page.goto(place)
  const saw = await page.evaluate(
    async ([address, source]) => {
      const core = await import("/nats.js")
      const nats = await core.wsconnect({ servers: address })
      const run = new Function(`return ${source}`)()
      const saw = await run(nats, core)
      await nats.drain()
      return saw
    },
    [`${url.replace("http", "ws")}nats`, exercise.toString()],
  )
  assert.deepEqual(saw, WANTED)
})
