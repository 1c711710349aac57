// The service worker: makes the page start without a network.
//
// The build fills in the names in quotes (build/service-worker.ts). What is listed is fetched when this version is
// installed and answers from then on; the page itself comes from the network first, so that a new version is seen.
// Nothing else is touched: no POST (they are syncs), not /leaf.json (it says what a server offers now).

const version = "@version"
const files = ["@files"]
const base = "@base"
const cacheName = `leaf-page-${version}`
const known = new Set(files.map((file) => new URL(file, location.origin).href))
const page = new URL(base, location.origin).href

addEventListener("install", (event) => {
  event.waitUntil(install())
})

async function install() {
  const cache = await caches.open(cacheName)
  // Named by content: what an older version has already need not come again.
  await Promise.all(
    files.map(async (file) => {
      const old = file.startsWith(base + "assets/") ? await caches.match(file, { ignoreVary: true }) : undefined
      if (old) await cache.put(file, old)
      else await cache.add(new Request(file, { cache: "no-cache" }))
    }),
  )
  // The first version takes over at once; a later one waits until the person agrees.
  if (!registration.active) await skipWaiting()
}

addEventListener("activate", (event) => {
  event.waitUntil(activate())
})

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith("leaf-page-") && name !== cacheName) await caches.delete(name)
  }
  await clients.claim()
}

addEventListener("message", (event) => {
  if (event.data === "take-over") void skipWaiting()
})

addEventListener("fetch", (event) => {
  const { request } = event
  if (request.method !== "GET") return
  const url = new URL(request.url)
  if (url.origin !== location.origin) return
  if (request.mode === "navigate") event.respondWith(fromNetworkElseCache(request))
  else if (known.has(url.href)) event.respondWith(fromCacheElseNetwork(request))
})

async function fromNetworkElseCache(request) {
  try {
    const reply = await fetch(request, { signal: AbortSignal.timeout(4000) })
    // A server that is down behind a proxy answers, too.
    if (reply.status < 500) return reply
  } catch {
    // Offline: the page is here.
  }
  const cache = await caches.open(cacheName)
  return (await cache.match(page, { ignoreVary: true })) ?? Response.error()
}

async function fromCacheElseNetwork(request) {
  const cache = await caches.open(cacheName)
  // They are named by content, or were fetched by this version: whatever the reply varied by, it is the same.
  return (await cache.match(request.url, { ignoreVary: true })) ?? fetch(request)
}
