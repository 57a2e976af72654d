/** Aliyun's own limits are narrower; these keep what is published back a topic. */
const part = '[A-Za-z0-9_.:@-]{1,64}'
const thing = new RegExp(`^(?:.*/)?sys/(${part})/(${part})/thing/([A-Za-z0-9_.:@/-]{1,200})$`, 's')
const ext = new RegExp(`^(?:.*/)?ext/(session|ntp)/(${part})/(${part})/([a-z_/]{1,60})$`, 's')

/** `path`: what stands behind `thing/`, or `session/…` and `ntp/…` below `/ext`. */
export type AliyunTopic = { productKey: string; deviceName: string; path: string }

/** A topic of the thing model, `/sys/{productKey}/{deviceName}/thing/…`, or of a session; undefined: another one. */
export function readAliyunTopic(topic: string): AliyunTopic | undefined {
  if (/[+#\0]/.test(topic)) return undefined
  const [, productKey, deviceName, path] = thing.exec(topic) ?? []
  if (productKey && deviceName && path) return { productKey, deviceName, path }
  const [, what, key, name, rest] = ext.exec(topic) ?? []
  return what && key && name && rest ? { productKey: key, deviceName: name, path: `${what}/${rest}` } : undefined
}

/** A device as Aliyun knows it, everywhere: behind a gateway it has a product of its own. */
export const aliyunId = ({ productKey, deviceName }: { productKey: string; deviceName: string }) =>
  `${productKey}/${deviceName}`
