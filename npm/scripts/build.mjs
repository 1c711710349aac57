// Builds the package: WebAssembly, its glue, types, bundles. `node scripts/build.mjs [--quick]`
//
// --scripts builds the scripts alone, for the module that is there. --quick leaves wasm-opt out: for work on the package, never for what is published.

import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import path from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { build } from "esbuild"

const root = path.resolve(import.meta.dirname, "../..")
const npm = path.join(root, "npm")
const dist = path.join(npm, "dist")
const glue = path.join(npm, "wasm")
const quick = process.argv.includes("--quick")
const target = "wasm32-unknown-unknown"

/** What all browsers of the last three years have. More, and wasm-opt writes what they do not load. */
const FEATURES = [
  "--enable-bulk-memory", "--enable-bulk-memory-opt", "--enable-call-indirect-overlong", "--enable-multivalue",
  "--enable-mutable-globals", "--enable-nontrapping-float-to-int", "--enable-reference-types", "--enable-sign-ext",
  "--enable-simd",
]

function run(program, args, env = {}) {
  execFileSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } })
}

/** The version of wasm-bindgen in Cargo.lock, which its program must have, too; `tests/wasm-bindgen.sh` builds that. */
function bindgen() {
  return execFileSync(path.join(root, "tests/wasm-bindgen.sh"), { encoding: "utf8" }).trim()
}

/** Where Rust's own library is as source, it is built for size and without the texts of panics. */
function hasStdSource() {
  const sysroot = execFileSync("rustc", ["--print", "sysroot"], { cwd: root, encoding: "utf8" }).trim()
  return existsSync(path.join(sysroot, "lib/rustlib/src/rust/library/Cargo.toml"))
}

/** What is downloaded at once, and what is downloaded once a page calls by key. */
const MODULES = [
  { name: "leaf", crate: "leaf-wasm" },
  { name: "iroh", crate: "leaf-iroh-wasm" },
]

function wasm({ name, crate }) {
  const small = hasStdSource() && !quick
  const out = path.join(root, small ? "target/wasm-small" : "target")
  const args = ["build", "--quiet", "-p", crate, "--target", target, "--profile", "release-wasm", "--target-dir", out]
  if (small) {
    run("cargo", [...args, "-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"], {
      RUSTC_BOOTSTRAP: "1",
      RUSTFLAGS: "-Ctarget-feature=+simd128 -Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none",
    })
  } else {
    run("cargo", args)
  }
  bind(name, path.join(out, target, "release-wasm", `${crate.replaceAll("-", "_")}.wasm`))
}

function bind(name, module) {
  run(path.join(bindgen(), "wasm-bindgen"), ["--target", "web", "--out-dir", glue, "--out-name", name, module])
  // The worker says where the module is; a second URL in the glue would make bundlers ship it twice.
  const script = path.join(glue, `${name}.js`)
  const before = readFileSync(script, "utf8")
  const after = before.replace(/module_or_path = new URL\([^)]*\);/, `throw new Error("the URL of ${name}.wasm is missing");`)
  if (after === before) throw new Error("the glue of wasm-bindgen has changed: its default URL was not found")
  writeFileSync(script, after)
}

function optimise({ name }) {
  const plain = path.join(glue, `${name}_bg.wasm`)
  const packed = path.join(dist, `${name}.wasm`)
  if (quick) return cpSync(plain, packed)
  // What is put into its only caller makes the module shorter, but brotli makes less of it; and it makes more of
  // functions that are alike where they stand side by side, as those do that one generic function became.
  run(path.join(npm, "node_modules/.bin/wasm-opt"), ["-Os", "--one-caller-inline-max-function-size=0", "--reorder-functions-by-name", ...FEATURES, "--strip-debug", "--strip-producers", plain, "-o", packed])
}

async function bundle() {
  const common = { bundle: true, format: "esm", target: "es2022", outdir: dist, absWorkingDir: npm, logLevel: "warning" }
  await build({ ...common, entryPoints: ["src/index.ts"] })
  await build({ ...common, entryPoints: ["src/worker.ts"], minifySyntax: true })
  await build({
    ...common,
    entryPoints: ["src/react.ts"],
    external: ["react"],
    banner: { js: '"use client";' },
    // One copy of the classes, whichever entry they come from.
    plugins: [{ name: "own-index", setup: (own) => own.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: "./index.js", external: true })) }],
  })
}

function sizesOf({ name }) {
  const bytes = readFileSync(path.join(dist, `${name}.wasm`))
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } })
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length }
}

function report() {
  const [wasm, iroh] = MODULES.map(sizesOf)
  const scripts = Object.fromEntries(["index.js", "worker.js", "react.js"].map((name) => [name, statSync(path.join(dist, name)).size]))
  writeFileSync(path.join(dist, "sizes.json"), `${JSON.stringify({ wasm, iroh, ...scripts, quick })}\n`)
  const shown = ({ raw, gzip, brotli }) => `${raw} bytes, gzip ${gzip}, brotli ${brotli}`
  console.log(`leaf.wasm ${shown(wasm)}; iroh.wasm ${shown(iroh)}; worker.js ${scripts["worker.js"]}, index.js ${scripts["index.js"]}`)
}

if (!process.argv.includes("--scripts")) rmSync(dist, { recursive: true, force: true })
mkdirSync(dist, { recursive: true })
if (!process.argv.includes("--scripts")) {
  rmSync(glue, { recursive: true, force: true })
  // One by one: together, each would get what the other wants of the core.
  MODULES.forEach(wasm)
  MODULES.forEach(optimise)
}
run(path.join(npm, "node_modules/.bin/tsc"), ["-p", npm])
await bundle()
cpSync(path.join(root, "LICENSE"), path.join(npm, "LICENSE"))
report()
