import { sendBacklog } from './storm-client.js'
import { type Storm, stormBacklog } from './storm-homes.js'

// The gateways of a storm, in a process of their own: what is measured must not wait for them. Prints how many are left.
const storm = JSON.parse(process.argv[2]!) as Storm & { port: number; secret: string }
let left = storm.gateways
let connections = 0
await Promise.all(
  Array.from({ length: storm.gateways }, async (_, i) => {
    const backlog = { ...stormBacklog(storm, i + 1), port: storm.port, secret: storm.secret, window: 20 }
    const backlogSent = await sendBacklog(backlog)
    connections += backlogSent.connections
    left--
    if (left % 10 === 0) console.log(`left ${left}`)
  }),
)
console.log(`done ${connections}`)
