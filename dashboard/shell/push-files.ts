import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { projectRoot } from '../../kit/entry.js'

const worker = `${projectRoot}dist/dashboard/web/worker/push-worker.js`

/** What makes the console something that a phone installs and pushes to: its worker, at the root so that it serves every page, and its manifest. */
export async function servePushFiles(app: FastifyInstance, { assets }: { assets: string }): Promise<void> {
  const script = await readFile(worker)
  const manifest = JSON.stringify({
    id: '/',
    name: '守望 Shouwang',
    short_name: '守望',
    start_url: '/',
    scope: '/',
    display: 'standalone',
    background_color: '#f6f5f1',
    theme_color: '#1f4e5f',
    icons: [192, 512].map((size) => ({
      src: `${assets}/icon-${size}.png`,
      sizes: `${size}x${size}`,
      type: 'image/png',
      purpose: 'any maskable',
    })),
  })
  app.get('/push-worker.js', (_, reply) =>
    reply.type('text/javascript; charset=utf-8').header('cache-control', 'no-cache').send(script),
  )
  app.get('/manifest.webmanifest', (_, reply) =>
    reply.type('application/manifest+json; charset=utf-8').header('cache-control', 'no-cache').send(manifest),
  )
}
