import { createECDH } from 'node:crypto'
import type { Queryable } from './pool.js'

/** As in the push channel: an uncompressed P-256 point and its private number, base64url. */
export type KeptVapidKeys = { publicKey: string; privateKey: string }

function makeKeys(): KeptVapidKeys {
  const curve = createECDH('prime256v1')
  const publicKey = curve.generateKeys('base64url')
  // Leading zeros do not come by themselves.
  const privateKey = Buffer.concat([Buffer.alloc(32), curve.getPrivateKey()])
    .subarray(-32)
    .toString('base64url')
  return { publicKey, privateKey }
}

/**
 * The keys by which browsers' push services know this Shouwang: made once, the same for all processes and after each
 * restart, since every subscription is bound to them.
 */
export async function vapidKeysOf(db: Queryable, now: Date): Promise<KeptVapidKeys> {
  const look = async () =>
    (
      await db.query<KeptVapidKeys>(
        'select public_key as "publicKey", private_key as "privateKey" from vapid_keys where only_one',
      )
    ).rows[0]
  const kept = await look()
  if (kept) return kept
  const { publicKey, privateKey } = makeKeys()
  await db.query(
    'insert into vapid_keys (public_key, private_key, created_at) values ($1, $2, $3) on conflict do nothing',
    [publicKey, privateKey, now],
  )
  // Another process may have been first.
  return (await look())!
}
