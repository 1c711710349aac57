// A tab against native programs, side by side: clone; then what a commit and an open take, and what a browser loads.
//
// usage: node browser.mjs LEAF RUNS JSON NAME=FILE.. OPEN=FILE
//
// The clones of one row are of the same server, which is `leaf serve`: stock clones from it as from stock. A tab's time
// is from the call to the reply: fetched, verified, linked, on the origin private file system. The programs' is wall.

import { execFileSync } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { browser, packageSite, root, scratch, serve } from "../browser/bed.mjs"

const [, , leaf, runsText, json, ...files] = process.argv
const runs = Number(runsText)
const dist = path.join(root, "npm/dist")
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

function say(job, figures, text) {
  console.error(json === "1" ? JSON.stringify({ job, ...figures }) : text)
}

function timed(program, args) {
  const begin = performance.now()
  execFileSync(program, args, { stdio: "ignore", env: { ...process.env, USER: "bench" } })
  return performance.now() - begin
}

async function tab(t, folder) {
  const origin = await packageSite(t, folder)
  const page = await (await browser(t)).newPage()
  await page.goto(origin)
  return { origin, page }
}

/** In the page: clones `url`, and says how long that took. */
const cloneInTab = async ({ url, name, keep }) => {
  const { Leaf } = await import("/pkg/index.js")
  const leaf = await Leaf.open(name)
  const begin = performance.now()
  const { verified } = await leaf.clone(url)
  const ms = performance.now() - begin
  await leaf.close()
  if (!keep) await Leaf.delete(name)
  return { ms, verified }
}

async function cloning(t, job, file) {
  const folder = scratch(t)
  const { origin, page } = await tab(t, folder)
  const { url } = await serve(t, file, ["--allow-origin", origin, "-q"])
  const native = url.replace("localhost", "127.0.0.1")
  const ms = { tab: [], leaf: [], stock: [] }
  for (let run = 0; run < runs; run += 1) {
    const clone = (name) => path.join(folder, `${name}.fossil`)
    for (const name of ["stock", "leaf"]) rmSync(clone(name), { force: true })
    ms.stock.push(timed("fossil", ["clone", "--no-open", native, clone("stock")]))
    ms.leaf.push(timed(leaf, ["clone", "-q", native, clone("leaf")]))
    ms.tab.push((await page.evaluate(cloneInTab, { url, name: `run${run}`, keep: false })).ms)
  }
  const [inTab, byLeaf, byStock] = [ms.tab, ms.leaf, ms.stock].map(median)
  say(`tab-${job}`, { tab_ms: inTab, leaf_ms: byLeaf, stock_ms: byStock },
    `${`tab-${job}`.padEnd(24)} tab ${(inTab / 1000).toFixed(2)} s, leaf ${(byLeaf / 1000).toFixed(2)} s, stock ${(byStock / 1000).toFixed(2)} s: tab/stock ${(inTab / byStock).toFixed(2)}x`)
}

async function opening(t, file) {
  const folder = scratch(t)
  const { origin, page } = await tab(t, folder)
  const { url } = await serve(t, file, ["--allow-origin", origin, "-q"])
  await page.evaluate(cloneInTab, { url, name: "large", keep: true })
  const { openMs, commitMs, bytes } = await page.evaluate(async (runs) => {
    const { Leaf } = await import("/pkg/index.js")
    const openMs = []
    const commitMs = []
    let bytes = 0
    for (let run = 0; run < runs; run += 1) {
      const begin = performance.now()
      const leaf = await Leaf.open("large")
      await leaf.checkin()
      openMs.push(performance.now() - begin)
      for (let count = 0; count < 10; count += 1) {
        const before = performance.now()
        await leaf.commit({ message: "bench", files: { "bench.txt": `${run} ${count}\n` } })
        commitMs.push(performance.now() - before)
      }
      ;({ bytes } = await leaf.info())
      await leaf.close()
    }
    return { openMs, commitMs, bytes }
  }, runs)
  const figures = { bytes, open_ms: median(openMs), commit_ms: median(commitMs) }
  say("tab-open", figures, `${"tab-open".padEnd(24)} ${(bytes / 1e6).toFixed(0)} MB: open and read the tip ${figures.open_ms.toFixed(0)} ms, commit ${figures.commit_ms.toFixed(1)} ms`)
}

test("benchmarks of a tab", async (t) => {
  for (const [job, file] of files.map((pair) => pair.split("="))) {
    await t.test(job, (t) => (job === "open" ? opening(t, file) : cloning(t, job, file)))
  }
  const { wasm, ...scripts } = JSON.parse(readFileSync(path.join(dist, "sizes.json"), "utf8"))
  say("size", { wasm, ...scripts }, `${"size".padEnd(24)} leaf.wasm ${wasm.raw} bytes, gzip ${wasm.gzip}, brotli ${wasm.brotli}; worker.js ${scripts["worker.js"]}, index.js ${scripts["index.js"]}`)
  const crates = execFileSync("node", [path.join(import.meta.dirname, "bytes.mjs"), path.join(root, "npm/wasm/leaf_bg.wasm")], { encoding: "utf8" }).trim()
  say("size-code", { crates }, `${"size-code".padEnd(24)} ${crates}`)
})
