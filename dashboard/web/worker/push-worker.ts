/**
 * Shows what is pushed to this browser, and opens its link. A classic script, since not every browser takes a module
 * here. It keeps nothing and answers no requests: pages always come from the server.
 */
{
  const worker = self as unknown as ServiceWorkerGlobalScope
  /** The payload as Shouwang sends it. */
  type Pushed = { title?: string; body?: string; url?: string; tag?: string; urgent?: boolean }
  const icon = '/assets/now/icon-192.png'

  worker.addEventListener('install', () => void worker.skipWaiting())
  worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()))
  worker.addEventListener('push', (event) => event.waitUntil(show(read(event.data))))
  worker.addEventListener('notificationclick', (event) => {
    event.notification.close()
    event.waitUntil(open(String(event.notification.data?.url ?? '/')))
  })
  // The browser gave the subscription another address; nobody may be looking at a page.
  worker.addEventListener('pushsubscriptionchange', (event) =>
    (event as ExtendableEvent).waitUntil(renew(event as PushSubscriptionChangeEvent)),
  )

  function read(data: PushMessageData | null): Pushed {
    try {
      return (data?.json() ?? {}) as Pushed
    } catch {
      return { body: data?.text() ?? '' }
    }
  }

  /** Every push must show something, or the browser takes the permission away. */
  function show({ title, body, url, tag, urgent = true }: Pushed): Promise<void> {
    const options = {
      body: body ?? '',
      icon,
      badge: icon,
      data: { url },
      requireInteraction: urgent,
      // The same alert again is the same notification, and sounds again.
      ...(tag ? { tag, renotify: true } : {}),
      ...(urgent ? { vibrate: [400, 150, 400, 150, 400] } : {}),
    }
    return worker.registration.showNotification(title || '守望 Shouwang', options as NotificationOptions)
  }

  async function open(url: string): Promise<void> {
    const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
    const there = windows.find((each) => each.url === url)
    if (there) await there.focus()
    else await worker.clients.openWindow(url)
  }

  async function renew({ oldSubscription, newSubscription }: PushSubscriptionChangeEvent): Promise<void> {
    if (!oldSubscription) return
    const fresh =
      newSubscription ?? (await worker.registration.pushManager.subscribe(await sameOptions(oldSubscription)))
    await fetch('/push/renew', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ old: oldSubscription, fresh }),
    })
  }

  async function sameOptions({ options }: PushSubscription): Promise<PushSubscriptionOptionsInit> {
    if (options.applicationServerKey)
      return { userVisibleOnly: true, applicationServerKey: options.applicationServerKey }
    const { publicKey } = (await (await fetch('/push/key')).json()) as { publicKey: string }
    return { userVisibleOnly: true, applicationServerKey: publicKey }
  }
}
