// What people do with the package: pack it, install it, build a page with what the README shows, use the page.
//
// Nothing is taken from this folder but `dist`; each project is a fresh folder with the packed file installed by npm.
// Every page is sent under a strict policy: what works under it works without.

import assert from "node:assert/strict"
import { execFile, execFileSync, spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { after, before, test } from "node:test"
import { promisify } from "node:util"
import { atEnd, browser, fossil, leafProgram, scratch, serve, site } from "../../tests/browser/bed.mjs"
import { instead, snippet, table } from "./readme.mjs"

const here = import.meta.dirname
const npm = path.resolve(here, "..")
const bin = path.join(here, "node_modules/.bin")
const run = promisify(execFile)
const PASSWORD = "a secret"
const SHOWN = "https://example.org/project"
const COMMENT = "Write notes"
const PATIENCE = { timeout: 60_000 }

let packed
const folder = mkdtempSync(path.join(tmpdir(), "leaf-packed-"))
after(() => rmSync(folder, { recursive: true, force: true }))

before(() => {
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: npm, encoding: "utf8" }))
  packed = path.join(folder, filename)
})

/** A fresh project from `templates/NAME` with the packed file installed. */
async function project(t, name) {
  const folder = path.join(scratch(t), name)
  cpSync(path.join(here, "templates", name), folder, { recursive: true })
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", packed], { cwd: folder })
  return folder
}

/** A server with the user alice, a site, and the page that may sync with it. */
async function world(t, { isAllowed = true } = {}) {
  const origin = path.join(scratch(t), "origin.fossil")
  fossil(["new", origin], { cwd: path.dirname(origin) })
  execFileSync(leafProgram, ["user", "add", "alice", "gio", "-R", origin], { input: PASSWORD, stdio: ["pipe", "ignore", "inherit"] })
  const files = path.join(scratch(t), "site")
  const sent = {}
  const address = await site(t, { "/": files }, sent)
  const server = await serve(t, origin, isAllowed ? ["--allow-origin", address] : [])
  const policy = (more = "") =>
    (sent["Content-Security-Policy"] = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; connect-src 'self' ${new URL(server.url).origin}; base-uri 'none'${more}`)
  policy()
  return { files, address, server, origin, policy }
}

/** A page that knows the password, and what it said. */
async function visit(t, address) {
  const context = await browser(t)
  const page = await context.newPage()
  const said = []
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}${message.type() === "error" ? ` ${message.location().url}` : ""}`))
  page.on("pageerror", (error) => said.push(`error: ${error.message}`))
  page.on("dialog", (dialog) => dialog.accept(PASSWORD))
  await page.goto(address)
  return { context, page, said }
}

/** Waits for what a page is to say. */
async function until(page, isTrue, said) {
  const end = Date.now() + PATIENCE.timeout
  while (!isTrue()) {
    if (Date.now() > end) assert.fail(`the page says: ${said.join("\n")}`)
    await page.waitForTimeout(50)
  }
}

/** Waits until the page has said `text`; no error may come before. */
const hears = (page, said, text) => until(page, () => {
  assert.deepEqual(errors(said), [])
  return said.some((line) => line.includes(text))
}, said)

/** A site need not have an icon. */
const errors = (said) => said.filter((line) => line.startsWith("error:") && !line.includes("favicon"))

/** What stock Fossil finds on the server, by a clone of its own. */
function stock(t, server) {
  const file = path.join(scratch(t), "stock.fossil")
  const cwd = path.dirname(file)
  fossil(["clone", "--no-open", server.url.replace("://", `://alice:${encodeURIComponent(PASSWORD)}@`), file], { cwd, stdio: "pipe" })
  return { timeline: fossil(["timeline", "-n", "9", "-R", file], { cwd }), notes: (name = "trunk") => fossil(["cat", "-r", name, "-R", file, "notes.md"], { cwd }) }
}

/** The modules in a build: each once, and the very ones of the package. */
function assertModules(folder) {
  const found = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".wasm"))
  for (const name of ["leaf", "iroh"]) {
    const own = readFileSync(path.join(npm, `dist/${name}.wasm`))
    const same = found.filter((file) => readFileSync(path.join(folder, file)).equals(own))
    assert.equal(same.length, 1, `${name}.wasm once, not ${same} of ${found}`)
  }
  assert.equal(found.length, 2, `${found}`)
}

/** The first snippet with this server in it; `options` are what another snippet says instead of `{ user: "alice" }`. */
function opened(server, options = "") {
  const code = instead(snippet("open"), SHOWN, server.url)
  return options === "" ? code : instead(`${options}${code}`, '{ user: "alice" })', "options)")
}

