// The demonstration of the mesh: three leaves, each with a broker of its own, and two tabs on two of them. Everybody
// commits, everybody has it, and it is measured how long a check-in takes from one tab to another.
//
// usage: node mesh-demo.mjs LEAF REPOSITORY [ROUNDS]

import { execFileSync, spawn } from "node:child_process"
import { copyFileSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"
import { launch } from "./bed.mjs"
import { clone, edit, open } from "./person.mjs"

const [, , leaf, origin, rounds = "9"] = process.argv
const PATIENCE_MS = 30_000
const work = mkdtempSync(path.join(tmpdir(), "leaf-mesh-"))
const endings = [() => rmSync(work, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })]
const step = (text) => console.log(`\n\x1b[1m${text}\x1b[0m`)
const place = (name) => path.join(work, name)
const run = (program, args) => execFileSync(program, args, { cwd: work, encoding: "utf8", env: { ...process.env, HOME: work, USER: "native" } })

/** A port that is free now. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Resolves once `ask` says yes. */
async function until(what, ask) {
  const end = Date.now() + PATIENCE_MS
  while (!await ask()) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Serves a repository, linked to the leaves whose brokers listen at `others`. */
async function serve(name, port, others) {
  const ready = place(`${name}.json`)
  const log = openSync(place(`${name}.log`), "w")
  const links = others.flatMap((other) => ["--peer", `nats://127.0.0.1:${other}`])
  const child = spawn(leaf, ["serve", place(`${name}.fossil`), "--http", "127.0.0.1:0", "--nats", `127.0.0.1:${port}`, "--ready-file", ready, ...links],
    { stdio: ["ignore", "ignore", log] })
  endings.unshift(() => new Promise((resolve) => { child.once("exit", resolve); child.kill() || resolve() }))
  await until(`${name} listens`, () => existsSync(ready))
  const url = JSON.parse(readFileSync(ready, "utf8")).url.replace("127.0.0.1", "localhost")
  console.log(`   ${name}: ${url}, broker at nats://127.0.0.1:${port}`)
  return { name, url, port, file: place(`${name}.fossil`) }
}

const has = (file, comment) => run(leaf, ["timeline", "-R", file, "--json"]).includes(JSON.stringify(comment))
const shows = (page, comment) => page.getByText(comment, { exact: true }).first()

/** A tab with a clone of its own, at its timeline. */
async function tab(name, url) {
  const context = await launch(place(name))
  endings.unshift(() => context.close())
  const page = await context.newPage()
  await clone(page, url)
  console.log(`   ${name} has cloned from ${url}`)
  return page
}

/** Commits in one tab; how long it took until the other one shows it. */
async function across(from, to, text) {
  await open(to, "#/timeline")
  await edit(from, "notes/mesh.txt", text)
  // The clock of the page that waits, so that no message of ours is in the figure.
  const seen = to.evaluate((text) => new Promise((resolve) => {
    const look = () => document.body.innerText.includes(text) && (resolve(Date.now()), true)
    if (!look()) {
      const watch = new MutationObserver(() => look() && watch.disconnect())
      watch.observe(document.body, { childList: true, subtree: true, characterData: true })
    }
  }), text)
  await from.getByRole("textbox", { name: "Message" }).fill(text)
  const begin = await from.evaluate(() => {
    window.pressed = 0
    document.addEventListener("click", () => { window.pressed = Date.now() }, { capture: true, once: true })
  }).then(() => from.getByRole("button", { name: /^Commit \d+ files?$/ }).click()).then(() => from.evaluate(() => window.pressed))
  return await seen - begin
}

try {
  step("1. Three leaves, each linked to the two others")
  copyFileSync(origin, place("first.fossil"))
  // Whoever opens a page may push: these servers answer this machine alone, and the file is a copy.
  run(leaf, ["user", "caps", "nobody", "gjoriyz", "-R", place("first.fossil")])
  writeFileSync(place("mesh.txt"), "the mesh\n")
  run(leaf, ["commit", "-R", place("first.fossil"), "-m", "Begin", "--user", "native", `notes/mesh.txt=${place("mesh.txt")}`])
  for (const name of ["second", "third"]) copyFileSync(place("first.fossil"), place(`${name}.fossil`))
  // A copy is another leaf: it needs a name of its own.
  for (const [at, name] of ["second", "third"].entries()) {
    run("fossil", ["sql", "-R", place(`${name}.fossil`), `UPDATE config SET value = '${String(at + 1).repeat(40)}' WHERE name = 'server-code'`])
  }
  const ports = [await freePort(), await freePort(), await freePort()]
  const leaves = []
  for (const [at, name] of ["first", "second", "third"].entries()) {
    leaves.push(await serve(name, ports[at], ports.filter((port) => port !== ports[at])))
  }
  await until("the leaves see each other", () => run(leaf, ["peers", `nats://127.0.0.1:${ports[2]}`, "--json"]).split("peer_id").length === 4)

  step("2. Two tabs, on two of the leaves")
  const east = await tab("east", leaves[0].url)
  const west = await tab("west", leaves[1].url)

  step("3. A check-in on each leaf is everywhere")
  for (const { name, file } of leaves) {
    const comment = `A check-in on the ${name} leaf`
    run(leaf, ["commit", "-R", file, "-m", comment, "--user", "native", `notes/${name}.txt=${place("mesh.txt")}`])
    await Promise.all([
      ...leaves.map(({ name, file }) => until(`${name} has it`, () => has(file, comment))),
      ...[east, west].map((page) => open(page, "#/timeline").then(() => shows(page, comment).waitFor({ timeout: PATIENCE_MS }))),
    ])
    console.log(`   ${comment}`)
  }

  step("4. A check-in in one tab shows in the other")
  const took = []
  for (let round = 0; round < Number(rounds); round += 1) {
    const [from, to] = round % 2 === 0 ? [east, west] : [west, east]
    took.push(await across(from, to, `Round ${round} across the mesh`))
  }
  const sorted = took.toSorted((one, other) => one - other)
  const p50 = sorted[Math.floor(sorted.length / 2)]
  console.log(`   from the click to the other tab's timeline, ${took.length} times: ${sorted.map((ms) => `${ms} ms`).join(", ")}`)
  console.log(`   p50 ${p50} ms`)

  step("5. All have the same")
  const lists = () => leaves.map(({ file }) => run("fossil", ["sql", "-R", file, "SELECT uuid FROM blob WHERE size >= 0 AND rid NOT IN private ORDER BY 1"]))
  await until("the leaves have the same", () => new Set(lists()).size === 1)
  for (const { file } of leaves) {
    // Stock says so in one line, and what it counted before on the same.
    const integrity = run("fossil", ["test-integrity", "-R", file])
    if (!integrity.includes(" 0 errors")) throw new Error(integrity)
  }
  console.log(`   three leaves, the same ${lists()[0].trim().split("\n").length} artifacts, sound by stock Fossil`)
} catch (error) {
  for (const name of ["first", "second", "third"]) {
    if (existsSync(place(`${name}.log`))) console.error(`--- ${name}\n${readFileSync(place(`${name}.log`), "utf8").split("\n").slice(-15).join("\n")}`)
  }
  console.error(error)
  process.exitCode = 1
} finally {
  for (const end of endings) await end()
}
