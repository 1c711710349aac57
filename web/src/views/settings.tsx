// Who you are, what the project is called, how the page looks.
import type { Info, Leaf } from "@edgesync/leaf"
import { useState } from "react"
import { keep, setting } from "../leaf/kept.ts"
import { useSession } from "../leaf/session.tsx"
import { Icon, type IconName } from "../parts/icon.tsx"
import { numberText, sizeText } from "../parts/say.tsx"
import { Head } from "../parts/states.tsx"
import { useToasts } from "../parts/toasts.tsx"
import { useTitle } from "../parts/use-title.ts"
import { href } from "../route.ts"
import { Automatic } from "./sync.tsx"

export function Settings() {
  useTitle("Settings")
  const { leaf, info } = useSession()
  const isReady = leaf !== null && info?.state === "ready"
  return (
    <>
      <Head title="Settings" />
      {isReady && <Person key={`${info.user} ${info.projectName}`} leaf={leaf} info={info} />}
      <Look />
      {isReady && (
        <>
          <h2>Sync</h2>
          <Automatic />
          <p className="after-card">
            <a href={href("sync")}>Server and login</a>
          </p>
          <About info={info} />
        </>
      )}
    </>
  )
}

function Person({ leaf, info }: { leaf: Leaf; info: Info }) {
  const { attempt, done } = useToasts()
  const [user, setUser] = useState(info.user ?? "")
  const [project, setProject] = useState(info.projectName ?? "")
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault()
        void attempt(() => leaf.configure({ user: user.trim(), projectName: project.trim() })).then((isDone) => isDone && done("Saved."))
      }}
    >
      <div className="fields">
        <label className="field">
          Your name on check-ins
          <input value={user} onChange={(event) => setUser(event.target.value)} autoComplete="username" autoCapitalize="off" spellCheck={false} />
        </label>
        <label className="field">
          Name of the project
          <input value={project} onChange={(event) => setProject(event.target.value)} />
        </label>
      </div>
      <div className="actions">
        <button className="primary" disabled={!user.trim()}>
          Save
        </button>
      </div>
    </form>
  )
}

declare global {
  /** Of public/theme.js: shows this theme, or the system's. */
  function showTheme(name: string): void
}

const themes: { name: string; label: string; icon: IconName }[] = [
  { name: "system", label: "As the system", icon: "contrast" },
  { name: "light", label: "Light", icon: "sun" },
  { name: "dark", label: "Dark", icon: "moon" },
]

function Look() {
  const [theme, setTheme] = useState(setting("theme") ?? "system")
  const choose = (name: string) => {
    setTheme(name)
    keep("theme", name === "system" ? null : name)
    showTheme(name)
  }
  return (
    <section className="card" aria-labelledby="look">
      <h2 id="look">Look</h2>
      <div className="choice" role="group" aria-label="Theme">
        {themes.map(({ name, label, icon }) => (
          <button key={name} aria-pressed={theme === name} onClick={() => choose(name)}>
            <Icon name={icon} size={16} /> {label}
          </button>
        ))}
      </div>
    </section>
  )
}

function About({ info }: { info: Info }) {
  const { name, isLeader } = useSession()
  return (
    <section className="card" aria-labelledby="about">
      <h2 id="about">This repository</h2>
      <dl className="facts">
        <dt>On this device</dt>
        <dd>{name}</dd>
        <dt>Project code</dt>
        <dd>
          <code className="whole-hash">{info.projectCode}</code>
        </dd>
        <dt>Contents</dt>
        <dd>
          {numberText(info.artifacts)} artifacts, {numberText(info.checkins)} of them check-ins; {sizeText(info.bytes)}
        </dd>
        <dt>This tab</dt>
        <dd>{isLeader ? "Has the repository open; other tabs work through it." : "Works through another tab, which has the repository open."}</dd>
      </dl>
    </section>
  )
}
