import { readFile } from 'node:fs/promises'
import { StartError } from '../../kit/lifecycle.js'
import { runRole } from '../../kit/role.js'
import { publicUrlOf } from '../../kit/settings.js'
import { connectDatabase } from '../connect.js'
import { issueFamilyLink } from '../family.js'
import { registerDocument } from './document.js'
import { register } from './register.js'

const usage = `npm run register -- FILE.json                     add or update communities, staff, residents, gateways, devices
npm run register -- --family-link FAMILY_MEMBER   make a private link for a family member and print it once`

await runRole({
  role: 'register',
  quiet: true,
  start: async ({ settings, log, signal, teardown }) => {
    const [file, familyMemberId, ...rest] = process.argv.slice(2)
    if (file === '--help') {
      console.log(usage)
      process.exit(0)
    }
    if (!file || rest.length > 0) throw new StartError(`register: what to register?\n${usage}`)
    const document = file === '--family-link' ? undefined : await readDocument(file)
    const db = await connectDatabase({ settings, signal, log, teardown })
    const now = new Date()
    if (document) {
      const { issued, keptSecrets, keptChannels, keptRosters } = await register(db, {
        document,
        timeZoneDefault: settings.TZ_DEFAULT,
        now,
      }).catch((error: Error) => {
        throw new StartError(`register ${file}: nothing was registered: ${error.message}`)
      })
      console.log(`${file} is registered.`)
      if (keptSecrets.length > 0)
        console.log(
          `Not stored, changed on their pages since: the secrets of ${keptSecrets.join(', ')} ("replaceSecret": true stores them).`,
        )
      if (keptChannels.length > 0)
        console.log(
          `Not stored, changed on their pages since: the channels of ${keptChannels.join(', ')} ("replaceChannels": true stores them).`,
        )
      if (keptRosters.length > 0)
        console.log(`Not stored, changed on their pages since: the weekly shifts of ${keptRosters.join(', ')}.`)
      if (issued.length > 0) console.log('Made up for new entries, shown once:')
      for (const { kind, of, value } of issued) console.log(`  ${kind} of ${of}: ${value}`)
    } else {
      const token = await issueFamilyLink(db, { familyMemberId: familyMemberId ?? '', now }).catch(() => {
        throw new StartError(`register --family-link: there is no family member "${familyMemberId ?? ''}"`)
      })
      console.log(
        `Private page of ${familyMemberId}, shown once:\n${publicUrlOf(settings, settings.HTTP_PORT)}/f/${token}`,
      )
    }
    await teardown.run()
    process.exit(0)
  },
})

async function readDocument(file: string) {
  let json: unknown
  try {
    json = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new StartError(`register ${file}: ${(error as Error).message}`)
  }
  const parsed = registerDocument.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new StartError(`register ${file}: ${issue.path.join('.') || 'document'}: ${issue.message}`)
}
