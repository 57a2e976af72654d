import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(scrypt) as (
  secret: string,
  salt: Buffer,
  bytes: number,
  options: ScryptOptions,
) => Promise<Buffer>

const cost = { N: 16_384, r: 8, p: 1 }
const saltBytes = 16
const hashBytes = 32
/** scrypt needs 128·N·r bytes: a stored hash that asks for more is not one of ours. */
const memoryBytesMax = 64 * 1024 * 1024
const format = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/]{16,128}={0,2})\$([A-Za-z0-9+/]{22,128}={0,2})$/

/** Hashes a secret for storage as `scrypt$N$r$p$saltB64$hashB64`; takes about 50 ms on a thread of the pool. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await derive(secret, salt, hashBytes, options(cost))
  return assemble(salt, hash)
}

/** A secret to be shown once: 20 characters, 120 bits. */
export const newSecret = (): string => randomBytes(15).toString('base64url')

/**
 * Whether `secret` is the one that was hashed, compared in constant time. A stored hash that is malformed, or whose
 * parameters are absurd (a way to make us burn memory or to make guessing cheap), matches nothing.
 */
export async function verifySecret(secret: string, stored: string): Promise<boolean> {
  const parts = format.exec(stored)
  if (!parts) return false
  const [N, r, p] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const powerOfTwo = N >= 1_024 && (N & (N - 1)) === 0
  if (!powerOfTwo || r < 1 || p < 1 || p > 4 || 128 * N * r > memoryBytesMax) return false
  const wanted = Buffer.from(parts[5]!, 'base64')
  const given = await derive(secret, Buffer.from(parts[4]!, 'base64'), wanted.length, options({ N, r, p }))
  return timingSafeEqual(given, wanted)
}

/** A hash that no known secret has: verifying against it costs what a real one costs. */
export function decoyHash(): string {
  return assemble(randomBytes(saltBytes), randomBytes(hashBytes))
}

const options = ({ N, r, p }: typeof cost): ScryptOptions => ({ N, r, p, maxmem: 2 * memoryBytesMax })

const assemble = (salt: Buffer, hash: Buffer) =>
  ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), hash.toString('base64')].join('$')
