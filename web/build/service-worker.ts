// Writes sw.js into the finished build: the template in src/sw.js with the list of all files that must be there
// offline, and a version that changes whenever any of them does.
import { createHash } from "node:crypto"
import { readFile, readdir, writeFile } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import type { Plugin } from "vite"

export function serviceWorker(): Plugin {
  let folder = ""
  let base = "/"
  return {
    name: "leaf-service-worker",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir)
      base = config.base
    },
    async closeBundle() {
      const names = await filesBelow(folder)
      const version = createHash("sha256")
      for (const name of names) version.update(name).update(await readFile(join(folder, name)))
      const urls = names.map((name) => base + (name === "index.html" ? "" : name))
      const template = await readFile(new URL("../src/sw.js", import.meta.url), "utf8")
      const text = template
        .replace('"@version"', JSON.stringify(version.digest("hex").slice(0, 16)))
        .replace('["@files"]', JSON.stringify(urls))
        .replace('"@base"', JSON.stringify(base))
      await writeFile(join(folder, "sw.js"), text)
    },
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    // The module for calls by key is of no use without a network, and most people never want it.
    .filter((entry) => entry.isFile() && !/\.(br|map)$|^sw\.js$|^iroh-.*\.wasm$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort()
}
