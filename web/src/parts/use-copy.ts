// To the clipboard, and says so.
import { useToasts } from "./toasts.tsx"

export function useCopy(): (text: string) => void {
  const { attempt, done } = useToasts()
  return (text) =>
    void attempt(async () => {
      await navigator.clipboard.writeText(text)
      done("Copied.")
    })
}
