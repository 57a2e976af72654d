import type { Queryable } from '../pool.js'
import type { NewChannel } from '../staff-channels.js'

/**
 * Makes a person's channels those of the document, in its order. One that there is already stays as it is, with what is
 * known of it. False where they were changed on a page since and stay, unless they are to be `replaced`.
 */
export async function registerChannels(
  tx: Queryable,
  p: { staffId: string; channels: readonly NewChannel[]; replace: boolean },
): Promise<boolean> {
  const { staffId, channels, replace } = p
  const { rows } = await tx.query<{ onPage: boolean }>(
    'select channels_set_at is not null as "onPage" from staff where staff_id = $1 for no key update',
    [staffId],
  )
  const { rows: there } = await tx.query<NewChannel & { id: string }>(
    'select channel_id as id, kind, address, secret from staff_channels where staff_id = $1 order by position',
    [staffId],
  )
  const isSame =
    there.length === channels.length &&
    there.every(({ kind, address, secret }, i) => {
      const wanted = channels[i]!
      return kind === wanted.kind && address === wanted.address && secret === wanted.secret
    })
  if (isSame) return true
  if (rows[0]?.onPage && !replace) return false
  const kept: string[] = []
  for (const { kind, address, secret } of channels) {
    const known = there.find((each) => each.kind === kind && each.address === address && !kept.includes(each.id))
    const { rows: stored } = known
      ? await tx.query<{ id: string }>(
          'update staff_channels set position = default, secret = $2 where channel_id = $1 returning channel_id as id',
          [known.id, secret],
        )
      : await tx.query<{ id: string }>(
          'insert into staff_channels (staff_id, kind, address, secret) values ($1, $2, $3, $4) returning channel_id as id',
          [staffId, kind, address, secret],
        )
    kept.push(stored[0]!.id)
  }
  await tx.query('delete from staff_channels where staff_id = $1 and channel_id <> all($2)', [staffId, kept])
  await tx.query('update staff set channels_set_at = null where staff_id = $1', [staffId])
  return true
}

/** Without left-out quiet hours: those that a person set on a page stay. */
export async function registerQuietHours(
  tx: Queryable,
  p: { staffId: string; quiet: { from: string; until: string; timeZone: string } | undefined },
): Promise<void> {
  if (!p.quiet) return
  await tx.query('update staff set quiet_from = $2, quiet_until = $3, quiet_zone = $4 where staff_id = $1', [
    p.staffId,
    p.quiet.from,
    p.quiet.until,
    p.quiet.timeZone,
  ])
}
