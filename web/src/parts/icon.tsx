// The icons: strokes on a grid of 24, drawn for this page.

const paths = {
  timeline: "M6 4v16M6 8h0M6 12c0-3 12 0 12-5M18 4v1M18 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM6 3a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM6 17a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z",
  files: "M3 6.5a1.5 1.5 0 0 1 1.5-1.5H9l2 2.5h8.5A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18Z",
  file: "M6 3h8l5 5v13H6ZM14 3v5h5",
  image: "M4 4h16v16H4ZM4 16l5-5 6 6M14 14l2-2 4 4M9 8.5h0",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  run: "M5 5l7 7-7 7M13 19h7",
  branch: "M7 4v16M7 3a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM7 17a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM17 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM17 9c0 5-10 3-10 8",
  tag: "M4 4h8l8.5 8.5-8 8L4 12ZM8.5 8.5h0",
  wiki: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3ZM5 17a3 3 0 0 1 3-3h11M9 8h6",
  box: "M3.5 8 12 4l8.5 4v8.5L12 20.5 3.5 16.5ZM3.5 8 12 12l8.5-4M12 12v8.5",
  sync: "M4 11a8 8 0 0 1 14-4.5L20.5 9M20.5 4v5h-5M20 13a8 8 0 0 1-14 4.5L3.5 15M3.5 20v-5h5",
  disk: "M4 14h16v6H4ZM4 14l3-10h10l3 10M16 17h1",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  home: "M4 11l8-7 8 7v9H4ZM10 20v-6h4v6",
  plus: "M12 5v14M5 12h14",
  check: "M5 12.5l4.5 4.5L19 7",
  cross: "M6 6l12 12M18 6L6 18",
  right: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  left: "M15 5l-7 7 7 7",
  edit: "M4 20l1-4L16 5l3 3L8 19ZM14 7l3 3",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
  history: "M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5M12 8v4.5l3 2",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20",
  more: "M5 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM12 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM19 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2Z",
  merge: "M7 4v16M17 20c0-7-10-4-10-12",
  lock: "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20c1-5 4-6 7.5-6s6.5 1 7.5 6",
  alert: "M12 4 21 19.5H3ZM12 10v4M12 17h0",
  shield: "M12 3l7.5 3v5.5c0 5-3.5 8-7.5 9.5-4-1.5-7.5-4.5-7.5-9.5V6ZM8.5 12l2.5 2.5 4.5-5",
  keyboard: "M3 7h18v10H3ZM7 11h0M11 11h0M15 11h0M8 14h8",
  ticket: "M4 7h16v3.5a1.5 1.5 0 0 0 0 3V17H4v-3.5a1.5 1.5 0 0 0 0-3ZM14 7v10",
  note: "M5 4h14v11l-5 5H5ZM14 20v-5h5M8.5 9h7M8.5 12.5h4",
  chat: "M4 5h16v11h-8l-5 4v-4H4Z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.5V5M12 19v2.5M2.5 12H5M19 12h2.5M5.5 5.5 7 7M17 17l1.5 1.5M18.5 5.5 17 7M7 17l-1.5 1.5",
  moon: "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z",
  contrast: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM12 4v16",
  wrap: "M4 6h16M4 12h13a3 3 0 0 1 0 6h-4M15 15.5 12.5 18l2.5 2.5M4 18h4",
  columns: "M4 5h16v14H4ZM12 5v14",
  rows: "M4 5h16v14H4ZM4 12h16",
  cloud: "M7 18a4 4 0 0 1-.5-8A6 6 0 0 1 18 9.5a4.3 4.3 0 0 1 0 8.5Z",
  offline: "M4 4l16 16M7 18a4 4 0 0 1-.5-8M10 5.5A6 6 0 0 1 18 9.5a4.3 4.3 0 0 1 2.5 7",
  share: "M12 4a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM5.5 15a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM18.5 15a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM10.5 8.8 7 15M13.5 8.8 17 15M8 17.5h8",
  window: "M3 5h18v14H3ZM3 9h18M6 7h0M9 7h0",
  copy: "M8 8h12v12H8ZM16 8V4H4v12h4",
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}
