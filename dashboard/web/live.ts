/**
 * Keeps a page that is open fresh: asks the server for the same page again when it says that something changed, every
 * half minute, and when somebody comes back to it; says so when that fails. Without this code the page works all the same.
 */
import { startCountdown } from './countdown.js'
import { Idiomorph } from './idiomorph.js'
import { clockWords, durationWords, relativeWords } from './relative-time.js'
import { startSound } from './sound.js'

const refreshMs = 30_000
const answerMsMax = 10_000
const pauseMsMin = 1_000
/** Many consoles hear of a change at the same moment. */
const jitterMsMax = 250
const streamRetryMs = 60_000

const main = document.querySelector<HTMLElement>('main')!
const offline = document.querySelector<HTMLElement>('#offline')!
const announce = document.querySelector<HTMLElement>('#announce')!
const language = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en'
const zone = main.dataset.zone ?? 'UTC'
const eventsPath = document.body.dataset.events

/** How far the server's clock is ahead of this device's, whose own may be wrong. */
let aheadMs = serverMs() - Date.now()
let freshMs = Date.now()
let failedMs: number | undefined
let underWay = false
let again = false
let planned: number | undefined
const dirty = new WeakSet<Element>()
const sound = startSound(main)

function serverMs() {
  return Date.parse(main.dataset.now ?? '') || Date.now()
}

async function refresh(): Promise<void> {
  if (underWay) {
    again = true
    return
  }
  underWay = true
  try {
    await load()
  } finally {
    underWay = false
    if (again) {
      again = false
      plan(pauseMsMin)
    }
  }
}

async function load(): Promise<void> {
  const asked = Date.now()
  let response: Response
  let text: string
  try {
    response = await fetch(location.href.split('#')[0]!, {
      headers: { 'shouwang-refresh': '1' },
      cache: 'no-store',
      signal: AbortSignal.timeout(answerMsMax),
    })
    text = await response.text()
  } catch {
    return failed(asked)
  }
  if (response.status >= 500 || response.status === 429) return failed(asked)
  // Logged out, or gone: let the browser show what there is instead.
  if (response.status === 401 || response.status === 404) return location.reload()
  show(new DOMParser().parseFromString(text, 'text/html'))
  failedMs = undefined
  freshMs = Date.now()
  showOffline()
}

function failed(asked: number) {
  failedMs ??= asked
  showOffline()
}

function show(next: Document) {
  const fresh = next.querySelector<HTMLElement>('main')
  if (!fresh) return
  const before = main.querySelector('h1')?.textContent
  Idiomorph.morph(main, fresh.innerHTML, {
    morphStyle: 'innerHTML',
    ignoreActiveValue: true,
    callbacks: {
      // What somebody is filling in stays as it is; so does what the browser code itself shows.
      beforeNodeMorphed: (node) =>
        !(node instanceof Element && (dirty.has(node) || node.id === 'sound' || node.id === 'push')),
      // What somebody opened stays open.
      beforeAttributeUpdated: (name, node) =>
        !(name === 'open' && node instanceof HTMLDetailsElement) && !(name === 'hidden' && 'mute' in datasetOf(node)),
    },
  })
  main.dataset.now = fresh.dataset.now ?? ''
  main.dataset.refresh = fresh.dataset.refresh ?? ''
  aheadMs = serverMs() - Date.now()
  document.title = next.title
  const after = main.querySelector('h1')?.textContent ?? ''
  if (after !== before) announce.textContent = after
  sound.look()
}

const datasetOf = (node: Element): DOMStringMap => (node instanceof HTMLElement ? node.dataset : {})

function showOffline() {
  if (failedMs === undefined) {
    if (offline.textContent) offline.textContent = ''
    return
  }
  const nowMs = Date.now() + aheadMs
  offline.textContent = (document.body.dataset.offlineSince ?? '')
    .replace('{clock}', clockWords(failedMs + aheadMs, nowMs, zone, language))
    .replace('{age}', durationWords(Date.now() - freshMs, language))
}

function retime() {
  const nowMs = Date.now() + aheadMs
  for (const time of main.querySelectorAll<HTMLTimeElement>('time[data-time]')) {
    const atMs = Date.parse(time.dateTime)
    const words =
      time.dataset.time === 'age'
        ? durationWords(nowMs - atMs, language)
        : relativeWords(atMs, nowMs, time.dataset.zone ?? zone, language)
    if (time.textContent !== words) time.textContent = words
  }
  showOffline()
}

function plan(ms: number) {
  if (planned !== undefined) return
  planned = setTimeout(
    () => {
      planned = undefined
      void refresh()
    },
    ms + Math.random() * jitterMsMax,
  )
}

let stream: EventSource | undefined
function listen() {
  if (!eventsPath || stream) return
  stream = new EventSource(eventsPath)
  stream.addEventListener('change', () => plan(0))
  stream.addEventListener('error', () => {
    plan(0)
    if (stream?.readyState !== EventSource.CLOSED) return
    stream = undefined
    setTimeout(listen, streamRetryMs)
  })
}

function unlisten() {
  stream?.close()
  stream = undefined
}

document.addEventListener('input', (event) => {
  const form = event.target instanceof Element ? event.target.closest('form') : null
  if (form) dirty.add(form)
})
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') {
    listen()
    void refresh()
    // A browser keeps few connections to one site: only the console, which must sound, listens while hidden.
  } else if (!sound.wanted) unlisten()
})
window.addEventListener('online', () => void refresh())
window.addEventListener('offline', () => void refresh())
window.addEventListener('pagehide', unlisten)
window.addEventListener('pageshow', (event) => {
  if (!event.persisted) return
  listen()
  void refresh()
})
setInterval(retime, refreshMs)
startCountdown(main, { language, nowMs: () => Date.now() + aheadMs })
/** A page beside which somebody waits says itself how often it wants to be asked for. */
function refreshOften() {
  const wanted = Number(main.dataset.refresh) || refreshMs
  setTimeout(
    () => {
      void refresh()
      refreshOften()
    },
    document.visibilityState === 'visible' ? wanted : Math.max(wanted, refreshMs),
  )
}
refreshOften()
listen()
