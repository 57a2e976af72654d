import { isTestDue, type Tested, testedKinds } from '../../db/devices-tested.js'
import type { ResidentDevice } from '../../db/residents.js'
import { devicePath } from '../shell/devices.js'
import type { Here } from '../shell/here.js'
import { watchText } from '../shell/text-watch.js'
import { When } from '../shell/times.js'

/** When an alarm device was tested last, and that its next test is due. Meters prove themselves. */
export function LastTested(p: { device: ResidentDevice; tested: Map<number, Tested>; timeZone: string; here: Here }) {
  const { device, here } = p
  if (!testedKinds.includes(device.kind)) return null
  const t = watchText(here.language)
  const tested = p.tested.get(device.deviceNo)
  return (
    <p class="last-tested">
      {tested ? (
        <>
          {t.lastTested}
          <When at={tested.testedAt} now={here.now} timeZone={p.timeZone} language={here.language} />
        </>
      ) : (
        t.neverTested
      )}
      {isTestDue(tested, here.now) && (
        <>
          {' · '}
          <a href={devicePath(device.gatewayId, device.deviceId, 'test')}>{t.nextTestDue}</a>
        </>
      )}
    </p>
  )
}
