// Puts FILE.br beside every file that compresses well, so that the server only has to choose.
import { readFile, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { brotliCompress, constants } from "node:zlib"
import type { Plugin } from "vite"

const compress = promisify(brotliCompress)

export function brotli(): Plugin {
  let folder = ""
  return {
    name: "leaf-brotli",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir)
    },
    closeBundle: {
      // After everything else was written, the service worker among it.
      order: "post",
      sequential: true,
      async handler() {
        const entries = await readdir(folder, { recursive: true, withFileTypes: true })
        for (const entry of entries) {
          if (!entry.isFile() || !/\.(html|js|css|svg|wasm|webmanifest|json|txt)$/.test(entry.name)) continue
          const path = join(entry.parentPath, entry.name)
          const plain = await readFile(path)
          const small = await compress(plain, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: 11,
              [constants.BROTLI_PARAM_LGWIN]: 24,
              [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
            },
          })
          if (small.length < plain.length) await writeFile(path + ".br", small)
        }
      },
    },
  }
}
