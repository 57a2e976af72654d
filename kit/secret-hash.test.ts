import { expect, test } from 'vitest'
import { decoyHash, hashSecret, verifySecret } from './secret-hash.js'

test('a secret verifies against its own hash and no other', async () => {
  const hash = await hashSecret('kettle-7-lamp')
  expect(hash).toMatch(/^scrypt\$16384\$8\$1\$/)
  expect(await verifySecret('kettle-7-lamp', hash)).toBe(true)
  expect(await verifySecret('kettle-7-lamP', hash)).toBe(false)
  expect(await verifySecret('', hash)).toBe(false)
  expect(await hashSecret('kettle-7-lamp')).not.toBe(hash)
  expect(await verifySecret('kettle-7-lamp', decoyHash())).toBe(false)
})

test('hashes with absurd parameters match nothing, at once', async () => {
  const good = await hashSecret('kettle-7-lamp')
  const startedAt = performance.now()
  for (const bad of [
    '',
    'kettle-7-lamp',
    good.replace('$16384$', '$1048576$'),
    good.replace('$16384$', '$2$'),
    good.replace('$16384$', '$16383$'),
    good.replace('$8$1$', '$99$1$'),
    good.replace('$8$1$', '$8$99$'),
    good.replace('$8$1$', '$8$0$'),
    good.replace('scrypt', 'plain'),
    `${good}$`,
    good.split('$').slice(0, 5).join('$'),
    `${good.split('$').slice(0, 5).join('$')}$`,
  ])
    expect(await verifySecret('kettle-7-lamp', bad), bad).toBe(false)
  expect(performance.now() - startedAt).toBeLessThan(50)
})
