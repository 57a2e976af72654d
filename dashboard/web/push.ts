/**
 * Switches push on in this browser, on the page of one's own channels. Hidden where the browser cannot; without this code
 * the page works all the same. What the server knows of this browser is kept here, so that an address that changed in
 * the meantime is put in the place of the old one.
 */
const box = document.querySelector<HTMLElement>('#push')
const keptKey = 'shouwang.push'
type Keys = { endpoint: string; keys: { p256dh: string; auth: string } }

if (box) void start(box)

async function start(panel: HTMLElement): Promise<void> {
  const texts = panel.dataset
  const say = (text: string | undefined) => {
    const status = panel.querySelector<HTMLElement>('[role=status]')
    if (status) status.textContent = text ?? ''
  }
  const can = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window
  // Safari on iPhones has push only for pages on the home screen.
  const onPhoneOnly = 'standalone' in navigator && navigator.standalone === false
  if (!can && !onPhoneOnly) return
  panel.hidden = false
  if (!can) return say(texts.install)

  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'primary wide'
  button.textContent = texts.on ?? ''
  const there = await navigator.serviceWorker.getRegistration('/')
  const now = await there?.pushManager.getSubscription()
  if (now && (await isKnown(now, texts.known ?? ''))) {
    keep(now)
    return say(texts.isOn)
  }
  if (now && (await renewed(now))) return location.reload()
  panel.append(button)
  button.addEventListener('click', () => {
    button.disabled = true
    say('')
    switchOn()
      .then((outcome) => (outcome === 'on' ? reload() : say(texts[outcome])))
      .catch(() => say(texts.failed))
      .finally(() => {
        button.disabled = false
      })
  })
}

async function switchOn(): Promise<'on' | 'denied' | 'failed'> {
  if ((await Notification.requestPermission()) !== 'granted') return 'denied'
  await navigator.serviceWorker.register('/push-worker.js', { scope: '/', updateViaCache: 'none' })
  const { pushManager } = await navigator.serviceWorker.ready
  const answer = await fetch('/push/key')
  if (!answer.ok) return 'failed'
  const { publicKey } = (await answer.json()) as { publicKey: string }
  // A subscription that was made with another key would be refused.
  await (await pushManager.getSubscription())?.unsubscribe()
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
  const { endpoint, keys } = plain(made)
  const body = new URLSearchParams({ kind: 'web_push', address: endpoint, secret: JSON.stringify(keys) })
  const saved = await fetch('/me/channels', { method: 'POST', body })
  if (!saved.ok) return 'failed'
  keep(made)
  return 'on'
}

/** True where the server has put this address in the place of the one that this browser had before. */
async function renewed(now: PushSubscription): Promise<boolean> {
  const before = localStorage.getItem(keptKey)
  if (!before || JSON.parse(before).endpoint === now.endpoint) return false
  const answer = await fetch('/push/renew', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"old":${before},"fresh":${JSON.stringify(plain(now))}}`,
  })
  if (answer.ok) keep(now)
  return answer.ok
}

function plain(subscription: PushSubscription): Keys {
  const { endpoint, keys } = subscription.toJSON()
  return { endpoint: endpoint ?? '', keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' } }
}

const keep = (subscription: PushSubscription) => localStorage.setItem(keptKey, JSON.stringify(plain(subscription)))

/** The page names the addresses that the server has by their digests alone. */
async function isKnown({ endpoint }: PushSubscription, known: string): Promise<boolean> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(endpoint))
  const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return known.split(' ').includes(hex)
}

function reload() {
  location.hash = 'channels'
  location.reload()
}
