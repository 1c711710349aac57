// Registers the service worker and says when a newer version of this page waits.
import { useEffect, useState } from "react"
import { Icon } from "../parts/icon.tsx"
import { workerUrl } from "./trusted.ts"

let registered: Promise<ServiceWorkerRegistration | null> | undefined

export function UpdateNotice() {
  const [waiting, setWaiting] = useState<ServiceWorker | null>(null)

  useEffect(() => {
    let isCurrent = true
    const found = (worker: ServiceWorker | null) => {
      // The first version is no update.
      if (isCurrent && worker && navigator.serviceWorker.controller) setWaiting(worker)
    }
    void (registered ??= register()).then((registration) => {
      if (!registration) return
      found(registration.waiting)
      registration.addEventListener("updatefound", () => {
        const coming = registration.installing
        coming?.addEventListener("statechange", () => {
          if (coming.state === "installed") found(coming)
        })
      })
    })
    return () => {
      isCurrent = false
    }
  }, [])

  if (!waiting) return null
  const update = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true })
    waiting.postMessage("take-over")
  }
  return (
    <div className="notice update" role="status">
      <Icon name="download" />
      <p>A new version of this page is ready. What you are writing is kept.</p>
      <button className="primary" onClick={update}>
        Reload
      </button>
    </div>
  )
}

async function register(): Promise<ServiceWorkerRegistration | null> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return null
  try {
    const registration = await navigator.serviceWorker.register(workerUrl())
    lookNowAndThen(registration)
    return registration
  } catch (error) {
    // The page works without it, online only.
    console.warn("The service worker was not installed:", error)
    return null
  }
}

/** An installed page may stay open for weeks: it asks for a new version when it is looked at again. */
function lookNowAndThen(registration: ServiceWorkerRegistration): void {
  let last = Date.now()
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - last < 3_600_000) return
    last = Date.now()
    // Offline: the next time, then.
    registration.update().catch(() => undefined)
  })
}
