import { createServer } from 'node:net'
import { Aedes } from 'aedes'

// Aedes as it comes, with nothing behind it: what acknowledging alone costs. Prints its port.

const broker = await Aedes.createBroker()
const server = createServer(broker.handle)
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () =>
  console.log(`listening ${JSON.stringify(server.address())}`),
)