/** The script of a project. */
function write(folder, code) {
  mkdirSync(path.join(folder, "src"), { recursive: true })
  writeFileSync(path.join(folder, "src/app.js"), code)
}

/** Opens the page of `files`, waits for the timeline, asks stock. */
async function assertSynced(t, { address, server }) {
  const { page, said } = await visit(t, address)
  await hears(page, said, `alice ${COMMENT}`)
  await hears(page, said, "initial empty check-in")
  const { timeline, notes } = stock(t, server)
  assert.match(timeline, new RegExp(COMMENT))
  assert.equal(notes(), "Hello\n")
  assert.deepEqual(errors(said), [])
  return page
}

const builds = {
  webpack: async (folder, files) => {
    await run("npx", ["webpack"], { cwd: folder })
    cpSync(path.join(folder, "dist"), files, { recursive: true })
    cpSync(path.join(folder, "index.html"), path.join(files, "index.html"))
  },
  esbuild: async (folder, files) => {
    rmSync(path.join(folder, "site"), { recursive: true, force: true })
    await run("sh", ["-ec", snippet("esbuild")], { cwd: folder, env: { ...process.env, PATH: `${folder}/node_modules/.bin:${process.env.PATH}` } })
    cpSync(path.join(folder, "site"), files, { recursive: true })
    cpSync(path.join(folder, "index.html"), path.join(files, "index.html"))
  },
  plain: async (folder, files) => {
    cpSync(path.join(folder, "node_modules/@edgesync/leaf/dist"), path.join(files, "leaf"), { recursive: true })
    cpSync(path.join(folder, "index.html"), path.join(files, "index.html"))
    const code = readFileSync(path.join(folder, "src/app.js"), "utf8")
    writeFileSync(path.join(files, "app.js"), instead(code, '"@edgesync/leaf"', '"./leaf/index.js"'))
  },
}

for (const [name, trusted] of [["webpack", "trusted-webpack"], ["esbuild", undefined], ["plain", "trusted-plain"]]) {
  test(`a page by ${name} clones, commits and syncs under a strict policy`, async (t) => {
    const folder = await project(t, name)
    const make = async (options) => {
      const all = await world(t)
      write(folder, opened(all.server, options))
      await builds[name](folder, all.files)
      assertModules(all.files)
      return all
    }
    await assertSynced(t, await make())
    if (!trusted) return
    await t.test("and under Trusted Types", async (t) => {
      const all = await make(snippet(trusted))
      all.policy("; require-trusted-types-for 'script'; trusted-types edgesync-leaf")
      await assertSynced(t, all)
    })
  })
}

test("a page makes its own worker under Trusted Types", async (t) => {
  const all = await world(t)
  const folder = await project(t, "plain")
  write(folder, opened(all.server, snippet("trusted-own")))
  await builds.plain(folder, all.files)
  all.policy("; require-trusted-types-for 'script'; trusted-types my-page")
  await assertSynced(t, all)
})

test("a page that may not sync with a server says so and names the flag", async (t) => {
  const all = await world(t, { isAllowed: false })
  const folder = await project(t, "plain")
  const clone = "remember: true })"
  write(folder, instead(opened(all.server), clone, `${clone}.catch((error) => console.log(error.name, error.code, error.blame, error.message))`))
  await builds.plain(folder, all.files)
  const { page, said } = await visit(t, all.address)
  await until(page, () => /LeafError network network .*--allow-origin/.test(said.join("\n")), said)
  assert.match(stock(t, all.server).timeline, /initial empty check-in/, "the server is there all the same")
})

test("a page kept by a service worker opens offline, commits, and syncs when the network is back", async (t) => {
  const all = await world(t)
  const folder = await project(t, "plain")
  const changes = [
    ["await leaf.commit", "if (!navigator.onLine) await leaf.commit"],
    ["await leaf.sync()", 'await leaf.sync().then(() => console.log("synced"), (error) => console.log(error.code))'],
  ]
  const code = changes.reduce((code, [shown, given]) => instead(code, shown, given), opened(all.server))
  write(folder, `${code}await navigator.serviceWorker.register("/sw.js")\nawait navigator.serviceWorker.ready\nconsole.log("done")\n`)
  await builds.plain(folder, all.files)
  writeFileSync(path.join(all.files, "sw.js"), snippet("service-worker"))
  const { context, page, said } = await visit(t, all.address)
  /** What the page says from now until it is done. */
  const next = async (act) => {
    said.length = 0
    await act()
    await until(page, () => said.includes("log: done"), said)
    return said.join("\n")
  }
  await next(() => undefined)
  assert.doesNotMatch(stock(t, all.server).timeline, new RegExp(COMMENT))
  await context.setOffline(true)
  const offline = await next(() => page.reload())
  assert.match(offline, new RegExp(`log: network\\n[^]*alice ${COMMENT}`))
  assert.doesNotMatch(stock(t, all.server).timeline, new RegExp(COMMENT))
  await context.setOffline(false)
  assert.match(await next(() => page.reload()), new RegExp(`log: synced\\n[^]*alice ${COMMENT}`))
  assert.match(stock(t, all.server).timeline, new RegExp(COMMENT))
})

