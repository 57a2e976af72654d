import { expect, test } from 'vitest'
import { createLog } from '../../kit/log.js'
import { createWriter, type Level, type Write } from './writer.js'

const log = createLog({ role: 'test', level: 'silent' })
const put = (key: string): Write => ({ type: 'put', key, value: Buffer.from(key) })

/** A disk that keeps what was written, also where it says that it failed; `full` makes all that follows fail. */
function disk() {
  const kept = new Map<string, Buffer>()
  const did: string[] = []
  let full = false
  const open = async (): Promise<Level> => {
    did.push('open')
    let status = 'open'
    return {
      get status() {
        return status
      },
      batch: async (writes: Write[]) => {
        did.push(writes.map(({ type, key }) => `${type} ${key}`).join(', '))
        for (const write of writes) if (write.type === 'put') kept.set(write.key, write.value)
        if (full) throw new Error('no space left on device')
        for (const write of writes) if (write.type === 'del') kept.delete(write.key)
      },
      getMany: async (keys: string[]) => keys.map((key) => kept.get(key)),
      close: async () => {
        status = 'closed'
      },
    } as unknown as Level
  }
  return {
    open,
    kept,
    did,
    fill: (now: boolean) => {
      full = now
    },
  }
}

test('after a failed write, synced or not, it is opened anew before anything else is written', async () => {
  const { open, did, fill } = disk()
  const { write } = await createWriter({ open, log })
  fill(true)
  await expect(write([put('card')], { later: true })).rejects.toThrow('no space')
  fill(false)
  await write([put('press')], { sync: true })
  expect(did).toEqual(['open', 'put card', 'open', 'put press'])
})

test('what was refused is not there later, though it had reached the disk; what it replaced stays', async () => {
  const { open, kept, fill } = disk()
  const { write } = await createWriter({ open, log })
  await write([put('note')])
  fill(true)
  await expect(write([put('press')], { sync: true, fresh: ['press'] })).rejects.toThrow()
  await expect(write([put('note')])).rejects.toThrow()
  fill(false)
  await write([put('other')])
  expect([...kept.keys()]).toEqual(['note', 'other'])
})

test('what comes while it writes goes into one batch, in its order, and before cards', async () => {
  const { open, did } = disk()
  const { write } = await createWriter({ open, log })
  const all = [
    write([put('a')]),
    write([put('card')], { later: true }),
    write([put('b')], { sync: true }),
    write([put('c')]),
  ]
  await Promise.all(all)
  expect(did.slice(1)).toEqual(['put a', 'put b, put c', 'put card'])
})

test('closed, it writes nothing more', async () => {
  const { open } = disk()
  const { write, close } = await createWriter({ open, log })
  const last = write([put('a')])
  await close()
  await last
  await expect(write([put('b')])).rejects.toThrow('the journal is closed')
})
