// What stock Fossil says of a file, and repositories that are made once for all tests.

import assert from "node:assert/strict"
import { createCipheriv } from "node:crypto"
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { fossil, root } from "./bed.mjs"

/** Tables that a rebuild makes anew from the artifacts alone; those of a sound file do not change by it. */
const DERIVED = [
  "SELECT type, round(mtime,6), objid, user, comment FROM event ORDER BY 1,2,3,5",
  "SELECT pid, cid, isprim FROM plink ORDER BY 1,2",
  "SELECT mid, fid, pmid, pid, name, mperm FROM mlink JOIN filename USING(fnid) ORDER BY 1,5,2",
  "SELECT tagname, tagtype, srcid, origid, value, rid FROM tagxref JOIN tag USING(tagid) ORDER BY 1,6,3",
  "SELECT rid FROM leaf ORDER BY 1",
]

/** Rows of `query`, a line each. */
export function rows(file, query) {
  return fossil(["sql", "--readonly", "-R", file, query], { cwd: path.dirname(file), maxBuffer: 2 ** 28 }).split("\n").filter((line) => line !== "")
}

/** Names of all artifacts whose content is there. */
export function artifacts(file) {
  return new Set(rows(file, "SELECT uuid FROM blob WHERE size>=0").map((line) => line.replaceAll("'", "")))
}

/** Comments of all check-ins. */
export function comments(file) {
  return rows(file, "SELECT coalesce(ecomment,comment) FROM event WHERE type='ci'").map((line) => line.replace(/^'|'$/g, ""))
}

/** Fails unless stock finds every artifact of `file` intact, none missing, and rebuilds the same tables from them. */
export function assertSound(file) {
  const cwd = path.dirname(file)
  const options = { cwd, maxBuffer: 2 ** 28, stdio: "pipe" }
  assert.match(fossil(["test-integrity", "-R", file], options), / 0 errors/)
  assert.doesNotMatch(fossil(["test-missing", "-R", file], options), /[1-9]\d* missing/)
  const copy = `${file}.rebuilt`
  copyFileSync(file, copy)
  try {
    fossil(["rebuild", copy], options)
    fossil(["timeline", "-R", copy, "-n", "5", "-t", "ci"], options)
    for (const query of DERIVED) {
      const [ours, theirs] = [rows(file, query), rows(copy, query)]
      const [extra, lacking] = [minus(ours, theirs), minus(theirs, ours)]
      assert.deepEqual({ extra: extra.slice(0, 3), lacking: lacking.slice(0, 3) }, { extra: [], lacking: [] }, query)
    }
  } finally {
    rmSync(copy, { force: true })
  }
}

function minus(these, those) {
  const known = new Set(those)
  return these.filter((line) => !known.has(line))
}

/** Fails unless both files hold the same artifacts. */
export function assertSame(one, other) {
  const [a, b] = [artifacts(one), artifacts(other)]
  assert.deepEqual({ only1: minus([...a], b).slice(0, 3), only2: minus([...b], a).slice(0, 3) }, { only1: [], only2: [] })
}

/** Check-ins of `large()`, files of each, bytes of a file. */
const LARGE = { checkins: 60, files: 40, bytes: 12_000 }

/**
 * A repository of some 2,500 artifacts that cannot be packed, made once by a git import of stock's; alice (alice-pw)
 * may do everything in it. Its 29 MB are more than a server gives in one reply: a clone takes some rounds.
 */
export function large() {
  const cache = process.env.LEAF_CACHE ?? path.join(root, ".cache")
  const file = path.join(cache, `browser-${Object.values(LARGE).join("-")}.fossil`)
  if (existsSync(file)) return file
  mkdirSync(cache, { recursive: true })
  const made = `${file}.${process.pid}`
  const options = { cwd: cache, stdio: ["pipe", "ignore", "inherit"], env: { ...process.env, USER: "alice", HOME: tmpdir() } }
  fossil(["import", "--git", "--admin-user", "alice", made], { ...options, input: Buffer.concat([...history()]) })
  fossil(["user", "password", "alice", "alice-pw", "-R", made], options)
  fossil(["user", "capabilities", "alice", "sxy", "-R", made], options)
  renameSync(made, file)
  return file
}

/** The history of `large()`, as `git fast-export` would say it. */
function* history() {
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16, "leaf"), Buffer.alloc(16))
  for (let checkin = 1; checkin <= LARGE.checkins; checkin += 1) {
    const message = `Add batch ${checkin}`
    yield Buffer.from(`commit refs/heads/trunk\nmark :${checkin}\ncommitter alice <alice> ${1_500_000_000 + checkin * 600} +0000\ndata ${message.length}\n${message}\n`)
    if (checkin > 1) yield Buffer.from(`from :${checkin - 1}\n`)
    yield Buffer.from("deleteall\n")
    for (let number = 1; number <= LARGE.files; number += 1) {
      yield Buffer.from(`M 100644 inline d${number % 4}/f${checkin}-${number}.bin\ndata ${LARGE.bytes}\n`)
      yield noise.update(Buffer.alloc(LARGE.bytes))
      yield Buffer.from("\n")
    }
    yield Buffer.from("\n")
  }
}

/** What a page calls to store a stream outside the browser; the pages of `context` have it as `sink`. */
export async function sinks(context, folder) {
  const open = new Map()
  await context.exposeBinding("sink", (_, name, piece) => {
    if (!open.has(name)) open.set(name, openSync(path.join(folder, name), "w"))
    if (piece !== null) return void writeSync(open.get(name), Buffer.from(piece, "base64"))
    closeSync(open.get(name))
    open.delete(name)
  })
}

/** Exports the leaf `window.leaf` of `page` into `folder/name`, as `sinks` was told. */
export async function exported(page, folder, name) {
  await page.evaluate(async (name) => {
    const stream = await leaf.exportFile()
    for await (const piece of stream) await sink(name, piece.toBase64())
    await sink(name, null)
  }, name)
  return path.join(folder, name)
}
