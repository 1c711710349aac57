// A leaf in a tab does what a leaf does, and stock Fossil agrees: clone, commit, sync both ways, files out and in,
// wiki, branches, tags, diffs, names of failures.

import assert from "node:assert/strict"
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import path from "node:path"
import test from "node:test"
import { atEnd, browser, fossil, leaf as native, packageSite, scratch, serve } from "./bed.mjs"
import { artifacts, assertSame, assertSound, comments, exported, large, sinks } from "./judge.mjs"
import { openPage } from "./strike.mjs"

/** A site, a browser, a folder. */
async function scene(t) {
  const folder = scratch(t)
  const origin = await packageSite(t, folder, { more: { "/files/": folder } })
  const context = await browser(t)
  await sinks(context, folder)
  /** A tab with the leaf `name` open as `leaf`. */
  const tab = async (name, options = {}) => {
    const page = await openPage(context, origin)
    await page.evaluate(async ({ name, options }) => void (globalThis.leaf = await Leaf.open(name, options)), { name, options })
    return page
  }
  return { t, folder, origin, context, tab }
}

/** A project of stock's with one check-in: alice (alice-pw) may do everything, nobody may read. Served by leaf. */
async function project({ t, folder, origin }, name = "project") {
  const file = path.join(folder, `${name}.fossil`)
  fossil(["init", "--project-name", name, file, "-A", "alice"], { cwd: folder, stdio: "pipe" })
  fossil(["user", "password", "alice", "alice-pw", "-R", file], { cwd: folder })
  const server = await serve(t, file, ["--allow-origin", origin, "--quiet"])
  return { ...server, file, login: server.url.replace("//", "//alice:alice-pw@") }
}

/** A checkout of stock's, cloned from the server. */
function checkout(folder, login, name) {
  const cwd = path.join(folder, name)
  mkdirSync(cwd)
  const run = (...args) => fossil(args, { cwd, stdio: "pipe", env: { ...process.env, USER: "alice", HOME: cwd } })
  run("clone", "--admin-user", "alice", login, `../${name}.fossil`)
  run("open", "--nosync", `../${name}.fossil`)
  run("settings", "autosync", "off")
  return { cwd, run, sync: () => run("sync", "--once", login), file: path.join(folder, `${name}.fossil`) }
}

