// Calls by key against HTTP and plain TCP, side by side: what a connection costs, how fast a clone is, directly, by the
// leaf's own relay, and in a tab; and what peers that hang cost the others.
//
// usage: node iroh.mjs LEAF [--runs N] [--mb N] [--json]
//
// All on this machine, over loopback, where nothing but the processors limits it, and over a cable between two network
// namespaces. Medians; every row is measured in turns. A peer that hangs is a clone whose process
// is stopped (SIGSTOP) in the middle of it, so that its windows are full and nobody reads.

import { execFileSync, spawn } from "node:child_process"
import { createCipheriv } from "node:crypto"
import { EventEmitter, on, once } from "node:events"
import { copyFileSync, existsSync, readFileSync, rmSync, statSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import { connect, createServer } from "node:net"
import path from "node:path"
import { json } from "node:stream/consumers"
import test from "node:test"
import { atEnd, CHROMIUM, FLAGS, fossil, packageSite, scratch, serve } from "../browser/bed.mjs"

const [, , program, ...options] = process.argv
const leaf = path.resolve(program)
const option = (name, usual) => Number(options[options.indexOf(name) + 1 || options.length] ?? usual)
const runs = option("--runs", 3)
const megabytes = option("--mb", 100)
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const environment = { ...process.env, USER: "bench" }

function say(row, figures) {
  if (options.includes("--json")) return console.error(JSON.stringify({ row, ...figures }))
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${value}`)
  console.error(`${row.padEnd(34)} ${shown.join("   ")}`)
}

const run = (...args) => execFileSync(leaf, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env: environment })

function timed(...args) {
  const begin = performance.now()
  run(...args)
  return performance.now() - begin
}

/** A repository of so many megabytes that cannot be packed. */
function repository(folder) {
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16, "leaf"), Buffer.alloc(16))
  const pieces = []
  for (let file = 1; file <= megabytes; file += 1) {
    const from = file > 1 ? `from :${file - 1}\n` : ""
    pieces.push(Buffer.from(`commit refs/heads/trunk\nmark :${file}\ncommitter alice <alice> ${1_500_000_000 + file * 600} +0000\ndata 1\nx\n${from}M 100644 inline f${file}\ndata ${1 << 20}\n`), noise.update(Buffer.alloc(1 << 20)), Buffer.from("\n\n"))
  }
  const made = path.join(folder, "served.fossil")
  fossil(["import", "--git", made], { cwd: folder, input: Buffer.concat(pieces), stdio: ["pipe", "ignore", "inherit"] })
  return made
}

/** The same bytes by plain TCP. */
async function plain(t, bytes) {
  const all = Buffer.alloc(bytes, "x")
  const server = createServer((socket) => socket.end(all))
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  atEnd(t, () => server.close())
  return () => new Promise((resolve, reject) => {
    const begin = performance.now()
    const socket = connect(server.address().port, "127.0.0.1")
    socket.on("data", () => undefined).on("end", () => resolve(performance.now() - begin)).on("error", reject)
  })
}

/** A leaf with a key of its own, which the server lets in. */
function guest(folder, name, file) {
  const key = path.join(folder, `${name}.key`)
  run("peers", "allow", run("id", "--key", key).trim(), "--cap", "gio", "--name", name, "-R", file)
  return key
}

/** A cable of so many megabits a second between two hosts, and `leaf serve` on one of them; what runs a program on the other. */
async function cable(t, folder, file, megabits, ...args) {
  const [here, there] = ["Here", "There"].map((host) => `bench-${process.pid}-${host}`)
  const ip = (...args) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] })
  for (const host of [here, there]) {
    ip("netns", "add", host)
    atEnd(t, () => ip("netns", "delete", host))
  }
  ip("link", "add", "wire", "netns", here, "type", "veth", "peer", "name", "wire", "netns", there)
  for (const [host, address] of [[here, "10.3.0.1/24"], [there, "10.3.0.2/24"]]) {
    ip("-n", host, "address", "add", address, "dev", "wire")
    for (const link of ["lo", "wire"]) ip("-n", host, "link", "set", link, "up")
    ip("netns", "exec", host, "tc", "qdisc", "add", "dev", "wire", "root", "tbf", "rate", `${megabits}mbit`, "burst", "128kb", "latency", "20ms")
  }
  const ready = path.join(folder, "there.json")
  // Of its own: a repository notes where it is served.
  const copy = path.join(folder, "there.fossil")
  copyFileSync(file, copy)
  const serving = ["netns", "exec", there, leaf, "serve", copy, "--http", "10.3.0.2:80", "--iroh=10.3.0.2:0", "--ready-file", ready, "-q", ...args]
  const child = spawn("ip", serving, { stdio: ["ignore", "ignore", "inherit"], env: environment })
  atEnd(t, () => new Promise((resolve) => child.once("exit", resolve) && child.kill()))
  while (!existsSync(ready)) await new Promise((resolve) => setTimeout(resolve, 25))
  return { http: "http://10.3.0.2/", direct: JSON.parse(readFileSync(ready, "utf8")).iroh, here: (...args) => ["netns", "exec", here, leaf, ...args] }
}

/** In the page: clones `url` and says how long that took. */
const cloneInTab = async ({ url, name, ticket }) => {
  const { Leaf } = await import("/pkg/index.js")
  const leaf = await Leaf.open(name)
  const from = ticket ? (await leaf.join(ticket)).url : url
  const begin = performance.now()
  const { verified } = await leaf.clone(from)
  const ms = performance.now() - begin
  await leaf.close()
  await Leaf.delete(name)
  return { ms, verified }
}

/** In the page: does one job after the other, as it is told. */
const obey = async (boss, work) => {
  for (;;) {
    const job = await (await fetch(boss)).json()
    const done = await work(job).catch((error) => ({ error: String(error) }))
    await fetch(boss, { method: "POST", body: JSON.stringify(done) })
  }
}

/**
 * A tab of a Chromium that nobody watches: for whoever does, it copies each message of a WebSocket, and carries a third
 * of what it could. Returns the origin of its page, and what gives it a job.
 */
async function unwatched(t, folder) {
  const bus = new EventEmitter()
  const jobs = on(bus, "job")
  const boss = createHttpServer(async (request, response) => {
    response.setHeader("access-control-allow-origin", "*")
    if (request.method === "POST") {
      bus.emit("done", await json(request))
      return response.end()
    }
    const { value: [job] } = await jobs.next()
    response.end(JSON.stringify(job))
  })
  await new Promise((resolve) => boss.listen(0, "127.0.0.1", resolve))
  atEnd(t, () => boss.closeAllConnections() ?? boss.close())
  const script = `(${obey})("http://127.0.0.1:${boss.address().port}/", ${cloneInTab})`
  const origin = await packageSite(t, folder, { files: { "index.html": `<!doctype html><script type="module">${script}</script>` } })
  const open = () => {
    const child = spawn(CHROMIUM, [...FLAGS, "--headless=new", `--user-data-dir=${scratch(t)}`, origin], { stdio: "ignore" })
    atEnd(t, () => new Promise((resolve) => child.once("exit", resolve) && child.kill()))
  }
  const work = async (job) => {
    bus.emit("job", job)
    const [done] = await once(bus, "done")
    if (done.error) throw new Error(done.error)
    return done
  }
  return { origin, open, work }
}

test("calls by key", async (t) => {
  const folder = scratch(t)
  const file = repository(folder)
  const bytes = statSync(file).size
  const page = await unwatched(t, folder)
  const serverKey = path.join(folder, "server.key")
  const server = await serve(t, file, ["--iroh=127.0.0.1:0", "--relay", "--key", serverKey, "--allow-origin", page.origin, "-q"])
  const http = `http://127.0.0.1:${server.port}/`
  const direct = JSON.parse(readFileSync(server.ready, "utf8")).iroh
  const key = guest(folder, "guest", file)
  const wires = { http: [http], direct: [direct, "--key", key], relayed: [direct.replace(/addr=[^&]*&?/g, ""), "--key", key, "--relay-only"] }
  const copy = path.join(folder, "copy.fossil")
  const speed = (ms) => `${(bytes / 1000 / ms).toFixed(0)} MB/s`
  const clone = (wire) => {
    rmSync(copy, { force: true })
    return timed("clone", "-q", ...wires[wire].slice(0, 1), copy, ...wires[wire].slice(1))
  }

  const tcp = await plain(t, bytes)
  const clones = { tcp: [], http: [], direct: [], relayed: [] }
  for (let turn = 0; turn < runs; turn += 1) {
    clones.tcp.push(await tcp())
    for (const wire of Object.keys(wires)) clones[wire].push(clone(wire))
  }
  const took = Object.fromEntries(Object.entries(clones).map(([wire, values]) => [wire, median(values)]))
  say(`clone of ${(bytes / 1e6).toFixed(0)} MB`, { ...Object.fromEntries(Object.entries(took).map(([wire, ms]) => [wire, speed(ms)])), "direct/http": (took.http / took.direct).toFixed(2), "relayed/http": (took.http / took.relayed).toFixed(2) })

  if (process.getuid() === 0) {
    const { here, http, direct } = await cable(t, folder, file, 1000, "--key", serverKey)
    const urls = { http: [http], direct: [direct, "--key", key] }
    const clones = { http: [], direct: [] }
    for (let turn = 0; turn < runs; turn += 1) {
      for (const [wire, [url, ...more]] of Object.entries(urls)) {
        rmSync(copy, { force: true })
        const begin = performance.now()
        execFileSync("ip", here("clone", "-q", url, copy, ...more), { stdio: ["ignore", "pipe", "pipe"], env: environment })
        clones[wire].push(performance.now() - begin)
      }
    }
    const [byHttp, directly] = [median(clones.http), median(clones.direct)]
    say("over a cable of 1 Gbit/s", { http: speed(byHttp), direct: speed(directly), "direct/http": (byHttp / directly).toFixed(2) })
  } else {
    console.error("over a cable of 1 Gbit/s: left out, it takes root")
  }

  const syncs = { http: [], direct: [], relayed: [] }
  for (let turn = 0; turn < 3 * runs; turn += 1) {
    for (const [wire, [url, ...more]] of Object.entries(wires)) syncs[wire].push(timed("sync", "-q", url, "-R", copy, ...more))
  }
  say("sync that moves nothing, whole", Object.fromEntries(Object.entries(syncs).map(([wire, values]) => [wire, `${median(values).toFixed(0)} ms`])))

  page.open()
  const tab = { http: [], relayed: [] }
  for (let turn = 0; turn < runs; turn += 1) {
    const ticket = JSON.parse(run("invite", file, "--json", "--key", serverKey)).ticket
    tab.http.push((await page.work({ url: http, name: `http${turn}` })).ms)
    const { ms, verified } = await page.work({ ticket, name: `key${turn}` })
    if (!(verified > megabytes)) throw new Error("the clone in the tab is not whole")
    tab.relayed.push(ms)
  }
  say("the same in a tab, verified", { http: speed(median(tab.http)), relayed: speed(median(tab.relayed)), "relayed/http": (median(tab.http) / median(tab.relayed)).toFixed(2) })

  const alone = []
  const beside = []
  for (let turn = 0; turn < runs; turn += 1) {
    alone.push(clone("direct"))
    const hung = []
    for (let number = 0; number < 4; number += 1) {
      const own = guest(folder, `hung${number}`, file)
      const target = path.join(folder, `hung${number}.fossil`)
      rmSync(target, { force: true })
      const child = spawn(leaf, ["clone", "-q", direct, target, "--key", own], { stdio: "ignore", env: environment })
      await new Promise((resolve) => setTimeout(resolve, 200))
      child.kill("SIGSTOP")
      hung.push(child)
    }
    beside.push(clone("direct"))
    for (const child of hung) child.kill("SIGKILL")
  }
  say("clone beside 4 peers that hang", { alone: `${median(alone).toFixed(0)} ms`, beside: `${median(beside).toFixed(0)} ms`, delay: `${((median(beside) / median(alone) - 1) * 100).toFixed(0)} %` })
})
