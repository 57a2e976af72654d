import { hashSecret } from '../../kit/secret-hash.js'
import type { Reader } from '../readers.js'
import { homeAssistantFilters, homeAssistantUser } from './home-assistant.js'

/** The login of the operator's Home Assistant: it may read what is published for it, and nothing else. */
export const homeAssistantReader = async (secret: string): Promise<Reader> => ({
  userName: homeAssistantUser,
  secretHash: await hashSecret(secret),
  filters: homeAssistantFilters,
})
