import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { registerDocument } from './document.js'

const document = registerDocument.parse(JSON.parse(readFileSync(new URL('example.json', import.meta.url), 'utf8')))

test('the example that the README names has something of everything', () => {
  for (const [part, entries] of Object.entries(document)) expect(entries.length, part).toBeGreaterThan(0)
})

test('whatever the example refers to is in it', () => {
  const ids = (entries: { id: string }[]) => new Set(entries.map(({ id }) => id))
  const [communities, staff, residents, gateways] = [
    ids(document.communities),
    ids(document.staff),
    ids(document.residents),
    ids(document.gateways),
  ]
  for (const { community, responsible } of document.residents)
    expect([communities.has(community), staff.has(responsible!)]).toEqual([true, true])
  for (const { gateway, resident } of document.devices)
    expect([gateways.has(gateway), residents.has(resident)]).toEqual([true, true])
  for (const { resident } of document.family) expect(residents).toContain(resident)
  for (const duty of [...document.duty, ...document.roster])
    expect([communities.has(duty.community), staff.has(duty.staff)]).toEqual([true, true])
})
