// Pairing on the page: a ticket read by the camera, one that is pasted, and one that the page itself makes.

import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import path from "node:path"
import test from "node:test"
import { browser, FLAGS, fossil, leaf as native, root, scratch, serve, site } from "./bed.mjs"
import { open } from "./person.mjs"

const PATIENCE_MS = 60_000
const { encodeQR } = await import(path.join(root, "web/node_modules/qr/index.js"))

/** What a camera sees that looks at a QR code: a film of one picture. */
function film(file, text) {
  const rows = encodeQR(text.toUpperCase(), "raw", { ecc: "low", border: 4 })
  const [width, height, dot] = [640, 480, Math.floor(480 / rows.length)]
  const picture = Buffer.alloc(width * height, 235)
  rows.forEach((row, y) => row.forEach((isDark, x) => {
    if (!isDark) return
    for (let line = 0; line < dot; line += 1) {
      const at = (y * dot + line) * width + 80 + x * dot
      picture.fill(16, at, at + dot)
    }
  }))
  const frame = Buffer.concat([Buffer.from("FRAME\n"), picture, Buffer.alloc(width * height / 2, 128)])
  writeFileSync(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420\n`), frame, frame]))
}

/** What stands in a picture of a QR code. */
async function read(t, picture) {
  const origin = await site(t, { "/qr/": path.join(root, "web/node_modules/qr"), "/": path.join(root, "web/public") })
  const page = await (await browser(t)).newPage()
  await page.goto(`${origin}/qr/package.json`)
  return page.evaluate(async (base64) => {
    const { decodeQR } = await import("/qr/decode.js")
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob())
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")
    context.drawImage(bitmap, 0, 0)
    return decodeQR(context.getImageData(0, 0, bitmap.width, bitmap.height))
  }, picture.toString("base64"))
}

test("a page joins by the QR code that its camera sees, and invites another page", async (t) => {
  const folder = scratch(t)
  const [file, key, view] = ["project.fossil", "server.key", "camera.y4m"].map((name) => path.join(folder, name))
  fossil(["init", "--project-name", "project", file, "-A", "alice"], { cwd: folder, stdio: "pipe" })
  fossil(["user", "capabilities", "nobody", "", "-R", file], { cwd: folder })
  const { url } = await serve(t, file, ["--iroh=127.0.0.1:0", "--relay", "--quiet", "--key", key])
  const invite = () => native(["invite", file, "--quiet", "--key", key]).trim()

  const seen = invite()
  film(view, seen)
  const camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${view}`]
  const one = await (await browser(t, undefined, { args: [...FLAGS, ...camera] })).newPage()
  await one.goto(url)
  await one.getByText("Join by a ticket").click()
  await one.getByRole("button", { name: "Scan its QR code" }).click()
  await one.waitForFunction((ticket) => document.querySelector("textarea")?.value.toLowerCase() === ticket, seen, { timeout: PATIENCE_MS })
  await one.getByRole("button", { name: "Join and clone" }).click()
  await one.waitForURL(/#\/timeline/, { timeout: PATIENCE_MS })

  const two = await (await browser(t, undefined, { viewport: { width: 390, height: 844 } })).newPage()
  await two.goto(url)
  await two.getByText("Join by a ticket").click()
  const field = two.getByRole("textbox", { name: "Ticket" })
  await field.fill("leaf1nothing")
  assert.ok(await two.getByRole("button", { name: "Join and clone" }).isDisabled())
  await field.fill(seen)
  await two.getByRole("button", { name: "Join and clone" }).click()
  await two.getByText(/does not let this leaf in|used before/).first().waitFor({ timeout: PATIENCE_MS })
  await two.reload()
  await two.getByText("Join by a ticket").click()
  await field.fill(invite())
  await two.getByRole("button", { name: "Join and clone" }).click()
  await two.waitForURL(/#\/timeline/, { timeout: PATIENCE_MS })

  await open(one, "#/peers")
  await one.getByRole("button", { name: "Invite a leaf" }).click()
  const shown = one.getByRole("dialog").getByRole("textbox", { name: "Ticket" })
  await shown.waitFor({ timeout: PATIENCE_MS })
  const ticket = await shown.inputValue()
  assert.equal(await read(t, await one.getByRole("img", { name: "The ticket as a QR code" }).screenshot()), ticket.toUpperCase())

  await open(two, "#/peers")
  await two.getByRole("button", { name: "Join by a ticket" }).click()
  await two.getByRole("dialog").getByRole("textbox", { name: "Ticket" }).fill(ticket)
  await two.getByRole("button", { name: "Join and sync" }).click()
  await two.getByText(/Synced\. The other side shows the same code/).waitFor({ timeout: PATIENCE_MS })
  const codes = await Promise.all([one, two].map((page) => page.getByRole("dialog").getByText(/^\d{3} \d{3}$/).innerText({ timeout: PATIENCE_MS })))
  assert.equal(codes[0], codes[1])
  await one.getByRole("dialog").getByRole("button", { name: "Close" }).last().click()
  await one.getByRole("list", { name: "Leaves that may call this browser" }).getByText(/connected, \d+\.\d ms/).waitFor({ timeout: PATIENCE_MS })
  await one.getByRole("button", { name: /^Revoke / }).click()
  await one.getByText(/can call this browser no more/).waitFor({ timeout: PATIENCE_MS })
})