test("stock commits and the tab pulls; the tab commits and stock pulls", async (t) => {
  const bed = await scene(t)
  const server = await project(bed)
  const stock = checkout(bed.folder, server.login, "stock")
  writeFileSync(path.join(stock.cwd, "hello.txt"), "hello from stock\n")
  stock.run("add", "hello.txt")
  stock.run("commit", "-m", "Stock says hello", "--no-warnings")
  stock.sync()

  const page = await bed.tab("both")
  const seen = await page.evaluate(async (url) => {
    const states = [leaf.state]
    const { artifacts, verified } = await leaf.clone(url, { user: "alice", password: "alice-pw", remember: true })
    states.push(leaf.state)
    const info = await leaf.info()
    const { hash, branch } = await leaf.commit({ message: "The tab answers", files: { "hello.txt": "hello from the tab\n", "sub/ün.txt": "ü" } })
    const { unsent } = await leaf.info()
    const { entries } = await leaf.timeline({ checkins: true, limit: 2 }).page()
    return { states, artifacts, verified, info, hash, branch, unsent, entries, status: leaf.syncStatus.unsent }
  }, server.url)
  assert.deepEqual(seen.states, ["empty", "ready"])
  assert.equal(seen.artifacts, seen.verified)
  assert.deepEqual([seen.info.user, seen.info.remoteUser, seen.info.hasPassword, seen.info.projectName], ["alice", "alice", true, "project"])
  assert.equal(seen.branch, "trunk")
  assert.deepEqual([seen.unsent, seen.status], [3, 3])
  assert.deepEqual(seen.entries.map(({ comment, isUnsent }) => [comment, isUnsent]), [["The tab answers", true], ["Stock says hello", false]])

  // It is all there after a reload, and goes over with the login that is kept.
  await page.reload()
  const sent = await page.evaluate(async () => {
    const { Leaf } = await import("/pkg/index.js")
    globalThis.leaf = await Leaf.open("both")
    const before = await leaf.info()
    return { before, result: await leaf.sync(), after: await leaf.info(), text: await leaf.readText("hello.txt") }
  })
  assert.deepEqual([sent.before.unsent, sent.result.sent, sent.after.unsent, sent.text], [3, 3, 0, "hello from the tab\n"])
  stock.run("update")
  stock.sync()
  stock.run("update")
  assert.match(stock.run("timeline", "-t", "ci"), /The tab answers \(user: alice/)
  assert.equal(readFileSync(path.join(stock.cwd, "hello.txt"), "utf8"), "hello from the tab\n")
  assert.equal(readFileSync(path.join(stock.cwd, "sub/ün.txt"), "utf8"), "ü")

  // And back: both sides at once, on two branches.
  writeFileSync(path.join(stock.cwd, "hello.txt"), "again from stock\n")
  stock.run("commit", "-m", "Stock again", "--no-warnings", "--branch", "side")
  stock.sync()
  await page.evaluate(() => leaf.commit({ message: "The tab again", files: { "hello.txt": "again from the tab\n" } }))
  const moved = await page.evaluate(() => leaf.sync())
  // A check-in and a file each way, and from stock a cluster perhaps.
  assert.ok(moved.received >= 2 && moved.sent === 2, JSON.stringify(moved))
  assert.equal(await page.evaluate(() => leaf.readText("hello.txt", "side")), "again from stock\n")
  stock.sync()
  assertSame(stock.file, server.file)
  const file = await exported(page, bed.folder, "both.fossil")
  assertSame(file, server.file)
  assertSound(file)
  assertSound(server.file)
  assert.equal(fossil(["sql", "-R", file, "SELECT count(*) FROM config WHERE name='last-sync-pw' OR value LIKE '%alice-pw%'"], { cwd: bed.folder }).trim(), "0", "the password is in the file")

  // Another stock clone through the server shows the tab's work.
  const other = checkout(bed.folder, server.login, "other")
  assert.match(other.run("timeline", "-t", "ci"), /The tab again/)
})

test("what a project is made of: files, programs, names, branches, tags, wiki, unversioned files, differences", async (t) => {
  const bed = await scene(t)
  const page = await bed.tab("made", { user: "wanda" })
  const made = await page.evaluate(async () => {
    const info = await leaf.create({ projectName: "Made in a tab" })
    const first = await leaf.commit({
      message: "First", tags: ["v1"],
      files: { "run.sh": "#!/bin/sh\necho 1\n", "doc/a.txt": "one\ntwo\nthree\n", "raw.bin": new Uint8Array([0, 1, 255]), "blob.txt": new Blob(["b"]) },
      executable: ["run.sh"],
    })
    const second = await leaf.commit({
      message: "*Second*", mimetype: "text/x-markdown", renames: { "doc/a.txt": "doc/b.txt" },
      files: { "doc/b.txt": "one\n2\nthree\n", "raw.bin": null, "run.sh": "#!/bin/sh\necho 2\n" },
    })
    const side = await leaf.commit({ message: "Aside", branch: "side", parent: first.hash, files: { "side.txt": "s\n" } })
    await leaf.commit({ message: "On it goes", branch: "side", files: { "side.txt": "t\n" } })
    const merged = await leaf.commit({ message: "Merge", merges: ["side"], files: { "side.txt": "t\n" } })
    await leaf.branch.close("side")
    await leaf.branch.start("next", { basis: "v1" })
    await leaf.tag.add("good", second.hash)
    await leaf.tag.add("bad", second.hash)
    await leaf.tag.remove("bad", second.hash)
    await leaf.wiki.write("Home", "# Home\n")
    await leaf.wiki.write("Home", "# At home\n")
    await leaf.wiki.write("Gone", "soon")
    await leaf.wiki.write("Gone", "")
    await leaf.uv.write("notes.txt", "unversioned")
    await leaf.uv.write("gone.txt", "soon")
    await leaf.uv.remove("gone.txt")
    const list = await leaf.listFiles(second.hash)
    return {
      info, first, second, side, merged,
      files: list.files.map(({ path, isExecutable, size }) => [path, isExecutable, size]),
      diff: await leaf.diff({ to: second.hash }),
      between: (await leaf.diff({ from: "v1", to: second.hash, path: "run.sh" }))[0],
      detail: await leaf.checkin(second.hash),
      merge: await leaf.checkin(merged.hash),
      branches: await leaf.branches(),
      tags: await leaf.tags(),
      wiki: await leaf.wiki.list(), home: await leaf.wiki.read("Home"),
      uv: await leaf.uv.list(), notes: await leaf.uv.read("notes.txt").then(({ bytes }) => new TextDecoder().decode(bytes)),
      history: await leaf.fileHistory("doc/b.txt"),
      raw: Array.from((await leaf.readFile("raw.bin", first.hash)).bytes),
      manifest: new TextDecoder().decode((await leaf.readArtifact(second.hash)).bytes),
      pages: await (async () => {
        const all = []
        for await (const { hash } of leaf.timeline({ limit: 3 })) all.push(hash)
        return [all.length, new Set(all).size, (await leaf.timeline({ limit: 1000 }).page()).entries.length]
      })(),
    }
  })
  assert.deepEqual([made.info.projectName, made.info.user, made.info.state], ["Made in a tab", "wanda", "ready"])
  assert.deepEqual(made.files, [["blob.txt", false, 1], ["doc/b.txt", false, 12], ["run.sh", true, 17]])
  assert.deepEqual(made.diff.map(({ path, oldPath, change, added, removed }) => [path, oldPath, change, added, removed]), [
    ["doc/b.txt", "doc/a.txt", "renamed", 1, 1], ["raw.bin", null, "removed", 0, 0], ["run.sh", null, "changed", 1, 1],
  ])
  assert.equal(made.diff[1].isBinary, true)
  const changed = made.between.hunks[0].lines.filter(({ kind }) => kind !== "same")
  assert.deepEqual(changed.map(({ kind, old, new: now, spans }) => [kind, old, now, spans.map(({ text }) => text).join("")]), [["removed", 2, null, "echo 1"], ["added", null, 2, "echo 2"]])
  assert.deepEqual([made.detail.mimetype, made.detail.entry.tags, made.detail.entry.comment], ["text/x-markdown", ["good"], "*Second*"])
  assert.deepEqual([made.merge.entry.isMerge, made.merge.entry.parents.length], [true, 2])
  assert.deepEqual(made.branches.map(({ name, isClosed }) => [name, isClosed]).sort(), [["next", false], ["side", true], ["trunk", false]])
  assert.deepEqual(made.tags.map(({ name, checkin }) => [name, checkin]).sort(), [["good", made.second.hash], ["v1", made.first.hash]])
  assert.deepEqual([made.wiki.map(({ title }) => title), made.home.text, made.home.user], [["Home"], "# At home\n", "wanda"])
  assert.deepEqual([made.uv.map(({ name }) => name), made.notes], [["notes.txt"], "unversioned"])
  assert.deepEqual(made.history.map(({ comment }) => comment), ["*Second*"])
  assert.deepEqual(made.raw, [0, 1, 255])
  assert.match(made.manifest, /^C \*Second\*\n/)
  assert.equal(made.pages[0], made.pages[1])
  assert.equal(made.pages[0], made.pages[2])

  const file = await exported(page, bed.folder, "made.fossil")
  assertSound(file)
  const cwd = path.join(bed.folder, "opened")
  mkdirSync(cwd)
  const run = (...args) => fossil(args, { cwd, stdio: "pipe" })
  run("open", file, "trunk")
  assert.equal(readFileSync(path.join(cwd, "run.sh"), "utf8"), "#!/bin/sh\necho 2\n")
  assert.match(run("ls", "-v", "--age"), /run\.sh/)
  assert.ok(existsSync(path.join(cwd, "side.txt")))
  assert.match(run("branch", "list", "--closed"), /side/)
  assert.match(run("tag", "list"), /good[^]*v1/)
  assert.equal(run("wiki", "export", "Home"), "# At home\n")
  assert.equal(run("uv", "cat", "notes.txt"), "unversioned")
  assert.match(run("finfo", "doc/b.txt"), /Second/)
})

test("the file goes out and comes in, by a follower too, while others commit", async (t) => {
  const bed = await scene(t)
  const leader = await bed.tab("first", { user: "ida" })
  const follower = await bed.tab("first")
  const held = await leader.evaluate(async () => {
    await leaf.create()
    for (let number = 0; number < 20; number += 1) {
      await leaf.commit({ message: `before ${number}`, files: { [`f${number}.bin`]: crypto.getRandomValues(new Uint8Array(60_000)).slice() } })
    }
    await leaf.commit({ message: "large", files: { "large.bin": new Blob(Array.from({ length: 120 }, () => crypto.getRandomValues(new Uint8Array(65_536)))) } })
    return { ...(await leaf.info()), isLeader: leaf.isLeader }
  })
  assert.ok(held.isLeader)
  assert.equal(await follower.evaluate(() => leaf.isLeader), false)

  // The follower exports slowly while the leader commits: the file is as it was at the begin.
  const size = await follower.evaluate(async () => {
    globalThis.stream = await leaf.exportFile()
    return stream.size
  })
  const during = leader.evaluate(async () => {
    for (let number = 0; number < 30; number += 1) await leaf.commit({ message: `during ${number}`, files: { [`f${number % 20}.bin`]: crypto.getRandomValues(new Uint8Array(60_000)) } })
  })
  await follower.evaluate(async () => {
    for await (const piece of stream) {
      await sink("slow.fossil", piece.toBase64())
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    await sink("slow.fossil", null)
  })
  await during
  const slow = path.join(bed.folder, "slow.fossil")
  assert.equal(readFileSync(slow).length, size)
  assertSound(slow)
  assert.equal(comments(slow).length, held.checkins)
  assert.equal(artifacts(slow).size, held.artifacts)

  // Two exports at once, one given up.
  const whole = await exported(follower, bed.folder, "whole.fossil")
  assert.equal(comments(whole).length, held.checkins + 30)
  const both = await leader.evaluate(async () => {
    const [one, other] = [await leaf.exportFile(), await leaf.exportFile()]
    await one.getReader().cancel()
    let bytes = 0
    for await (const piece of other) bytes += piece.length
    return [bytes, other.size]
  })
  assert.equal(both[0], both[1])

  // In again, into a leaf of another name, by a follower of that.
  await bed.tab("second")
  const second = await bed.tab("second")
  const imported = await second.evaluate(async () => {
    const file = await (await fetch("/files/whole.fossil")).blob()
    const info = await leaf.importFile(file)
    const { isSound } = await leaf.verify()
    await leaf.configure({ user: "igor" })
    await leaf.commit({ message: "after the import", files: { "f1.bin": "x" } })
    const again = await leaf.importFile(file).catch((error) => error.code)
    return { info, isSound, again, isLeader: leaf.isLeader }
  })
  assert.deepEqual([imported.isLeader, imported.isSound, imported.again], [false, true, "exists"])
  assert.equal(imported.info.checkins, held.checkins + 30)
  const back = await exported(second, bed.folder, "back.fossil")
  assertSound(back)
  assert.equal(comments(back).length, held.checkins + 31)
  assert.deepEqual(await second.evaluate(() => Leaf.list()), ["first", "second"])

  // What is no repository is refused, and leaves nothing.
  const third = await bed.tab("third")
  writeFileSync(path.join(bed.folder, "text.fossil"), "This is no database. ".repeat(400))
  fossil(["sql", "--no-repository", `ATTACH '${path.join(bed.folder, "plain.fossil")}' AS p; CREATE TABLE p.t(x);`], { cwd: bed.folder })
  const cut = readFileSync(whole)
  writeFileSync(path.join(bed.folder, "cut.fossil"), cut.subarray(0, cut.length / 2))
  for (const name of ["text", "plain", "cut"]) {
    const refused = await third.evaluate(async (name) => {
      const file = await (await fetch(`/files/${name}.fossil`)).blob()
      return { error: await leaf.importFile(file).then(() => "none", ({ code, message }) => ({ code, message })), state: leaf.state, info: (await leaf.info()).state }
    }, name)
    assert.deepEqual([["refused", "damaged"].includes(refused.error.code), refused.state, refused.info], [true, "empty", "empty"], `${name}: ${JSON.stringify(refused)}`)
  }
  assert.equal(await third.evaluate(() => leaf.create({ user: "x" }).then(({ state }) => state)), "ready")
})

test("a clone that is given up goes on; progress is told, not too often", async (t) => {
  const bed = await scene(t)
  const remote = large()
  const server = await serve(t, remote, ["--allow-origin", bed.origin, "--quiet"])
  const page = await bed.tab("slow")
  const seen = await page.evaluate(async (url) => {
    const events = []
    leaf.on("progress", ({ stage, done, rounds, id }) => events.push({ at: performance.now(), stage, done, rounds, id }))
    const giveUp = new AbortController()
    const first = await leaf.clone(url, { signal: giveUp.signal, onProgress: ({ done }) => done > 0 && giveUp.abort() }).catch(({ code }) => code)
    const between = await leaf.info()
    const early = new AbortController()
    early.abort()
    const never = await leaf.clone(url, { signal: early.signal }).catch(({ code }) => code)
    const own = []
    const result = await leaf.clone(url, { onProgress: (progress) => own.push(progress) })
    return { first, never, between, result, events, own, after: await leaf.info(), again: await leaf.clone(url).catch(({ code }) => code) }
  }, server.url)
  assert.deepEqual([seen.first, seen.never, seen.between.state, seen.after.state, seen.again], ["aborted", "aborted", "cloning", "ready", "exists"])
  assert.ok(seen.between.artifacts > 0)
  assert.equal(seen.result.artifacts, seen.after.artifacts - seen.between.artifacts)
  assert.deepEqual([...new Set(seen.own.map(({ stage }) => stage))].slice(0, 2), ["cloning", "verifying"])
  for (const id of new Set(seen.events.map(({ id }) => id))) {
    const times = seen.events.filter((event) => event.id === id).map(({ at }) => at)
    const seconds = (times.at(-1) - times[0]) / 1000
    assert.ok(times.length <= 2 + 11 * seconds, `${times.length} progress events in ${seconds} s`)
    assert.ok(times.length > 1)
  }
  assert.ok(seen.own.some(({ total }) => total > 0))
})

test("opening with what is kept already tells nobody of a change", async (t) => {
  const bed = await scene(t)
  const page = await bed.tab("kept", { user: "ann" })
  await page.evaluate(async () => {
    await leaf.create()
    globalThis.changes = []
    leaf.on("change", ({ kinds }) => changes.push(...kinds))
  })
  const remote = "https://ann@leaf.example/project"
  await bed.tab("kept", { user: "ann" })
  for (let times = 0; times < 2; times += 1) await bed.tab("kept", { user: "ann", remote })
  await bed.tab("kept", { remote: "https://leaf.example/project" })
  const last = await bed.tab("kept", { user: "ben", remote })
  const { user, remoteUser } = await last.evaluate(() => leaf.info())
  assert.deepEqual([user, remoteUser], ["ben", "ann"])
  // No reply tells whether the password is the one kept.
  await bed.tab("kept", { remote: "https://ann:secret@leaf.example/project" })
  await page.evaluate(() => leaf.commit({ message: "The end", files: { "a.txt": "a" } }))
  await page.waitForFunction(() => changes.includes("commit"))
  assert.deepEqual(await page.evaluate(() => changes), ["configure", "configure", "configure", "commit"])
})

test("failures have names", async (t) => {
  const bed = await scene(t)
  const server = await project(bed)
  const other = await project(bed, "other")
  const page = await bed.tab("named", { user: "nora" })
  const plain = await new Promise((resolve) => {
    const http = createServer((_, response) => response.writeHead(200, { "Content-Type": "text/html", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" }).end("<p>hi"))
    http.listen(0, "127.0.0.1", () => resolve(http))
  })
  atEnd(t, () => plain.close())
  const codes = await page.evaluate(async ({ url, other, plain }) => {
    const code = (work) => work.then(() => "none", (error) => (error instanceof LeafError && error.message.length > 10 ? error.code : `not a LeafError: ${error}`))
    const said = {}
    said.emptyTimeline = await code(leaf.timeline().page())
    said.emptyCommit = await code(leaf.commit({ message: "x", files: { a: "x" } }))
    said.noServer = await code(leaf.clone("http://localhost:9/"))
    said.noFossil = await code(leaf.clone(plain))
    said.noUrl = await code(leaf.clone("http://["))
    said.badLogin = await code(leaf.clone(url, { user: "alice", password: "wrong" }))
    said.stillEmpty = leaf.state
    await leaf.clone(url, { user: "alice", password: "alice-pw" })
    said.again = await code(leaf.clone(url))
    said.create = await code(leaf.create())
    const { hash } = await leaf.commit({ message: "one", files: { a: "1" } })
    await leaf.commit({ message: "two", files: { a: "2" } })
    said.nothing = await code(leaf.commit({ message: "nothing", files: { a: "2" } }))
    said.fork = await code(leaf.commit({ message: "fork", parent: hash, files: { a: "3" } }))
    said.allowed = await code(leaf.commit({ message: "fork", parent: hash, files: { a: "3" }, allowFork: true }))
    said.noFile = await code(leaf.readFile("none"))
    said.noCheckin = await code(leaf.checkin("0123456789"))
    said.noArtifact = await code(leaf.readArtifact("0123456789"))
    said.noWiki = await code(leaf.wiki.read("none"))
    said.noUv = await code(leaf.uv.read("none"))
    said.removeNothing = await code(leaf.commit({ message: "x", files: { none: null } }))
    said.badPath = await code(leaf.commit({ message: "x", files: { "../a": "x" } }))
    said.badType = await code(leaf.commit({ message: 1, files: { a: "x" } }))
    said.badArgument = await code(leaf.timeline({ limit: "all" }).page())
    said.noLogin = await code(leaf.push())
    said.wrongPassword = await code(leaf.sync({ password: "wrong" }))
    said.wrongProject = await code(leaf.pull({ url: other, user: "nobody" }))
    said.syncNoServer = await code(leaf.sync({ url: "http://localhost:9/" }))
    said.name = await code(Leaf.open("../x"))
    said.longName = await code(Leaf.open("x".repeat(65)))
    said.noName = await code(Leaf.delete(""))
    said.deleteOpen = await code(Leaf.delete("named"))
    await leaf.close()
    said.closed = await code(leaf.info())
    return said
  }, { url: server.url, other: other.url, plain: `http://localhost:${plain.address().port}/` })
  assert.deepEqual(codes, {
    emptyTimeline: "empty", emptyCommit: "empty", noServer: "network", noFossil: "notFossil", noUrl: "badArguments", badLogin: "denied",
    stillEmpty: "empty", again: "exists", create: "exists", nothing: "nothingChanged", fork: "wouldFork", allowed: "none",
    noFile: "notFound", noCheckin: "notFound", noArtifact: "notFound", noWiki: "notFound", noUv: "notFound", removeNothing: "notFound",
    badPath: "refused", badType: "badArguments", badArgument: "badArguments", noLogin: "denied", wrongPassword: "denied",
    wrongProject: "wrongProject", syncNoServer: "network", name: "badArguments", longName: "badArguments", noName: "badArguments",
    deleteOpen: "locked", closed: "empty",
  })
})

test("a clone of a clone: the tab's file, served by leaf, is cloned by stock", async (t) => {
  const bed = await scene(t)
  const page = await bed.tab("origin", { user: "olga" })
  await page.evaluate(async () => {
    await leaf.create({ projectName: "origin" })
    await leaf.commit({ message: "Begin", files: { "a.txt": "a\n" } })
  })
  const file = await exported(page, bed.folder, "origin.fossil")
  const served = path.join(bed.folder, "served.fossil")
  copyFileSync(file, served)
  native(["user", "add", "bob", "gio", "-R", served], { input: "secret\n" })
  const { url } = await serve(t, served, ["--quiet"])
  const stock = checkout(bed.folder, url.replace("//", "//bob:secret@"), "cloned")
  assert.equal(readFileSync(path.join(stock.cwd, "a.txt"), "utf8"), "a\n")
  assertSame(stock.file, file)
})
