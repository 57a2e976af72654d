import type { FastifyInstance } from 'fastify'

/**
 * Lets the routes of this scope take forms that carry a file (multipart/form-data, RFC 7578), read by the parser that
 * Node brings. A file becomes its text; one that is not text in UTF-8 becomes `notText`.
 */
export function takeFormFiles(scope: FastifyInstance, { bytesMax }: { bytesMax: number }): void {
  scope.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer', bodyLimit: bytesMax },
    async (request: { headers: Record<string, unknown> }, body: Buffer) => {
      const headers = { 'content-type': String(request.headers['content-type']) }
      const form = await new Response(new Uint8Array(body), { headers }).formData().catch(() => {
        throw Object.assign(new Error('malformed form'), { statusCode: 400 })
      })
      const fields: Record<string, string> = {}
      for (const [name, value] of form) fields[name] = typeof value === 'string' ? value : await textOf(value)
      return fields
    },
  )
}

export const notText = '\ufffd'

async function textOf(file: Blob): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
  } catch {
    return notText
  }
}
