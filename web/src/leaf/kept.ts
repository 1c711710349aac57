// Small things kept on this device: which repository was open, and choices. Where storage is off, nothing is kept.

const place = location.pathname

/** The repository that was shown at this address last. */
export function currentName(): string | null {
  return read(sessionStorage, `leaf.open ${place}`) ?? read(localStorage, `leaf.open ${place}`)
}

/** What the address calls the repository: a page at `/NAME` starts with the one of that name, if it is here. */
export function nameOfPlace(): string {
  return place.split("/").filter(Boolean).at(-1) ?? ""
}

export function rememberName(name: string | null): void {
  write(sessionStorage, `leaf.open ${place}`, name)
  write(localStorage, `leaf.open ${place}`, name)
}

type Setting = "theme" | "autosync" | "diff" | "wrap" | "checkins"

/** A choice, of one repository or of this page. */
export function setting(name: Setting, repository = ""): string | null {
  return read(localStorage, key(name, repository))
}

export function keep(name: Setting, value: string | null, repository = ""): void {
  write(localStorage, key(name, repository), value)
}

function key(name: string, repository: string): string {
  return repository ? `leaf.${name} ${repository}` : `leaf.${name}`
}

function read(storage: Storage, name: string): string | null {
  try {
    return storage.getItem(name)
  } catch {
    return null
  }
}

function write(storage: Storage, name: string, value: string | null): void {
  try {
    if (value === null) storage.removeItem(name)
    else storage.setItem(name, value)
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}
