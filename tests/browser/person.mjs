// What a person does on the page that `leaf serve` shows, by what is written on it.

/** Clones the repository that the page offers. */
export async function clone(page, url) {
  await page.goto(url)
  await page.getByRole("button", { name: "Clone", exact: true }).click()
  await page.getByRole("heading", { name: "Timeline" }).waitFor({ timeout: 60_000 })
}

/** Adds a line to the end of a file and goes to the review. */
export async function edit(page, path, line) {
  await open(page, `#/files/trunk/${path}`)
  await page.getByRole("link", { name: "Edit", exact: true }).click()
  const editor = page.getByRole("textbox", { name: `Content of ${path}` })
  await editor.click()
  await page.keyboard.press("Control+End")
  await page.keyboard.type(`${line}\n`)
  await page.getByRole("button", { name: "Review and commit" }).click()
}

/** Commits what is staged. */
export async function commit(page, message) {
  await page.getByRole("textbox", { name: "Message" }).fill(message)
  await page.getByRole("button", { name: /^Commit \d+ files?$/ }).click()
  await page.getByRole("article").filter({ hasText: message }).or(page.getByRole("heading", { name: message })).first().waitFor()
}

/** Goes to a view of the page. */
export async function open(page, hash) {
  await page.evaluate((to) => { location.hash = to }, hash)
}
