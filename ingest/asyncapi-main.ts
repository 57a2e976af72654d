import { asyncApiDocument } from './asyncapi.js'

process.stdout.write(`${JSON.stringify(asyncApiDocument(), null, 2)}\n`)
