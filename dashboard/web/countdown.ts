import { leftWords } from './relative-time.js'

const tickMs = 1_000

/**
 * Counts down each `<time data-left>` once a second; the form around one with `data-goes` goes when it is over. `nowMs`:
 * the server's clock, as far as this device knows it.
 */
export function startCountdown(
  main: HTMLElement,
  { language, nowMs }: { language: 'zh' | 'en'; nowMs: () => number },
): void {
  const tick = () => {
    for (const time of main.querySelectorAll<HTMLTimeElement>('time[data-left]')) {
      const leftMs = Date.parse(time.dateTime) - nowMs()
      const form = 'goes' in time.dataset ? time.closest('form') : null
      if (form && leftMs <= 0) {
        if (!form.hidden) form.hidden = true
        continue
      }
      if (time.hidden) time.hidden = false
      const words = leftWords(leftMs, language)
      if (time.textContent !== words) time.textContent = words
    }
  }
  tick()
  setInterval(tick, tickMs)
}
