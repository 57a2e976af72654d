import type { ClaimableResident } from '../../db/claimable-residents.js'
import type { Here } from '../shell/here.js'
import { claimText } from '../shell/text-claim.js'

export const roomsMax = 100

/** What was typed goes before what was tapped. */
export const roomOf = ({ room, otherRoom }: { room: string; otherRoom: string }): string => otherRoom || room

/**
 * Whose, and in which room: to be tapped with one thumb, the likely ones first. Who is to see no names tells residents by
 * their id.
 */
export function ResidentChoice(p: {
  path: string
  method: 'get' | 'post'
  byId: boolean
  residents: { rows: readonly ClaimableResident[]; more: boolean }
  chosen: { resident?: string | undefined; room?: string | undefined; otherRoom?: string | undefined }
  submit: string
  q: string
  here: Here
}) {
  const { path, byId, chosen, q, here } = p
  const { rows, more } = p.residents
  const t = claimText(here.language)
  const rooms = Object.values(t.rooms)
  const known = chosen.room !== undefined && (rooms as string[]).includes(chosen.room)
  const alone = rows.length === 1 ? rows[0]!.residentId : undefined
  return (
    <>
      <search>
        <form method="get" action={path} class="search">
          <label>
            {byId ? t.searchResidentId : t.searchResident}
            <input type="search" name="q" value={q} maxLength={100} />
          </label>
          <button type="submit">{t.find}</button>
          {q !== '' && <a href={path}>{t.all}</a>}
        </form>
      </search>
      {rows.length === 0 ? (
        <p class="empty">{t.residentNone}</p>
      ) : (
        <form method={p.method} action={path} class="stack">
          {q !== '' && <input type="hidden" name="q" value={q} />}
          <fieldset>
            <legend>{t.resident}</legend>
            <div class="choices people">
              {rows.map((resident) => (
                <label key={resident.residentId} class="choice">
                  <input
                    type="radio"
                    name="resident"
                    value={resident.residentId}
                    required
                    checked={resident.residentId === (chosen.resident || alone)}
                  />
                  <span>
                    {byId ? resident.residentId : resident.name}
                    {!byId && <span class="sub">{resident.address}</span>}
                    {resident.here && <span class="sub">{t.here}</span>}
                  </span>
                </label>
              ))}
            </div>
            {more && <p>{t.residentMore}</p>}
          </fieldset>
          <fieldset>
            <legend>{t.room}</legend>
            <div class="choices">
              {rooms.map((room) => (
                <label key={room} class="choice">
                  <input type="radio" name="room" value={room} checked={room === chosen.room} />
                  {room}
                </label>
              ))}
            </div>
            <label class="other-room">
              {t.otherRoom}
              <input
                name="otherRoom"
                maxLength={roomsMax}
                value={chosen.otherRoom || (known ? '' : (chosen.room ?? ''))}
              />
            </label>
          </fieldset>
          <button class="primary wide" type="submit">
            {p.submit}
          </button>
        </form>
      )}
    </>
  )
}