test("React by Vite: on a server, taken over by the page, built, under Trusted Types, in development", async (t) => {
  const folder = await project(t, "vite")
  const show = (server, change = (code) => code) =>
    writeFileSync(path.join(folder, "src/project.jsx"), change(instead(snippet("react"), SHOWN, server.url)))
  const build = async (all) => {
    await run("npx", ["vite", "build", "--logLevel", "warn"], { cwd: folder })
    cpSync(path.join(folder, "dist"), all.files, { recursive: true })
    assertModules(all.files)
  }
  /** Clicks through it, and asks stock. */
  const use = async (t, address, server) => {
    const { page, said } = await visit(t, address)
    await page.getByRole("button", { name: "Clone" }).click(PATIENCE)
    await page.getByText("initial empty check-in").waitFor(PATIENCE)
    await page.getByRole("button", { name: "Commit" }).click(PATIENCE)
    await page.getByRole("listitem").filter({ hasText: COMMENT }).waitFor(PATIENCE)
    // Autosync brings it away.
    await page.waitForFunction(() => /idle, 0 unsent/.test(document.body.innerText), undefined, PATIENCE)
    assert.match(stock(t, server).timeline, new RegExp(COMMENT))
    await page.reload()
    await page.getByRole("listitem").filter({ hasText: COMMENT }).waitFor(PATIENCE)
    assert.deepEqual(errors(said), [])
  }

  /** Shows the status, which is what differs between server and page. */
  const telling = (code) => instead(code, "<p>Opening…</p>", "<p>{status}</p>")

  await t.test("importing does nothing, and a server renders what is to come", async () => {
    show({ url: SHOWN }, telling)
    await run("npx", ["vite", "build", "--ssr", "src/server.jsx", "--outDir", "server", "--logLevel", "warn"], { cwd: folder })
    writeFileSync(path.join(folder, "server.mjs"), `
      const known = new Set(Object.getOwnPropertyNames(globalThis))
      const { Leaf, LeafError } = await import("@edgesync/leaf")
      const { useLeaf } = await import("@edgesync/leaf/react")
      const { createElement } = await import("react")
      const { renderToString } = await import("react-dom/server")
      const added = Object.getOwnPropertyNames(globalThis).filter((name) => !known.has(name) && !/react/i.test(name))
      const Probe = () => { const { status, leaf, error } = useLeaf("p"); return createElement("i", null, JSON.stringify({ status, leaf, error })) }
      const refused = await Leaf.open("p").catch((error) => error)
      const { html } = await import("./server/server.js")
      console.log(JSON.stringify({
        added, timers: process.getActiveResourcesInfo().filter((name) => /Timeout|Worker|TCP/.test(name)),
        probe: renderToString(createElement(Probe)), isLeafError: refused instanceof LeafError, code: refused.code, blame: refused.blame,
        ok: Leaf.support().ok, html,
      }))
    `)
    const { stdout } = await run(process.execPath, ["server.mjs"], { cwd: folder })
    const { html, ...said } = JSON.parse(stdout)
    assert.deepEqual(said, {
      added: [], timers: [], probe: "<i>{&quot;status&quot;:&quot;ssr&quot;,&quot;leaf&quot;:null,&quot;error&quot;:null}</i>",
      isLeafError: true, code: "unsupported", blame: "caller", ok: false,
    })
    assert.equal(html, "<p>ssr</p>")
  })

  await t.test("a page takes over what the server rendered", async (t) => {
    const all = await world(t)
    show(all.server, telling)
    await build(all)
    const index = path.join(all.files, "index.html")
    writeFileSync(index, instead(readFileSync(index, "utf8"), "<!--server-->", "<p>ssr</p>"))
    await use(t, all.address, all.server)
  })

  await t.test("a page renders all by itself under Trusted Types", async (t) => {
    const all = await world(t)
    show(all.server, (code) => `${instead(code, '{ user: "alice", autosync: true }', "{ ...options, autosync: true }")}${snippet("trusted-vite")}`)
    await build(all)
    all.policy("; require-trusted-types-for 'script'; trusted-types edgesync-leaf")
    await use(t, all.address, all.server)
  })

  await t.test("the development server", async (t) => {
    const port = await new Promise((resolve) => {
      // A port that is free now; Vite is told to take no other.
      import("node:net").then(({ createServer }) => {
        const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => resolve(port)) })
      })
    })
    const address = `http://localhost:${port}`
    const all = await world(t)
    const server = await serve(t, all.origin, ["--allow-origin", address])
    show(server)
    const vite = spawn(process.execPath, ["node_modules/vite/bin/vite.js", "--port", String(port), "--strictPort", "--host", "127.0.0.1"], { cwd: folder, stdio: "ignore" })
    atEnd(t, () => void vite.kill())
    for (let tries = 0; !(await fetch(`http://127.0.0.1:${port}/`).then((reply) => reply.ok, () => false)); tries += 1) {
      assert.ok(tries < 400 && vite.exitCode === null, "the development server starts")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await use(t, address, server)
  })
})

