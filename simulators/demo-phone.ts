import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const bodyBytesMax = 65_536

/** Stands for the phones of the demo's staff: a webhook receiver on this machine that prints each page it gets. */
export async function startDemoPhone({ print }: { print: (line: string) => void }) {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
      if (body.length > bodyBytesMax) request.destroy()
    })
    request.on('end', () => {
      response.writeHead(204).end()
      try {
        const page = JSON.parse(body)
        print(
          `☎  ${request.url?.slice(1)}: [${page.severity}] ${page.resident.name}: ${page.headline.zh} ${page.headline.en}\n   ${page.url}`,
        )
      } catch {
        print('☎  a page that is not JSON')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
