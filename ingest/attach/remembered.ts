import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'

const schema = z.object({
  /** Who this edge is to the others that hold sessions: the same after a restart, so that it takes its own up at once. */
  holderId: z.string(),
  held: z.array(z.object({ sessionNo: z.number(), filters: z.array(z.string()) })),
  gateways: z.array(
    z.object({ gatewayId: z.string(), baseTopics: z.array(z.string()), heardAt: z.number().nullable() }),
  ),
})
export type Remembered = z.infer<typeof schema>

/** What an edge that starts while the database is away has to know to attach: a file in its own folder. */
export function openRemembered(file: string) {
  let written = ''
  return {
    /** Never rejects: without the file, or with a broken one, it is a new edge. */
    async read(): Promise<Remembered> {
      const text = await readFile(file, 'utf8').catch(() => '')
      try {
        return schema.parse(JSON.parse(text))
      } catch {
        return { holderId: randomUUID(), held: [], gateways: [] }
      }
    },
    /** As a whole or not at all, and only where it has changed. */
    async write(remembered: Remembered): Promise<void> {
      const text = JSON.stringify(remembered)
      if (text === written) return
      await writeFile(`${file}.new`, text)
      await rename(`${file}.new`, file)
      written = text
    },
  }
}
