import { openDatabase } from '../../db/pool.js'
import { createLog } from '../../kit/log.js'
import { meterNumbers } from './bench-database.js'
import type { DirectCommand, DirectReport } from './direct.js'

// Two connections that insert readings which are already there as arrays, with no broker and nothing to decode: what the
// table takes.

const connections = 2
const meters = 50
const insert = `
  insert into readings (device_no, observed_at, received_at, event, value)
  select device_no, to_timestamp(observed_ms / 1000), to_timestamp(received_ms / 1000), '', value
    from unnest($1::int[], $2::float8[], $3::float8[], $4::float8[]) as r (device_no, observed_ms, received_ms, value)`

const url = process.env.DATABASE_URL!
const db = openDatabase({ url, log: createLog({ role: 'bench', level: 'silent' }), connectionsMax: connections })
const deviceNos = await meterNumbers(db, meters)

async function run({ warmUpMs, measureMs, batchRows }: DirectCommand) {
  const from = performance.now() + warmUpMs
  const until = from + measureMs
  let next = Date.now() - 3_600_000
  let rows = 0
  async function insertOnOne() {
    while (performance.now() < until) {
      // As a load of arrays of 100 has it: a hundred readings of one meter after the other, none of them twice.
      const start = next
      const perMeter = Math.max(1, Math.floor(batchRows / meters))
      next += perMeter
      const devices: number[] = []
      const times: number[] = []
      for (const deviceNo of deviceNos)
        for (let i = 0; i < perMeter; i++) {
          devices.push(deviceNo)
          times.push(start + i)
        }
      const received = times.map(() => start)
      await db.query(insert, [devices, times, received, times.map((_, i) => 100_000 + i / 1_000)])
      if (performance.now() > from && performance.now() < until) rows += devices.length
    }
  }
  await Promise.all(Array.from({ length: connections }, insertOnOne))
  process.send!({ rows, seconds: measureMs / 1_000 } satisfies DirectReport)
}

process.on('message', (command: DirectCommand) => {
  run(command).catch((error: Error) => {
    console.error(error.message)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
process.send!('ready')
