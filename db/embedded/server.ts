// The embedded TimescaleDB, as a child process of whoever started it: PGlite blocks its thread while it works.
// It ends when its parent asks, or is gone.
import { PGlite } from '@electric-sql/pglite'
import { timescaledb } from '@electric-sql/pglite/timescaledb'
import { createWireServer } from './wire-server.js'

const { SHOUWANG_EMBEDDED_DIR: dataDir, SHOUWANG_EMBEDDED_PASSWORD: password } = process.env
if (!process.send || !dataDir || !password) throw new Error('embedded/server is started by embedded/start only')

// Ctrl-C reaches the whole process group; the parent stops the roles first and then tells us.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)

const engine = await PGlite.create({ dataDir, extensions: { timescaledb } })
// Nothing is preloaded here. Unless the loader comes first, a database that was made by an earlier start comes without
// the Community features, and every insert into a table with a roll-up fails for want of its trigger.
await engine.exec("load 'timescaledb'; create extension if not exists timescaledb")
const { rows } = await engine.query<{ loaded: boolean }>('select _timescaledb_functions.tsl_loaded() as loaded')
if (!rows[0]?.loaded) throw new Error('TimescaleDB came without its Community features')

const server = createWireServer({ engine, password })
server.listen({ host: '127.0.0.1', port: 0 }, () => {
  const address = server.address()
  if (!address || typeof address !== 'object') return
  // Whoever started it may be gone before it is up.
  process.send?.({ port: address.port }, undefined, undefined, (error) => {
    if (error) void close()
  })
})

let closing = false
// The port stays taken until the end: it tells the next start that this one still has the files.
server.on('connection', (socket) => closing && socket.destroy())
async function close() {
  if (closing) return
  closing = true
  await engine.close()
  process.exit(0)
}
process.on('message', (message) => {
  if (message === 'stop') void close()
})
process.on('disconnect', () => void close())