test("the package is well formed and its types are right", async (t) => {
  const publint = await run(path.join(bin, "publint"), ["run", "--strict", packed]).catch((error) => error)
  assert.ok(!publint.code, publint.stdout + publint.stderr)
  const wrong = await run(path.join(bin, "attw"), [packed, "--profile", "esm-only", "--exclude-entrypoints", "./leaf.wasm", "./iroh.wasm", "--no-color"]).catch((error) => error)
  assert.ok(!wrong.code, wrong.stdout)

  const folder = await project(t, "plain")
  const code = snippet("open").replace("console.log(entry.user, entry.comment)", "report(entry.user satisfies string, entry.comment satisfies string)")
  writeFileSync(path.join(folder, "app.ts"), `${code}
import type { LeafOptions } from "@edgesync/leaf"
import { useLeaf, type LeafHandle } from "@edgesync/leaf/react"
declare function report(...said: string[]): void
export const options: LeafOptions = { worker: () => new Worker("/leaf/worker.js", { type: "module" }) }
export const handle = (): LeafHandle => useLeaf("project", options)
// @ts-expect-error a name is wanted
await Leaf.open()
// @ts-expect-error no such code
export const isOdd = (error: import("@edgesync/leaf").LeafError): boolean => error.code === "odd"
`)
  for (const [module, resolution] of [["NodeNext", "NodeNext"], ["ESNext", "Bundler"]]) {
    // With the libraries of a plain page alone, and no leniency for what the package declares.
    const checked = await run(path.join(bin, "tsc"), [
      "--noEmit", "--strict", "--skipLibCheck", "false", "--target", "ES2022", "--lib", "ES2022,DOM", "--types", "",
      "--module", module, "--moduleResolution", resolution, "app.ts",
    ], { cwd: folder }).catch((error) => error)
    assert.ok(!checked.code, `${resolution}: ${checked.stdout}`)
  }
})

test("the package holds what is needed, and the README says how large it is", async (t) => {
  const listed = execFileSync("tar", ["-tzf", packed], { encoding: "utf8" }).trim().split("\n").map((name) => name.replace("package/", ""))
  for (const name of ["README.md", "LICENSE", "package.json", "dist/index.js", "dist/worker.js", "dist/react.js", "dist/leaf.wasm", "dist/iroh.wasm"]) assert.ok(listed.includes(name), name)
  assert.deepEqual(listed.filter((name) => !/^(README\.md|LICENSE|package\.json|dist\/[\w.-]+\.(d\.ts|js|wasm|json))$/.test(name)), [])
  const { scripts = {} } = JSON.parse(readFileSync(path.join(npm, "package.json"), "utf8"))
  assert.deepEqual(Object.keys(scripts), [], "nothing runs when it is installed")

  const sizes = JSON.parse(readFileSync(path.join(npm, "dist/sizes.json"), "utf8"))
  const near = (cell, bytes, what) => {
    const said = Number(cell.replaceAll(",", ""))
    assert.ok(Math.abs(said - bytes) <= bytes * 0.04, `the README says ${said} bytes for ${what}, it is ${bytes}`)
  }
  for (const [name, raw, gzip, brotli] of table("sizes")) {
    const file = name.replaceAll("`", "")
    const module = { "leaf.wasm": sizes.wasm, "iroh.wasm": sizes.iroh }[file]
    if (!module) near(raw, statSync(path.join(npm, "dist", file)).size, file)
    else if (!sizes.quick) {
      near(raw, module.raw, file)
      near(gzip, module.gzip, `${file}, gzip`)
      near(brotli, module.brotli, `${file}, brotli`)
    }
  }
})

test("the README knows every code of a failure", () => {
  const declared = readFileSync(path.join(npm, "src/protocol.ts"), "utf8").match(/export type Code = ([^;]*);/)[1]
  const codes = [...declared.matchAll(/"(\w+)"/g)].map(([, code]) => code)
  assert.ok(codes.length > 10)
  assert.deepEqual(table("codes").map(([code]) => code.replaceAll("`", "")).sort(), codes.sort())
})
