import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { localPath, type RouteDeps, seeOther } from '../shell/here.js'
import { languageCookie } from '../shell/language.js'

const form = z.object({ language: z.enum(['zh', 'en']), back: z.string().max(500).default('/') })
const yearSeconds = 365 * 86_400

/** The language switch, for everybody, logged in or not. */
export function languageRoutes(app: FastifyInstance, { publicUrl }: RouteDeps): void {
  app.post('/language', (request, reply) => {
    const { language, back } = form.parse(request.body)
    reply.setCookie(languageCookie, language, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: publicUrl.startsWith('https:'),
      maxAge: yearSeconds,
    })
    return seeOther(reply, localPath(back))
  })
}
