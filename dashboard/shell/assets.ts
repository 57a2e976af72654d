import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { projectRoot } from '../../kit/entry.js'

type Asset = { name: string; type: string; body: Buffer }

const web = new URL('../web/', import.meta.url)
const compiled = `${projectRoot}dist/dashboard/web/`
const script = 'text/javascript; charset=utf-8'

/**
 * Serves the few files that browsers need, from memory, under a path that names their content, so that a browser keeps
 * them for good and never mixes two builds. Returns that path.
 */
export async function serveAssets(app: FastifyInstance): Promise<string> {
  const assets = await loadAssets()
  const hash = createHash('sha256')
  for (const { body } of assets) hash.update(body)
  const version = hash.digest('base64url').slice(0, 12)
  app.get<{ Params: { version: string; file: string } }>('/assets/:version/:file', async (request, reply) => {
    const { params } = request
    const asset = assets.find(({ name }) => name === params.file)
    if (!asset) return reply.callNotFound()
    // A page of the build before asks for its own version: it gets this one, and does not keep it.
    const keep = params.version === version ? 'public, max-age=31536000, immutable' : 'no-store'
    return reply.type(asset.type).header('cache-control', keep).send(asset.body)
  })
  return `/assets/${version}`
}

/** Browser code comes compiled from `dist`, also when this file runs from the sources. */
async function loadAssets(): Promise<Asset[]> {
  const scripts = ['live.js', 'countdown.js', 'sound.js', 'relative-time.js', 'push.js'].map(async (name) => ({
    name,
    type: script,
    body: await readFile(`${compiled}${name}`),
  }))
  return Promise.all([
    ...scripts,
    readFile(`${projectRoot}node_modules/idiomorph/dist/idiomorph.esm.js`).then((body) => ({
      name: 'idiomorph.js',
      type: script,
      body,
    })),
    readFile(new URL('icon.svg', web)).then((body) => ({ name: 'icon.svg', type: 'image/svg+xml', body })),
    ...(await loadStyles()),
    ...['icon-192.png', 'icon-512.png'].map(async (name) => ({
      name,
      type: 'image/png',
      body: await readFile(new URL(name, web)),
    })),
  ])
}

/** style.css is on every page; the others are for the pages that link to them. */
async function loadStyles(): Promise<Asset[]> {
  const names = (await readdir(web)).filter((name) => name.endsWith('.css'))
  return Promise.all(
    names.map(async (name) => ({ name, type: 'text/css; charset=utf-8', body: await readFile(new URL(name, web)) })),
  )
}
