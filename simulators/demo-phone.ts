import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const bodyBytesMax = 65_536

/** Stands for the phones of the demo's staff: a webhook receiver on this machine that prints each page and message it gets. */
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
        print(`☎  ${request.url?.slice(1)}: ${sentence(JSON.parse(body))}`)
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

type Told = { kind: string; severity: string; url?: string }
type Page = Told & { resident: { name: string }; headline: { zh: string; en: string } }
/** About no single alert, or a call to make before anybody is paged. */
type Message = Told & { noticeId: string; text: { zh: string; en: string } }

function sentence(told: Page | Message): string {
  const words =
    'noticeId' in told
      ? `[${told.kind}] ${told.text.zh} ${told.text.en}`
      : `[${told.severity}] ${told.resident.name}: ${told.headline.zh} ${told.headline.en}`
  return told.url ? `${words}\n   ${told.url}` : words
}
