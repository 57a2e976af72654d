import type { Database } from '../../db/pool.js'
import { type RegisterInput, registerDocument } from '../../db/register/document.js'
import { register } from '../../db/register/register.js'

export const gatewaySecret = (gatewayId: string) => `secret-of-${gatewayId}`
export const staffPassword = 'invented-password-1'
export const webhookSecret = 'invented-webhook-secret'

/**
 * An invented community `key` with a social worker, a colleague on duty, a supervisor and an operator, and `homes`
 * homes, each with a gateway of its own and one device of each kind: `${key}-1-button` hangs at gateway `${key}-1`.
 */
export async function registerCommunity(
  db: Database,
  {
    key,
    homes = 1,
    channelsOf = () => [],
    now = new Date(),
  }: {
    key: string
    homes?: number
    channelsOf?: (
      who: 'worker' | 'colleague' | 'supervisor',
    ) => NonNullable<NonNullable<RegisterInput['staff']>[number]['channels']>
    now?: Date
  },
): Promise<void> {
  const names = Array.from({ length: homes }, (_, i) => `${key}-${i + 1}`)
  const person = (
    short: 'worker' | 'colleague' | 'supervisor' | 'operator',
    name: string,
    role: 'operator' | 'supervisor' | 'social_worker',
  ) => ({
    id: `${key}-${short}`,
    name: `示例·${name} ${key}`,
    role,
    login: `${key}-${short}`,
    password: staffPassword,
    communities: [key],
    channels: short === 'operator' ? [] : channelsOf(short),
  })
  const document = registerDocument.parse({
    communities: [{ id: key, name: `示例社区 ${key}` }],
    staff: [
      person('worker', '张社工', 'social_worker'),
      person('colleague', '林社工', 'social_worker'),
      person('supervisor', '黄主管', 'supervisor'),
      person('operator', '运维', 'operator'),
    ],
    residents: names.map((id) => ({
      id,
      community: key,
      name: `示例·居民 ${id}`,
      address: `示例路 ${id} 号`,
      responsible: `${key}-worker`,
    })),
    gateways: names.map((id) => ({ id, community: key, secret: gatewaySecret(id) })),
    devices: names.flatMap((id) =>
      (['water', 'electricity', 'button', 'smoke', 'gas'] as const).map((kind) => ({
        id: `${id}-${kind}`,
        kind,
        gateway: id,
        resident: id,
        room: '卫生间',
      })),
    ),
    family: [{ id: `${key}-daughter`, resident: names[0]!, name: '示例·女儿' }],
    duty: [
      {
        community: key,
        staff: `${key}-colleague`,
        from: new Date(now.getTime() - 86_400_000).toISOString(),
        to: new Date(now.getTime() + 86_400_000).toISOString(),
      },
    ],
  } satisfies RegisterInput)
  await register(db, { document, timeZoneDefault: 'Asia/Shanghai', now })
}
